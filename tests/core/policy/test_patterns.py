import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.core.policy.patterns import as_pattern, compile_patterns, covers, folded, overlaps, weight

words = st.text(alphabet="ab/", max_size=6)
patterns = st.text(alphabet="ab*/", max_size=6)


def as_regex(pattern: str) -> re.Pattern[str]:
    return re.compile("".join(".*" if character == "*" else re.escape(character) for character in pattern), re.DOTALL)


@settings(deadline=None)
@given(patterns, words)
def test_a_star_is_any_run_and_all_else_is_itself(pattern: str, name: str) -> None:
    expected = as_regex(pattern).fullmatch(name) is not None
    assert covers(pattern, name) == expected
    assert compile_patterns([pattern]).cover(name) == expected


@settings(deadline=None)
@given(patterns, patterns, words)
def test_patterns_that_share_a_name_overlap(one: str, other: str, name: str) -> None:
    if covers(one, name) and covers(other, name):
        assert overlaps(one, other)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a*c", "*b*", True),
        ("a", "b*", False),
        ("", "", True),
        ("*", "", True),
        ("a*", "*a", True),
        ("a*b", "a*c", False),
        ("schema://*/x", "schema://sales/*", True),
        ("schema://hr/*", "schema://sales/*", False),
        ("ab", "a", False),
        ("a*b", "ab", True),
        ("a*bc", "a*b", False),
    ],
)
def test_overlap_is_exact(one: str, other: str, expected: bool) -> None:
    assert overlaps(one, other) == expected
    assert overlaps(other, one) == expected
    assert compile_patterns([one]).overlap(other) == expected


@pytest.mark.parametrize(
    ("pattern", "inner", "expected"),
    [("*", "a*", True), ("a*", "a*b", True), ("a*b", "a*", False), ("ab", "a*", False), ("ab", "ab", True)],
)
def test_containment_is_of_every_name(pattern: str, inner: str, expected: bool) -> None:
    assert compile_patterns([pattern]).contain(inner) == expected


def test_a_plain_name_weighs_more_than_a_pattern_and_a_longer_pattern_more_than_a_shorter() -> None:
    assert weight("get") > weight("get_customer_*") > weight("get_*") > weight("*")


@pytest.mark.parametrize(
    ("template", "pattern"),
    [
        ("schema://{db}/{+table}", "schema://*/*"),
        ("schema://{db}{?q,r}", "schema://**"),
        ("plain://x", "plain://x"),
        ("open://{x", "open://*"),
        ("", ""),
    ],
)
def test_an_expression_of_a_template_may_become_anything(template: str, pattern: str) -> None:
    assert as_pattern(template) == pattern


def test_a_star_in_a_template_is_a_character_not_a_pattern() -> None:
    assert not covers("a://x", as_pattern("a://*"))
    assert not overlaps("a://x", as_pattern("a://*"))


@pytest.mark.parametrize(
    "name",
    [
        "RUN_SHELL",
        "\uff52\uff55\uff4e_shell",
        "run\u200b_shell",
        "run_sh\u0435ll",
        "run\u00ad_shell",
        " run_shell\t",
        "run_shell\u00a0\u200b",
    ],
)
def test_a_name_that_looks_the_same_folds_to_the_same(name: str) -> None:
    assert folded(name) == "run_shell"


def test_composed_and_decomposed_forms_fold_alike_and_not_to_the_bare_letter() -> None:
    assert folded("caf\u00e9") == folded("cafe\u0301") != "cafe"


def test_of_the_marks_on_one_letter_so_many_count_as_can_be_sorted_and_a_million_take_no_longer_than_letters() -> None:
    few, many = "\u302e" * 30, "\u302e" * 1000
    assert folded(f"a{many}b{many}") == folded(f"a{few}b{few}") != folded(f"a{few[1:]}b{few}")
    assert folded("seq" + "\u0301\u0323" * 500_000) == "seq"
    assert folded("\u0f73" * 200_000 + "x") == "x"
