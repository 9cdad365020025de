from hypothesis import given
from hypothesis import strategies as st

from extproc.core.redaction.detectors.folding import fold


def test_ascii_is_its_own_fold():
    assert not fold("abc").pieces
    assert fold("abc").span(1, 2) == (1, 2)


def test_a_span_points_into_the_text_as_it_was_given():
    folded = fold("a\u200b\uff14\uff12 z")
    assert folded.text == "a42 z"
    assert folded.span(1, 3) == (2, 4)
    assert folded.span(0, 2) == (0, 3)


@given(st.text(max_size=40))
def test_every_place_is_inside_of_the_text_and_in_order(text):
    folded = fold(text)
    spans = [folded.span(at, at + 1) for at in range(len(folded.text))]
    assert spans == sorted(spans)
    assert all(end == start + 1 <= len(text) for start, end in spans)
    assert all(folded.text[at] == text[start] for at, (start, _) in enumerate(spans) if text[start].isascii())


def test_many_different_letters_are_folded_at_once():
    wide = "".join(chr(0xFF21 + place) for place in range(26)) + "".join(chr(0xFF41 + place) for place in range(26))
    assert fold(wide).text == "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    assert fold(f"{wide}\u200b\u2014").span(51, 53) == (51, 54)


def test_a_text_may_end_with_what_is_left_out_or_becomes_several():
    assert (fold("a\u200b").text, fold("a\u200b").span(0, 1)) == ("a", (0, 1))
    assert (fold("x\u2026").text, fold("x\u2026").span(1, 4)) == ("x...", (1, 2))
