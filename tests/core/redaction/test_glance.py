"""A quick look sees the same in short texts and in long ones."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.core.redaction.glance import Glance

LOOK = Glance(r"%[0-9A-Fa-f]{2}|[a-z0-9]{16}")


@given(st.text(alphabet="%a1Fé \ud800", max_size=40))
def test_the_length_of_a_text_changes_nothing(text: str) -> None:
    assert LOOK.in_(text) == LOOK.in_(text + " " * 300) == LOOK.in_(" " * 300 + text)


def test_what_is_there_is_seen() -> None:
    assert LOOK.in_("a %2F b")
    assert LOOK.in_("é" * 300 + "0123456789abcdef")
    assert not LOOK.in_("é" * 300 + "0123456789abcde")
