"""Refusal of rules that can never apply: a policy that reads as enforcement must enforce.

A grant or deny rule must cover at least one thing on one server; each server, subject and workload it names must
exist; each tool pattern must match a tool that may have one of the rule's verbs; a role must be one that somebody can
have. Prompts and resources are not declared in a policy: a prompt pattern may always match, a resource pattern where it
leaves room for a URI in normal form.
"""

from typing import Final

from extproc.core.model import Verb
from extproc.core.policy.entries import Assignment, Document, RoleEntry, ScopeEntry, ServerEntry
from extproc.core.policy.patterns import covers, folded, overlaps, weight
from extproc.core.policy.reading import Reading, Word, listed
from extproc.core.policy.subjects import check_subjects
from extproc.core.wire import uris

__all__ = ["check_reach", "check_scope"]

_EVERY_SERVER: Final = "*"
_SPIFFE: Final = "spiffe://"


def check_reach(document: Document, reading: Reading) -> None:
    """Note every rule, name and pattern of the document that can never matter."""
    servers = {server.name.value: server for server in document.servers}
    _check_twins([server.name for server in document.servers], "servers", reading)
    _check_twins([role.name for role in document.roles], "roles", reading)
    for server in document.servers:
        _check_listed_tools(server, reading)
        _check_audiences(server, document, reading)
    for role in document.roles:
        _check_assignment(role, document, reading)
        for grant in role.grants:
            check_scope(grant, "this grant", servers, reading, folds=False)
    for rule in document.deny:
        check_scope(rule.scope, f"deny rule `{rule.name.value}`", servers, reading, folds=True)
    for limit in document.limits:
        _named(limit.servers, servers, reading)
    for name, _ in document.recordings:
        _named((name,), servers, reading, every=False)


def _check_twins(names: list[Word], what: str, reading: Reading) -> None:
    seen: dict[str, str] = {}
    for name in names:
        twin = seen.setdefault(folded(name.value), name.value)
        if twin != name.value:
            reading.problem(name.spot, f"two {what} look alike: `{twin}` and `{name.value}`", "Rename one of them")
        if name.value == _EVERY_SERVER:
            reading.problem(name.spot, f"`*` is no name for one of {what}", "Write a plain name")


def _check_listed_tools(server: ServerEntry, reading: Reading) -> None:
    for name, verb in server.tools:
        for other, stricter in server.tools:
            # of two patterns with the same fixed characters count the stricter verb rules where both match
            hides = "*" in name.value and other.value != name.value and covers(other.value, name.value)
            if hides and weight(other.value) == weight(name.value) and stricter > verb:
                what = f"`{name.value}` never matters: `{other.value}` covers it with a stricter verb"
                reading.problem(name.spot, what, "Remove it")


def _check_audiences(server: ServerEntry, document: Document, reading: Reading) -> None:
    known = [audience for issuer in document.identity.issuers for audience in issuer.audiences]
    for audience in server.audiences:
        if audience.value not in known:
            what = f"no token can be for server `{server.name.value}`: no issuer takes the audience `{audience.value}`"
            reading.problem(audience.spot, what, "Add it to the `audience` of an issuer, or correct it")


def _named(
    words: tuple[Word, ...], servers: dict[str, ServerEntry], reading: Reading, *, every: bool = True
) -> list[ServerEntry]:
    """The servers that are named; an unknown one is a problem."""
    found: dict[str, ServerEntry] = {}
    for word in words:
        if every and word.value == _EVERY_SERVER:
            found.update(servers)
        elif word.value in servers:
            found[word.value] = servers[word.value]
        else:
            fix = (
                f"Declare it under `servers`, or use one of {listed(list(servers))}"
                if servers
                else "Declare it under `servers`"
            )
            reading.problem(word.spot, f"there is no server `{word.value}`", fix)
    return list(found.values())


def _check_assignment(role: RoleEntry, document: Document, reading: Reading) -> None:
    assigned: Assignment = role.assigned_to
    identity = document.identity
    tokens = (*assigned.groups, *assigned.roles, *(subject.subject for subject in assigned.subjects))
    if tokens and not identity.issuers:
        what = f"nobody can have role `{role.name.value}` by this: no token issuer is configured"
        reading.problem(tokens[0].spot, what, "Add one under `identity.issuers`")
    if assigned.when is not None and not identity.issuers and not identity.trust_domains:
        what = f"nobody can have role `{role.name.value}`: `identity` believes nobody"
        reading.problem(assigned.when.spot, what, "Add an issuer or a workload under `identity`")
    check_subjects(assigned.subjects, identity, reading)
    for workload in assigned.workloads:
        domain, slash, path = workload.value.removeprefix(_SPIFFE).partition("/")
        if not workload.value.startswith(_SPIFFE) or not slash or not path or "*" in domain:
            fix = "Write it like `spiffe://prod.example.com/agents/*`"
            reading.problem(workload.spot, "a workload is a SPIFFE id with a path", fix)
        elif domain not in identity.trust_domains:
            what = f"no workload can come from `{domain}`: it is no trust domain of `identity.workloads`"
            reading.problem(workload.spot, what, f"Add `- trust_domain: {domain}`")


def check_scope(
    scope: ScopeEntry, what: str, servers: dict[str, ServerEntry], reading: Reading, *, folds: bool
) -> None:
    """Note every name and pattern of a scope that nothing fits; ``folds``: look-alikes fit too."""
    named = _named(scope.servers, servers, reading)
    if not named:
        return
    verbs = scope.verbs if scope.verbs is not None else frozenset(Verb)
    for pattern in scope.tools or ():
        if not any(_may_match(server, pattern.value, verbs, folds=folds) for server in named):
            others = any(_may_match(server, pattern.value, frozenset(Verb), folds=folds) for server in named)
            verbs_wanted = f" with a verb of {_spelled(verbs)}" if others else ""
            other = "add the tool's verb to `verbs`" if others else "declare the tool under the server's `tools`"
            what = f"`{pattern.value}` matches no tool{verbs_wanted}"
            reading.problem(pattern.spot, what, f"Remove it, or {other}")
    for patterns, kind in ((scope.prompts, "prompts"), (scope.resources, "resources")):
        if patterns and Verb.QUERY not in verbs:
            fix = f"Add `query` to `verbs`, or remove `{kind}`"
            reading.problem(patterns[0].spot, f"{kind} are read with the verb `query`, which is not among `verbs`", fix)
    for pattern in scope.resources or ():
        if not _may_be_uri(pattern.value):
            fix = "Write scheme and host in lower case, without `.` and `..` steps"
            reading.problem(pattern.spot, f"`{pattern.value}` never matches: URIs are taken in normal form only", fix)
    unrestricted = scope.tools is None and scope.prompts is None and scope.resources is None
    if unrestricted and Verb.QUERY not in verbs and not any(_may_match(one, "*", verbs, folds=folds) for one in named):
        fix = "Declare such a tool, or change `verbs`"
        reading.problem(scope.spot, f"{what} can match nothing: no tool has a verb of {_spelled(verbs)}", fix)


def _may_match(server: ServerEntry, pattern: str, verbs: frozenset[Verb], *, folds: bool) -> bool:
    """Whether some tool of the server fits the pattern and has one of the verbs."""
    if server.unlisted in verbs:
        return True
    return any(
        verb in verbs and (overlaps(pattern, name.value) or (folds and overlaps(folded(pattern), folded(name.value))))
        for name, verb in server.tools
    )


def _may_be_uri(pattern: str) -> bool:
    """Whether some URI in normal form may fit: with something in place of each `*`, as far as that can be tried."""
    if "*" in pattern.partition(":")[0]:
        return True
    return any(uris.is_normal(pattern.replace("*", something)) for something in ("x", "/x", ""))


def _spelled(verbs: frozenset[Verb]) -> str:
    return listed([verb.name.lower() for verb in sorted(verbs)])
