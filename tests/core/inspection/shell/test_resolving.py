import pytest
import tree_sitter_bash
from tree_sitter import Language, Parser

from extproc.core.inspection.shell.reading import read_steps
from extproc.core.inspection.shell.resolving import UnreadableError, resolve
from extproc.core.inspection.shell.steps import Oddity, Run
from extproc.core.inspection.shell.words import Word


def words(text):
    (run,) = read_steps(f"c {text}")
    assert isinstance(run, Run)
    return run.words[1:]


@pytest.mark.parametrize(
    ("text", "resolved"),
    [
        ("a", ["a"]),
        ("'a b'", ["a b"]),
        ('"a b"', ["a b"]),
        ("r''m", ["rm"]),
        ('r""m', ["rm"]),
        (r"r\m", ["rm"]),
        (r"a\ b", ["a b"]),
        ("'a'\"b\"c", ["abc"]),
        (r'"a\"b\$c\`d\\e\f"', ['a"b$c`d\\e\\f']),
        (r"'a\b'", [r"a\b"]),
        ("$'a\\tb\\n'", ["a\tb\n"]),
        ("$'it\\'s'", ["it's"]),
        ("''", [""]),
        ("a$", ["a$"]),
        ('"a$"', ["a$"]),
        ('"$"', ["$"]),
        ("a#b", ["a#b"]),
        ("== a", ["==", "a"]),
        ("{a,b}", ["a", "b"]),
        ("'{a,b}'", ["{a,b}"]),
        (r"\{a,b\}", ["{a,b}"]),
        ('"a b"\\c', ["a bc"]),
        ("]\\a", ["]a"]),
        ("a\\\n b", ["a", "b"]),
        ("<(a)", ["<()"]),
        (">(a)", [">()"]),
        ("{1..3}", ["{1..3}"]),
        ("*.py", ["*.py"]),
        ("1", ["1"]),
    ],
)
def test_quotes_are_resolved_as_a_shell_does(text, resolved):
    steps = read_steps(f"c {text}")
    assert [word.text for word in steps[0].words[1:]] == resolved


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("$x", Word("${x}", ("x",))),
        ("${x}", Word("${x}", ("x",))),
        ('"$x/a"', Word("${x}/a", ("x",))),
        ("$1", Word("${1}", ("1",))),
        ("$@", Word("${@}", ("@",))),
        ("${x:-a}", Word("${_}", ("_",))),
        ("${x%a}", Word("${_}", ("_",))),
        ("${!x}", Word("${_}", ("_",))),
        ("${TMPDIR:-/tmp}", Word("${TMPDIR}", ("TMPDIR",))),
        ("${TMPDIR-/var/tmp}", Word("${TMPDIR}", ("TMPDIR",))),
        ("$?", Word("${#}", ("#",))),
        ("$((1+1))", Word("${#}", ("#",))),
        ("'$x'", Word("$x")),
    ],
)
def test_what_is_only_known_at_run_time_is_named(text, word):
    assert words(text) == (word,)


@pytest.mark.parametrize(
    "text",
    [
        "$'\\x72'",
        "$'\\162'",
        "$'\\u0072'",
        "${x@P}",
        "$IFS",
        "${IFS}a",
        '"${x@P}"',
        "{ ]",
        "{a,b}" * 6,
        '$"a"',
        "] {a,b}",
        "<<<$ a",
        "[[ a =~ $(b) ]]",
    ],
)
def test_what_is_not_surely_understood_makes_the_text_unreadable(text):
    assert all(isinstance(step, Oddity) for step in read_steps(f"c {text}"))


def test_a_node_that_is_no_word_is_none():
    source = b"a; b"
    root = Parser(Language(tree_sitter_bash.language())).parse(source).root_node
    with pytest.raises(UnreadableError):
        resolve(root, source)


def test_a_translated_name_is_the_text_itself():
    (run,) = read_steps('$"c" a')
    assert [word.text for word in run.words] == ["c", "a"]


def test_braces_in_a_heredoc_and_its_escapes_stay():
    (run,) = read_steps('c <<E\n{a,b} \\"$x\\" \\$y \\\\\nE')
    assert run.feed.word == Word('{a,b} \\"${x}\\" $y \\\n', ("x",))
