"""What stands around a candidate: words that make it surer, and characters that make it part of something longer."""

import re
from functools import cache, lru_cache
from typing import Any, Final

import re2

__all__ = ["NEAR", "begins_alone", "ends_alone", "is_near", "may_say"]

_LETTERS: Final = re.compile("[A-Za-z]+")
_LAST_LETTERS: Final = re.compile(r"[^\W\d_]*\Z")
NEAR: Final = 60
"""Characters before a find in which context counts."""


def is_near(words: tuple[str, ...], name: str, before: str) -> bool:
    """Whether one of the words that make a rule surer stands before a find, or in the name of its member."""
    if before == "" or name == "":
        return _said(words, name) if before == "" else _says(words, before)
    return _said(words, name) or _says(words, f"{name} {before}")


def _says(words: tuple[str, ...], text: str) -> bool:
    return _context(words).search(text.lower().replace("_", " ").encode("utf-8", "replace")) is not None


_said: Final = lru_cache(maxsize=4096)(_says)
"""For the names of members, of which there are few."""


@cache
def _context(words: tuple[str, ...]) -> Any:
    """Finds one of the words where a word begins."""
    return re2.compile(rf"(?:^|[^a-z])(?:{'|'.join(map(re2.escape, words))})")


def may_say(words: tuple[str, ...], shape: str) -> bool:
    """Whether one of these words can end in a text of this shape, wherever it begins."""
    longest = max(map(len, _LETTERS.findall(shape)), default=0)
    return longest >= _shortest_end(words)


@cache
def _shortest_end(words: tuple[str, ...]) -> int:
    """The letters at the end of a word that has the fewest of them there."""
    return min((len(_LAST_LETTERS.search(word)[0]) for word in words), default=0)  # type: ignore[index]


def begins_alone(text: str, start: int, joined: str) -> bool:
    """Whether nothing before a find makes it part of something longer."""
    if start == 0:
        return True
    before = text[start - 1]
    if before.isalnum() or before == "_":
        return False
    return not (before in joined and start > 1 and text[start - 2].isalnum())


def ends_alone(text: str, end: int, joined: str) -> bool:
    """Whether nothing behind a find makes it part of something longer."""
    if end == len(text):
        return True
    after = text[end]
    if after.isalnum() or after == "_":
        return False
    return not (after in joined and text[end + 1 : end + 2].isalnum())
