"""Texts as a detector reads them: digits of any script, odd spaces and dashes, invisible characters seen through.

A folded text keeps for each of its characters where that stood, so a find points into the text as it was given and
never cuts a character. ASCII texts are their own fold.
"""

import re
import unicodedata
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
_ODD: Final = re.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class Folded:
    """``text`` to search; ``places`` is where each of its characters stood, None where nothing moved."""

    text: str
    places: Sequence[int] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """A stretch of the fold as a stretch of the text that was given."""
        if self.places is None or start >= end:
            return start, end
        return self.places[start], self.places[end - 1] + 1


def fold(text: str) -> Folded:
    """The fold of a text."""
    if text.isascii():
        return Folded(text)
    odd = {character: _plain(character) for character in set(_ODD.findall(text))}
    if all(len(plain) == 1 for plain in odd.values()):
        return Folded(text.translate({ord(character): plain for character, plain in odd.items()}))
    kept: list[str] = []
    places: list[int] = []
    at = 0
    for found in _ODD.finditer(text):
        start, plain = found.start(), odd[found[0]]
        kept += (text[at:start], plain)
        places += range(at, start)
        places += [start] * len(plain)
        at = start + 1
    kept.append(text[at:])
    places += range(at, len(text))
    return Folded("".join(kept), places)


@lru_cache(maxsize=8192)
def _plain(character: str) -> str:
    if character.isascii():
        return character
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
