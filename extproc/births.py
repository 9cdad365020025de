"""How the processes of a node come to be: forked by the nursery where the system can do that, else started anew.

Each has a name: the index of a worker, or ``control``. Either way its settings come over standard input, whose other
end stays open here: its end is the end of the process.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from threading import Thread
from typing import Final, Protocol

import structlog

from extproc.bond import adopt_orphans
from extproc.nursery import CONTROL, FAILED, tell
from extproc.settings import Settings

__all__ = ["CAN_FORK", "Births", "Commanded", "Life", "births", "born"]

CAN_FORK: Final = sys.platform == "linux"
"""Elsewhere a forked process may not use what the system's own libraries have begun before the fork."""

WORKER_COMMAND: Final = (sys.executable, "-P", "-m", "extproc.worker")
"""``-P``: the folder that the operator happens to stand in must not provide modules."""
CONTROL_COMMAND: Final = (sys.executable, "-P", "-m", "extproc.control_process")
NURSERY_COMMAND: Final = (sys.executable, "-P", "-m", "extproc.nursery")
PAUSE_SECONDS: Final = 1.0
"""Before a nursery that ended by itself is made anew; whoever must be born meanwhile waits for no pause."""

log: Final = structlog.get_logger("extproc.supervisor")


class Life(Protocol):
    """One process."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def returncode(self) -> int | None:
        """The exit status once it has ended; negative: the signal."""

    def send_signal(self, signal: signal.Signals, /) -> None:
        """Send it, unless the process has ended."""

    def kill(self) -> None:
        """End it at once."""

    async def wait(self) -> int:
        """The exit status, when it has ended."""


class Births(Protocol):
    """Brings processes to life."""

    async def start(self, name: str, settings: bytes) -> Life:
        """A new process of this name.

        Raises:
            OSError: there is none.
        """

    def close(self) -> None:
        """No more of them."""


def births(environment: Mapping[str, str], nursery: tuple[int, socket.socket] | None = None) -> Births:
    """The way that this system has; ``nursery`` is one that ``nursery.fork`` has made already."""
    if not CAN_FORK:
        return Commanded(WORKER_COMMAND, environment)
    return Nursed(environment, nursery)


async def born(births: Births, name: str, settings: Settings, stopping: asyncio.Event) -> Life | None:
    """A new process of this name; None where ``stopping`` came first.

    Raises:
        OSError: there is none.
    """
    line = settings.model_dump_json().encode() + b"\n"
    birth, told = asyncio.ensure_future(births.start(name, line)), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({birth, told}, return_when=asyncio.FIRST_COMPLETED)
        return birth.result() if birth.done() else None
    finally:
        for each in (birth, told):
            each.cancel()
        await asyncio.gather(birth, told, return_exceptions=True)


class Commanded:
    """Each process is a command: for workers with its index, and always with this process, as arguments."""

    def __init__(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self._command = command
        self._environment = environment

    async def start(self, name: str, settings: bytes) -> Life:
        """Start the command."""
        command = CONTROL_COMMAND if name == CONTROL else (*self._command, name)
        process = await asyncio.create_subprocess_exec(
            *command,
            str(os.getpid()),
            stdin=asyncio.subprocess.PIPE,
            # a terminal's Ctrl-C and hang-up are for the supervisor alone
            start_new_session=True,
            env=self._environment,
        )
        if process.stdin is not None:
            process.stdin.write(settings)
        return process

    def close(self) -> None:
        """Nothing is kept between two starts."""


class Nursed:
    """Each process is forked by one that has loaded everything."""

    def __init__(self, environment: Mapping[str, str], nursery: tuple[int, socket.socket] | None = None) -> None:
        adopt_orphans()
        self._environment = environment
        self._turn = asyncio.Lock()
        self._first = nursery
        self._process: Life | None = None
        self._line: socket.socket | None = None
        self._following: set[asyncio.Task[None]] = set()

    async def start(self, name: str, settings: bytes) -> Life:
        """Have the nursery fork; a nursery that is not there is made first."""
        async with self._turn:
            line = await self._founded()
            reading, writing = os.pipe()
            try:
                answer = await _asked(line, name, reading)
                if answer:
                    os.write(writing, settings)
                    return _Forked(int(answer), writing)
            except BaseException:
                # an answer that nobody waits for any more must not be the next one's
                self._leave()
                os.close(writing)
                raise
            finally:
                os.close(reading)
            os.close(writing)
            raise ChildProcessError("the system has no process for it")

    def close(self) -> None:
        """End the nursery; what it bore lives on."""
        for each in self._following:
            each.cancel()
        self._leave()

    async def _founded(self) -> socket.socket:
        if self._line is not None and self._process is not None and self._process.returncode is None:
            return self._line
        self._leave()
        if self._first is not None:
            (pid, self._line), self._first = self._first, None
            self._process = _Forked(pid)
            tell(self._line, self._environment)
        else:
            self._process, self._line = await self._commanded()
        self._line.setblocking(False)
        task = asyncio.create_task(self._follow(self._process))
        self._following.add(task)
        task.add_done_callback(self._following.discard)
        return self._line

    async def _commanded(self) -> tuple[Life, socket.socket]:
        # whole messages: a question and its file belong together
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                process = await asyncio.create_subprocess_exec(
                    *NURSERY_COMMAND,
                    str(os.getpid()),
                    str(theirs.fileno()),
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                    env=self._environment,
                )
        except OSError:
            ours.close()
            raise
        return process, ours

    async def _follow(self, process: Life) -> None:
        """Make a nursery that ended anew, before a worker waits for it."""
        status = await process.wait()
        log.error("the nursery ended", status=status)
        await asyncio.sleep(PAUSE_SECONDS)
        async with self._turn:
            if self._process is process:
                await self._founded()

    def _leave(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()


async def _asked(line: socket.socket, name: str, stdin: int) -> bytes:
    """The process id of what the nursery has forked; empty where it could not.

    Raises:
        OSError: the nursery has ended.
    """
    socket.send_fds(line, [name.encode()], [stdin])
    answer = await asyncio.get_running_loop().sock_recv(line, 32)
    if not answer:
        raise ChildProcessError("the nursery ended")
    return answer if answer != FAILED else b""


class _Forked:
    """A process of ours that asyncio did not start; ``stdin`` is the end that we hold of its standard input."""

    def __init__(self, pid: int, stdin: int | None = None) -> None:
        self.pid = pid
        self._stdin = stdin
        loop = asyncio.get_running_loop()
        self._status: asyncio.Future[int] = loop.create_future()
        Thread(target=self._await, args=(loop,), name=f"process-{pid}", daemon=True).start()

    @property
    def returncode(self) -> int | None:
        return self._status.result() if self._status.done() else None

    def send_signal(self, number: signal.Signals, /) -> None:
        if self.returncode is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    async def wait(self) -> int:
        return await asyncio.shield(self._status)

    def _await(self, loop: asyncio.AbstractEventLoop) -> None:
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        with suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(self._over, status)

    def _over(self, status: int) -> None:
        if self._stdin is not None:
            os.close(self._stdin)
        self._status.set_result(status)
