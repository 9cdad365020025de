"""What stands in the place of a value: it says as much as the operator chose and no more, and is known as a mask."""

import pytest

from extproc.core.masking import Mask, Style
from extproc.core.redaction.marks import Marks, strictest

REDACT, HASH, KEEP, REPLACE = (
    Mask(),
    Mask(Style.HASH),
    Mask(Style.KEEP_LAST, keep=4),
    Mask(Style.REPLACE, text="<gone>"),
)
MARKS = Marks(b"k" * 32, ["email", "us_ssn"], [REDACT, HASH, KEEP, REPLACE])


@pytest.mark.parametrize(
    ("text", "mask", "mark"),
    [
        ("bob@example.com", REDACT, "[email]"),
        ("bob@example.com", REPLACE, "<gone>"),
        ("4111 1111 1111 1234", KEEP, "****1234"),
        ("12345", KEEP, "****45"),
        ("12* 3", KEEP, "****3"),
        ("x", KEEP, "[email]"),
        ("", KEEP, "[email]"),
    ],
)
def test_each_style_has_its_mark(text: str, mask: Mask, mark: str) -> None:
    assert MARKS.of(text, "email", mask) == mark
    assert MARKS.is_one(mark)


def test_equal_values_have_equal_hashes_and_no_others() -> None:
    def of(text: str, kind: str = "email", tag: str = "s", key: bytes = b"k" * 32) -> str:
        return Marks(key, [kind], [HASH]).of(text, kind, HASH, tag=tag)

    assert of("a") == of("a")
    assert len({of("a"), of("b"), of("a", "us_ssn"), of("a", tag="n"), of("a", key=b"j" * 32)}) == 5
    assert of("\ud800").startswith("[email:")


def test_a_mark_is_known_wherever_it_stands_and_a_forged_hash_is_none() -> None:
    real = MARKS.of("bob@example.com", "email", HASH)
    assert MARKS.spans(f"a [email] b {real} c ****12 <gone>") == [(2, 9), (12, 12 + len(real)), (43, 49), (50, 56)]
    forged = "[email:" + "4111111111111111" + real[-5:]
    assert MARKS.spans(forged) == []
    assert not MARKS.is_one(forged)
    assert not MARKS.is_one("[email] and more")
    assert MARKS.spans("[phone] [email:12]") == []


def test_a_text_can_be_read_without_its_marks() -> None:
    assert MARKS.without("call [email] now") == "call \n now"
    assert MARKS.without("<gone> of [email]") == "<gone> of \n"
    assert MARKS.without("[phone]") == "[phone]"
    assert MARKS.without("of ****-atel 5") == "of \n 5"


def test_a_replacement_is_known_in_any_text() -> None:
    assert MARKS.replaces("it is <gone>.")
    assert not MARKS.replaces("it is [email]")
    assert not Marks(b"k", ["email"], [REDACT]).replaces("it is <gone>")


@pytest.mark.parametrize(
    ("text", "styles"),
    [
        ("[email]", {Style.REPLACE, Style.HASH, Style.KEEP_LAST}),
        ("****12", {Style.HASH, Style.KEEP_LAST}),
        ("<gone>", {Style.HASH, Style.KEEP_LAST}),
        ("[phone]", set()),
        ("bob", set()),
    ],
)
def test_a_mark_under_a_path_stays_where_the_path_asks_for_no_more(text: str, styles: set[Style]) -> None:
    assert {style for style in Style if MARKS.covers(text, style)} == styles


def test_of_two_words_the_longer_one_is_the_mark() -> None:
    both = Marks(b"k", ["email"], [Mask(Style.REPLACE, text="no"), Mask(Style.REPLACE, text="none of it")])
    assert both.spans("no, none of it") == [(0, 2), (4, 14)]
    assert both.is_one("none of it")


def test_kept_ends_are_marks_only_where_some_mask_keeps_ends() -> None:
    assert Marks(b"k", ["email"], [REDACT]).spans("****1234") == []


def test_the_mask_that_leaves_least_is_the_strictest() -> None:
    assert strictest([KEEP, HASH, REPLACE, REDACT]) is REDACT
    assert strictest([KEEP, HASH]) is HASH
    assert strictest([KEEP, Mask(Style.KEEP_LAST, keep=2)]).keep == 2
    assert strictest([REPLACE, Mask(Style.REPLACE, text="x")]) is REPLACE
