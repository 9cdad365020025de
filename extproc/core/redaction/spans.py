"""The parts of a text that must go: laid together where they overlap, kept out of marks, and replaced."""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple, TypeAlias

from extproc.core.masking import Mask
from extproc.core.redaction.encodings import Run
from extproc.core.redaction.marks import Marks, strictest

__all__ = ["Answer", "Span", "Stretches", "Wanted", "replaced", "settled", "whole_answer"]

Wanted: TypeAlias = tuple[tuple[Mask, str], ...]
"""Each mask that a find asks for, with its rule."""


class Span(NamedTuple):
    """One part of a text: ``found`` is what it reads as, which an escape writes otherwise."""

    start: int
    end: int
    kind: str
    found: str
    wanted: Wanted


class Answer(NamedTuple):
    """What stands for a text: how often each type was masked in it, and what was found in the text itself."""

    text: str
    counts: "Counter[str]"
    spans: tuple[Span, ...] = ()
    rests: bool = True
    """Nothing is left that could be found in another search."""


class Stretches:
    """Parts of a text in order, none of which reaches into another; asked by halving, because there may be many."""

    __slots__ = ("_ends", "_starts")

    def __init__(self, parts: Sequence[tuple[int, int]]) -> None:
        self._starts: Final = [start for start, _ in parts]
        self._ends: Final = [end for _, end in parts]

    def meets(self, start: int, end: int) -> bool:
        """Whether one of them shares a character with this stretch."""
        first = bisect_right(self._ends, start)
        return first < len(self._starts) and self._starts[first] < end

    def holds(self, start: int, end: int) -> bool:
        """Whether this stretch lies in one of them."""
        first = bisect_right(self._ends, start)
        return first < len(self._starts) and self._starts[first] <= start and end <= self._ends[first]

    def around(self, start: int, end: int) -> tuple[int, int]:
        """This stretch, widened so that it cuts none of them in two."""
        if not self.meets(start, end):
            return start, end
        first, last = bisect_right(self._ends, start), bisect_left(self._starts, end) - 1
        return min(start, self._starts[first]), max(end, self._ends[last])


NOTHING: Final[Counter[str]] = Counter()


def settled(text: str, spans: Sequence[Span], marks: Marks) -> tuple[Span, ...]:
    """The spans in order and apart from each other; none within a mark, and none that cuts a mark in two."""
    if len(spans) == 1 and spans[0].end - spans[0].start == len(text) and not marks.is_one(text):
        return (spans[0],)
    fixed = Stretches(_joined(marks.spans(text)))
    apart: list[Span] = []
    for span in sorted(spans, key=lambda each: (each.start, -each.end)):
        start, end = fixed.around(span.start, span.end)
        if fixed.holds(span.start, span.end):
            continue
        last = apart[-1] if apart else None
        if last is not None and start < last.end:
            apart[-1] = _together(text, last, span, min(start, last.start), max(end, last.end))
        elif (start, end) == (span.start, span.end):
            apart.append(span)
        else:
            apart.append(Span(start, end, span.kind, text[start:end], span.wanted))
    return tuple(apart)


def _joined(parts: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The parts, those that touch as one: what reaches from one mark into the next is nothing but marks."""
    joined: list[tuple[int, int]] = []
    for start, end in parts:
        if joined and joined[-1][1] == start:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _together(text: str, one: Span, other: Span, start: int, end: int) -> Span:
    """Two that overlap as one: of the longer one's type."""
    longer = one if one.end - one.start >= other.end - other.start else other
    whole = (longer.start, longer.end) == (start, end)
    return Span(start, end, longer.kind, longer.found if whole else text[start:end], one.wanted + other.wanted)


def replaced(text: str, spans: Sequence[Span], runs: Sequence[tuple[Run, Answer | None]], marks: Marks) -> Answer:
    """The text with each span masked, and each run that was changed written anew where no span reaches into it."""
    taken = Stretches([(span.start, span.end) for span in spans])
    changed = [(run, answer) for run, answer in runs if answer is not None and not taken.meets(run.start, run.end)]
    changed = _apart([(run, answer) for run, answer in changed if answer.text != run.text])
    if not spans and not changed:
        return Answer(text, NOTHING)
    if len(spans) == 1 and spans[0].end - spans[0].start == len(text):  # a value that is nothing else
        return whole_answer(spans[0], marks)
    counts: Counter[str] = Counter(span.kind for span in spans)
    patches = [(span.start, span.end, marks.of(span.found, span.kind, _mask(span))) for span in spans]
    for run, answer in changed:
        patches.append((run.start, run.end, run.again(answer.text)))
        counts.update(answer.counts)
    parts: list[str] = []
    left: list[str] = []
    at = 0
    for start, end, patch in sorted(patches):
        left.append(text[at:start])
        parts += (text[at:start], patch)
        at = end
    left.append(text[at:])
    return Answer("".join((*parts, text[at:])), counts, tuple(spans), not changed and not any(map(str.strip, left)))


def _apart(runs: list[tuple[Run, Answer]]) -> list[tuple[Run, Answer]]:
    """Those that reach into none before them; the text is searched again for the others."""
    apart: list[tuple[Run, Answer]] = []
    for run, answer in sorted(runs, key=lambda each: (each[0].start, -each[0].end)):
        if not apart or apart[-1][0].end <= run.start:
            apart.append((run, answer))
    return apart


def whole_answer(span: Span, marks: Marks) -> Answer:
    """What stands for a text that is one value and nothing else."""
    return Answer(marks.of(span.found, span.kind, _mask(span)), _one(span.kind), (span,))


@cache
def _one(kind: str) -> "Counter[str]":
    """One of a kind, shared: no count of an answer is ever changed. Kinds are those of policies."""
    return Counter((kind,))


def _mask(span: Span) -> Mask:
    return span.wanted[0][0] if len(span.wanted) == 1 else strictest(mask for mask, _ in span.wanted)
