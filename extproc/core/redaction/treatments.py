"""How each kind of member of a server's message is treated.

Every treatment takes a value and the walk, and gives what stands for the value; a value of another kind than its
treatment is for is a free document. What is known by its name alone, a tool or a resource, is left out of a list where
its name holds what must not be seen.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from extproc.core.model import Json
from extproc.core.redaction import encodings, tree
from extproc.core.redaction.fields import Place
from extproc.core.redaction.free_names import FreeNames
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.tree import Sink
from extproc.core.wire.words import WORDS

__all__ = [
    "Shape",
    "Treatment",
    "Walk",
    "blob",
    "document",
    "each",
    "fixed",
    "handle",
    "kept",
    "listed",
    "mapped",
    "number",
    "shaped",
    "structured",
    "uri",
    "word",
    "words",
]


@dataclass(slots=True, kw_only=True)
class Walk:
    """One walk through one message; ``named`` are the URIs that the client itself named.

    ``root`` is the place of the root of each document in it, the same in all walks through the message.
    """

    rules: Rules
    root: Place
    sink: Sink
    named: frozenset[str] = frozenset()
    dropped: int = 0
    """Entries of lists that were left out."""


Treatment: TypeAlias = Callable[[Json, Walk], Json]
Shape: TypeAlias = Mapping[str, Treatment]

_SCALARS: Final = (str, int, float, bool, type(None))
_WORD: Final = 256
"""Characters of what may be a word that is base64 by chance; a picture has more, and letters of all kinds in it."""


# --- values ---------------------------------------------------------------------------------------------------------


def document(value: Json, walk: Walk) -> Json:
    """A free document: everything in it, and what paths name."""
    return tree.document(value, walk.root, walk.sink)


def structured(value: Json, walk: Walk) -> Json:
    """A free document that must stay an object where it is one."""
    claim = walk.root.claim
    if claim is None or value.__class__ is not dict:
        return document(value, walk)
    if not value:
        return value
    walk.sink.claimed(value, claim)
    return {}


def fixed(value: Json, walk: Walk) -> Json:
    """What the protocol defines, or defines the shape of: no path looks into it, and its names say nothing."""
    return tree.document(value, walk.rules.nowhere, walk.sink, telling=False)


def words(value: Json, walk: Walk) -> Json:
    """Free text, with all the documents in it."""
    return walk.sink.text(value, "", walk.root) if value.__class__ is str else document(value, walk)


def handle(value: Json, walk: Walk) -> Json:
    """What the protocol needs as it is."""
    return value if value.__class__ in _SCALARS else document(value, walk)


def kept(value: Json, walk: Walk) -> Json:  # noqa: ARG001 - a treatment
    """What is not looked at."""
    return value


def word(value: Json, walk: Walk) -> Json:
    """One of the protocol's own words."""
    return value if value.__class__ is str and value in WORDS else fixed(value, walk)


def number(value: Json, walk: Walk) -> Json:
    """A number that must stay one."""
    masked = fixed(value, walk)
    return 0 if masked is not value and value.__class__ in {int, float} else masked


def uri(value: Json, walk: Walk) -> Json:
    """A URI; one that the client named itself tells it nothing."""
    return value if value.__class__ is str and value in walk.named else fixed(value, walk)


def blob(value: Json, walk: Walk) -> Json:
    """Base64: the text in it masked and encoded again; None for other bytes that must not pass."""
    if value.__class__ is not str:
        return document(value, walk)
    marks = walk.rules.marks
    if marks.is_one(value):  # an operator's words may look like base64
        return value
    found = encodings.blob(value)
    if found is None:
        text = words(value, walk)
        # and so may a text with such words in it, which nobody could tell from bytes
        return text if text is value or encodings.blob(text) is None or marks.is_one(text) else None
    if isinstance(found, encodings.Run):
        text = words(found.text, walk)
        return value if text is found.text else value[: found.start] + found.again(text) + value[found.end :]
    inside = encodings.strings_in(found)
    if inside is None or walk.rules.blocks_opaque:
        return None
    read = (inside, value) if len(value) <= _WORD else (inside,)
    stays = [walk.sink.text(text, "", walk.rules.nowhere) is text for text in read]
    return value if all(stays) else None


# --- objects and lists ----------------------------------------------------------------------------------------------


def shaped(shape: Shape) -> Treatment:
    """An object with these members, and any others."""

    def treat(value: Json, walk: Walk) -> Json:
        return _members(value, shape, walk) if value.__class__ is dict else document(value, walk)

    return treat


def mapped(one: Treatment, *, names: bool = True) -> Treatment:
    """An object of such under names of the server's own; without ``names`` these stay, as the server must know them."""

    def treat(value: Json, walk: Walk) -> Json:
        if value.__class__ is not dict:
            return document(value, walk)
        items: dict[str, Json] = {}
        free = FreeNames()
        for name, member in value.items():
            masked = walk.sink.text(name, "", walk.rules.nowhere) if names else name
            items[free.free(masked, items)] = one(member, walk)
        return value if all(items.get(name) is member for name, member in value.items()) else items

    return treat


def each(one: Treatment) -> Treatment:
    """A list of such, or a single one."""

    def treat(value: Json, walk: Walk) -> Json:
        if value.__class__ is not list:
            return one(value, walk)
        items = [one(item, walk) for item in value]
        return value if all(new is item for new, item in zip(items, value, strict=True)) else items

    return treat


def listed(shape: Shape, name: str, *, named: bool = False) -> Treatment:
    """The entries of a list, without those whose name holds what must not be seen; ``named``: but for known ones."""
    entries = each(shaped(shape))

    def treat(value: Json, walk: Walk) -> Json:
        if value.__class__ is not list:
            return document(value, walk)
        stay = [entry for entry in value if _may_stay(entry.get(name) if entry.__class__ is dict else None, walk)]
        walk.dropped += len(value) - len(stay)
        return entries(value if len(stay) == len(value) else stay, walk)

    def _may_stay(found: Json, walk: Walk) -> bool:
        if found.__class__ is not str or (named and found in walk.named):
            return True
        return walk.sink.text(found, "", walk.rules.nowhere) is found

    return treat


def _members(value: dict[str, Json], shape: Shape, walk: Walk) -> dict[str, Json]:
    known = {name: shape[name](member, walk) for name, member in value.items() if name in shape}
    rest = {name: member for name, member in value.items() if name not in shape}
    other = document(rest, walk) if rest else rest
    if other is rest and all(member is value[name] for name, member in known.items()):
        return value
    masked = dict(known)
    free = FreeNames()
    # a path may name every document there is, and leave no members
    for name, member in other.items() if other.__class__ is dict else ():
        masked[free.free(name, masked)] = member
    in_order = {name: masked[name] for name in value if name in masked}
    return {**in_order, **masked}
