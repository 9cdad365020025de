import pytest

from extproc.core.inspection.shell.words import NUMBER, OUTPUT, Word, hides_code, static


@pytest.mark.parametrize(
    ("word", "dynamic", "option"),
    [
        (static("-a"), False, False),
        (static("${a}"), False, False),
        (Word("${a}", ("a",)), True, True),
        (Word("-x${a}", ("a",)), True, True),
        (Word("./${_}", (OUTPUT,)), True, False),
        (Word("${#}", (NUMBER,)), False, False),
        (Word("${#}${a}", (NUMBER, "a")), True, True),
    ],
)
def test_a_word_says_whether_it_may_turn_out_to_be_an_option(word, dynamic, option):
    assert (word.is_dynamic, word.may_be_option) == (dynamic, option)


@pytest.mark.parametrize("text", ["a[$(id)]", "a[b[$(id)]]", "x[`id`]", "a[0 $(id)]"])
def test_code_in_a_subscript_is_seen(text):
    assert hides_code(text)


@pytest.mark.parametrize("text", ["a[0]", "$(id)", "[a] $(id)", "a[]$(id)", "[" * 4000])
def test_other_brackets_are_none(text):
    assert not hides_code(text)
