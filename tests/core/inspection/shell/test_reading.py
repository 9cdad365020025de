import pytest

from extproc.core.inspection.shell.reading import read_steps
from extproc.core.inspection.shell.steps import Assignment, Feed, Input, Oddity, Redirect, Run
from extproc.core.inspection.shell.words import Word, static


def runs(text):
    return [
        (" ".join(word.text for word in step.words), step.feed.source)
        for step in read_steps(text)
        if isinstance(step, Run)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# only a comment", []),
        ("a b", [("a b", Input.NOTHING)]),
        ("a; b && c || d & e", [(name, Input.NOTHING) for name in "abcde"]),
        ("a | b |& c", [("a", Input.NOTHING), ("b", Input.PIPE), ("c", Input.PIPE)]),
        ("a | { b; c; }", [("a", Input.NOTHING), ("b", Input.PIPE), ("c", Input.PIPE)]),
        ("a | while read x; do b; done", [("a", Input.NOTHING), ("read x", Input.PIPE), ("b", Input.PIPE)]),
        ("a < b", [("a", Input.FILE)]),
        ("a < <(b)", [("a", Input.PIPE), ("b", Input.NOTHING)]),
        ("a <<< b", [("a", Input.TEXT)]),
        ("a <<E\nb\nE", [("a", Input.TEXT)]),
        ("a <<E | b\nc\nE", [("a", Input.TEXT), ("b", Input.PIPE)]),
        ("{ a; b; } < c", [("a", Input.FILE), ("b", Input.FILE)]),
        ("a $(b) `c`", [("a ${_} ${_}", Input.NOTHING), ("b", Input.NOTHING), ("c", Input.NOTHING)]),
        ("rm > a -rf /", [("rm -rf /", Input.NOTHING)]),
        ("rm 2>&1 -rf /", [("rm -rf /", Input.NOTHING)]),
        ("rm -rf <&- /", [("rm -rf /", Input.NOTHING)]),
        ("> a rm -rf /", [("rm -rf /", Input.NOTHING)]),
        ("rm <<E -rf /\nb\nE", [("rm -rf /", Input.TEXT)]),
        ("a <<E > b\nc\nE", [("a", Input.TEXT)]),
        ("a <<< b 2> c", [("a", Input.TEXT)]),
        ("a <<-E\n\tb\n\tE", [("a", Input.TEXT)]),
        ("! a", [("a", Input.NOTHING)]),
        ("x=1 a", [("a", Input.NOTHING)]),
        ("export A=1 B", [("export B", Input.NOTHING)]),
        ("unset A", [("unset A", Input.NOTHING)]),
        ("declare -x A=$(b)", [("declare -x", Input.NOTHING), ("b", Input.NOTHING)]),
        ("[ -f a ] && b", [("[", Input.NOTHING), ("b", Input.NOTHING)]),
        ("[[ -n $(a) ]]", [("[[", Input.NOTHING), ("a", Input.NOTHING)]),
    ],
)
def test_commands_with_their_words_and_inputs(text, expected):
    assert runs(text) == expected


@pytest.mark.parametrize(
    ("text", "redirects"),
    [
        ("a > b", [(">", "b", False)]),
        ("a >> 'b c'", [(">>", "b c", False)]),
        ("a &> $b", [("&>", "${b}", False)]),
        ("a 2>&1", [(">&", "1", False)]),
        ("> b", [(">", "b", True)]),
        ("< b", [("<", "b", False)]),
        (": > b", [(">", "b", True)]),
        ("a < b > c", [("<", "b", False), (">", "c", False)]),
    ],
)
def test_redirects(text, redirects):
    steps = [step for step in read_steps(text) if isinstance(step, Redirect)]
    assert [(step.operator, step.target.text, step.alone) for step in steps] == redirects


@pytest.mark.parametrize(
    ("text", "assignments"),
    [
        ("x=1", [Assignment("x", static("1"))]),
        ("x=", [Assignment("x", static(""))]),
        ("x+='a b'", [Assignment("x", static("a b"))]),
        ("x=$y", [Assignment("x", Word("${y}", ("y",)))]),
        ("x=(a b)", [Assignment("x", None)]),
        ("x[1]=a", [Assignment("x", static("a"))]),
        ("a=1 b=2", [Assignment("a", static("1")), Assignment("b", static("2"))]),
        ("export a=1", [Assignment("a", static("1"))]),
        ("a=1 ls", [Assignment("a", static("1"))]),
    ],
)
def test_assignments(text, assignments):
    assert [step for step in read_steps(text) if isinstance(step, Assignment)] == assignments


@pytest.mark.parametrize(
    ("text", "fed"),
    [
        ("a <<E\nb $x\nE", Word("b ${x}\n", ("x",))),
        ("a <<'E'\nb $x\nE", static("b $x\n")),
        ('a <<"E"\nb $x\nE', static("b $x\n")),
        ("a <<\\E\nb $x\nE", static("b $x\n")),
        ("a <<E\nE", static("")),
        ("a <<< 'b c'", static("b c")),
        ("a <<< $(b)", Word("${_}", ("_",))),
    ],
)
def test_the_text_that_a_command_is_fed(text, fed):
    assert read_steps(text)[0].feed == Feed(Input.TEXT, fed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a - <<E\nE", ["a", "-"]),
        ("a b - <<'E' c\nE", ["a", "b", "-", "c"]),
        ("a \\\n - <<E\nE", None),
        ("{ a; } - <<E\nE", None),
    ],
)
def test_the_dash_before_a_heredoc_is_a_word_although_the_parser_loses_it(text, words):
    (step, *_) = read_steps(text)
    assert [word.text for word in step.words] == words if words else isinstance(step, Oddity)


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("echo 'a b' | c", static("a b")),
        ('echo "$x" | c', Word("${x}", ("x",))),
        ("echo a | c", None),
        ("echo 'a' b | c", None),
        ("cat 'a' | c", None),
        ("(a) | c", None),
    ],
)
def test_what_echo_prints_into_a_pipe_is_known(text, printed):
    assert read_steps(text)[-1].feed == Feed(Input.PIPE, printed)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("f() { ls; }", "a function definition"),
        ("function f { ls; }", "a function definition"),
        ("[ -v 'a[$(id)]' ]", "code inside of a subscript"),
        ("x='a[$(id)]'", "code inside of a subscript"),
        ("a <<E;\nb\nE;", "a command line that cannot be read"),
        ("a <<$x\nb\n$x", "a command line that cannot be read"),
        ("{ a; } > b c", "a command line that cannot be read"),
        ("a <<< b{c,d}", "a command line that cannot be read"),
        ("a > b{c,d}", "a command line that cannot be read"),
        ("a && " * 300 + "a", "a command line that cannot be read"),
        ("x=$'\\x41'", "a command line that cannot be read"),
        ("a > $'\\x41'", "a command line that cannot be read"),
    ],
)
def test_what_is_not_read_any_further_is_told(text, sentence):
    assert Oddity(sentence) in read_steps(text)
