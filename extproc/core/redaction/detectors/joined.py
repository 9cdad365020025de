"""Many texts as one, so that each pattern looks once at all of them."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from extproc.core.redaction.detectors.folding import Folded, fold
from extproc.core.redaction.detectors.shapes import SHAPE

__all__ = ["Joined", "join"]

_SEPARATOR = b"\n\x00\n"


@dataclass(slots=True)
class Joined:
    """All texts of one search as bytes: folded, in order, with something between them that no pattern spans."""

    raw: bytes
    folds: Sequence[Folded]
    parts: Sequence[bytes]
    starts: Sequence[int] | None = None
    """Where each text begins; counted when it is first asked for."""
    _counted: tuple[int, int, int] = (-1, 0, 0)
    """A text, and a place in it as bytes and as characters."""

    def place(self, start: int, end: int) -> tuple[int, int, int]:
        """The text that holds these bytes, and the characters in its fold; a find ends with its text."""
        if self.starts is None:
            self.starts = _starts(self.parts)
        index = bisect_right(self.starts, start) - 1
        part, begin = self.parts[index], self.starts[index]
        first, last = start - begin, min(end - begin, len(part))
        if len(part) == len(self.folds[index].text):
            return index, first, last
        # matches come in order: counting on from the last one keeps the whole search linear
        known, byte, character = self._counted
        if known != index or byte > first:
            byte = character = 0
        character += len(part[byte:first].decode())
        self._counted = (index, first, character)
        return index, character, character + len(part[first:last].decode())

    def shapes(self) -> list[bytes]:
        """The shape of each text."""
        shapes = self.raw.translate(SHAPE).split(_SEPARATOR)
        # a text may hold the separator itself
        return shapes if len(shapes) == len(self.parts) else [part.translate(SHAPE) for part in self.parts]

    def only(self, numbers: Sequence[int]) -> "Joined":
        """Some of the texts alone."""
        parts = [self.parts[number] for number in numbers]
        return Joined(_SEPARATOR.join(parts), [self.folds[number] for number in numbers], parts)


def join(texts: Sequence[str]) -> Joined:
    """These texts, folded and joined."""
    folds = [Folded(text) if text.isascii() else fold(text) for text in texts]
    parts = [folded.text.encode("utf-8", "replace") for folded in folds]
    return Joined(_SEPARATOR.join(parts), folds, parts)


def _starts(parts: Sequence[bytes]) -> list[int]:
    starts: list[int] = []
    at = 0
    for part in parts:
        starts.append(at)
        at += len(part) + len(_SEPARATOR)
    return starts
