import pytest

from extproc.core.inspection.shell.reading import read_steps
from extproc.core.inspection.shell.steps import Oddity

UNREAD = (Oddity("a command line that cannot be read"),)


@pytest.mark.parametrize(
    "text",
    [
        "echo 'unfinished",
        "echo $(ls",
        "if ls; then",
        "a | ",
        "echo $( (ls) ",
        "{rm,-rf,/}",
        "echo *(e:x:)",
        "cat <<<$ a",
        "echo `a #` `b\nc`",
        "echo $((ls); (id))",
        "echo $(( '$(id)' ))",
        "(( x['$(id)'] ))",
        "x['$(id)']=1",
        "for ((i='$(id)'; i<1; i++)); do ls; done",
        "[[ a =~ `id` ]]",
        "cat <<<$x\\; ls",
        "c0 } [a",
        "} in \\ <<< a",
        "f() { ls; } > x",
        'echo $"a" $ "b"',
    ],
)
def test_where_parser_and_shell_may_disagree_nothing_is_read(text):
    assert read_steps(text) == UNREAD


@pytest.mark.parametrize(
    "text",
    [
        "echo $( (ls) )",
        "echo $((1 + 1)) $[1+1]",
        "(( x[1] + 2 ))",
        "x['a']=1",
        "ls # a 'comment'",
        "echo '$(id)' \"\\$(id)\" \\`id\\`",
        "cat <<'E'\n$(id) `id`\nE",
        "a \\\n  b",
        "case $x in a|b) ls;; *) id;; esac",
        "for ((i=0; i<3; i++)); do ls; done",
        "[[ $a == b* && -f c ]]",
        'while read -r l; do echo "$l"; done < f',
    ],
)
def test_what_both_read_alike_is_read(text):
    assert not any(isinstance(step, Oddity) for step in read_steps(text))
