"""Tools that call other tools: ``verb: calls``, and where in the arguments stands what they call.

``calls: {tool: name, arguments: arguments}`` names paths into the arguments, as ``sql`` does: a step ``*`` is each item
of a list, and a step ``@json`` the value that a text holds as JSON. ``server`` is the path of the name of the server
that is called, ``on`` a server that always is; without both it is the tool's own. ``fixed`` are members with one text
that they must have, ``other`` members that say nothing of what is called. Whatever else stands there may be read by
somebody as a call, so it is refused (threat J21).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final, TypeAlias

from extproc.core.policy.positions import Node
from extproc.core.policy.reading import Reading, Word

__all__ = ["EACH", "JSON", "Path", "Shape", "Tree", "reached", "read_shape", "scope_of"]

EACH: Final = "*"
JSON: Final = "@json"
_KEYS: Final = ("tool", "arguments", "server", "on", "fixed", "other")
_LIKE: Final = "Write it like `name`, `calls.*.name` or `request.@json.params.name`"

Path: TypeAlias = tuple[str, ...]
Tree: TypeAlias = Mapping[str, "Tree | None"]
"""The members that may stand in an object, the items of a list under ``*``; None at the end of a path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Where the calls stand. ``arguments`` None: they have none; ``server`` None: that of the tool, or ``on``."""

    tool: Path
    arguments: Path | None = None
    server: Path | None = None
    on: Word | None = None
    fixed: tuple[tuple[Path, str], ...] = ()
    tree: Tree


def scope_of(path: Path) -> Path:
    """The part of a path that leads to one item: up to its last ``*``."""
    return path[: len(path) - path[::-1].index(EACH)] if EACH in path else ()


def read_shape(node: Node | None, about: str, reading: Reading) -> Shape | None:
    """``calls`` of a tool; None where it is missing or says nothing that could be read."""
    if node is None:
        return None
    found = reading.members(node, f"`calls` of {about}", _KEYS, required=("tool",))
    words: list[Word] = []

    def path(key: str) -> Path | None:
        word = reading.word(found.get(key), f"`{key}` of {about}")
        return None if word is None else _path(word, words, reading)

    tool, arguments, server = path("tool"), path("arguments"), path("server")
    on = reading.word(found.get("on"), f"`on` of {about}")
    if on is not None and server is not None:
        reading.problem(on.spot, f"{about} has both `server` and `on`", "Remove one of the two")
    fixed: list[tuple[Path, str]] = []
    for name, entry in reading.entries(found.get("fixed"), f"`fixed` of {about}"):
        text = reading.word(entry, f"`{name.value}` in `fixed` of {about}")
        fixed += [] if text is None else [(_path(name, words, reading), text.value)]
    others = [_path(word, words, reading) for word in reading.words(found.get("other"), f"`other` of {about}")]
    if tool is None:
        return None
    if arguments is not None and scope_of(arguments) != scope_of(tool):
        what = f"`arguments` of {about} stand in another list than `tool`"
        reading.problem(found["arguments"].spot, what, "Give both paths the same steps up to their last `*`")
    for key, each in (("server", server), *(("fixed", each) for each, _ in fixed)):
        if each is not None and scope_of(each) != scope_of(tool)[: len(scope_of(each))]:
            what = f"`{key}` of {about} stands in a list where `tool` does not stand"
            reading.problem(found[key].spot, what, "Name a path beside `tool`, or above it")
    named = [each for each in (tool, arguments, server, *(each for each, _ in fixed), *others) if each is not None]
    return Shape(tool=tool, arguments=arguments, server=server, on=on, fixed=tuple(fixed), tree=_tree(named))


def _path(word: Word, words: list[Word], reading: Reading) -> Path:
    """The steps of a path, which must not end or lead where another one does."""
    steps = tuple(word.value.split("."))
    if not all(steps) or steps[0] in {EACH, JSON} or (JSON, JSON) in pairwise(steps):
        reading.problem(word.spot, f"`{word.value}` is no path to a member", _LIKE)
    for other in words:
        if (what := _clash(steps, tuple(other.value.split(".")))) is not None:
            reading.problem(word.spot, f"`{word.value}` and `{other.value}` {what}", "Correct one of the two")
            break
    words.append(word)
    return steps


def _clash(one: Path, other: Path) -> str | None:
    """Why no arguments can have members at both paths."""
    for step, beside in zip(one, other, strict=False):
        if step != beside:
            kinds = {each if each in {EACH, JSON} else "" for each in (step, beside)}
            return "read one place as two kinds of value" if len(kinds) > 1 else None
    return "name one place" if one == other else "cannot both be: one leads through the other"


def _tree(paths: list[Path]) -> Tree:
    return MappingProxyType(dict(_branches(paths)))


def _branches(paths: list[Path]) -> Iterator[tuple[str, Tree | None]]:
    for step in dict.fromkeys(path[0] for path in paths):
        below = [path[1:] for path in paths if path[0] == step and len(path) > 1]
        yield step, _tree(below) if below else None


def reached(shapes: Iterable[Shape], own: str, servers: Iterable[str]) -> tuple[str, ...]:
    """The other servers on which the tools of a server may call something."""
    known = tuple(servers)
    found: set[str] = set()
    for shape in shapes:
        found.update(known if shape.server is not None else () if shape.on is None else (shape.on.value,))
    return tuple(name for name in known if name in found and name != own)
