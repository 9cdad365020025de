"""From the arguments of a tool that calls others to the calls in them, or why they are not what the policy says.

All of the arguments must fit: every object has only members that were declared, every list is one, every text that is
read as JSON has one reading. So what a server finds there cannot be another call than those found here (threat J21).
"""

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import msgspec

from extproc.core.limits import MAX_INNER_CALLS, MAX_NAME_CHARS
from extproc.core.model import Json
from extproc.core.policy.metatools import EACH, JSON, Path, Shape, Tree
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json

__all__ = ["Told", "unfold"]

_MISSING: Final = object()
_Items: TypeAlias = tuple[int, ...]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One call that the arguments name; ``server`` None where it is the tool's own."""

    server: str | None
    tool: str
    arguments: Mapping[str, Json]


class _Unfit(Exception):  # noqa: N818 - carries a refusal out of the walk, is no error
    pass


def unfold(shape: Shape, arguments: Mapping[str, Json]) -> tuple[Told, ...] | str:
    """The calls in their order, or what does not fit, in words that quote the policy and nothing of the arguments."""
    try:
        value = _read(shape.tree, arguments, "")
        places = tuple(_places(value, shape.tool))
        if len(places) > MAX_INNER_CALLS:
            return f"there are more than {MAX_INNER_CALLS} calls"
        return tuple(_told(shape, value, items) for items in places)
    except _Unfit as unfit:
        return str(unfit)


def _read(tree: Tree, value: Json, at: str) -> Json:
    """The value with each text that is JSON opened, which then stands under ``@json``."""
    if EACH in tree:
        if not isinstance(value, list) or not value:
            raise _Unfit(f"{_place(at)} must be a list that is not empty")
        if len(value) > MAX_INNER_CALLS:
            raise _Unfit(f"there are more than {MAX_INNER_CALLS} calls")
        return [_below(tree[EACH], item, f"{at}.*") for item in value]
    if JSON in tree:
        document = strict_json.read(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else None
        if document is None or isinstance(document, Rejection) or not document.one_reading:
            raise _Unfit(f"{_place(at)} must be a text of JSON with one reading")
        return {JSON: _below(tree[JSON], document.value, f"{at}.{JSON}")}
    if not isinstance(value, Mapping):
        raise _Unfit(f"{_place(at)} must be an object")
    if any(name not in tree for name in value):
        raise _Unfit(f"{_place(at)} may have only the members {', '.join(f'`{name}`' for name in tree)}")
    return {name: _below(tree[name], member, f"{at}.{name}") for name, member in value.items()}


def _below(tree: Tree | None, value: Json, at: str) -> Json:
    return value if tree is None else _read(tree, value, at)


def _place(at: str) -> str:
    return f"`{at[1:]}`" if at else "the whole of the arguments"


def _places(value: Json, path: Path, at: Path = ()) -> Iterator[_Items]:
    """Where the path leads: the number of the item at each ``*``."""
    for number, step in enumerate(path, start=1):
        at = (*at, step)
        if step == EACH:
            for item, below in enumerate(value):
                for items in _places(below, path[number:], at):
                    yield (item, *items)
            return
        if step not in value:
            raise _Unfit(f"`{'.'.join(at)}` is missing")
        value = value[step]
    yield ()


def _told(shape: Shape, value: Json, items: _Items) -> Told:
    for path, text in shape.fixed:
        if _at(value, path, items) != text:
            raise _Unfit(f"`{'.'.join(path)}` must be `{text}`")
    arguments = {} if shape.arguments is None else _at(value, shape.arguments, items)
    if arguments is _MISSING:  # as in a call of the tool itself
        arguments = {}
    if not isinstance(arguments, Mapping):
        raise _Unfit(f"`{'.'.join(shape.arguments or ())}` must be an object")
    server = shape.on.value if shape.on is not None else None
    if shape.server is not None:
        server = _name(value, shape.server, items)
    return Told(server=server, tool=_name(value, shape.tool, items), arguments=arguments)


def _name(value: Json, path: Path, items: _Items) -> str:
    name = _at(value, path, items)
    if not isinstance(name, str) or not 0 < len(name) <= MAX_NAME_CHARS:
        raise _Unfit(f"`{'.'.join(path)}` must be a text that is neither empty nor too long")
    return name


def _at(value: Json, path: Path, items: _Items) -> Json:
    """The value at a path, with these items at its steps ``*``."""
    numbers = iter(items)
    for step in path:
        if step == EACH:
            value = value[next(numbers)]
        elif step in value:
            value = value[step]
        else:
            return _MISSING
    return value
