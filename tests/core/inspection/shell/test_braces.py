import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.inspection.shell.braces import QUOTED, expanded


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a", ["a"]),
        ("{a,b}", ["a", "b"]),
        ("x{a,b}y", ["xay", "xby"]),
        ("{a,b}{c,d}", ["ac", "ad", "bc", "bd"]),
        ("{a,{b,c}}", ["a", "b", "c"]),
        ("{{a,b},c}", ["a", "b", "c"]),
        ("{,a}", ["a"]),
        ("x{,a}", ["x", "xa"]),
        ("{a}", ["{a}"]),
        ("{a", ["{a"]),
        ("a}", ["a}"]),
        ("{a,b", ["{a,b"]),
        ("{a{b,c}", ["{ab", "{ac"]),
        ("${a,b}", ["${a,b}"]),
        ("{${a},b}", ["${a}", "b"]),
        ("{a,b}".translate(QUOTED), ["{a,b}".translate(QUOTED)]),
        ("{/,/etc}", ["/", "/etc"]),
    ],
)
def test_braces_make_words_as_in_a_shell(text, words):
    assert expanded(text) == words


@pytest.mark.parametrize("text", ["{a,b}" * 6, "{" * 65, "{a,b" * 65])
def test_too_many_words_are_none(text):
    assert expanded(text) == []


@given(st.text(alphabet="{},a$", max_size=60))
def test_every_text_ends(text):
    assert all("{" in text or word == text for word in expanded(text))
