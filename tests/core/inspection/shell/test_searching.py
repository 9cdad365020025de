import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "command",
    [
        "find / -delete",
        "find . -name x -delete",
        "find . -exec rm {} \\;",
        "find . -exec rm -rf {} +",
        "find . -execdir rm -r {} \\;",
        "find . -ok rm -rf {} \\;",
        "find . -okdir sh -c 'rm -rf {}' \\;",
        "find . -exec sudo rm -rf {} ;",
        "find . -exec sh -c 'rm -rf \"$1\"' _ {} \\;",
        "find . -exec echo a \\; -exec rm -r {} \\;",
        "find / -fprint /etc/a",
        "fd -x rm -rf",
        "fd a --exec rm -rf {}",
        "fd -X rm -rf",
        "echo / | xargs rm -rf",
        "xargs -n1 rm",
        "xargs -I{} rm -rf {}",
        "xargs -I % sh -c 'rm -rf %'",
        "xargs -i rm -rf {}",
        "xargs --replace rm -rf {}",
        "xargs --replace=X rm -rf X",
        "xargs sh -c",
        "xargs -I{} bash -c {}",
        "xargs -a list --delimiter , -P 4 rm -rf",
        "xargs --unknown rm -rf",
        "xargs sudo rm -rf",
        "parallel rm -rf ::: a",
        "parallel rm -rf {} ::: / ~",
        "parallel rm -rf {1} ::: a ::: b",
        "parallel 'rm -rf {}' ::: a",
        "parallel bash -c 'rm -rf {}' ::: a",
        "parallel ::: 'rm -rf a' ls",
        "ls | parallel rm",
        "ls | parallel bash -c {}",
        "parallel -j 4 rm -rf :::: list",
        "parallel ls ::: a b c d e f g h 'i; rm -rf /'",
    ],
)
def test_removing_what_is_found_or_read_is_a_finding(command):
    assert inspect_shell(command).destructive


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        ("find . -type f -name '*.py' -mtime +7 -size -10k", Verb.QUERY),
        ("find . \\( -name a -o -name b \\) ! -perm -4000 -print0", Verb.QUERY),
        ("find . -exec grep -l x {} +", Verb.QUERY),
        ("find . -exec echo -delete \\;", Verb.QUERY),
        ("find . -exec gzip {} \\;", Verb.MUTATE),
        ("find . -exec", Verb.QUERY),
        ("find . -fprintf a %p", Verb.MUTATE),
        ("find . -frobnicate", Verb.ADMIN),
        ("find $x", Verb.ADMIN),
        ('find . -name "$x"', Verb.ADMIN),
        ("fd -e py", Verb.QUERY),
        ("fd $x", Verb.ADMIN),
        ("fd -x wc -l", Verb.QUERY),
        ("fd -x wc -l {}", Verb.QUERY),
        ("fd a -x", Verb.QUERY),
        ("xargs", Verb.QUERY),
        ("xargs -0 grep -l x", Verb.QUERY),
        ("xargs -I{} cp {} a", Verb.MUTATE),
        ("xargs -I {} echo x", Verb.QUERY),
        ("xargs touch", Verb.MUTATE),
        ("xargs sort", Verb.ADMIN),
        ("parallel echo ::: a b", Verb.QUERY),
        ("parallel ::: 'echo a' true", Verb.QUERY),
        ("parallel", Verb.QUERY),
        ("parallel gzip ::: a b", Verb.MUTATE),
        ("cat a | parallel --pipe wc -l", Verb.QUERY),
        ("parallel -S host ls ::: a", Verb.ADMIN),
    ],
)
def test_reading_what_is_found_is_a_query(command, verb):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, ())


def test_commands_of_a_template_stand_once():
    assert inspect_shell("parallel gzip ::: a b").commands == ("parallel", "gzip")


def test_paths_that_find_writes_are_named():
    assert inspect_shell("find . -fls a").writes == ("a",)
