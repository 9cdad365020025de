"""A recogniser of the tests' own, which reads words in their context as a language model does, and always alike."""

import re
from collections.abc import Sequence

from extproc.core.masking import NAME_SCORE, Find

__all__ = ["Naming", "recognise"]

_FIND = re.compile(
    r"\b(?:Mr|Ms) (?P<titled>[A-Z][a-z]+)\b|(?P<person>\b(?:Ann Lee|Bob Stone|José Ruiz)\b)|(?P<place>\b(?:Oslo|Berlin)\b)"
)


def recognise(texts: Sequence[str]) -> list[list[Find]]:
    """Some names and places, whatever follows a title, and the first word of a text that says `lives` behind it."""
    return [_one(text) for text in texts]


def _one(text: str) -> list[Find]:
    found = [
        Find(*match.span(match.lastgroup or 0), "place" if match.lastgroup == "place" else "person_name", NAME_SCORE)
        for match in _FIND.finditer(text)
    ]
    if (begun := re.match(r"[A-Z][a-z]+(?= lives)", text)) is not None:
        found.append(Find(*begun.span(), "person_name", NAME_SCORE))
    return found


class Naming:
    """The same, keeping what it was asked; ``fails`` on a text that holds that."""

    def __init__(self, fails: str | None = None) -> None:
        self.asked: list[list[str]] = []
        self._fails = fails

    def __call__(self, texts: Sequence[str]) -> list[list[Find]]:
        self.asked.append(list(texts))
        if self._fails is not None and any(self._fails in text for text in texts):
            raise LookupError(self._fails)
        return recognise(texts)
