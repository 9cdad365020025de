"""What is found in a short text as a whole, told by its shape and the name of its member, but for the check digits.

Rows hold the same kinds of values under the same names again and again. Which rules fit, which of them score enough,
and whether anything but the whole text could be found is the same for all of one shape under one name, so it is worked
out once (``plan``), and a text is put to the tests of its plan alone.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from extproc.core.redaction.detectors.rules import Rule
from extproc.core.redaction.detectors.shapes import Fit
from extproc.core.redaction.detectors.surroundings import begins_alone, ends_alone, is_near

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


def plan(
    rules: Sequence[Rule], patterns: Sequence[Any], fits: Sequence[Fit], shape: str, name: str, threshold: float
) -> Plan:
    """The tests of the texts of this shape under this name; the first one that holds is the find that comes first."""
    tests: list[Test] = []
    parts: list[Test] = []
    for fit in fits:
        rule = rules[fit.number]
        near = rule.near > rule.score and bool(rule.context) and is_near(rule.context, name, "")
        score = rule.near if near else rule.score
        hopeless = score < threshold and all(word[-1:].isalpha() for word in rule.context)
        if not fit.spans and not (hopeless and not _has_letters(shape)):
            tests.append(Test(rule.type, score, _anywhere(patterns[fit.number])))
        for start, end in fit.spans:
            if (start, end) == (0, len(shape)):
                if score >= threshold:
                    tests.append(Test(rule.type, score, _whole(rule)))
            elif not (_is_part_of_more(rule, shape, start, end) or (hopeless and not _has_letters(shape[:start]))):
                parts.append(Test(rule.type, score, _elsewhere))
    return (*tests, *parts[:1])


def _has_letters(shape: str) -> bool:
    """Whether there can be a word in it that makes a rule surer."""
    return any(map(str.isalpha, shape))


def _is_part_of_more(rule: Rule, shape: str, start: int, end: int) -> bool:
    if not rule.edges:
        return False
    return not begins_alone(shape, start, rule.joined) or (rule.part is None and not ends_alone(shape, end, rule.joined))


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
