from hypothesis import given
from hypothesis import strategies as st

from extproc.core.redaction.detectors.folding import fold


def test_ascii_is_its_own_fold():
    assert fold("abc").places is None
    assert fold("abc").span(1, 2) == (1, 2)


def test_a_span_points_into_the_text_as_it_was_given():
    folded = fold("a\u200b\uff14\uff12 z")
    assert folded.text == "a42 z"
    assert folded.span(1, 3) == (2, 4)
    assert folded.span(0, 2) == (0, 3)


@given(st.text(max_size=40))
def test_every_place_is_inside_of_the_text_and_in_order(text):
    folded = fold(text)
    places = folded.places if folded.places is not None else tuple(range(len(text)))
    assert list(places) == sorted(places)
    assert len(places) == len(folded.text)
    assert all(place < len(text) for place in places)
