import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "command",
    [
        "frobctl delete a",
        "frobctl db drop",
        "frobctl -v users purge all",
        "frobctl db:drop",
        "frobctl delete-account a",
        "frobctl deleteAll",
        "frobctl flush-all",
        "frobctl --delete a",
        "frobctl --purge=yes a",
        "kubectl frob delete",
        "git delete-everything",
        "fly apps destroy a",
        "npm frob delete",
    ],
)
def test_words_that_say_they_destroy_are_believed(command):
    (finding,) = inspect_shell(command).findings
    assert finding.endswith("that deletes or destroys") or finding.startswith("git delete-")


@pytest.mark.parametrize(
    "command",
    [
        "frobnicate rm -rf /",
        "frobnicate -x rm -rf /",
        "frobnicate -- sh -c 'rm -rf /'",
        "frobnicate 'rm -rf /'",
        "frobnicate a b c d e f 'rm -rf /'",
        "npx frob rm -rf /",
        "tmux send-keys 'rm -rf /' Enter",
        "screen -dmS a rm -rf /",
        "make -C a 'ls; rm -rf /'",
        "ansible all -m shell -a 'rm -rf /'",
    ],
)
def test_a_dangerous_command_in_the_arguments_of_another_is_a_finding(command):
    assert "rm -r on /" in inspect_shell(command).findings


@pytest.mark.parametrize(
    "command",
    [
        "frobctl list",
        "frobctl undelete-me-not a b",
        "frobctl a b c delete",
        "frobctl remove a",
        "frobctl del a",
        "frobctl $x",
        "frobctl shutdown",
        "frobctl kill",
        "frobctl 'this is a sentence'",
        "frobctl 'delete this please; frob'",
        "npm run build",
        "make test",
        "apt-get purge a",
        "frobctl '> a b'",
    ],
)
def test_other_words_are_not(command):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (Verb.ADMIN, ())


def test_guesses_are_not_made_inside_of_guesses():
    assert inspect_shell("frob a b c d e f g git frob 'rm -rf /'").findings == ()
    assert inspect_shell("a b c " + "git frob git frob " * 60).findings == ()


@pytest.mark.parametrize(
    ("command", "network"),
    [("frob http://e", True), ("frob user@host:a", True), ("frob user@host", True), ("frob a", False)],
)
def test_an_address_says_that_an_unknown_command_talks_to_the_network(command, network):
    assert inspect_shell(command).network is network


def test_a_known_command_with_a_subcommand_of_run_time_is_a_finding():
    assert inspect_shell("kubectl $x pods").findings == ("kubectl with a subcommand only known at run time",)
