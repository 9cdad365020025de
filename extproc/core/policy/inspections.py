"""Tools whose verb is that of what they are told to do: ``verb: sql``, ``shell`` or ``calls``, and where that stands.

Such a tool may have any verb, so it is listed where any of them could be allowed, and each call has the verb of its
facts. A call without the argument, or with one that is no text, is one that could not be read: ``ADMIN``. Of a tool
with ``verb: calls`` the facts are the calls that it would make of others (metatools.py).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from extproc.core.access import DIALECTS
from extproc.core.model import Json, Verb
from extproc.core.policy.metatools import EACH, Shape, read_shape
from extproc.core.policy.patterns import covers, weight
from extproc.core.policy.positions import Node
from extproc.core.policy.reading import Reading, Word

__all__ = ["Inspection", "Inspections", "argument", "compile_inspections", "inspection_of", "read_inspection"]

INSPECTED = ("sql", "shell", "calls")
_USUAL: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType({"sql": ("sql",), "shell": ("command",)})
EVERY_VERB = (Verb.QUERY, Verb.MUTATE, Verb.ADMIN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """``kind`` of text, the ``path`` of the argument that holds it, and the ``dialect`` of SQL, None for the worst.

    ``shape`` is where the calls of ``calls`` stand.
    """

    kind: str
    path: tuple[str, ...] = ()
    dialect: str | None = None
    shape: Shape | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspections:
    """How the listed tools of one server are inspected, None for those that are not; empty where none is.

    The most specific entry counts, as it does for the verb: a pattern says nothing of a tool with an entry of its own.
    """

    exact: Mapping[str, Inspection | None]
    globs: tuple[tuple[str, Inspection | None], ...]


def read_inspection(verb: str | None, members: Mapping[str, Node], about: str, reading: Reading) -> Inspection | None:
    """What a tool entry says of its inspection; a key without its verb, or the other way round, is a problem."""
    for kind in INSPECTED:
        if kind in members and verb != kind:
            reading.problem(members[kind].spot, f"{about} has `{kind}` without `verb: {kind}`", f"Write `verb: {kind}`")
    if verb not in INSPECTED:
        return None
    node = members.get(verb)
    if verb == "calls":
        if node is None:
            fix = "Write it like `calls: {tool: name, arguments: arguments}`"
            reading.problem(members["verb"].spot, f"{about} does not say where its calls stand", fix)
        return Inspection(kind=verb, shape=read_shape(node, about, reading))
    if node is None:
        return Inspection(kind=verb, path=_USUAL[verb])
    known = ("argument", "dialect") if verb == "sql" else ("argument",)
    found = reading.members(node, f"`{verb}` of {about}", known)
    word = reading.word(found.get("argument"), f"`argument` of {about}")
    path = tuple(word.value.split(".")) if word is not None else _USUAL[verb]
    if word is not None and not all(path):
        reading.problem(word.spot, f"`argument` of {about} has an empty step", "Write it like `options.command`")
    dialect = reading.choice(found.get("dialect"), f"`dialect` of {about}", DIALECTS)
    return Inspection(kind=verb, path=path, dialect=dialect)


def compile_inspections(inspected: Iterable[tuple[Word, Inspection]], listed: Iterable[str]) -> Inspections:
    """The inspections of all ``listed`` tools, the most specific pattern first, of two equals the inspected one."""
    known: dict[str, Inspection | None] = {name.value: inspection for name, inspection in inspected}
    every = {**known, **{name: known.get(name) for name in listed}} if known else {}
    globs = sorted(
        (tool for tool in every.items() if "*" in tool[0]),
        key=lambda tool: (weight(tool[0]), tool[1] is not None),
        reverse=True,
    )
    return Inspections(exact={name: each for name, each in every.items() if "*" not in name}, globs=tuple(globs))


def inspection_of(inspections: Inspections, tool: str) -> Inspection | None:
    """How a tool is inspected; None where it is not."""
    if tool in inspections.exact:
        return inspections.exact[tool]
    return next((each for pattern, each in inspections.globs if covers(pattern, tool)), None)


def argument(arguments: Mapping[str, Json], path: tuple[str, ...]) -> Json:
    """The value at a path of the arguments; None where there is none.

    A step ``*`` is each item of a list, and the value then the list of what stands below them.
    """
    value: Json = arguments
    for at, step in enumerate(path):
        if step == EACH and isinstance(value, list):
            return [argument({EACH: item}, (EACH, *path[at + 1 :])) for item in value]
        value = value.get(step) if isinstance(value, Mapping) else None
    return value
