"""What is found in texts: personal data, payment data, national numbers, secrets, and what the operator describes.

``compile_detectors`` makes one search of the wanted types; ``Detectors.find`` searches many texts at once: all of them
joined are looked at once by a set of anchors, which says which patterns can match at all. Finds of one text come in the
order of their start and may overlap: who masks lays them together, so that no rest of one stays. All patterns are RE2,
so no text costs more than its length.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import re2

from extproc.core.masking import OwnDetector
from extproc.core.redaction.detectors.folding import Folded, fold
from extproc.core.redaction.detectors.national import NATIONAL
from extproc.core.redaction.detectors.personal import PERSONAL
from extproc.core.redaction.detectors.rules import Rule
from extproc.core.redaction.detectors.secrets import SECRETS
from extproc.core.redaction.tokens import tells

__all__ = ["BUILT_IN", "Detectors", "Find", "compile_detectors"]

BUILT_IN: Final = (*PERSONAL, *NATIONAL, *SECRETS)
_NEAR: Final = 60
"""Characters before a find in which context counts."""
_MEMORY: Final = 64 << 20
"""What one compiled pattern may take; a few of the vendors' are large."""
_SEPARATOR: Final = b"\n\x00\n"
_NAMED: Final = "password"
"""The type of a value whose member's name says that it is a secret."""
_NAMED_SCORE: Final = 0.9


@dataclass(frozen=True, slots=True)
class Find:
    """One find in one text: characters ``start`` to ``end``, the detector's name, and how sure it is (0 to 1)."""

    start: int
    end: int
    type: str
    score: float


@dataclass(frozen=True, slots=True)
class _Joined:
    """All texts of one search as bytes, and where each begins."""

    raw: bytes
    folds: Sequence[Folded]
    parts: Sequence[bytes]
    starts: Sequence[int]

    def place(self, start: int, end: int) -> tuple[int, int, int]:
        """The text that holds these bytes, and the characters in its fold; a find ends with its text."""
        index = bisect_right(self.starts, start) - 1
        part, begin = self.parts[index], self.starts[index]
        first, last = start - begin, min(end - begin, len(self.parts[index]))
        if len(part) == len(self.folds[index].text):
            return index, first, last
        return index, len(part[:first].decode()), len(part[:last].decode())


class Detectors:
    """A search for several types at once."""

    def __init__(self, types: Sequence[str], own: Sequence[OwnDetector], threshold: float) -> None:
        self._rules: Final = tuple(
            (rule, _pattern(rule.pattern))
            for rule in (*BUILT_IN, *(_own(each) for each in own))
            if rule.type in types and max(rule.score, rule.near) >= threshold
        )
        self._anchors: Final = _anchors([rule for rule, _ in self._rules])
        self._named: Final = _NAMED in types and threshold <= _NAMED_SCORE
        self._threshold: Final = threshold

    def find(self, texts: Sequence[str], names: Sequence[str] | None = None) -> list[tuple[Find, ...]]:
        """What is found in each text; ``names`` are the names of the members that the texts stand under."""
        under = names if names is not None else [""] * len(texts)
        found: list[list[Find]] = [
            [Find(0, len(text), _NAMED, _NAMED_SCORE)] if self._named and text and name and tells(name) else []
            for text, name in zip(texts, under, strict=True)
        ]
        if self._rules and texts:
            joined = _join(texts)
            for number in self._anchors.Match(joined.raw) or ():
                for index, find in self._matches(self._rules[number], joined, under):
                    found[index].append(find)
        return [tuple(sorted(finds, key=lambda each: (each.start, -each.end))) for finds in found]

    def _matches(self, ready: tuple[Rule, Any], joined: _Joined, names: Sequence[str]) -> Iterator[tuple[int, Find]]:
        rule, pattern = ready
        for match in pattern.finditer(joined.raw):
            # a group that took no part: the whole match, rather than nothing
            start, end = match.span(rule.group if match.group(rule.group) is not None else 0)
            index, first, last = joined.place(start, end)
            folded = joined.folds[index]
            text = folded.text[first:last]
            if not text or (rule.edges and not _stands_alone(folded.text, first, last, rule.joined)):
                continue
            score = rule.score
            if rule.context:
                before = f"{names[index]} {folded.text[max(first - _NEAR, 0) : first]}".lower().replace("_", " ")
                score = rule.near if _context(rule.context).search(before) else rule.score
            if score >= self._threshold and (rule.check is None or rule.check(text)):
                begin, finish = folded.span(first, last)
                yield index, Find(begin, finish, rule.type, score)


def _join(texts: Sequence[str]) -> _Joined:
    folds = [fold(text) for text in texts]
    parts = [folded.text.encode("utf-8", "replace") for folded in folds]
    starts: list[int] = []
    at = 0
    for part in parts:
        starts.append(at)
        at += len(part) + len(_SEPARATOR)
    return _Joined(_SEPARATOR.join(parts), folds, parts, starts)


def _stands_alone(text: str, start: int, end: int, joined: str) -> bool:
    """Whether nothing beside a find makes it part of something longer."""
    before, after = text[start - 1 : start], text[end : end + 1]
    if before.isalnum() or before == "_" or after.isalnum() or after == "_":
        return False
    if before and before in joined and text[start - 2 : start - 1].isalnum():
        return False
    return not (after and after in joined and text[end + 1 : end + 2].isalnum())


@cache
def _context(words: tuple[str, ...]) -> re.Pattern[str]:
    """Finds one of the words where a word begins."""
    return re.compile(rf"(?:^|[^a-z])(?:{'|'.join(map(re.escape, words))})")


def _own(own: OwnDetector) -> Rule:
    """An operator's detector as a rule; with context it scores only near it."""
    words = [rf"(?i:\b{re2.escape(word)}\b)" for word in own.words]
    pattern = "|".join([*(f"(?:{each})" for each in own.patterns), *words])
    context = tuple(word.lower() for word in own.context)
    return Rule(
        type=own.name,
        anchor=pattern,
        pattern=pattern,
        score=0.0 if context else own.score,
        context=context,
        near=own.score,
        edges=False,
    )


def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(text, options)


def _anchors(rules: Sequence[Rule]) -> Any:
    anchors = re2.Set.SearchSet()
    for rule in rules:
        anchors.Add(rule.anchor)
    if rules:
        anchors.Compile()
    return anchors


def compile_detectors(types: Sequence[str], own: Sequence[OwnDetector], *, threshold: float) -> Detectors:
    """The search for these types; finds that score below ``threshold`` are left out."""
    return Detectors(types, own, threshold)
