"""The process that all others of a node are forked from: it has loaded what they need, and does nothing else.

One that dies is back in the time of a fork instead of the seconds that loading takes, and all share the memory of what
was loaded. One thread and no open channel, so that a fork leaves nothing behind that does not work. Each is forked
twice, so it becomes a child of the supervisor and does not die with this process. The first nursery is forked itself,
from a supervisor that has opened nothing yet; one that takes its place is a command.
"""

import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from extproc import worker
from extproc.bond import call_process, die_with

__all__ = ["CONTROL", "FAILED", "fork", "main", "tell"]

CONTROL: Final = "control"
FAILED: Final = b"-"
"""The answer where the system has no process to give."""
_MOST_DIGITS: Final = 32
_MOST_TOLD: Final = 1 << 16
_LOOK_SECONDS: Final = 0.001


def fork() -> tuple[int, socket.socket]:
    """Make a nursery out of this process: its id, and the socket over which it is told (``tell``) and then asked.

    Only for a process of one thread that has opened nothing yet. What both need is loaded once, here; the nursery
    itself never returns from this call.

    Raises:
        OSError: the system has no process to give.
    """
    worker.preload()
    _share_memory()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    supervisor = os.getpid()
    nursery = os.fork()
    if nursery:
        theirs.close()
        return nursery, ours
    ours.close()
    os.setsid()
    with open(os.devnull, "rb") as nothing:  # noqa: PTH123 - a device, not a file of ours
        os.dup2(nothing.fileno(), sys.stdin.fileno())
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder that the operator happens to stand in must not provide modules
    try:
        told = theirs.recv(_MOST_TOLD)
    except OSError:
        told = b""
    if not told:
        sys.exit(0)  # the supervisor could not start
    os.environ.update(json.loads(told))
    sys.exit(main([str(supervisor), str(theirs.detach())]))


def tell(line: socket.socket, environment: Mapping[str, str]) -> None:
    """Give a nursery that was forked the environment in which its processes shall run."""
    other = {name: value for name, value in environment.items() if os.environ.get(name) != value}
    line.send(json.dumps(other).encode())


def main(arguments: Sequence[str]) -> int:
    """Fork for supervisor ``arguments[0]``, asked over the socket ``arguments[1]``, until it lets go of it.

    A question is a name (the index of a worker, or ``control``), with what becomes the standard input of the process;
    the answer is its id.
    """
    parent, line = int(arguments[0]), socket.socket(fileno=int(arguments[1]))
    die_with(parent)
    call_process("extproc-nursery")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        try:
            asked, files, _, _ = socket.recv_fds(line, _MOST_DIGITS, 1)
        except OSError:
            return 0  # the supervisor let go of it in the middle of something
        if not asked:
            return 0
        name = asked.decode()
        # the control process comes last and wants more: workers do not wait for what it needs
        module = importlib.import_module("extproc.control_process" if name == CONTROL else "extproc.worker")
        module.preload()
        _share_memory()
        telling, told = os.pipe()
        try:
            between = os.fork()
        except OSError:
            answer = FAILED
        else:
            if not between:
                _bear(files[0], told, unused=(telling, line.detach()))
                call_process(f"extproc-{name}")
                return int(module.main([str(parent)] if name == CONTROL else [name, str(parent)]))
            os.waitpid(between, 0)  # from here on the new process is the supervisor's
            os.close(told)
            told = -1
            answer = os.read(telling, _MOST_DIGITS) or FAILED
        for each in (*files, telling, told):
            if each >= 0:
                os.close(each)
        with suppress(OSError):  # nobody waits for it any more; the next question says so
            line.send(answer)


def _share_memory() -> None:
    gc.collect()
    gc.freeze()  # a collection after the fork would otherwise write to every page that they share


def _bear(stdin: int, told: int, *, unused: Sequence[int]) -> None:
    """In the process between: fork the new one, tell its id, and end. Returns in the new one."""
    between = os.getpid()
    try:
        born = os.fork()
    except OSError:
        os._exit(1)
    if born:
        os.write(told, str(born).encode())
        os._exit(0)
    for each in (*unused, told):
        os.close(each)
    os.dup2(stdin, sys.stdin.fileno())
    os.close(stdin)
    os.setsid()  # a terminal's Ctrl-C and hang-up are for the supervisor alone
    while os.getppid() == between:
        time.sleep(_LOOK_SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
