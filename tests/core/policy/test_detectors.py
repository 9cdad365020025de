"""The operator's own detectors: valid RE2 with something to find, under names of their own."""

import pytest

from extproc.core.limits import MAX_DETECTOR_WORDS, MAX_PATTERN_CHARS
from policies import GOOD, problems

USED = "masking: [{name: pii, servers: [db], detect: [own]}]\n"


@pytest.mark.parametrize(
    ("entry", "what", "fix"),
    [
        ("own: {}", "detector `own` finds nothing", "Give it `patterns`"),
        ("own: {score: 0.5}", "detector `own` finds nothing", "Give it `patterns`"),
        ("own: {words: [x], pattern: [x]}", "unknown key `pattern`", "Did you mean `patterns`?"),
        ("own: {patterns: x}", "must be a list", "Write"),
        ("own: {patterns: [5]}", "must be text", "quotes"),
        ("own: {patterns: ['(a']}", "not valid RE2 (missing ): (a)", "RE2 has no look-around"),
        ("own: {patterns: ['(?=a)']}", "not valid RE2", "RE2 has no look-around"),
        ("own: {patterns: ['a*']}", "matches the empty text", "`+` in the place of `*`"),
        ("own: {patterns: ['\\b']}", "matches the empty text", "`+` in the place of `*`"),
        (f"own: {{patterns: [{'x' * (MAX_PATTERN_CHARS + 1)}]}}", "longer than", "Shorten"),
        (f"own: {{words: [{','.join(f'w{n}' for n in range(MAX_DETECTOR_WORDS + 1))}]}}", "more than", "Shorten"),
        ("own: {words: [x], score: 2}", "`score` of detector `own` must be a number", "0.6"),
        ("own: {words: [x], context: []}", "`context` of detector `own` must be a list", "Write"),
    ],
)
def test_a_detector_that_cannot_work_is_refused(entry: str, what: str, fix: str) -> None:
    found = [each for each in problems(GOOD + USED + f"detectors:\n  {entry}\n") if "never found" not in each.what]
    assert what in found[0].what
    assert fix in found[0].fix
    assert found[0].line > GOOD.count("\n")


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("Own", "no name for a detector"),
        ("x-y", "no name for a detector"),
        ("place", "the name of a built-in detector"),
        *((name, "built-in") for name in ("email", "secrets", "masked", "opaque", "unreadable")),
    ],
)
def test_a_name_is_plain_and_not_taken(name: str, what: str) -> None:
    text = f"masking: [{{name: pii, servers: [db], detect: [email, {name}]}}]\ndetectors:\n  {name}: {{words: [x]}}\n"
    assert any(what in each.what for each in problems(GOOD + text.replace("[email, email]", "[email]")))
