"""Shell inspection on command lines that others wrote; skipped where those are not at hand.

Found is what has a finding, also that it cannot be read. A false alarm is a finding on a harmless line that was read:
what is no command line for bash either (keystrokes, unfinished quotes) is counted apart.
"""

import base64
import json

import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.model import Verb


def rows(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def destructive(corpora):
    folder = corpora / "destructive-commands"
    every = rows(folder / "dcg.dev.jsonl") + rows(folder / "safety-net.dev.jsonl")
    return [row["cmd"] for row in every if row["expected"] == "deny"]


WRAPPED = [
    "{}",
    "sudo {}",
    "env A=1 nice -n 5 {}",
    "timeout 5 {}",
    "true && {}",
    "({})",
    "if true; then {}\nfi",
    "echo $({})",
    "\\{}",
]


@pytest.mark.parametrize("around", WRAPPED)
def test_destructive_commands_are_found_also_when_they_are_wrapped(corpora, around):
    commands = destructive(corpora)
    missed = [command for command in commands if not inspect_shell(around.format(command)).destructive]
    assert len(missed) / len(commands) <= 0.03, missed


def test_destructive_commands_are_found_inside_of_shell_code(corpora):
    commands = [command for command in destructive(corpora) if "'" not in command]
    missed = [command for command in commands if not inspect_shell(f"bash -c '{command}'").destructive]
    assert len(missed) / len(commands) <= 0.03, missed


def test_everyday_commands_are_no_alarm(corpora):
    commands = [row["cmd"] for row in rows(corpora / "benign-commands" / "tldr-2000.dev.jsonl")]
    every = [inspect_shell(command) for command in commands]
    assert sum(facts.destructive and facts.parsed for facts in every) / len(every) <= 0.03
    assert sum(not facts.parsed for facts in every) / len(every) <= 0.015


def test_commands_that_only_look_destructive_are_no_alarm(corpora):
    folder = corpora / "destructive-commands"
    every = rows(folder / "dcg.dev.jsonl") + rows(folder / "safety-net.dev.jsonl")
    harmless = [row["cmd"] for row in every if row["expected"] == "allow"]
    alarms = [command for command in harmless if inspect_shell(command).destructive]
    assert len(alarms) / len(harmless) <= 0.06, alarms


def test_tricky_spellings_are_found_and_benign_ones_pass(corpora):
    for row in rows(corpora / "shell" / "shell_corpus.dev.jsonl"):
        assert inspect_shell(row["cmd"]).destructive is row["dangerous"], row["cmd"]


def test_obfuscated_commands_of_agents_are_found(corpora):
    found = 0
    for row in rows(corpora / "agent-egress-bench" / "cases.dev.jsonl"):
        if row["path"].startswith("shell-obfuscation/"):
            case = json.loads(base64.b64decode(row["b64"]))
            for message in case["payload"].get("jsonrpc_messages", ()):
                facts = inspect_shell(message["params"]["arguments"]["command"])
                assert (facts.verb, facts.destructive) == (Verb.ADMIN, True), row["path"]
                found += 1
    assert found
