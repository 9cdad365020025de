import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    ("command", "finding"),
    [
        ("LD_PRELOAD=a ls", "LD_PRELOAD set, which loads other code"),
        ("export BASH_ENV=a", "BASH_ENV set, which loads other code"),
        ("PERL5OPT=-Ma perl b", "PERL5OPT set, which loads other code"),
        ("GIT_CONFIG_COUNT=1 git status", "GIT_CONFIG_COUNT set, which loads other code"),
        ("HISTFILE=/dev/null", "the shell's history switched off"),
        ("HISTFILE=", "the shell's history switched off"),
        ("export HISTSIZE=0", "the shell's history switched off"),
        ("HISTFILE=(a)", "the shell's history switched off"),
        ("unset HISTFILE", "the shell's history switched off"),
        ("set +o history", "the shell's history switched off"),
        ("PAGER='rm -rf /' man ls", "rm -r on /"),
        ("GIT_SSH_COMMAND='rm -rf /' git fetch", "rm -r on /"),
        ("PROMPT_COMMAND='rm -rf /'", "rm -r on /"),
        ("PS4='$(rm -rf /)' bash -x a", "rm -r on /"),
        ("env EDITOR='rm -rf /' git commit", "rm -r on /"),
    ],
)
def test_settings_that_load_run_or_hide_are_findings(command, finding):
    assert finding in inspect_shell(command).findings


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        ("FOO=1 ls", Verb.QUERY),
        ("export FOO=bar", Verb.QUERY),
        ("IFS= read -r a", Verb.QUERY),
        ("IFS=$'\\n' read -r a", Verb.QUERY),
        ("IFS=, ls", Verb.QUERY),
        ("IFS=m ls", Verb.ADMIN),
        ("IFS=(a) ls", Verb.ADMIN),
        ("PATH=.:$PATH ls", Verb.ADMIN),
        ("http_proxy=http://e curl http://a", Verb.ADMIN),
        ("HISTFILE=a ls", Verb.ADMIN),
        ("PAGER=cat git log", Verb.QUERY),
        ("PAGER= git log", Verb.QUERY),
        ("PAGER=(a) git log", Verb.QUERY),
        ("EDITOR=vim git commit", Verb.ADMIN),
        ("PAGER='less -R' git log", Verb.ADMIN),
        ("unset FOO", Verb.QUERY),
        ("set -e", Verb.QUERY),
    ],
)
def test_other_settings_change_nothing_or_are_admin(command, verb):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, ())
