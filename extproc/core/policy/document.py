"""From the tree of a policy file to its entries.

Reads every key of the format, the closed set of DESIGN section 6 minus what is not supported yet, and judges each
value by itself. What values mean together (a grant on an unknown server, a pattern that matches nothing) is checked
by ``reach``. Durations are seconds, patterns stay text.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from extproc.core.model import Recording, Verb
from extproc.core.policy.approvals import read_approvals, read_lending
from extproc.core.policy.arguments import read_arguments
from extproc.core.policy.detectors import read_detectors
from extproc.core.policy.entries import (
    Assignment,
    DenyEntry,
    Document,
    LimitEntry,
    RecordingEntry,
    RoleEntry,
    ScopeEntry,
    ServerEntry,
)
from extproc.core.policy.inspections import EVERY_VERB, INSPECTED, Inspection, read_inspection
from extproc.core.policy.issuers import read_audiences, read_identity
from extproc.core.policy.masks import read_masking
from extproc.core.policy.positions import Members, Node, Scalar, Spot
from extproc.core.policy.reading import Reading, Word, listed
from extproc.core.policy.server_requests import ServerRequests, read_hosts, read_kinds
from extproc.core.policy.subjects import read_subjects
from extproc.core.shared_state import Pinning

__all__ = ["read_document"]

_VERBS: Final = {"query": Verb.QUERY, "mutate": Verb.MUTATE, "admin": Verb.ADMIN}
_KEYS: Final = (
    *("version", "mode", "identity", "servers", "roles", "deny", "approvals", "masking", "detectors"),
    *("limits", "recording"),
)
_SERVER: Final = (
    *("tools", "unlisted_tools", "tool_definitions", "server_requests", "elicitation_hosts"),
    *("mode", "url", "audience"),
)
_MODES: Final = ("enforce", "shadow")
_LEVELS: Final = ("masked", "digest", "none")
_KEPT: Final = ("payloads", "retention")
_PER: Final = ("principal", "tool", "server")
_SCOPES: Final = ("servers", "verbs", "tools", "prompts", "resources", "when")


def read_document(root: Members, reading: Reading) -> Document:
    """The document; what is wrong with it goes into the problems of the reading."""
    keys = (
        "version",
        "mode",
        "identity",
        "servers",
        "roles",
        "deny",
        "masking",
        "detectors",
        "approvals",
        "limits",
        "recording",
    )
    found = reading.members(root, "the policy", keys, required=("version", "servers", "roles"))
    version = found.get("version")
    if version is not None and not (isinstance(version, Scalar) and version.value == 1 and version.text == "1"):
        reading.problem(version.spot, "this version of the format is not known", "Write `version: 1`")
    detectors = read_detectors(found.get("detectors"), reading)
    recording, recordings = _recording(found.get("recording"), reading)
    return Document(
        identity=read_identity(found.get("identity"), reading),
        shadow=reading.choice(found.get("mode"), "`mode`", _MODES) == "shadow",
        servers=tuple(
            _server(name, node, reading) for name, node in reading.entries(found.get("servers"), "`servers`")
        ),
        roles=tuple(_role(name, node, reading) for name, node in reading.entries(found.get("roles"), "`roles`")),
        deny=_denies(found.get("deny"), reading),
        approvals=read_approvals(found.get("approvals"), reading),
        masking=read_masking(found.get("masking"), tuple(own for _, own in detectors), reading),
        detectors=detectors,
        limits=tuple(
            limit
            for node in reading.items(found.get("limits"), "`limits`")
            if (limit := _limit(node, reading)) is not None
        ),
        recording=recording,
        recordings=recordings,
    )


def _server(name: Word, node: Node, reading: Reading) -> ServerEntry:
    what = f"server `{name.value}`"
    found = reading.members(node, what, _SERVER)
    tools: list[tuple[Word, Verb]] = []
    inspected: list[tuple[Word, Inspection]] = []
    for tool, entry in reading.entries(found.get("tools"), f"`tools` of {what}"):
        about = f"tool `{tool.value}`"
        members = reading.members(entry, about, ("verb", *INSPECTED), required=("verb",))
        verb = reading.choice(members.get("verb"), f"`verb` of {about}", (*_VERBS, *INSPECTED))
        inspection = read_inspection(verb, members, about, reading)
        if inspection is not None:
            inspected.append((tool, inspection))
        # an inspected tool may have any verb; one without a good verb stays known as the worst, and is reported once
        tools += [(tool, each) for each in (EVERY_VERB if inspection else (_VERBS.get(verb or "", Verb.ADMIN),))]
    unlisted = reading.choice(found.get("unlisted_tools"), "`unlisted_tools`", ("deny", *_VERBS))
    pinning = reading.choice(found.get("tool_definitions"), "`tool_definitions`", tuple(Pinning))
    mode = reading.choice(found.get("mode"), f"`mode` of {what}", _MODES)
    url = reading.word(found.get("url"), f"`url` of {what}")
    return ServerEntry(
        name=name,
        tools=tuple(tools),
        unlisted=_VERBS.get(unlisted or "deny"),
        shadow=None if mode is None else mode == "shadow",
        url=None if url is None else url.value,
        audiences=read_audiences(found.get("audience"), reading),
        pinning=Pinning(pinning or Pinning.IGNORE),
        inspected=tuple(inspected),
        asks=ServerRequests(
            kinds=read_kinds(found.get("server_requests"), what, reading),
            hosts=read_hosts(found.get("elicitation_hosts"), what, reading),
        ),
    )


def _role(name: Word, node: Node, reading: Reading) -> RoleEntry:
    what = f"role `{name.value}`"
    found = reading.members(node, what, ("assigned_to", "grants", "lend"), required=("grants",))
    if isinstance(node, Members) and not {"assigned_to", "lend"} & found.keys():
        reading.problem(node.spot, f"{what} has no `assigned_to`", "Add `assigned_to:`, or `lend:` for a role on loan")
    assigned = found.get("assigned_to")
    grants = tuple(
        _grant(item, f"a grant of {what}", reading)
        for item in reading.items(found.get("grants"), f"`grants` of {what}")
    )
    return RoleEntry(
        name=name,
        assigned_to=Assignment(spot=node.spot) if assigned is None else _assignment(assigned, what, reading),
        grants=grants,
        lend=read_lending(found.get("lend"), what, reading),
    )


def _assignment(node: Node, role: str, reading: Reading) -> Assignment:
    what = f"`assigned_to` of {role}"
    keys = ("groups", "roles", "subjects", "workloads", "when")
    found = reading.members(node, what, keys)
    if isinstance(node, Members) and not node.entries:
        reading.problem(node.spot, f"nobody can have {role}", f"Name at least one of {listed(keys)}")
    return Assignment(
        spot=node.spot,
        groups=reading.words(found.get("groups"), f"`groups` in {what}"),
        roles=reading.words(found.get("roles"), f"`roles` in {what}"),
        subjects=read_subjects(found.get("subjects"), f"`subjects` in {what}", reading),
        workloads=reading.words(found.get("workloads"), f"`workloads` in {what}"),
        when=reading.scalar(found.get("when"), f"`when` in {what}"),
    )


def _grant(node: Node, what: str, reading: Reading) -> ScopeEntry:
    found = reading.members(node, what, (*_SCOPES, "arguments", "approval"), required=("servers",))
    approval = reading.word(found.get("approval"), f"`approval` of {what}")
    return replace(_scope(found, node.spot, what, reading), approval=approval)


def _scope(found: dict[str, Node], spot: Spot, what: str, reading: Reading) -> ScopeEntry:
    def patterns(key: str) -> tuple[Word, ...] | None:
        return reading.words(found[key], f"`{key}` of {what}") if key in found else None

    verbs: frozenset[Verb] | None = None
    if "verbs" in found:
        items = reading.items(found["verbs"], f"`verbs` of {what}")
        later_verbs = ("sql", "shell")
        words = [reading.choice(item, f"each of `verbs` of {what}", tuple(_VERBS), later=later_verbs) for item in items]
        verbs = frozenset(_VERBS[word] for word in words if word is not None) or None
    return ScopeEntry(
        spot=spot,
        servers=patterns("servers") or (),
        verbs=verbs,
        tools=patterns("tools"),
        prompts=patterns("prompts"),
        resources=patterns("resources"),
        when=reading.scalar(found.get("when"), f"`when` of {what}"),
        arguments=read_arguments(found.get("arguments"), what, reading),
    )


def _denies(node: Node | None, reading: Reading) -> tuple[DenyEntry, ...]:
    rules: list[DenyEntry] = []
    for item in reading.items(node, "`deny`"):
        known = ("name", "message", *_SCOPES, "arguments")
        found = reading.members(item, "a deny rule", known, required=("name", "servers"))
        name = reading.word(found.get("name"), "`name` of a deny rule")
        message = reading.word(found.get("message"), "`message` of a deny rule")
        scope = _scope(found, item.spot, "a deny rule", reading)
        if name is None:
            continue
        if any(rule.name == name for rule in rules):
            reading.problem(name.spot, f"two deny rules are named `{name.value}`", "Give each its own name")
        rules.append(DenyEntry(name=name, scope=scope, message=" ".join(message.value.split()) if message else ""))
    return tuple(rules)


def _limit(node: Node, reading: Reading) -> LimitEntry | None:
    found = reading.members(node, "a limit", ("per", "servers", "calls"), required=("per", "servers", "calls"))
    per = reading.choice(found.get("per"), "`per` of a limit", _PER)
    servers = reading.words(found.get("servers"), "`servers` of a limit")
    calls = reading.word(found.get("calls"), "`calls` of a limit")
    if calls is None:
        return None
    number, slash, window = calls.value.partition("/")
    if not (slash and number.isascii() and number.isdigit() and 0 < len(number) <= 9 and int(number) > 0):
        reading.problem(calls.spot, "`calls` is no number per length of time", "Write it like `60/1m`")
        return None
    seconds = reading.duration(Scalar(spot=calls.spot, text=window, value=window), "the time of `calls`")
    if per is None or seconds is None:
        return None
    return LimitEntry(per=per, servers=servers, calls=int(number), seconds=seconds)


def _recording(node: Node | None, reading: Reading) -> tuple[RecordingEntry, tuple[tuple[Word, RecordingEntry], ...]]:
    if node is None:
        return RecordingEntry(), ()
    found = reading.members(node, "`recording`", (*_KEPT, "servers"))
    servers = []
    for name, entry in reading.entries(found.get("servers"), "`servers` of `recording`"):
        about = f"the recording of `{name.value}`"
        # a word alone is the level
        members = reading.members(entry, about, _KEPT) if isinstance(entry, Members) else {"payloads": entry}
        servers.append((name, _kept(members, about, reading)))
    return _kept(found, "`recording`", reading), tuple(servers)


def _kept(found: Mapping[str, Node], about: str, reading: Reading) -> RecordingEntry:
    level = reading.choice(found.get("payloads"), f"`payloads` of {about}", _LEVELS)
    return RecordingEntry(
        level=None if level is None else Recording(level),
        seconds=reading.duration(found.get("retention"), f"`retention` of {about}"),
    )
