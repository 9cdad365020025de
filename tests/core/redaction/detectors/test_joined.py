"""Places in many joined texts point into the right one, whatever stands there."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.core.redaction.detectors.joined import join

TEXTS = st.lists(st.text(alphabet="ab1é\u200b\uff14\n\0", max_size=12), min_size=1, max_size=6)


@given(TEXTS)
def test_every_text_is_found_again_at_its_place(texts: list[str]) -> None:
    joined = join(texts)
    at = 0
    for index, part in enumerate(joined.parts):
        assert joined.raw[at : at + len(part)] == part
        if part:
            assert joined.place(at, at + len(part)) == (index, 0, len(joined.texts[index]))
            assert joined.given(index, 0, len(joined.texts[index]))[1] <= len(texts[index])
        at += len(part) + 3


def test_places_in_a_long_text_are_counted_on_in_any_order() -> None:
    joined = join(["é" * 50, "x"])
    assert [joined.place(2 * n, 2 * n + 2) for n in (1, 7, 7, 3, 49)] == [
        (0, n, n + 1) for n in (1, 7, 7, 3, 49)
    ]  # fmt: skip


def test_a_text_that_holds_the_separator_is_still_one() -> None:
    joined = join(["a\n\0\nb", "c"])
    assert joined.shapes() == [b"a\n\0\na", b"a"]
    assert join(["ab1", "é4"]).shapes() == [b"aa0", "é0".encode()]


def test_some_texts_alone_keep_what_was_folded() -> None:
    joined = join(["4\u200b2", "plain", "x\u200by"]).only([0, 2])
    assert list(joined.texts) == ["42", "xy"]
    assert joined.given(1, 0, 2) == (0, 3)
    assert joined.place(5, 7) == (1, 0, 2)
