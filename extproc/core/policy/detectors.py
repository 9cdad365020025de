"""Detectors that the operator adds: ``detectors.<name>`` with patterns, words, a score and context.

A pattern is RE2 (linear for every text); one that cannot be compiled, or that finds nothing at all in every text, is
refused with its place in the file.
"""

import re
from typing import Final

from extproc.core.limits import MAX_DETECTOR_WORDS
from extproc.core.masking import DETECTORS, FIELD, GROUPS, NAMES, OPAQUE, UNREADABLE, OwnDetector
from extproc.core.policy.pattern_texts import compiled_pattern, read_pattern
from extproc.core.policy.positions import Node, Scalar
from extproc.core.policy.reading import Reading, Word

__all__ = ["read_detectors", "read_share"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_PROBES: Final = ("", "a", "1 a")
"""Texts in which a pattern that can match nothing does so, at a word's edge too."""
_KEYS: Final = ("patterns", "words", "score", "context")


def read_detectors(node: Node | None, reading: Reading) -> tuple[tuple[Word, OwnDetector], ...]:
    """The operator's detectors, each with the place of its name."""
    return tuple((name, _detector(name, entry, reading)) for name, entry in reading.entries(node, "`detectors`"))


def _detector(name: Word, node: Node, reading: Reading) -> OwnDetector:
    what = f"detector `{name.value}`"
    if not _NAME.fullmatch(name.value):
        fix = "Write it like `employee_id`: lower-case letters, digits and `_`, 40 at most"
        reading.problem(name.spot, f"`{name.value}` is no name for a detector", fix)
    elif name.value in {*DETECTORS, *NAMES, *GROUPS, FIELD, OPAQUE, UNREADABLE}:
        reading.problem(name.spot, f"`{name.value}` is the name of a built-in detector", "Give yours another name")
    found = reading.members(node, what, _KEYS)
    if "patterns" not in found and "words" not in found:
        reading.problem(node.spot, f"{what} finds nothing", "Give it `patterns` or `words`")
    score = read_share(found.get("score"), f"`score` of {what}", reading)
    return OwnDetector(
        name=name.value,
        patterns=tuple(
            pattern.value
            for item in reading.items(found.get("patterns"), f"`patterns` of {what}")
            if (pattern := _pattern(item, what, reading)) is not None
        ),
        words=_words(found.get("words"), f"`words` of {what}", reading),
        score=1.0 if score is None else score,
        context=_words(found.get("context"), f"`context` of {what}", reading),
    )


def _pattern(node: Node, what: str, reading: Reading) -> Word | None:
    pattern = read_pattern(node, f"each of `patterns` of {what}", reading)
    if pattern is None:
        return None
    compiled = compiled_pattern(pattern.value)
    if any((found := compiled.search(probe)) is not None and found.start() == found.end() for probe in _PROBES):
        fix = "Let it match one character at least: `+` in the place of `*`"
        reading.problem(pattern.spot, "the pattern matches the empty text, so it finds nothing", fix)
        return None
    return pattern


def _words(node: Node | None, what: str, reading: Reading) -> tuple[str, ...]:
    words = reading.words(node, what)
    for word in words[MAX_DETECTOR_WORDS : MAX_DETECTOR_WORDS + 1]:
        reading.problem(word.spot, f"{what} are more than {MAX_DETECTOR_WORDS}", "Shorten the list")
    return tuple(word.value for word in words)


def read_share(node: Node | None, what: str, reading: Reading) -> float | None:
    """A number above 0 and not above 1."""
    if node is None:
        return None
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 1:
        reading.problem(node.spot, f"{what} must be a number above 0 and not above 1", "Write it like `0.6`")
        return None
    return float(value)
