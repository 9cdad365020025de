"""Patterns over names and URIs: `*` stands for any run of characters, also none and also `/`; all else is itself.

Precedence where two patterns cover one name (first difference wins): a name without `*` beats a pattern; more
characters besides `*` beat fewer; the caller breaks the tie towards the stricter.

A grant compares byte for byte. A deny rule covers a name also when it only looks like the pattern (J22): both are
compared once more after NFKC, case folding, look-alike letters replaced, invisible characters and outer space removed.
Every comparison is linear in the name.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["Patterns", "as_pattern", "compile_patterns", "covers", "folded", "overlaps", "weight"]

# Cyrillic and Greek letters drawn like Latin ones (Unicode confusables, the part that spells tool names)
_LOOK_ALIKES: Final = str.maketrans("авеёкмнорстухіјѕԁԛԝһӏαβεικνορτυχγωѵ", "abeekmhopctyxijsdqwhlabeikvoptuxywv")
_INVISIBLE: Final = frozenset({"Cf", "Mn", "Cc"})
_MARKS: Final = 30
"""Marks on one letter that count (UAX 15, "Stream-Safe Text Format"): normalisation sorts them in quadratic time."""
_SOMETHING: Final = "\ufffe"
"""Stands for a part of a template that may become anything; no valid text has this noncharacter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patterns:
    """Several patterns as one question. ``exact`` are those without `*`, ``globs`` the others cut at each `*`."""

    texts: tuple[str, ...]
    exact: frozenset[str]
    globs: tuple[tuple[str, ...], ...]

    def cover(self, name: str) -> bool:
        """Whether one of them covers the name."""
        if name in self.exact:
            return True
        return bool(self.globs) and any(_fits(parts, name) for parts in self.globs)

    def overlap(self, pattern: str) -> bool:
        """Whether one of them and the pattern cover a name in common."""
        return any(overlaps(text, pattern) for text in self.texts)

    def contain(self, pattern: str) -> bool:
        """Whether one of them covers every name that the pattern covers."""
        return self.cover(pattern.replace("*", _SOMETHING))


def compile_patterns(texts: Iterable[str]) -> Patterns:
    """The patterns, ready to be asked."""
    kept = tuple(texts)
    return Patterns(
        texts=kept,
        exact=frozenset(text for text in kept if "*" not in text),
        globs=tuple(tuple(text.split("*")) for text in kept if "*" in text),
    )


def covers(pattern: str, name: str) -> bool:
    """Whether the pattern covers the name."""
    return pattern == name if "*" not in pattern else _fits(tuple(pattern.split("*")), name)


def _fits(parts: tuple[str, ...], name: str) -> bool:
    """Whether the name is the parts in order with anything between; the leftmost place of each is always right."""
    first, last = parts[0], parts[-1]
    if len(name) < len(first) + len(last) or not name.startswith(first) or not name.endswith(last):
        return False
    position, end = len(first), len(name) - len(last)
    for part in parts[1:-1]:
        found = name.find(part, position, end)
        if found < 0:
            return False
        position = found + len(part)
    return True


def overlaps(one: str, other: str) -> bool:
    """Whether some name is covered by both patterns."""
    start, begin = one.partition("*")[0], other.partition("*")[0]
    if not start.startswith(begin) and not begin.startswith(start):
        return False  # the common case, without the walk below
    # the positions in `other` that can be reached after each character of `one`; a `*` may be left at any time
    reached = _skip({0}, other)
    for character in one:
        following: set[int] = set()
        if character == "*":
            following = set(range(min(reached), len(other) + 1)) if reached else set()
        else:
            for position in reached:
                if position < len(other) and other[position] == "*":
                    following.add(position)
                elif position < len(other) and other[position] == character:
                    following.add(position + 1)
        reached = _skip(following, other)
    return len(other) in reached


def _skip(positions: set[int], pattern: str) -> set[int]:
    """The positions, and those behind each `*` that stands there."""
    found = set(positions)
    for position in positions:
        behind = position
        while behind < len(pattern) and pattern[behind] == "*":
            behind += 1
            found.add(behind)
    return found


def weight(pattern: str) -> tuple[bool, int]:
    """How specific a pattern is; the larger wins."""
    return "*" not in pattern, len(pattern.replace("*", ""))


def as_pattern(template: str) -> str:
    """The pattern of a URI template (RFC 6570): each expression may become anything."""
    parts: list[str] = []
    rest = template.replace("*", _SOMETHING)
    while rest:
        before, brace, behind = rest.partition("{")
        expression, closing, rest = behind.partition("}")
        parts += [before, "*"] if brace else [before]
        if brace and not closing:
            break
        del expression
    return "".join(parts)


def folded(name: str) -> str:
    """The name as it looks: what deny rules compare besides the name itself."""
    if name.isascii() and name.isprintable():
        return name.lower().strip()
    plain = unicodedata.normalize("NFKD", _stream_safe(name)).casefold()
    plain = unicodedata.normalize("NFKC", plain).casefold().translate(_LOOK_ALIKES)
    return "".join(character for character in plain if unicodedata.category(character) not in _INVISIBLE).strip()


def _stream_safe(text: str) -> str:
    """The text without what stands on a letter beyond so many marks; in an argument there may be a million."""
    if len(text) <= _MARKS:
        return text
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if character > "\u02ff" and _begins_with_a_mark(character) else 0
        if marks <= _MARKS:
            kept.append(character)
    return "".join(kept)


def _begins_with_a_mark(character: str) -> bool:
    return unicodedata.combining(unicodedata.normalize("NFKD", character)[0]) != 0
