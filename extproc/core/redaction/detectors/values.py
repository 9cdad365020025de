"""What is found in a short text as a whole, told by its shape and the name of its member, but for the check digits.

Rows hold the same kinds of values under the same names again and again. Which rules fit, which of them score enough,
and whether anything but the whole text could be found is the same for all of one shape under one name, so it is worked
out once (``plan``), and a text is put to the tests of its plan alone.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from extproc.core.redaction.detectors.rules import Rule
from extproc.core.redaction.detectors.surroundings import begins_alone, ends_alone, is_near, may_say

__all__ = ["ELSEWHERE", "NOTHING", "WHOLE", "Plan", "Test", "always", "plan"]

NOTHING: Final = 0
WHOLE: Final = 1
ELSEWHERE: Final = 2
"""Something is found that is not the whole text: it must be searched."""


class Test(NamedTuple):
    """One rule that fits: ``holds`` says of a text NOTHING, WHOLE or ELSEWHERE."""

    type: str
    score: float
    holds: Callable[[str], int]


Plan = tuple[Test, ...]
"""The tests of one shape under one name, in the order in which their finds would come."""


def plan(fits: Iterable[tuple[Rule, Any, Sequence[tuple[int, int]]]], shape: str, name: str, threshold: float) -> Plan:
    """The tests of the texts of this shape under this name; the first one that holds is the find that comes first.

    ``fits`` are the rules that can find something in such a text, each with its pattern and the places where.
    """
    tests: list[Test] = []
    parts: list[Test] = []
    for rule, pattern, spans in fits:
        near = rule.near > rule.score and bool(rule.context) and is_near(rule.context, name, "")
        score = rule.near if near else rule.score
        if (rule.apart or not spans) and (score >= threshold or may_say(rule.context, shape)):
            tests.append(Test(rule.type, score, _anywhere(pattern)))
        for start, end in () if rule.apart else spans:
            if (start, end) == (0, len(shape)):
                if score >= threshold:
                    tests.append(Test(rule.type, score, _whole(rule)))
            elif (score >= threshold or may_say(rule.context, shape[:start])) and _stands_alone(
                rule, shape, start, end
            ):
                parts.append(Test(rule.type, score, _elsewhere))
    return (*tests, *parts[:1])


def _stands_alone(rule: Rule, shape: str, start: int, end: int) -> bool:
    if not rule.edges:
        return True
    # where a part of it may be found, that has other edges
    ends = rule.part is not None or ends_alone(shape, end, rule.joined)
    return ends and begins_alone(shape, start, rule.joined)


def _anywhere(pattern: Any) -> Callable[[str], int]:
    def holds(text: str) -> int:
        return NOTHING if pattern.search(text.encode()) is None else ELSEWHERE

    return holds


def _whole(rule: Rule) -> Callable[[str], int]:
    check, part = rule.check, rule.part
    if part is None:
        return always if check is None else check

    def holds(text: str) -> int:
        size = part(text)
        if size <= 0:
            return NOTHING
        return WHOLE if size == len(text) else ELSEWHERE

    return holds


def always(text: str) -> int:  # noqa: ARG001 - a test
    """Whatever it is, it is found as a whole."""
    return WHOLE


def _elsewhere(text: str) -> int:  # noqa: ARG001 - a test
    return ELSEWHERE
