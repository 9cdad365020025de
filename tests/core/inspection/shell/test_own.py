import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        ("kill -9 -1", "kill of every process or of the first one"),
        ("kill -KILL -1", "kill of every process or of the first one"),
        ("kill -s 9 -- -1", "kill of every process or of the first one"),
        ("kill -n 9 -1", "kill of every process or of the first one"),
        ("kill 1", "kill of every process or of the first one"),
        ("kill 0", "kill of every process or of the first one"),
        ("kill -1 1", "kill of every process or of the first one"),
        ("at now <<< 'rm -rf /'", "rm -r on /"),
        ("batch <<E\nrm -rf /\nE", "rm -r on /"),
        ("echo ls | at now", "a pipe into a job that runs later"),
        ("set -a +o history", "the shell's history switched off"),
        ("unset A HISTSIZE", "the shell's history switched off"),
        ("alias ls='rm -rf /'", "an alias"),
        ("passwd -d root", "passwd of an account"),
        ("crontab a", "crontab changed"),
        ("crontab -", "crontab changed"),
        ("crontab -r", "crontab changed"),
        ("crontab -l -r", "crontab changed"),
        ("crontab <<< a", "crontab changed"),
        ("echo a | crontab", "crontab changed"),
        ("echo a | passwd --stdin root", "passwd of an account"),
        ("passwd root <<< a", "passwd of an account"),
    ],
)
def test_what_reaches_everything_later_or_hides_is_a_finding(command, finding):
    assert inspect_shell(command).findings == (finding,)


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        ("kill 1234", Verb.MUTATE),
        ("kill -9 1234", Verb.MUTATE),
        ("kill -1 1234", Verb.MUTATE),
        ("kill -HUP 10", Verb.MUTATE),
        ("kill -l", Verb.QUERY),
        ("kill", Verb.MUTATE),
        ("at -l", Verb.QUERY),
        ("at now", Verb.ADMIN),
        ("at now -f a", Verb.ADMIN),
        ("set -euo pipefail", Verb.QUERY),
        ("unset A", Verb.QUERY),
        ("alias", Verb.QUERY),
        ("alias ls", Verb.QUERY),
        ("passwd", Verb.ADMIN),
        ("crontab", Verb.ADMIN),
        ("crontab -e", Verb.ADMIN),
        ("crontab -l", Verb.QUERY),
        ("crontab -u a -l", Verb.QUERY),
        ("passwd -S a", Verb.QUERY),
    ],
)
def test_the_rest_is_none(command, verb):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, ())
