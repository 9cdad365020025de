"""What stands around a candidate is read alike, whether the text is there or only its shape."""

import pytest

from extproc.core.redaction.detectors.surroundings import begins_alone, ends_alone, is_near, may_say


@pytest.mark.parametrize(
    ("name", "before", "near"),
    [
        ("", "", False),
        ("phone", "", True),
        ("home_phone", "", True),
        ("", "call my Phone: ", True),
        ("ring", "me now ", True),
        ("microphone", "", False),
        ("a", "b ", False),
    ],
)
def test_a_word_counts_where_it_begins_in_the_name_or_before_or_across_both(name: str, before: str, near: bool) -> None:
    assert is_near(("phone", "ring me"), name, before) is near


@pytest.mark.parametrize(
    ("words", "shape", "may"),
    [
        (("phone",), "aaaaa 000", True),
        (("phone",), "aaaa 000", False),
        (("ring me",), "aa 000", True),
        (("ring me",), "a 000", False),
        (("no. 5",), "000", True),
        ((), "000", True),
        (("phone", "tel"), "00-aaa", True),
    ],
)
def test_a_shape_may_say_a_word_if_its_end_fits_in(words: tuple[str, ...], shape: str, may: bool) -> None:
    assert may_say(words, shape) is may


@pytest.mark.parametrize(
    ("text", "start", "end", "begins", "ends"),
    [
        ("123", 0, 3, True, True),
        ("a123b", 1, 4, False, False),
        ("_123_", 1, 4, False, False),
        (" 123 ", 1, 4, True, True),
        ("4-123-4", 2, 5, False, False),
        ("-123-", 1, 4, True, True),
        (" -123- ", 2, 5, True, True),
        ("4+123+4", 2, 5, True, True),
    ],
)
def test_what_makes_a_number_part_of_something_longer(
    text: str, start: int, end: int, begins: bool, ends: bool
) -> None:
    assert (begins_alone(text, start, "-"), ends_alone(text, end, "-")) == (begins, ends)
