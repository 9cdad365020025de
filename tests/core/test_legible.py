import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.legible import Piece, legible, marked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("DROP TABLE orders", "DROP TABLE orders"),
        ("", ""),
        ("Grüße, Żółć, naïve", "Grüße, Żółć, naïve"),
        ("Заказы за май", "Заказы за май"),
        ("顧客テーブル", "顧客テーブル"),
        ("a\u202eb", "a⟨U+202E RIGHT-TO-LEFT OVERRIDE⟩b"),
        ("rm\u200b -rf", "rm⟨U+200B ZERO WIDTH SPACE⟩ -rf"),
        ("a\x1b[2Jb", "a⟨U+001B unnamed⟩[2Jb"),
        ("a\tb", "a⟨U+0009 unnamed⟩b"),
        ("a\u00a0b", "a⟨U+00A0 NO-BREAK SPACE⟩b"),
        ("a\u3164b", "a⟨U+3164 HANGUL FILLER⟩b"),
        ("a\U000e0041b", "a⟨U+E0041 TAG LATIN CAPITAL LETTER A⟩b"),
        ("a\ufe0fb", "a⟨U+FE0F VARIATION SELECTOR-16⟩b"),
        ("\ud800", "⟨U+D800 unnamed⟩"),
        ("p\u0430ypal.com", "p\u0430⟨U+0430 CYRILLIC SMALL LETTER A⟩ypal.com"),
        ("adm\uff49n", "adm\uff49⟨U+FF49 FULLWIDTH LATIN SMALL LETTER I⟩n"),
        ("e\u0301a", "e\u0301⟨U+0301 COMBINING ACUTE ACCENT⟩a"),
        ("x\u00b2", "x\u00b2⟨U+00B2 SUPERSCRIPT TWO⟩"),
        ("one\ntwo", "one⏎\ntwo"),
        ("one\n\n\n\ntwo", "one⟨4 line breaks⟩\ntwo"),
        ("ls" + " " * 5000 + "; rm -rf /", "ls⟨5000 spaces⟩; rm -rf /"),
        ("a       b", "a       b"),
    ],
)
def test_what_the_eye_would_miss_or_mistake_is_marked(text, shown):
    assert marked(text) == shown


def test_marks_are_apart_from_text_that_looks_like_one():
    assert legible("⟨U+200B ZERO WIDTH SPACE⟩") == (Piece("⟨U+200B ZERO WIDTH SPACE⟩"),)
    assert legible("\u200b") == (Piece("⟨U+200B ZERO WIDTH SPACE⟩", mark=True),)
    assert legible("a\u200b\u200bb")[1] == Piece("⟨U+200B ZERO WIDTH SPACE⟩" * 2, mark=True)


@given(st.text())
def test_nothing_is_left_out_and_nothing_invisible_is_left(text):
    pieces = legible(text)
    shown = "".join(piece.text for piece in pieces)
    assert all(character.isprintable() or character == "\n" for character in shown)
    plain = "".join(piece.text for piece in pieces if not piece.mark)
    visible = [character for character in text if character.isprintable() and not character.isspace()]
    assert set(plain) - {"\n", " "} <= set(visible)
    if text:
        assert pieces


@given(
    st.text(alphabet="ab \n\u200b\u202e\u0430", max_size=30), st.text(alphabet="ab \n\u200b\u202e\u0430", max_size=30)
)
def test_different_texts_are_shown_differently(one, other):
    assert (one == other) == (legible(one) == legible(other))


def test_a_text_as_long_as_a_call_may_be_is_shown_whole():
    hidden, words = "\u200b" * 200_000, "a " * 100_000
    assert marked(hidden) == "⟨U+200B ZERO WIDTH SPACE⟩" * 200_000
    assert marked(words) == words
