"""Texts as a detector reads them: digits of any script, odd spaces and dashes, invisible characters seen through.

A folded text knows where each of its characters stood, so a find points into the text as it was given and never cuts a
character. ASCII texts are their own fold.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

__all__ = ["Folded", "fold"]

_LOOKS: Final = str.maketrans(
    "аеорсухіјѕԁһԛԝАВЕКМНОРСТУХІЈЅοαερτυνικΑΒΕΖΗΙΚΜΝΟΡΤΥΧ",
    "aeopcyxijsdhqwABEKMHOPCTYXIJSoaeptuvikABEZHIKMNOPTYX",
)
"""Letters of Cyrillic and Greek that look like Latin ones; for finding alone, what is found stays as it is."""
_FEW: Final = 32
_ODD: Final = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Folded:
    """``text`` to search. Where characters were left out or became several, it is in pieces.

    ``pieces`` are where each begins in the fold, ``origins`` where it stood, and 1 where it is a single
    character that became several (else 0).
    """

    text: str
    pieces: Sequence[int] = ()
    origins: Sequence[tuple[int, int]] = ()

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of the fold as a stretch of the text that was given."""
        if not self.pieces or start >= end:
            return start, end
        return self._place(start), self._place(end - 1) + 1

    def _place(self, at: int) -> int:
        piece = bisect_right(self.pieces, at) - 1
        origin, single = self.origins[piece]
        return origin if single else origin + at - self.pieces[piece]


def fold(text: str) -> Folded:
    """The fold of a text."""
    if text.isascii():
        return Folded(text)
    odd = {character: _plain(character) for character in set(_ODD.findall(text))}
    same = {character: plain for character, plain in odd.items() if len(plain) == 1 and plain != character}
    if len(same) <= _FEW:  # one pass for each is faster than one that asks for every character
        even = text
        for character, plain in same.items():
            even = even.replace(character, plain)
    else:
        even = text.translate({ord(character): plain for character, plain in same.items()})
    uneven = "".join(character for character, plain in odd.items() if len(plain) != 1)
    if not uneven:
        return Folded(even)
    kept: list[str] = []
    pieces: list[int] = []
    origins: list[tuple[int, int]] = []
    at = size = 0
    for found in re.finditer(f"[{re.escape(uneven)}]", text):
        start, plain = found.start(), odd[found[0]]
        for part, origin, single in ((even[at:start], at, 0), (plain, start, 1)):
            if part:
                kept.append(part)
                pieces.append(size)
                origins.append((origin, single))
                size += len(part)
        at = start + 1
    if at < len(even):
        kept.append(even[at:])
        pieces.append(size)
        origins.append((at, 0))
    return Folded("".join(kept), pieces, origins)


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cf", "Mn", "Me"}:
        return ""
    if category == "Nd":
        return str(unicodedata.digit(character))
    if category == "Zs":
        return " "
    if category == "Pd":
        return "-"
    compatible = unicodedata.normalize("NFKC", character)
    return compatible if compatible.isascii() else character.translate(_LOOKS)
