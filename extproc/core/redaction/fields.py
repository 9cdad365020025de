"""Field paths at work: which values of a document a masking rule names, found while the document is walked once.

All paths are followed together: a ``Place`` stands for all that is still open at one node, and tells the place of each
child; its claim says what becomes of the whole value there. Places are made when a document first needs them and kept,
so that a step costs one lookup and leads to the same place every time: what was gathered there is answered there. ``$``
is the root of the document; a document inside of a text of another one begins anew at ``$``, and goes on where the path
to that text stood. RFC 9535, as far as ``policy`` reads it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from extproc.core.masking import FieldMask, Mask, Step
from extproc.core.redaction.marks import strictest

__all__ = ["Claim", "Place", "start"]

_Open: TypeAlias = frozenset[tuple[int, int]]
"""Pairs of a path and the number of its steps that lie behind; all of them behind is the end of the path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What becomes of a value that paths name: the strictest of their masks, and the rules they stand in."""

    mask: Mask
    rules: frozenset[str]


def start(fields: Sequence[FieldMask]) -> "Place":
    """The place of the root of a document."""
    return _Paths(fields).begin


class _Paths:
    """A set of paths with the places made so far."""

    def __init__(self, fields: Sequence[FieldMask]) -> None:
        self.fields: Final = tuple(fields)
        self._places: dict[_Open, Place] = {}
        self.roots: Final[_Open] = frozenset((path, 0) for path in range(len(self.fields)))
        self.begin: Final = self.place(self.roots)

    def place(self, positions: _Open) -> "Place":
        """The place where these paths are open."""
        found = self._places.get(positions)
        # another thread may have made it meanwhile, and there must be one alone
        return found if found is not None else self._places.setdefault(positions, Place(self, positions))

    @property
    def made(self) -> int:
        """How many places there are."""
        return len(self._places)

    def claim(self, positions: _Open) -> Claim | None:
        """The claim of the paths that end here."""
        ended = [self.fields[path] for path, behind in positions if behind == len(self.fields[path].steps)]
        if not ended:
            return None
        return Claim(mask=strictest(each.mask for each in ended), rules=frozenset(each.rule for each in ended))

    def ahead(self, positions: _Open) -> tuple[tuple[int, int, Step], ...]:
        """The next step of each path that goes on."""
        return tuple(
            (path, behind, self.fields[path].steps[behind])
            for path, behind in positions
            if behind < len(self.fields[path].steps)
        )


class Place:
    """One node of a document, as the paths see it."""

    __slots__ = ("_ahead", "_any_item", "_counts", "_inside", "_members", "_paths", "claim", "leads_on")

    def __init__(self, paths: _Paths, positions: _Open) -> None:
        self._paths, self._ahead = paths, paths.ahead(positions)
        self._counts = any(step.index is not None for _, _, step in self._ahead)
        self._members: tuple[dict[str, Place], Place] | None = None
        self._any_item: Place | None = None
        self._inside: Place | None = None
        self.claim: Final = paths.claim(positions)
        """Who claims the node; None where nobody does."""
        self.leads_on: Final = bool(self._ahead)
        """Whether anything below can be claimed."""

    @property
    def made(self) -> int:
        """How many places there are that begin where this one does."""
        return self._paths.made

    def members(self) -> "tuple[dict[str, Place], Place]":
        """The places of the members that paths name, and the place of every other one."""
        if self._members is None:
            names = {step.name for _, _, step in self._ahead}
            named = {name: self._named(name) for name in names if name is not None}
            self._members = named, self._child(lambda step: step.index is None and step.name is None)
        return self._members

    def _named(self, name: str) -> "Place":
        return self._child(lambda step: step.index is None and step.name in {None, name})

    def item(self, index: int, length: int) -> "Place":
        """The place of one item of a list of this length."""
        if self._counts:
            return self._child(lambda step: step.name is None and step.index in {None, index, index - length})
        if self._any_item is None:
            self._any_item = self._child(lambda step: step.name is None)
        return self._any_item

    def inside(self) -> "Place":
        """The place of the root of a document that is written into a text at this node."""
        if self._inside is None:
            here = frozenset((path, behind) for path, behind, _ in self._ahead)
            self._inside = self._paths.place(here | self._paths.roots)
        return self._inside

    def _child(self, fits: Callable[[Step], bool]) -> "Place":
        found: set[tuple[int, int]] = set()
        for path, behind, step in self._ahead:
            if fits(step):
                found.add((path, behind + 1))
            if step.deep:
                found.add((path, behind))
        return self._paths.place(frozenset(found))
