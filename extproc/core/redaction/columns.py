"""Values that are one thing and nothing else, as most are in rows: answered by their name and shape, without a search.

What would be found in a text, and what stands for it then, is worked out once for each shape under each name; most
texts need no more than their check digits looked at. A text whose shape is new, that holds more than itself, or in
which something is found that is not the whole of it, is left for the search: this only spares it work.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from extproc.core.masking import Style
from extproc.core.redaction import encodings
from extproc.core.redaction.detectors.joined import shapes_of
from extproc.core.redaction.detectors.shapes import LONGEST
from extproc.core.redaction.detectors.values import ELSEWHERE, Test
from extproc.core.redaction.glance import COMPLEX
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.sinks import Key
from extproc.core.redaction.spans import Answer, Span, Wanted, whole_answer

__all__ = ["Columns"]

_KEPT: Final = 4096
"""Columns kept; after that they are worked out anew, so that no server fills the memory."""
_FIXED: Final = frozenset({Style.REDACT, Style.REPLACE})
"""What stands for a value in these styles says nothing of it, so it is the same for all."""


class _Case(NamedTuple):
    """One test of a column; ``answer`` is what stands for every text that holds, None where each has its own."""

    holds: Callable[[str], int]
    type: str
    wanted: Wanted
    answer: Answer | None


class _Column(NamedTuple):
    """The texts of one shape under one name."""

    cases: tuple[_Case, ...]
    searched: bool = False
    """Whether they may hold more than themselves."""
    may_be_run: bool = False
    """Whether they may be base64 or hexadecimal."""


_SEARCHED: Final = _Column((), searched=True)


class Columns:
    """What is known of the columns that one set of rules has met."""

    def __init__(self, rules: Rules) -> None:
        self._rules: Final = rules
        self._known: Final[dict[tuple[str, bytes | None], _Column]] = {}

    def answer(self, keys: Sequence[Key], close: Callable[[Key, Answer], None]) -> list[Key]:
        """Answer for those that can be; give back all others."""
        short = [key for key in keys if len(key[0]) <= LONGEST]
        if not (short and self._rules.patterns_alone):
            return list(keys)
        rest = [key for key in keys if len(key[0]) > LONGEST] if len(short) < len(keys) else []
        known, first_only = self._known, self._rules.wants_alike
        for key, shape in zip(short, shapes_of([key[0] for key in short]), strict=True):
            column = known.get((key[1], shape)) or self._column(key[1], shape)
            text = key[0]
            if column.searched or (column.may_be_run and encodings.is_run(text)):
                rest.append(key)
                continue
            found, held = 0, None
            for case in column.cases:
                now = case.holds(text)
                if now:
                    found, held = (ELSEWHERE, None) if held is not None else (int(now), case)
                    if first_only or found == ELSEWHERE:
                        break
            if held is None and not found:
                continue
            if found == ELSEWHERE or held is None or self._rules.marks.is_one(text):
                rest.append(key)
            elif held.wanted:
                answer = held.answer
                close(key, self._own(text, held) if answer is None else answer)
        return rest

    def _column(self, name: str, shape: bytes | None) -> _Column:
        tests = None if shape is None else self._rules.detectors.plan(shape, self._rules.said(name))
        if shape is None or tests is None:
            return _SEARCHED
        if len(self._known) >= _KEPT:
            self._known.clear()
        text = shape.decode()
        is_word = text.isalnum()
        if is_word or not COMPLEX.in_(text):
            cases = tuple(self._case(test, text) for test in tests)
            made = _Column(cases, may_be_run=is_word and len(text) >= encodings.SHORTEST)
        else:
            made = _SEARCHED
        self._known[name, shape] = made
        return made

    def _case(self, test: Test, text: str) -> _Case:
        wanted = self._rules.wanted(test.type, test.score)
        case = _Case(test.holds, test.type, wanted, None)
        fixed = len(wanted) == 1 and wanted[0][0].style in _FIXED
        return case._replace(answer=self._own(text, case)) if fixed else case

    def _own(self, text: str, case: _Case) -> Answer:
        return whole_answer(Span(0, len(text), case.type, text, case.wanted), self._rules.marks)
