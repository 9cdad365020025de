"""The bond of a child process to its supervisor: settings on standard input, and an end with the one who watches.

A child never outlives the supervisor: one that nobody watches would hold its port and its journal against the next
start. The kernel kills it with its parent (Linux), and everywhere the end of standard input does, because the
supervisor holds the other end and never writes a second time. A killed worker resets its streams, which Envoy
answers with an error (invariant 4).
"""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final

import structlog

from extproc.edges.keys.secret_files import KeyFileError
from extproc.edges.policy_files import PolicyError
from extproc.ports import StoreError
from extproc.settings import Settings, SettingsError

__all__ = ["CANNOT_START", "NAMES_VARIABLE", "adopt_orphans", "call_process", "die_with", "run_bound"]

CANNOT_START: Final = 2
"""Exit status of a child whose settings, policy or files must change before it can start."""
FAILED: Final = 1
NAMES_VARIABLE: Final = "EXTPROC_PRELOAD_NAMES"
"""Is in the environment of the workers' processes where their policy needs the language model from the start."""
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_NAME: Final = 15
_PR_SET_CHILD_SUBREAPER: Final = 36


def call_process(name: str) -> None:
    """Have the system's lists of processes show this one as ``name``, of which they keep 15 bytes (Linux)."""
    _prctl(_PR_SET_NAME, name.encode())


def _prctl(option: int, value: int | bytes) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value)


def adopt_orphans() -> None:
    """Become the parent of every process below this one whose own parent ends (Linux)."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with(parent: int) -> None:
    """Arrange to be killed when process ``parent`` ends; exits now if it has ended already."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def _watch_input() -> None:
    os.read(sys.stdin.fileno(), 1)
    os.kill(os.getpid(), signal.SIGKILL)


def run_bound(parent: int, name: str, run: Callable[[Settings], None]) -> int:
    """Run the child called ``name`` of process ``parent`` with the settings that it sends; the exit status."""
    die_with(parent)
    # the supervisor decides when a child stops; a terminal's Ctrl-C is not for it
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings_line = sys.stdin.buffer.readline()
    threading.Thread(target=_watch_input, name="supervisor-watch", daemon=True).start()
    try:
        run(Settings.model_validate_json(settings_line))
    except (SettingsError, PolicyError, KeyFileError, StoreError, OSError) as error:
        with suppress(OSError):
            print(error, file=sys.stderr, flush=True)  # noqa: T201
        return CANNOT_START
    except Exception:  # noqa: BLE001 - the interpreter's own traceback would not be masked (invariant 8)
        structlog.get_logger(f"extproc.{name}").critical("failed", exc_info=True)
        return FAILED
    return 0
