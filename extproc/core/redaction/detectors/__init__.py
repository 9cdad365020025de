"""What is found in texts: personal data, payment data, national numbers, secrets, and what the operator describes.

``compile_detectors`` makes one search of the wanted types; ``Detectors.find`` searches many texts at once: all of them
joined are looked at once by a set of anchors, which says which patterns can match at all. Finds of one text come in the
order of their start and may overlap: who masks lays them together, so that no rest of one stays. All patterns are RE2,
so no text costs more than its length.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, TypeAlias

import re2

from extproc.core.limits import MAX_MASKING_WORK
from extproc.core.masking import Find, OwnDetector
from extproc.core.redaction.detectors.joined import Joined, join
from extproc.core.redaction.detectors.national import NATIONAL
from extproc.core.redaction.detectors.personal import PERSONAL
from extproc.core.redaction.detectors.rules import Rule
from extproc.core.redaction.detectors.secrets import SECRETS
from extproc.core.redaction.detectors.shapes import LONGEST, Fit, Form, Shapes, spanned
from extproc.core.redaction.detectors.surroundings import NEAR, begins_alone, ends_alone, is_near
from extproc.core.redaction.detectors.values import Plan, Test, always, plan
from extproc.core.redaction.tokens import tells
from extproc.core.redaction.work import BYTES_JOINED, BYTES_SEARCHED, CANDIDATE, ODD_BYTES, Work

__all__ = ["BUILT_IN", "Detectors", "compile_detectors", "in_order"]

BUILT_IN: Final = (*PERSONAL, *NATIONAL, *SECRETS)
_MEMORY: Final = 64 << 20
"""What one compiled pattern may take; a few of the vendors' are large."""
_NAMED: Final = "password"
"""The type of a value whose member's name says that it is a secret."""
_NAMED_SCORE: Final = 0.9
_NO: Final = (0.0, 0)


Finds: TypeAlias = tuple[Find, ...]


@dataclass(slots=True)
class _Hunt:
    """One call of ``find``: the names that the texts stand under, what was found in each, what it may still cost."""

    names: Sequence[str]
    work: Work
    found: dict[int, list[Find]] = field(default_factory=lambda: defaultdict(list))


class Detectors:
    """A search for several types at once."""

    def __init__(self, types: Sequence[str], own: Sequence[OwnDetector], threshold: float, sure: float = 1.0) -> None:
        self._rules: Final = tuple(
            rule
            for rule in (*BUILT_IN, *(_own(each) for each in own))
            if rule.type in types and max(rule.score, rule.near) >= threshold
        )
        self._patterns: Final = tuple(_pattern(rule.pattern) for rule in self._rules)
        self._anchors: Final = _Anchors([rule.anchor for rule in self._rules])
        self._waiting: Final = tuple(
            number for number, rule in enumerate(self._rules) if rule.context and rule.score < threshold
        )
        """Rules that find nothing without context."""
        self._contexts: Final = _set([_nearby(self._rules[number].context) for number in self._waiting])
        self._shapes: Final = Shapes([_form(rule) for rule in self._rules])
        self._named: Final = _NAMED in types and threshold <= _NAMED_SCORE
        self._threshold: Final = threshold
        self._sure: Final = sure
        """A score that is not asked to be higher: who has it needs no context."""

    def plan(self, shape: bytes, name: str) -> Plan | None:
        """The tests of the texts of this shape under a member ``name``; None as long as the shape is not known."""
        fits = self._shapes.known.get(shape)
        if fits is None:
            return None
        rules = [(self._rules[fit.number], self._patterns[fit.number], fit.spans) for fit in fits]
        found = plan(rules, shape.decode(), name, self._threshold)
        return (Test(_NAMED, _NAMED_SCORE, always), *found) if self._named and name and tells(name) else found

    def find(self, texts: Sequence[str], names: Sequence[str] | None = None, work: Work | None = None) -> list[Finds]:
        """What is found in each text; ``names`` are the names of the members that the texts stand under.

        Ends where ``work`` does, with whatever it has found by then.
        """
        hunt = _Hunt(names if names is not None else [""] * len(texts), work or Work(MAX_MASKING_WORK))
        telling = {name for name in set(hunt.names) if name and tells(name)} if self._named else ()
        if telling:
            for index, name in enumerate(hunt.names):
                if name in telling and texts[index]:
                    hunt.found[index].append(Find(0, len(texts[index]), _NAMED, _NAMED_SCORE))
        if self._rules and texts and hunt.work.spend(_price(texts)):
            self._search(join(texts), hunt)
        finds: list[Finds] = [()] * len(texts)
        for index, each in hunt.found.items():
            finds[index] = tuple(sorted(each, key=in_order)) if len(each) > 1 else tuple(each)
        return finds

    def _search(self, joined: Joined, hunt: _Hunt) -> None:
        active = self._anchors.there(joined.raw)
        if not active:
            return
        long = self._in_short(joined, active, hunt)
        if not long:
            return
        if len(long) < len(joined.parts):
            joined = joined.only(long)
            active.intersection_update(self._anchors.there(joined.raw))
        for number in sorted(active.difference(self._out_of_context(joined, {hunt.names[index] for index in long}))):
            if hunt.work.spend(len(joined.raw) // BYTES_SEARCHED):
                self._in_long(number, joined, long, hunt)

    def _out_of_context(self, joined: Joined, names: Iterable[str]) -> set[int]:
        """The rules that none of the words that they wait for is there for."""
        if not self._waiting:
            return set()
        said = {*(self._contexts.Match(joined.raw) or ())}
        said.update(self._contexts.Match("\n".join(names).encode("utf-8", "replace")) or ())
        return {number for place, number in enumerate(self._waiting) if place not in said}

    def _in_short(self, joined: Joined, active: set[int], hunt: _Hunt) -> list[int]:
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
                if fit.number in active and hunt.work.spend(CANDIDATE):
                    self._in_one(fit, joined, index, hunt)
        return long

    def _in_one(self, fit: Fit, joined: Joined, index: int, hunt: _Hunt) -> None:
        rule, text, name = self._rules[fit.number], joined.texts[index], hunt.names[index]
        if rule.context and rule.score < self._threshold and not is_near(rule.context, name, text):
            return
        for first, last in fit.spans or self._spans(fit.number, joined.parts[index]):
            score, finish = self._judged(rule, text, first, last, name)
            if score:
                hunt.found[index].append(Find(*joined.given(index, first, finish), rule.type, score))

    def _spans(self, number: int, raw: bytes) -> Iterator[tuple[int, int]]:
        pattern, group = self._patterns[number], self._rules[number].group
        match = pattern.search(raw)
        while match is not None:
            yield spanned(match, group)
            at = match.end()
            match = pattern.search(raw, at) if match.start() < at < len(raw) else None

    def _in_long(self, number: int, joined: Joined, numbers: Sequence[int], hunt: _Hunt) -> None:
        rule, work, group, even = self._rules[number], hunt.work, self._rules[number].group, joined.is_one_even_text
        for match in self._patterns[number].finditer(joined.raw):
            if not work.spend(CANDIDATE):
                return
            start, end = spanned(match, group) if group else match.span()
            index, first, last = (0, start, end) if even else joined.place(start, end)
            score, finish = self._judged(rule, joined.texts[index], first, last, hunt.names[numbers[index]])
            if score:
                given = (first, finish) if even else joined.given(index, first, finish)
                hunt.found[numbers[index]].append(Find(*given, rule.type, score))

    def _judged(self, rule: Rule, whole: str, first: int, last: int, name: str) -> tuple[float, int]:
        """How sure a find is, and where it ends; 0 for none."""
        score = rule.score
        if rule.edges and not begins_alone(whole, first, rule.joined):
            return _NO
        asks = score < self._sure and rule.near > score and bool(rule.context)
        if asks and is_near(rule.context, name, whole[max(first - NEAR, 0) : first]):
            score = rule.near
        if score < self._threshold:
            return _NO
        if rule.part is not None:
            last = first + rule.part(whole[first:last])
        if first >= last or (rule.edges and not ends_alone(whole, last, rule.joined)):
            return _NO
        if rule.check is not None and not rule.check(whole[first:last]):
            return _NO
        return score, last


def _price(texts: Sequence[str]) -> int:
    """What it costs to fold and to join texts."""
    odd = sum(len(text.encode("utf-8", "replace")) - len(text) for text in texts if not text.isascii())
    return sum(map(len, texts)) // BYTES_JOINED + odd // ODD_BYTES


def in_order(find: Find) -> tuple[int, int]:
    """The key by which the finds of a text are sorted."""
    return find.start, -find.end


def _form(rule: Rule) -> Form:
    """The pattern of a rule for ``Shapes``: what is found must stand alone, but for what a part of it leaves behind."""
    if not rule.edges:
        return Form(rule.pattern, rule.pattern, rule.group)
    after = "" if rule.part is not None else r"(?:\z|[^0-9A-Za-z_])"
    return Form(rf"(?:\A|[^0-9A-Za-z_])(?:{rule.pattern}){after}", rule.pattern, rule.group)


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


@lru_cache(maxsize=1024)
def _pattern(text: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    return re2.compile(text, options)


def _nearby(words: tuple[str, ...]) -> str:
    """Finds at least where ``_context`` finds one of the words."""
    return "(?i)" + "|".join(re2.escape(word).replace(r"\ ", "[ _]") for word in words)


class _Anchors:
    """The anchors of rules; those that several share are looked for once."""

    def __init__(self, anchors: Sequence[str]) -> None:
        self._numbers: Final[dict[str, list[int]]] = defaultdict(list)
        for number, anchor in enumerate(anchors):
            self._numbers[anchor].append(number)
        self._different: Final = tuple(self._numbers.values())
        self._set: Final = _set(tuple(self._numbers))

    def there(self, raw: bytes) -> set[int]:
        """The numbers of the anchors that stand in a text."""
        return {number for found in self._set.Match(raw) or () for number in self._different[found]}


def _set(patterns: Sequence[str]) -> Any:
    made = re2.Set.SearchSet()
    for pattern in patterns:
        made.Add(pattern)
    if patterns:
        made.Compile()
    return made


def compile_detectors(
    types: Sequence[str], own: Sequence[OwnDetector], *, threshold: float, sure: float = 1.0
) -> Detectors:
    """The search for these types; finds that score below ``threshold`` are left out.

    Nobody asks whether a score is higher than ``sure``, so what has it is not looked at any closer.
    """
    return Detectors(types, own, threshold, sure)
