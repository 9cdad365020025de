"""Many texts as one, so that each pattern looks once at all of them."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from extproc.core.redaction.detectors.folding import Folded, fold
from extproc.core.redaction.detectors.shapes import SHAPE

__all__ = ["Joined", "join", "shapes_of"]

_APART: Final = "\n\0\n"
_SEPARATOR: Final = _APART.encode()


@dataclass(slots=True)
class Joined:
    """All texts of one search, folded, as bytes: in order, with something between them that no pattern spans."""

    raw: bytes
    texts: Sequence[str]
    parts: Sequence[bytes]
    uneven: Mapping[int, Folded]
    """The folds of the texts that have another length than what was given."""
    starts: Sequence[int] | None = None
    """Where each text begins; counted when it is first asked for."""
    _counted: tuple[int, int, int] = (-1, 0, 0)
    """A text, and a place in it as bytes and as characters."""

    @property
    def is_one_even_text(self) -> bool:
        """Whether a byte of it is a character of the only text there is."""
        return len(self.parts) == 1 and not self.uneven and len(self.raw) == len(self.texts[0])

    def place(self, start: int, end: int) -> tuple[int, int, int]:
        """The text that holds these bytes, and the characters in its fold; a find ends with its text."""
        if self.starts is None:
            self.starts = _starts(self.parts)
        index = bisect_right(self.starts, start) - 1
        part, begin = self.parts[index], self.starts[index]
        first, last = start - begin, min(end - begin, len(part))
        if len(part) == len(self.texts[index]):
            return index, first, last
        # matches come in order: counting on from the last one keeps the whole search linear
        known, byte, character = self._counted
        if known != index or byte > first:
            byte = character = 0
        character += len(part[byte:first].decode())
        self._counted = (index, first, character)
        return index, character, character + len(part[first:last].decode())

    def given(self, index: int, first: int, last: int) -> tuple[int, int]:
        """A stretch of a fold as a stretch of the text that was given."""
        folded = self.uneven.get(index)
        return (first, last) if folded is None else folded.span(first, last)

    def shapes(self) -> list[bytes]:
        """The shape of each text."""
        if _is_plain(self.raw, len(self.parts)):
            return self.raw.translate(SHAPE).split(_SEPARATOR)
        return [part.translate(SHAPE) for part in self.parts]

    def only(self, numbers: Sequence[int]) -> "Joined":
        """Some of the texts alone."""
        parts = [self.parts[number] for number in numbers]
        uneven = {place: self.uneven[number] for place, number in enumerate(numbers) if number in self.uneven}
        return Joined(_SEPARATOR.join(parts), [self.texts[number] for number in numbers], parts, uneven)


def join(texts: Sequence[str]) -> Joined:
    """These texts, folded and joined."""
    raw = _APART.join(texts).encode("utf-8", "replace")
    if raw.isascii() and _is_plain(raw, len(texts)):
        return Joined(raw, texts, raw.split(_SEPARATOR), {})
    folds = [fold(text) for text in texts]
    parts = [folded.text.encode("utf-8", "replace") for folded in folds]
    uneven = {index: folded for index, folded in enumerate(folds) if folded.pieces}
    return Joined(_SEPARATOR.join(parts), [folded.text for folded in folds], parts, uneven)


def shapes_of(texts: Sequence[str]) -> Sequence[bytes | None]:
    """The shape of each text as it was given; None for one that is not ASCII."""
    joined = _APART.join(texts)
    if joined.isascii():
        raw = joined.encode()
        if _is_plain(raw, len(texts)):
            return raw.translate(SHAPE).split(_SEPARATOR)
    return [text.encode().translate(SHAPE) if text.isascii() else None for text in texts]


def _is_plain(raw: bytes, count: int) -> bool:
    """Whether so many joined texts hold no part of a separator themselves, so that it tells them apart."""
    return raw.count(b"\0") == count - 1


def _starts(parts: Sequence[bytes]) -> list[int]:
    sizes = accumulate((len(part) + len(_SEPARATOR) for part in parts), initial=0)
    return list(sizes)[:-1]
