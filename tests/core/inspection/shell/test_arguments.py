import pytest

from extproc.core.inspection.shell.arguments import has, is_option, operands, takes_next, values
from extproc.core.inspection.shell.words import Word, static


def words(text):
    return [static(each) for each in text.split()]


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("-f", "-f"),
        ("-xfd", "-f"),
        ("--force", "--force"),
        ("--forc", "--force"),
        ("--f", "--force"),
        ("--force=yes", "--force"),
        ("-delete", "-delete"),
        ("--delete", "-delete"),
        ("-out=x", "-out"),
        ("+main", "+"),
        ("of=x", "of="),
    ],
)
def test_an_option_is_seen_in_every_spelling(text, option):
    assert is_option(text, option)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("-x", "-f"),
        ("--f", "-f"),
        ("f", "-f"),
        ("-", "-f"),
        ("", "-f"),
        ("--", "--force"),
        ("--follow", "--force"),
        ("--force-with-lease", "--force"),
        ("-deleted", "-delete"),
        ("main", "+"),
    ],
)
def test_another_word_is_not_that_option(text, option):
    assert not is_option(text, option)


def test_behind_an_option_that_carries_its_value_letters_are_no_options():
    assert is_option("-qbf", "-f")
    assert not is_option("-qbf", "-f", frozenset({"-b"}))
    assert is_option("-qfb", "-f", frozenset({"-b"}))
    assert is_option("-b", "-b", frozenset({"-b"}))


def test_options_end_at_two_dashes():
    assert has(words("a -f -- b"), ("-f",))
    assert not has(words("a -- -f"), ("-f",))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-o a", ["a"]),
        ("-oa", ["a"]),
        ("-o=a", ["a"]),
        ("-so a", ["a"]),
        ("--output a", ["a"]),
        ("--output=a", ["a"]),
        ("--out=a", ["a"]),
        ("-o a -o b", ["a", "b"]),
        ("-o", []),
        ("-- -o a", []),
        ("a b", []),
    ],
)
def test_values_of_options(text, found):
    assert [word.text for word in values(words(text), ("-o", "--output"))] == found


def test_a_glued_value_of_run_time_stays_one():
    (value,) = values([Word("-o${x}", ("x",))], ("-o",))
    assert value == Word("${x}", ("x",))


@pytest.mark.parametrize(
    ("text", "takes", "found"),
    [
        ("a -x b", "", ["a", "b"]),
        ("-n 1 a", "-n", ["a"]),
        ("-n1 a", "-n", ["a"]),
        ("-vn 1 a", "-n", ["a"]),
        ("--name x a", "--name", ["a"]),
        ("--name=x a", "--name", ["a"]),
        ("-chdir x a", "-chdir", ["a"]),
        ("- a", "", ["-", "a"]),
        ("a -- -x b", "", ["a", "-x", "b"]),
        ("-n", "-n", []),
    ],
)
def test_operands_are_what_is_left(text, takes, found):
    assert [word.text for word in operands(words(text), frozenset(takes.split()))] == found


@pytest.mark.parametrize(
    ("text", "result"), [("-n", True), ("-vn", True), ("-n1", False), ("-v", False), ("--n", False)]
)
def test_whether_the_next_word_is_the_value(text, result):
    assert takes_next(text, frozenset({"-n"})) is result
