"""``extproc`` without the time that loading takes: each command is forked from a process that has loaded it already.

Most of what it costs to start a gateway is the reading of modules, and a run of the suite starts hundreds. What is
forked is the same program with arguments, environment and files of its own. That it also starts from nothing is for
those who start it as a user does: test_supervisor.py, test_readme.py, stack/test_up.py, stack/test_operations.py.
"""

import asyncio
import atexit
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Final

__all__ = ["CAN_FORK", "Forked", "forked", "ran"]

CAN_FORK: Final = sys.platform == "linux"
"""Elsewhere a forked process may not use what the system's own libraries have begun before the fork."""
LOADED: Final = ("extproc.cli", "extproc.cli.serve", "extproc.supervisor", "extproc.app", "extproc.control_process")
_MOST_TOLD: Final = 1 << 17


class Forked:
    """A running command, with as much of asyncio's Process as tests use."""

    def __init__(self, life: socket.socket, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()
        self._life = life
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(life, self._over)

    def _over(self) -> None:
        status = self._life.recv(32)
        self._loop.remove_reader(self._life)
        self._life.close()
        self.returncode = int(status)
        self._ended.set()

    async def wait(self) -> int:
        await self._ended.wait()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


async def ran(*words: str, cwd: Path | None = None, **environment: str) -> tuple[int, str, str]:
    """Run ``extproc`` to its end: its status, what it says, and what it complains of."""
    environ = os.environ | environment
    if CAN_FORK:
        with tempfile.TemporaryDirectory() as folder:
            output, complaints = Path(folder, "output"), Path(folder, "complaints")
            running = await forked(words, environment=environ, output=output, complaints=complaints, cwd=cwd)
            status = await running.wait()
            return status, *map(_text, (output, complaints))
    argv, pipe = [sys.executable, "-m", "extproc", *words], asyncio.subprocess.PIPE
    asked = await asyncio.create_subprocess_exec(*argv, stdout=pipe, stderr=pipe, env=environ, cwd=cwd)
    said = await asked.communicate()
    asked._transport.close()  # type: ignore[attr-defined]
    assert asked.returncode is not None
    return asked.returncode, *(each.decode() for each in said)


def _text(path: Path) -> str:
    return path.read_text("utf-8")


async def forked(
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    output: Path,
    complaints: Path | None = None,
    cwd: Path | None = None,
) -> Forked:
    """Start ``extproc`` with these arguments and nothing to read; what it says and complains of goes to these files.

    Both go to ``output`` where there is no other, and it stands in the folder of now.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    told = {"argv": ["extproc", *arguments], "environ": dict(environment), "cwd": str(cwd or Path.cwd())}
    told |= {"said": [str(output), str(complaints or output)]}
    with theirs:
        socket.send_fds(_line(), [json.dumps(told).encode()], [theirs.fileno()])
    pid = await asyncio.get_running_loop().sock_recv(ours, 32)
    return Forked(ours, int(pid))


@cache
def _line() -> socket.socket:
    """The line to the process that all others are forked from, which ends with this one."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        argv, null = [sys.executable, __file__, str(theirs.fileno())], subprocess.DEVNULL
        process = subprocess.Popen(argv, pass_fds=[theirs.fileno()], stdin=null, stdout=null)

    def end() -> None:
        ours.close()
        process.wait()

    atexit.register(end)
    return ours


def main(line: socket.socket) -> None:
    """Fork a command for each message until the other end is closed; returns in the new process alone."""
    for each in LOADED:
        import_module(each)
    gc.collect()
    gc.freeze()
    while True:
        told, files, _, _ = socket.recv_fds(line, _MOST_TOLD, 1)
        if not told:
            sys.exit(0)
        life = socket.socket(fileno=files[0])
        if os.fork():
            life.close()
            os.waitpid(-1, os.WNOHANG)  # whichever has ended meanwhile
            continue
        line.close()
        if born := os.fork():
            life.send(str(born).encode())
            status = os.waitstatus_to_exitcode(os.waitpid(born, 0)[1])
            life.send(str(status).encode())
            os._exit(0)
        life.close()
        given = json.loads(told)
        for number, path in enumerate(given["said"], 1):
            with Path(path).open("ab") as file:
                os.dup2(file.fileno(), number)
        os.environ.clear()
        os.environ.update(given["environ"])
        os.chdir(given["cwd"])
        sys.argv = given["argv"]
        signal.signal(signal.SIGINT, signal.default_int_handler)
        return


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
    from extproc.cli import main as extproc

    extproc()
