"""Shell inspection on command lines of our own, as people and agents write them: reading, working, destroying."""

import re
from pathlib import Path

import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb

HERE = Path(__file__).parent


def lines(name: str) -> list[str]:
    return [line for line in (HERE / name).read_text("utf-8").splitlines() if line and not line.startswith("#")]


SIMPLE = re.compile(r"[a-z0-9./_-]+ [^=|&;<>]*")
"""One command, which can stand behind another."""


@pytest.mark.parametrize(
    "around", ["{}", "cd project && {}", "sudo -u app {}", "timeout 5 {}", "env A=1 {}", "nohup {} &"]
)
def test_what_destroys_or_opens_something_is_a_finding(around: str) -> None:
    every = around in {"{}", "cd project && {}"}
    commands = [line for line in lines("dangerous_commands.txt") if every or SIMPLE.fullmatch(line)]
    missed = [command for command in commands if not inspect_shell(around.format(command)).destructive]
    assert not missed


def test_everyday_work_is_no_finding() -> None:
    commands = [*lines("working_commands.txt"), *lines("reading_commands.txt")]
    alarms = {command: inspect_shell(command).findings for command in commands}
    assert not {command: found for command, found in alarms.items() if found}


def test_what_only_reads_is_a_query_and_what_changes_things_is_none() -> None:
    reading = {command: inspect_shell(command).verb for command in lines("reading_commands.txt")}
    assert not {command: verb for command, verb in reading.items() if verb is not Verb.QUERY}
    working = {command: inspect_shell(command).verb for command in lines("working_commands.txt")}
    assert not [command for command, verb in working.items() if verb is Verb.QUERY]
