"""What a request touches, all of it.

From the checked parameters of a method to the targets that policy judges; a name that policy could not compare as
text is refused (uris.py). Nothing here decides.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from extproc.core.limits import MAX_NAME_CHARS
from extproc.core.model import Json, ResourceKind, Target, empty
from extproc.core.rejection import Rejection
from extproc.core.wire import uris
from extproc.core.wire.methods import Method, closed, invalid

__all__ = ["Aim", "aim"]

_SERVER: Final = (Target(kind=ResourceKind.SERVER),)
_REFERENCES: Final = {
    "ref/prompt": ("name", ResourceKind.PROMPT, ("type", "name", "title")),
    "ref/resource": ("uri", ResourceKind.TEMPLATE, ("type", "uri")),
}
_SUBSCRIPTIONS: Final = ("toolsListChanged", "promptsListChanged", "resourcesListChanged", "resourceSubscriptions")


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """The targets of a request and the arguments that conditions may ask for."""

    targets: tuple[Target, ...]
    arguments: Mapping[str, Json] = msgspec.field(default_factory=empty)


def aim(method: str, row: Method, params: Mapping[str, Json]) -> Aim | Rejection:
    """Name what a message touches; refuses names and arguments of another shape than the schema's."""
    if row.name_field is not None:
        return _named(row, row.name_field, params)
    if method == "completion/complete":
        return _completed(params)
    if method == "subscriptions/listen":
        return _listened(params)
    return Aim(targets=_SERVER)


def _named(row: Method, name_field: str, params: Mapping[str, Json]) -> Aim | Rejection:
    target = _target(row.names, params.get(name_field), what=name_field)
    if isinstance(target, Rejection):
        return target
    arguments = params.get("arguments", {})
    if arguments.__class__ is not dict:
        return invalid("arguments must be an object")
    return Aim(targets=(target,), arguments=arguments)


def _completed(params: Mapping[str, Json]) -> Aim | Rejection:
    reference: Json = params.get("ref")
    known = _REFERENCES.get(reference.get("type")) if _is_typed(reference) else None
    if known is None:
        return invalid("ref must name a prompt or a resource template")
    name_field, kind, members = known
    if fault := closed(reference, members, what="ref"):
        return fault
    target = _target(kind, reference.get(name_field), what=name_field)
    return target if isinstance(target, Rejection) else Aim(targets=(target,))


def _is_typed(reference: Json) -> bool:
    return reference.__class__ is dict and reference.get("type").__class__ is str


def _listened(params: Mapping[str, Json]) -> Aim | Rejection:
    wanted: Json = params.get("notifications")
    if wanted.__class__ is dict and "taskIds" in wanted:
        return invalid("tasks are not supported yet", reason="task")
    if fault := closed(wanted, _SUBSCRIPTIONS, what="notifications"):
        return fault
    listed = wanted.get("resourceSubscriptions", [])
    if listed.__class__ is not list:
        return invalid("resourceSubscriptions must be a list")
    targets = [*_SERVER]
    for uri in listed:
        target = _target(ResourceKind.RESOURCE, uri, what="uri")
        if isinstance(target, Rejection):
            return target
        targets.append(target)
    return Aim(targets=tuple(targets))


def _target(kind: ResourceKind, name: Json, *, what: str) -> Target | Rejection:
    if name.__class__ is not str or not 0 < len(name) <= MAX_NAME_CHARS:
        return invalid(f"{what} must be a string that is neither empty nor too long")
    if kind is ResourceKind.RESOURCE and not uris.is_normal(name):
        return invalid("uri is not in normal form (RFC 3986)", reason="uri")
    return Target(kind=kind, name=name)
