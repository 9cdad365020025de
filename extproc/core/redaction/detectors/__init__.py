"""What is found in texts: personal data, payment data, national numbers, secrets, and what the operator describes.

``compile_detectors`` makes one search of the wanted types; ``Detectors.find`` searches many texts at once: all of them
joined are looked at once by a set of anchors, which says which patterns can match at all. Finds of one text come in the
order of their start and may overlap: who masks lays them together, so that no rest of one stays. All patterns are RE2,
so no text costs more than its length.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final, TypeAlias

import re2

from extproc.core.masking import Find, OwnDetector
from extproc.core.redaction.detectors.joined import Joined, join
from extproc.core.redaction.detectors.national import NATIONAL
from extproc.core.redaction.detectors.personal import PERSONAL
from extproc.core.redaction.detectors.rules import Rule
from extproc.core.redaction.detectors.secrets import SECRETS
from extproc.core.redaction.detectors.shapes import LONGEST, Fit, Form, Shapes, spanned
from extproc.core.redaction.tokens import tells

__all__ = ["BUILT_IN", "Detectors", "compile_detectors", "in_order"]

BUILT_IN: Final = (*PERSONAL, *NATIONAL, *SECRETS)
_NEAR: Final = 60
"""Characters before a find in which context counts."""
_MEMORY: Final = 64 << 20
"""What one compiled pattern may take; a few of the vendors' are large."""
_NAMED: Final = "password"
"""The type of a value whose member's name says that it is a secret."""
_NAMED_SCORE: Final = 0.9
_NO: Final = (0.0, 0)


Finds: TypeAlias = tuple[Find, ...]


class Detectors:
    """A search for several types at once."""

    def __init__(self, types: Sequence[str], own: Sequence[OwnDetector], threshold: float) -> None:
        self._rules: Final = tuple(
            rule
            for rule in (*BUILT_IN, *(_own(each) for each in own))
            if rule.type in types and max(rule.score, rule.near) >= threshold
        )
        self._patterns: Final = tuple(_pattern(rule.pattern) for rule in self._rules)
        self._anchors: Final = _set([rule.anchor for rule in self._rules])
        self._waiting: Final = tuple(
            number for number, rule in enumerate(self._rules) if rule.context and rule.score < threshold
        )
        """Rules that find nothing without context."""
        self._contexts: Final = _set([_nearby(self._rules[number].context) for number in self._waiting])
        self._shapes: Final = Shapes([_form(rule) for rule in self._rules])
        self._named: Final = _NAMED in types and threshold <= _NAMED_SCORE
        self._threshold: Final = threshold

    def find(self, texts: Sequence[str], names: Sequence[str] | None = None) -> list[Finds]:
        """What is found in each text; ``names`` are the names of the members that the texts stand under."""
        under = names if names is not None else [""] * len(texts)
        found: dict[int, list[Find]] = defaultdict(list)
        telling = {name for name in set(under) if name and tells(name)} if self._named else ()
        if telling:
            for index, name in enumerate(under):
                if name in telling and texts[index]:
                    found[index].append(Find(0, len(texts[index]), _NAMED, _NAMED_SCORE))
        if self._rules and texts:
            self._search(join(texts), under, found)
        finds: list[Finds] = [()] * len(texts)
        for index, each in found.items():
            finds[index] = tuple(sorted(each, key=in_order)) if len(each) > 1 else tuple(each)
        return finds

    def _search(self, joined: Joined, under: Sequence[str], found: dict[int, list[Find]]) -> None:
        active = set(self._anchors.Match(joined.raw) or ())
        if not active:
            return
        long = self._in_short(joined, active, under, found)
        if not long:
            return
        if len(long) < len(joined.parts):
            joined = joined.only(long)
            active.intersection_update(self._anchors.Match(joined.raw) or ())
        for number in sorted(active.difference(self._out_of_context(joined, {under[index] for index in long}))):
            self._in_long(number, joined, long, under, found)

    def _out_of_context(self, joined: Joined, names: Iterable[str]) -> set[int]:
        """The rules that none of the words that they wait for is there for."""
        if not self._waiting:
            return set()
        said = {*(self._contexts.Match(joined.raw) or ())}
        said.update(self._contexts.Match("\n".join(names).encode("utf-8", "replace")) or ())
        return {number for place, number in enumerate(self._waiting) if place not in said}

    def _in_short(
        self, joined: Joined, active: set[int], under: Sequence[str], found: dict[int, list[Find]]
    ) -> list[int]:
        """Search the texts whose shapes are known or can be learned; the numbers of all others."""
        if min(map(len, joined.parts)) > LONGEST:
            return list(range(len(joined.parts)))
        shapes = joined.shapes()
        long: list[int] = []
        for index, known in enumerate(map(self._shapes.known.get, shapes)):
            fitting = known if known is not None else self._shapes.meet(shapes[index])
            if fitting is None:
                long.append(index)
                continue
            for fit in fitting:
                if fit.number in active:
                    self._in_one(fit, joined, index, under[index], found)
        return long

    def _in_one(self, fit: Fit, joined: Joined, index: int, name: str, found: dict[int, list[Find]]) -> None:
        rule, text = self._rules[fit.number], joined.texts[index]
        if rule.context and rule.score < self._threshold and not _is_near(rule, name, text):
            return
        for first, last in fit.spans or self._spans(fit.number, joined.parts[index]):
            score, finish = self._judged(rule, text, first, last, name)
            if score:
                found[index].append(Find(*joined.given(index, first, finish), rule.type, score))

    def _spans(self, number: int, raw: bytes) -> Iterator[tuple[int, int]]:
        pattern, group = self._patterns[number], self._rules[number].group
        match = pattern.search(raw)
        while match is not None:
            yield spanned(match, group)
            at = match.end()
            match = pattern.search(raw, at) if match.start() < at < len(raw) else None

    def _in_long(
        self, number: int, joined: Joined, numbers: Sequence[int], under: Sequence[str], found: dict[int, list[Find]]
    ) -> None:
        rule = self._rules[number]
        for match in self._patterns[number].finditer(joined.raw):
            start, end = spanned(match, rule.group)
            index, first, last = joined.place(start, end)
            score, finish = self._judged(rule, joined.texts[index], first, last, under[numbers[index]])
            if score:
                found[numbers[index]].append(Find(*joined.given(index, first, finish), rule.type, score))

    def _judged(self, rule: Rule, whole: str, first: int, last: int, name: str) -> tuple[float, int]:
        """How sure a find is, and where it ends; 0 for none."""
        score = rule.score
        if rule.edges and not _begins_alone(whole, first, rule.joined):
            return _NO
        if rule.near > score and rule.context and _is_near(rule, name, whole[max(first - _NEAR, 0) : first]):
            score = rule.near
        if score < self._threshold:
            return _NO
        if rule.part is not None:
            last = first + rule.part(whole[first:last])
        if first >= last or (rule.edges and not _ends_alone(whole, last, rule.joined)):
            return _NO
        if rule.check is not None and not rule.check(whole[first:last]):
            return _NO
        return score, last


def in_order(find: Find) -> tuple[int, int]:
    """The key by which the finds of a text are sorted."""
    return find.start, -find.end


def _is_near(rule: Rule, name: str, before: str) -> bool:
    """Whether one of the words that make a rule surer stands before a find, or in the name of its member."""
    if before == "" or name == "":
        return _said(rule.context, name) if before == "" else _says(rule.context, before)
    return _said(rule.context, name) or _says(rule.context, f"{name} {before}")


def _says(words: tuple[str, ...], text: str) -> bool:
    return _context(words).search(text.lower().replace("_", " ").encode("utf-8", "replace")) is not None


_said: Final = lru_cache(maxsize=4096)(_says)
"""For the names of members, of which there are few."""


def _begins_alone(text: str, start: int, joined: str) -> bool:
    """Whether nothing before a find makes it part of something longer."""
    before = text[start - 1 : start]
    if before.isalnum() or before == "_":
        return False
    return not (before and before in joined and text[start - 2 : start - 1].isalnum())


def _ends_alone(text: str, end: int, joined: str) -> bool:
    """Whether nothing behind a find makes it part of something longer."""
    after = text[end : end + 1]
    if after.isalnum() or after == "_":
        return False
    return not (after and after in joined and text[end + 1 : end + 2].isalnum())


def _form(rule: Rule) -> Form:
    """The pattern of a rule for ``Shapes``: what is found must stand alone, but for what a part of it leaves behind."""
    if not rule.edges:
        return Form(rule.pattern, rule.pattern, rule.group)
    after = "" if rule.part is not None else r"(?:\z|[^0-9A-Za-z_])"
    return Form(rf"(?:\A|[^0-9A-Za-z_])(?:{rule.pattern}){after}", rule.pattern, rule.group)


@cache
def _context(words: tuple[str, ...]) -> Any:
    """Finds one of the words where a word begins."""
    return re2.compile(rf"(?:^|[^a-z])(?:{'|'.join(map(re2.escape, words))})")


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


def _nearby(words: tuple[str, ...]) -> str:
    """Finds at least where ``_context`` finds one of the words."""
    return "(?i)" + "|".join(re2.escape(word).replace(r"\ ", "[ _]") for word in words)


def _set(patterns: Sequence[str]) -> Any:
    made = re2.Set.SearchSet()
    for pattern in patterns:
        made.Add(pattern)
    if patterns:
        made.Compile()
    return made


def compile_detectors(types: Sequence[str], own: Sequence[OwnDetector], *, threshold: float) -> Detectors:
    """The search for these types; finds that score below ``threshold`` are left out."""
    return Detectors(types, own, threshold)
