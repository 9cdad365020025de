"""Every method that a client may send, as one table.

A method, a parameter or an era that has no place here does not pass (invariant 2). Parameters are closed sets, so a
server that folds ``Name`` or a padded ``name`` to ``name`` never sees one. Legacy revisions differ in no method that a
client may send, and a header may name another revision than the handshake agreed on, so rows know eras only.
MCP schema of 2024-11-05 to 2026-07-28; core tasks of 2025-11-25 and the tasks extension are left out on purpose.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from extproc.core.model import Era, Json, MessageKind, ResourceKind, Verb
from extproc.core.rejection import INVALID_PARAMS, METHOD_NOT_FOUND, Rejection
from extproc.core.wire.strict_json import disguised, fold

__all__ = ["LEGACY_REVISIONS", "METHODS", "MODERN_REVISIONS", "REVISIONS", "Method", "closed", "invalid", "look_up"]

LEGACY_REVISIONS: Final = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
MODERN_REVISIONS: Final = ("2026-07-28",)
REVISIONS: Final = LEGACY_REVISIONS + MODERN_REVISIONS

_BOTH: Final = frozenset({Era.LEGACY, Era.MODERN})
_LEGACY: Final = frozenset({Era.LEGACY})
_MODERN: Final = frozenset({Era.MODERN})
_RETRY: Final = frozenset({"inputResponses", "requestState"})
"""What a modern client adds when it answers ``input_required`` (patterns/mrtr)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One row.

    ``names`` is the kind of thing that ``name_field`` names (and that ``Mcp-Name`` mirrors); a method without a name
    field is about the server, or names things in its own way (targets.py). ``params`` excludes ``_meta``, which is
    allowed everywhere; ``retries`` says that a modern client may answer ``input_required``.
    """

    kind: MessageKind
    eras: frozenset[Era]
    verb: Verb
    names: ResourceKind = ResourceKind.SERVER
    name_field: str | None = None
    params: frozenset[str] = frozenset()
    retries: bool = False

    _legacy: frozenset[str] = field(init=False, repr=False)
    _modern: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        anywhere = self.params | {"_meta"}
        object.__setattr__(self, "_legacy", anywhere)
        object.__setattr__(self, "_modern", anywhere | _RETRY if self.retries else anywhere)

    def allowed(self, era: Era) -> frozenset[str]:
        """The parameters of this method in an era."""
        return self._modern if era is Era.MODERN else self._legacy


def _request(eras: frozenset[Era], *params: str) -> Method:
    return Method(kind=MessageKind.REQUEST, eras=eras, verb=Verb.QUERY, params=frozenset(params))


def _notification(eras: frozenset[Era], *params: str) -> Method:
    # Session-local: a client reports on its own requests and roots.
    return Method(kind=MessageKind.NOTIFICATION, eras=eras, verb=Verb.QUERY, params=frozenset(params))


def _naming(
    names: ResourceKind, name_field: str, *params: str, eras: frozenset[Era] = _BOTH, verb: Verb = Verb.QUERY
) -> Method:
    return Method(
        kind=MessageKind.REQUEST,
        eras=eras,
        verb=verb,
        names=names,
        name_field=name_field,
        params=frozenset({name_field, *params}),
        retries=eras is _BOTH,
    )


METHODS: Final[Mapping[str, Method]] = MappingProxyType(
    {
        "initialize": _request(_LEGACY, "protocolVersion", "capabilities", "clientInfo"),
        "ping": _request(_LEGACY),
        # Session-local, so not a mutation of what the server serves.
        "logging/setLevel": _request(_LEGACY, "level"),
        "server/discover": _request(_MODERN),
        "tools/list": _request(_BOTH, "cursor"),
        "tools/call": _naming(ResourceKind.TOOL, "name", "arguments", verb=Verb.MUTATE),
        "prompts/list": _request(_BOTH, "cursor"),
        "prompts/get": _naming(ResourceKind.PROMPT, "name", "arguments"),
        "resources/list": _request(_BOTH, "cursor"),
        "resources/templates/list": _request(_BOTH, "cursor"),
        "resources/read": _naming(ResourceKind.RESOURCE, "uri"),
        "resources/subscribe": _naming(ResourceKind.RESOURCE, "uri", eras=_LEGACY),
        "resources/unsubscribe": _naming(ResourceKind.RESOURCE, "uri", eras=_LEGACY),
        "completion/complete": _request(_BOTH, "ref", "argument", "context"),
        "subscriptions/listen": _request(_MODERN, "notifications"),
        "notifications/initialized": _notification(_LEGACY),
        # 2026-07-28 keeps it, though over HTTP a client cancels by closing the stream; SDK servers answer 202.
        "notifications/cancelled": _notification(_BOTH, "requestId", "reason"),
        "notifications/progress": _notification(_LEGACY, "progressToken", "progress", "total", "message"),
        "notifications/roots/list_changed": _notification(_LEGACY),
    }
)


def look_up(method: str, kind: MessageKind, era: Era) -> Method | Rejection:
    """The row of a method; refuses one that the era does not have, also when only its kind is another."""
    row = METHODS.get(method)
    if row is not None and era in row.eras and row.kind is kind:
        return row
    status = 400
    if kind is MessageKind.REQUEST:
        # A 404 on a legacy session reads as "session expired"; SDK servers answer 200 there.
        status = 404 if era is Era.MODERN else 200
    what = "tasks are not supported yet" if method.startswith("tasks/") else "Method not found"
    return Rejection(status=status, code=METHOD_NOT_FOUND, message=what, reason="unknown_method")


def closed(value: Json, allowed: Iterable[str], *, what: str) -> Rejection | None:
    """None where ``value`` is an object with ``allowed`` members only; else the refusal, disguises named as such."""
    known = frozenset(allowed)
    if value.__class__ is not dict:
        return invalid(f"{what} must be an object")
    if value.keys() <= known:
        return None
    if "task" in value and "task" not in known:
        return invalid("tasks are not supported yet", reason="task")
    if disguised(value.keys() - known, frozenset(map(fold, known))):
        return invalid(f"{what} has a disguised member", reason="disguised_member")
    return invalid(f"{what} has an unknown member", reason="unknown_member")


def invalid(what: str, *, reason: str = "params") -> Rejection:
    """The refusal of parameters."""
    return Rejection(status=400, code=INVALID_PARAMS, message=f"Invalid params: {what}", reason=reason)
