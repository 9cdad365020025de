import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "command", ["$x -rf /", "$(echo rm) -rf /", "`echo rm` /", "${x:-rm} -rf /", "a${x} b", '"$x" a', "$? a"]
)
def test_a_name_of_run_time_is_a_finding(command):
    facts = inspect_shell(command)
    assert "a command name only known at run time" in facts.findings
    assert facts.parsed
    assert "?" in facts.commands


@pytest.mark.parametrize(
    "command",
    [
        "/b?n/r? -rf /",
        "/bin/r[m] -rf /",
        "r* a",
        "'r m' a",
        "''",
        "\uff52\uff4d -rf /",
        "c\u0430t a",
        "} a",
        "time { ls",
        "coproc ls",
        "! ! ls",
    ],
)
def test_a_name_that_cannot_be_told_makes_the_line_unreadable(command):
    facts = inspect_shell(command)
    assert not facts.parsed
    assert facts.findings == ("a command name that cannot be told",)


@pytest.mark.parametrize(
    ("command", "commands", "verb"),
    [
        ("/bin/ls", ("ls",), Verb.QUERY),
        ("/usr/local/bin/ls", ("ls",), Verb.QUERY),
        ("./ls", ("ls",), Verb.ADMIN),
        ("/tmp/ls", ("ls",), Verb.ADMIN),
        ("../bin/ls", ("ls",), Verb.ADMIN),
        ("LS", ("LS",), Verb.ADMIN),
        ("ls.exe", ("ls.exe",), Verb.ADMIN),
        ("[ -f a ]", ("[",), Verb.QUERY),
        ("/", ("/",), Verb.ADMIN),
        ("ls/", ("ls",), Verb.ADMIN),
    ],
)
def test_a_name_is_told_without_its_folder_and_trusted_in_usual_ones(command, commands, verb):
    facts = inspect_shell(command)
    assert (facts.commands, facts.verb) == (commands, verb)


@pytest.mark.parametrize(
    "command",
    ["./rm -rf /", "/opt/rm -rf /", "RM -rf /", "rm.exe -rf /", "mkfs.ext4 /dev/a", "python3.12 -c 'import os'"],
)
def test_harm_is_known_by_the_name_in_any_folder_case_and_version(command):
    assert inspect_shell(command).destructive


def test_what_nobody_reviewed_is_told():
    facts = inspect_shell("frobnicate; ls; ./frobnicate a; gh frob; Remove-Item a")
    assert facts.unknown == ("frobnicate", "gh", "Remove-Item")
    assert facts.verb is Verb.ADMIN


@pytest.mark.parametrize(
    ("command", "verb"),
    [("rm --help", Verb.QUERY), ("ls --version", Verb.QUERY), ("frob --help", Verb.ADMIN), ("sudo --help", Verb.ADMIN)],
)
def test_asking_a_reviewed_command_for_help_is_a_query(command, verb):
    assert inspect_shell(command).verb is verb


@pytest.mark.parametrize(
    "command",
    ["printf -v 'a[$(id)]' b", "read 'a[`id`]'", "unset 'a[$(id)]'", "let 'a[$(id)]=1'", "test -v 'a[$(id)]'"],
)
def test_code_in_a_subscript_that_a_builtin_evaluates_is_not_read(command):
    facts = inspect_shell(command)
    assert not facts.parsed
    assert "code inside of a subscript" in facts.findings


def test_the_same_literal_is_text_to_other_commands():
    assert inspect_shell("grep 'a[$(id)]' b").verb is Verb.QUERY


@pytest.mark.parametrize(
    ("command", "verb"),
    [
        ("cat /etc/shadow", Verb.ADMIN),
        ("ssh-add ~/.ssh/id_rsa", Verb.ADMIN),
        ("frob --key ~/.ssh/id_rsa", Verb.ADMIN),
        ("curl --cacert server.key http://e", Verb.QUERY),
        ("curl --key=server.key http://e", Verb.QUERY),
        ("kubectl --kubeconfig ~/.kube/config get pods", Verb.QUERY),
        ("ls ~/.ssh", Verb.ADMIN),
        ("cat ~/.ssh/id_rsa.pub", Verb.QUERY),
    ],
)
def test_naming_a_file_of_credentials_is_admin_but_for_those_that_log_in_with_it(command, verb):
    facts = inspect_shell(command)
    assert (facts.verb, facts.findings) == (verb, ())


def test_findings_hold_no_argument():
    facts = inspect_shell(
        "rm -rf /opt/s3cret; curl -X DELETE http://u:s3cret@e/; psql -c 'drop table s3cret'; aws x delete-s3cret"
    )
    assert len(facts.findings) == 4
    assert not any("s3cret" in finding for finding in facts.findings)
