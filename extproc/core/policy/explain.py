"""Why a decision is what it is: every rule that speaks to the question, and what each one says.

For the operator, never for a client: it tells what a refusal hides.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from msgspec.structs import replace as asking

from extproc.core.access import NO_FACTS, AccessRequest, Facts
from extproc.core.model import Decision, Effect, Message, Principal, ResourceKind, Target, Verb
from extproc.core.policy.arguments import ArgumentRule
from extproc.core.policy.conditions import FACTS, Condition
from extproc.core.policy.decide import client_of, judge
from extproc.core.policy.membership import Membership, faces
from extproc.core.policy.question import Question, covers_kind, looks_denied
from extproc.core.policy.rules import Policy, Server
from extproc.core.policy.visibility import permits, refuses, verb_in

__all__ = ["Explanation", "Finding", "explain", "in_role"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that speaks to the question. ``speaks`` is whether it applies, ``why`` what that depends on."""

    rule: str
    speaks: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision with all that led to it.

    ``roles`` are those of the principal (a token and a workload certificate each have their own). ``refusing`` are the
    deny rules on the things that were asked for, ``granting`` the grants, ``notes`` what no rule speaks of.
    """

    decision: Decision
    roles: tuple[frozenset[str], ...]
    refusing: tuple[Finding, ...]
    granting: tuple[Finding, ...]
    notes: tuple[str, ...]


def explain(
    policy: Policy,
    principal: Principal,
    server: str,
    message: Message,
    *,
    session_calls: int = 0,
    facts: Facts = NO_FACTS,
) -> Explanation:
    """The decision of ``judge`` on the same question, and every rule that allows, refuses or would have allowed."""
    decision = judge(policy, principal, server, message, session_calls=session_calls, facts=facts)
    held = faces(policy.membership, principal)
    place = policy.servers.get(server)
    if place is None:
        note = f"the policy has no server `{server}`"
        return Explanation(decision=decision, roles=held, refusing=(), granting=(), notes=(note,))
    refusing: list[Finding] = []
    granting: list[Finding] = []
    notes: list[str] = []
    for target in message.targets:
        request = AccessRequest(
            principal=principal,
            server=server,
            method=message.method,
            verb=message.verb,
            target=target,
            arguments=message.arguments,
            client=client_of(message),
            session_calls=session_calls,
            facts=facts,
        )
        for asked in (request, *_inner(request)):
            of = "" if asked is request else f"for the call of `{asked.target.name}` on server `{asked.server}`: "
            said = _said(policy, asked, held, of)
            refusing += said[0]
            granting += said[1]
            notes += said[2]
    if facts.calls is not None and facts.calls.fault:
        notes.append(f"the arguments do not say what would be called: {facts.calls.fault}")
    if not any(held):
        notes.append("the principal has no role")
    if decision.effect is Effect.DENY and decision.shadowed:
        notes.append("shadow mode: the refusal is recorded, and the call goes through")
    return Explanation(
        decision=decision,
        roles=held,
        refusing=tuple(dict.fromkeys(refusing)),
        granting=tuple(dict.fromkeys(granting)),
        notes=tuple(dict.fromkeys(notes)),
    )


def _said(
    policy: Policy, asked: AccessRequest, held: tuple[frozenset[str], ...], of: str
) -> tuple[list[Finding], list[Finding], list[str]]:
    """The deny rules, the grants and the notes on one thing; ``of`` says which, where it is called by another."""
    place = policy.servers.get(asked.server)
    if place is None:
        return [], [], [f"{of}the policy has no server `{asked.server}`"]
    verb = verb_in(place, asked.target, asked.verb, asked.facts)
    question = Question(request=asking(asked, verb=Verb.ADMIN if verb is None else verb))
    refusing = _refusing(place, question, of)
    if verb is None:
        what = f"the tool `{asked.target.name}` is not listed under server `{place.name}`"
        note = f"{what}, or only looks like one that is, and such tools are refused"
        return refusing, [], [note]
    return refusing, _granting(place, question, held, of), [f"{of}verb {verb.name.lower()}"] if of else []


def _inner(request: AccessRequest) -> Iterator[AccessRequest]:
    """The calls that a request would have its tool make, as if each was made directly."""
    for call in request.facts.calls.every if request.facts.calls is not None else ():
        target = Target(kind=ResourceKind.TOOL, name=call.tool)
        yield asking(request, server=call.server, target=target, arguments=call.arguments, facts=call.facts)


def in_role(policy: Policy, role: str) -> tuple[Policy, Principal] | None:
    """The policy with one principal who has exactly this role, and that principal; None for an unknown role."""
    if role not in policy.roles:
        return None
    members = policy.membership
    issuer = next((issuer.issuer for issuer in policy.identity.issuers), "")
    principal = Principal(
        issuer=issuer,
        subject=f"any {role}",
        groups=frozenset(group for group, roles in members.groups.items() if role in roles),
        roles=frozenset(name for name, roles in members.roles.items() if role in roles),
    )
    only = Membership(
        groups={},
        roles={},
        subjects={(principal.issuer, principal.subject): frozenset({role})},
        workloads=(),
        conditions=(),
    )
    return replace(policy, membership=only), principal


def _refusing(place: Server, question: Question, of: str) -> list[Finding]:
    return [
        Finding(
            rule=rule.rule,
            speaks=refuses(rule, question),
            why=of + "; ".join([*_shown(question, rule.arguments), *_condition(question, rule.when, rule.arguments)]),
        )
        for rule in place.denies
        if looks_denied(rule, question)
    ]


def _granting(place: Server, question: Question, held: tuple[frozenset[str], ...], of: str) -> list[Finding]:
    found: list[Finding] = []
    everything = question.request.target.kind is ResourceKind.SERVER
    for grant in place.grants:
        if not everything and not covers_kind(grant.reach, question):
            continue
        if not all(grant.role in roles for roles in held):
            found.append(Finding(rule=grant.rule, speaks=False, why=f"{of}needs role `{grant.role}`"))
        elif everything:
            found.append(Finding(rule=grant.rule, speaks=True, why="allows something on this server"))
        else:
            why = of + "; ".join(
                [*_fitting(question, grant.arguments), *_condition(question, grant.when, grant.arguments)]
            )
            found.append(Finding(rule=grant.rule, speaks=permits(grant, question), why=why))
    return found


def _shown(question: Question, rules: tuple[ArgumentRule, ...]) -> Iterator[str]:
    for rule in rules:
        has = "has" if question.shows((rule,)) else "has nothing of"
        yield f"argument `{rule.path}` {has} what the rule names"


def _fitting(question: Question, rules: tuple[ArgumentRule, ...]) -> Iterator[str]:
    for rule in rules:
        fits = "fits" if question.fits((rule,)) else "does not fit, or is missing"
        yield f"argument `{rule.path}` {fits}"


def _condition(question: Question, condition: Condition | None, rules: tuple[ArgumentRule, ...]) -> Iterator[str]:
    if condition is None:
        yield from () if rules else ("has no condition",)
        return
    text = " ".join(condition.text.split())
    lacking = [kind for kind, names in FACTS.items() if condition.names & names and not _has(question, kind)]
    holds = question.ask(condition)
    if lacking and holds is None and not question.certainly(condition):
        yield f"the condition `{text}` is about {lacking[0]}, which this call has none of"
        return
    says = {True: "is true", False: "is false", None: "errors (a missing key or another type)"}[holds]
    yield f"the condition `{text}` {says}"


def _has(question: Question, kind: str) -> bool:
    return getattr(question.request.facts, kind) is not None
