import json

import pytest
from typer.testing import CliRunner

from extproc.cli import app


def inspect(*options, **more):
    return CliRunner().invoke(app, ["inspect", *options], **more)


def test_the_facts_of_a_command_line_are_told():
    shown = inspect("shell", "sudo cp a /etc/b | frobnicate")
    assert shown.exit_code == 0
    assert shown.output.splitlines() == [
        "verb: admin",
        "parsed: yes",
        "commands: sudo, cp, frobnicate",
        "unknown: frobnicate",
        "writes: /etc/b",
        "network: no",
        "destructive: yes",
        "findings: cp on a system path",
    ]


def test_the_facts_are_json_where_asked():
    shown = inspect("shell", "--json", "ls -la")
    assert json.loads(shown.output) == {
        "verb": "query",
        "parsed": True,
        "commands": ["ls"],
        "unknown": [],
        "writes": [],
        "network": False,
        "destructive": False,
        "findings": [],
    }


@pytest.mark.parametrize("text", [b"rm -rf /\n", b"rm -rf /"])
def test_a_dash_is_stdin(text):
    assert "findings: rm -r on /" in inspect("shell", "-", input=text).output


@pytest.mark.parametrize("text", [b"", b"\xff\xfe", b"\x00", b"'" * 10, b"a" * 100_000])
def test_any_text_has_facts_and_never_a_traceback(text):
    shown = inspect("shell", "-", input=text)
    assert shown.exit_code == 0
    assert "verb: " in shown.output


def test_nothing_of_the_text_reaches_the_terminal_as_control():
    assert "\x1b" not in inspect("shell", "--", "echo a > '\u009b31m'").output


def test_options_before_the_text_and_a_text_like_an_option():
    assert inspect("shell", "--", "--json").exit_code == 0
    assert inspect("shell").exit_code == 2
