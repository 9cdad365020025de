"""`extproc replay`: what it shows into a pipe and on a terminal, and what another policy would say."""

import fcntl
import os
import pty
import select
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from cli.test_recordings import call, extproc, outcome, record
from plain import PATIENCE
from policies import GOOD

MINUTE = 60 * 1_000_000_000


@pytest.fixture
def state(tmp_path) -> Path:
    masked = outcome("b", 0) | {"payload": {"content": [{"type": "text", "text": "mail: \x1b[31m[email]"}]}}
    masked["at"] += MINUTE
    record(
        tmp_path,
        "worker-0",
        call("a", 0),
        outcome("a", 5),
        call("b", MINUTE),
        masked,
        call(
            "c",
            2 * MINUTE,
            effect="deny",
            rule="default",
            reason="no_grant",
            targets=[{"kind": "tool", "name": "drop"}],
        ),
    )
    return tmp_path


def session_of(state: Path) -> str:
    return extproc("sessions", "--state", state).splitlines()[1].split()[0]


def test_into_a_pipe_a_session_comes_whole_and_at_once(state):
    lines = extproc("replay", session_of(state), "--state", state).splitlines()
    assert lines[0].startswith("session ")
    assert lines[1].split()[:5] == ["00:00.000", "1", "allow", "tools/call", "tool:query"]
    assert lines[2].strip() == '{"sql":"select secret_column"}'
    assert lines[3].split()[:5] == ["00:00.003", "1", "complete", "200,", "812"]
    assert "masked: email 2" in lines[3]
    assert lines[-2].split()[:5] == ["02:00.000", "3", "deny", "tools/call", "tool:drop"]


def test_nothing_of_a_recording_reaches_the_terminal_as_a_command(state):
    assert "\x1b" not in extproc("replay", session_of(state), "--state", state)


def test_a_session_that_is_none_is_one_line(state):
    assert "no session nothing" in extproc("replay", "nothing", "--state", state, code=1)


def test_another_policy_says_what_it_would_decide_otherwise(state, tmp_path):
    policy = tmp_path / "p.yaml"
    policy.write_text(GOOD)
    said = extproc("replay", session_of(state), "--state", state, "--policy", policy, code=3)
    assert "now: deny by default" in said
    assert said.splitlines()[-1].startswith("3 calls: 2 would be decided otherwise, 0 never came to a policy")
    broken = tmp_path / "broken.yaml"
    broken.write_text("version: 2\n")
    assert "broken.yaml:1" in extproc("replay", session_of(state), "--state", state, "--policy", broken, code=2)


class Terminal:
    """The command on a terminal of its own, whose keys are pressed by the test."""

    def __init__(self, *words: str) -> None:
        self._ours, theirs = pty.openpty()
        self.text = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "extproc", "replay", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - so that Ctrl-C is a signal
        )
        os.close(theirs)

    def until(self, text: str) -> None:
        """Read on until ``text`` was shown."""
        while text not in self.text:
            assert select.select([self._ours], [], [], 30)[0], self.text
            self.text += os.read(self._ours, 4096).decode()

    def press(self, key: str) -> None:
        os.write(self._ours, key.encode())

    def end(self) -> int:
        try:
            return self.process.wait(PATIENCE)
        finally:
            os.close(self._ours)


def test_on_a_terminal_it_keeps_the_pace_and_obeys_keys(state):
    terminal = Terminal(session_of(state), "--state", str(state))
    terminal.until("q quit")
    terminal.until("812 bytes")
    assert "tool:drop" not in terminal.text  # that comes in two minutes
    terminal.press(" ")
    terminal.until("-- paused, ")
    terminal.press("+")
    terminal.press("\x1b[C")
    terminal.until("01:00.000")
    terminal.press("n")
    terminal.until("tool:drop")
    assert terminal.end() == 0


def test_one_leaves_a_terminal_by_a_key_or_by_ctrl_c(state):
    for leaving in ("q", "\x03"):
        terminal = Terminal(session_of(state), "--state", str(state))
        terminal.until("812 bytes")
        terminal.press(leaving)
        assert terminal.end() == 0
        assert "Traceback" not in terminal.text
