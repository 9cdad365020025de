"""The commands that read recordings: what they show, their exit codes, and that a terminal is safe from the content."""

import asyncio
import itertools
import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extproc.cli import app
from extproc.edges.journal.segments import path_of
from extproc.edges.journal.writer import JournalWriter
from plain import PATIENCE

HOUR = 3600 * 1_000_000_000
START = 1_800_000_000 * 1_000_000_000


def call(decision: str, at: int, **changes) -> dict:
    given = {
        "kind": "decision",
        "at": START + at,
        "decision": decision,
        "server": "sales-db",
        "principal": {"issuer": "https://idp", "subject": "ana"},
        "client": {"name": "agent", "version": "1"},
        "source": "10.0.0.7",
        "session": None,
        "trace": None,
        "method": "tools/call",
        "targets": [{"kind": "tool", "name": "query"}],
        "verb": "query",
        "effect": "allow",
        "rule": "role:analyst#1",
        "reason": "granted",
        "arguments": {"sql": "select secret_column"},
    }
    return {**given, **changes}


def outcome(decision: str, at: int) -> dict:
    return {
        "kind": "outcome",
        "at": START + at,
        "decision": decision,
        "session": None,
        "status": 200,
        "result": "complete",
        "bytes": 812,
        "masked": {"email": 2},
        "duration_ns": 3_450_000,
    }


def record(state: Path, worker: str, *events: dict) -> Path:
    ticks = itertools.count(START)

    async def write() -> None:
        journal = JournalWriter(
            state / "journal" / worker, node="n", worker=worker, durability="process", clock=lambda: next(ticks)
        )
        journal.open()
        for event in events:
            await journal.append(event)
        await journal.close()

    asyncio.run(write())
    return state / "journal" / worker


def extproc(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def state(tmp_path) -> Path:
    record(
        tmp_path,
        "worker-0",
        call("a", 0),
        outcome("a", 5),
        call("c", 10, effect="deny", rule="default", reason="no_grant"),
    )
    record(
        tmp_path,
        "worker-1",
        call("b", 7),
        call("z", 9 * HOUR, principal={"issuer": "i", "subject": "bob"}, server="files"),
    )
    return tmp_path


def test_sessions_of_all_workers_are_listed_newest_first(state):
    lines = extproc("sessions", "--state", state).splitlines()
    assert lines[0].split() == ["id", "principal", "server", "client", "first", "last", "calls", "denied"]
    assert [line.split()[1:3] for line in lines[1:]] == [["bob", "files"], ["ana", "sales-db"]]
    assert lines[2].split()[-2:] == ["3", "1"]
    assert "2027-01-15 08:00:00" in lines[2]


def test_sessions_are_chosen_by_server_principal_and_number(state):
    def subjects(*options: str) -> list[str]:
        return [session["subject"] for session in json.loads(extproc("sessions", "--state", state, "--json", *options))]

    assert subjects() == ["bob", "ana"]
    assert subjects("--server", "files") == ["bob"]
    assert subjects("--principal", "ana") == ["ana"]
    assert subjects("--principal", "https://idp ana") == ["ana"]
    assert subjects("--limit", "1") == ["bob"]
    assert subjects("--server", "none") == []


@pytest.mark.parametrize(
    ("options", "subjects"),
    [
        (("--decision", "deny"), ["ana"]),
        (("--verb", "query"), ["bob", "ana"]),
        (("--verb", "admin"), []),
        (("--rule", "default"), ["ana"]),
        (("--tool", "QUER"), ["bob", "ana"]),
        (("--tool", "drop"), []),
        (("--text", "Secret_"), ["bob", "ana"]),
        (("--text", "nothing"), []),
        (("--since", "2027-01-15T12:00"), ["bob"]),
        (("--until", "2027-01-15T12:00+00:00"), ["ana"]),
        (("--since", "5m"), ["bob", "ana"]),
        (("--until", "5m"), []),
        (("--principal", "bob", "--decision", "deny"), []),
    ],
)
def test_sessions_are_chosen_by_their_calls(state, options, subjects):
    found = json.loads(extproc("sessions", "--state", state, "--json", *options))
    assert [session["subject"] for session in found] == subjects


@pytest.mark.parametrize(
    "options", [("--since", "yesterday"), ("--until", "2h ago"), ("--verb", "read"), ("--decision", "no")]
)
def test_an_option_that_is_none_is_one_line_and_2(state, options):
    output = extproc("sessions", "--state", state, *options, code=2)
    assert output.startswith(" ".join(options))
    assert output.count("\n") == 1


def test_calls_are_followed_as_they_come_until_ctrl_c(state):
    command = [sys.executable, "-m", "extproc", "sessions", "follow", "--state", str(state), "--decision", "deny"]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(following.stdout.readline, "")
        # it may begin after the first calls are written, so they are written until it has seen one
        seen = threading.Event()

        def write() -> None:
            for turn in itertools.count():
                if seen.wait(0.1):
                    return
                at = time.time_ns() - START
                denied = call(f"n{turn}", at, effect="deny", rule="deny:x", reason="\u202eevil")
                record(state, "worker-9", call(f"m{turn}", at), denied)

        writing = threading.Thread(target=write)
        writing.start()
        shown = next(lines)
        seen.set()
        writing.join()
        assert shown.split()[1:4] == ["deny", "ana", "tools/call"]
        assert "\\u202eevil" in shown
    finally:
        seen.set()
        following.send_signal(signal.SIGINT)
        assert following.wait(PATIENCE) == 0
        following.stdout.close()


def test_whoever_follows_ends_in_silence_when_nobody_reads_on(state):
    command = [sys.executable, "-m", "extproc", "sessions", "follow", "--state", str(state)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as following:
        try:
            following.stdout.close()
            for turn in itertools.count():
                record(state, "worker-9", call(f"m{turn}", time.time_ns() - START))
                with suppress(subprocess.TimeoutExpired):
                    assert following.wait(0.3) == 1
                    break
            assert following.stderr.read() == ""
        finally:
            following.kill()


def test_one_session_is_shown_call_by_call(state):
    found = json.loads(extproc("sessions", "--state", state, "--json", "--principal", "ana"))[0]["id"]
    for arguments in (("sessions", "show", found, "--state", state), ("sessions", "--state", state, "show", found[:8])):
        lines = extproc(*arguments).splitlines()
        assert found in lines[0]
        told = 'tools/call tool:query query {} {} 10.0.0.7 - {} {{"sql":"select secret_column"}}'
        assert [" ".join(line.split()[2:]) for line in lines[2:]] == [
            told.format("allow role:analyst#1 granted 200 3.5", "812", "email 2"),
            told.format("allow role:analyst#1 granted - -", "-", "-"),
            told.format("deny default no_grant - -", "-", "-"),
        ]


def test_one_session_is_shown_as_json(state):
    found = json.loads(extproc("sessions", "--state", state, "--json", "--principal", "ana"))[0]["id"]
    session = json.loads(extproc("sessions", "show", found, "--json", "--state", state))
    assert [row["decision"] for row in session["calls"]] == ["a", "b", "c"]
    assert json.loads(extproc("sessions", "--json", "--state", state, "show", found)) == session


def test_an_unknown_or_ambiguous_session_is_one_line(state):
    assert extproc("sessions", "show", "nope", "--state", state, code=1).count("\n") == 1
    assert "begins 2 sessions" in extproc("sessions", "show", "", "--state", state, code=1)


@pytest.mark.parametrize("command", ["sessions", "verify"])
def test_a_state_directory_without_recording_is_one_line_and_2(tmp_path, command):
    assert extproc(command, "--state", tmp_path / "no\x1bwhere", code=2).count("\n") == 1
    (tmp_path / "journal").mkdir()
    assert "no worker has started" in extproc(command, "--state", tmp_path, code=2)


def test_the_state_directory_comes_from_the_environment_too(state):
    result = CliRunner().invoke(app, ["verify"], env={"EXTPROC_STATE_DIR": str(state)})
    assert result.exit_code == 0


@pytest.mark.parametrize("command", ["sessions", "verify"])
def test_a_recording_that_cannot_be_read_is_one_line_and_2(state, command):
    path_of(state / "journal" / "worker-0", 2).mkdir()
    output = extproc(command, "--state", state, code=2)
    assert "Is a directory" in output
    assert output.count("\n") == 1


def said(decision: str, number: int, at: int, **changes) -> dict:
    return {
        "kind": "message",
        "at": START + at,
        "decision": decision,
        "server": "sales-db",
        "number": number,
        "message": "notification",
        "method": "notifications/progress",
        "bytes": 40,
        "payload": {"progress": number},
        "masked": {},
        **changes,
    }


def test_the_messages_of_a_stream_are_shown_in_their_order(tmp_path):
    late = said("a", 1, 2, message="response", method=None, payload={"content": ["\x1b[2J"]}, masked={"email": 1})
    record(tmp_path, "w", call("a", 0), late, said("a", 0, 1), outcome("a", 3))
    (session,) = json.loads(extproc("sessions", "--json", "--state", tmp_path))
    shown = extproc("sessions", "show", session["id"], "--state", tmp_path).splitlines()
    assert len(shown) == 5
    assert "notifications/progress" in shown[3]
    assert '{"progress":0}' in shown[3]
    assert "email 1" in shown[4]
    assert "\\u001b[2J" in shown[4]
    (one,) = json.loads(extproc("sessions", "show", session["id"], "--json", "--state", tmp_path))["calls"]
    assert [each["number"] for each in one["messages"]] == [0, 1]
    replayed = extproc("replay", session["id"], "--state", tmp_path).splitlines()
    assert "· notification notifications/progress, 40 bytes" in replayed[3]
    assert "· response, 40 bytes, masked: email 1" in replayed[5]


HOSTILE = [
    "\x1b[2J\x1b]0;owned\x07",
    "a\r\nallow\u2028b\u2029\x85",
    "\x9b31m\x7f\x00",
    "\u202eevil\u2066\u200e\ufeff",
    "[bold red]markup[/] :smile: [/nothing]",
    "=HYPERLINK(1)",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_recording_reaches_the_terminal_as_a_control(tmp_path, text):
    record(
        tmp_path,
        "w",
        call(
            "a",
            0,
            principal={"issuer": text, "subject": text},
            server=text,
            client={"name": text, "version": text},
            method=text,
            targets=[{"kind": "tool", "name": text}],
            verb=text,
            effect=text,
            rule=text,
            reason=text,
        ),
    )
    session = json.loads(extproc("sessions", "--json", "--state", tmp_path))[0]
    assert session["subject"] == text
    shown = extproc("sessions", "show", session["id"], "--state", tmp_path)
    listed = extproc("sessions", "--state", tmp_path)
    as_json = extproc("sessions", "show", session["id"], "--json", "--state", tmp_path)
    for output, lines in ((shown, 3), (listed, 2), (as_json, 1)):
        assert len(output.splitlines()) == lines
        assert all(char.isprintable() or char == "\n" for char in output)
    if text.isprintable():
        assert text in shown


def test_chains_that_hold_say_how_far(state):
    output = extproc("verify", "--state", state)
    assert (
        "worker-0: holds, 4 events, 1 segments, 2027-01-15 08:00:00 to 2027-01-15 08:00:00 UTC, not ended in order"
        in output
    )
    assert "worker-1: holds, 3 events" in output
    assert "not sealed yet" in output
    assert "Without a seal that does not cover" in output


def test_an_orderly_end_is_told(tmp_path):
    record(tmp_path, "w", {"kind": "stopped", "at": START, "reason": "signal"})
    assert "ended in order" in extproc("verify", "--state", tmp_path)
    assert "not ended" not in extproc("verify", "--state", tmp_path)


async def test_a_live_journal_is_told(tmp_path):
    journal = JournalWriter(
        tmp_path / "journal" / "w", node="n", worker="w", durability="process", clock=lambda: 10**25
    )
    journal.open()
    output = extproc("verify", "--state", tmp_path)
    assert "being written" in output
    assert str(10**25) in output
    await journal.close()


def test_a_fault_is_located_and_1(state):
    path = path_of(state / "journal" / "worker-0", 1)
    path.write_bytes(path.read_bytes().replace(b'"deny"', b'"allow"'))
    output = extproc("verify", "--state", state, code=1)
    assert "worker-0: FAULT at 00000001.jsonl line 4 (event 3): the line was changed" in output
    assert "worker-1: holds" in output
    report = json.loads(extproc("verify", "--json", "--state", state, code=1))["reports"][0]
    assert (report["events"], report["fault"]["line"], report["fault"]["broken"]) == (3, 4, "changed")
    assert "1 damaged lines are left out" in extproc("sessions", "--state", state)


def test_a_missing_segment_is_located_and_1(state):
    path = path_of(state / "journal" / "worker-0", 1)
    path.rename(path_of(path.parent, 2))
    assert "FAULT at 00000002.jsonl (event 0): segment 00000001.jsonl is missing" in extproc(
        "verify", "--state", state, code=1
    )
