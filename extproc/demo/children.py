"""The playground's child processes: each in a session of its own, with its output in a file, never outliving us.

A terminal's Ctrl-C reaches only the parent, which stops its children in an order of its own. On Linux the kernel
ends a child when the parent is killed; elsewhere only an orderly end does.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import httpx

__all__ = ["Child", "ChildError", "free_ports", "is_free"]

PR_SET_PDEATHSIG: Final = 1
READY_SECONDS: Final = 60.0
ATTEMPT_SECONDS: Final = 0.05
MAX_LINE_CHARS: Final = 300
LOOPBACK: Final = "127.0.0.1"


class ChildError(Exception):
    """A child did not start or has ended; the message is one line with what it said last."""


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on, all different."""
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def is_free(port: int) -> bool:
    """False if another program listens on the port of 127.0.0.1, or it may not be used."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _bond() -> Callable[[], None]:
    """What a child does between fork and exec: arrange to be ended with this process."""
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    parent = os.getpid()

    def bind() -> None:
        if libc is not None:
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return bind


@dataclass(slots=True, kw_only=True)
class Child:
    """One running child. ``name`` is what messages call it, ``log`` the file with its output."""

    name: str
    log: Path
    process: asyncio.subprocess.Process

    @classmethod
    async def start(
        cls, name: str, command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
    ) -> Self:
        """Start ``command``; its output replaces that of the last run."""
        with log.open("wb") as output:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.STDOUT,
                env=environment,
                start_new_session=True,
                preexec_fn=_bond(),
            )
        return cls(name=name, log=log, process=process)

    async def ready(self, url: str) -> None:
        """Wait until ``url`` answers 200, or, for ``tcp://``, takes a connection.

        Raises:
            ChildError: the child ended, or took too long.
        """
        ended = asyncio.create_task(self.process.wait())
        try:
            async with asyncio.timeout(READY_SECONDS), httpx.AsyncClient(trust_env=False, timeout=1) as client:
                while not ended.done():
                    if await _answers(client, url):
                        return
                    await asyncio.wait({ended}, timeout=ATTEMPT_SECONDS)
        except TimeoutError:
            raise ChildError(f"{self.name} is not ready after {READY_SECONDS:.0f} s; its log: {self.log}") from None
        finally:
            ended.cancel()
        raise self.ended_early()

    def ended_early(self) -> ChildError:
        """Why the child is gone, in its own last words."""
        lines = [line.strip() for line in self.log.read_text("utf-8", "replace").splitlines() if line.strip()]
        said = "".join(char for char in (lines or ["nothing"])[-1] if char.isprintable())[:MAX_LINE_CHARS]
        return ChildError(f"{self.name} ended with status {self.process.returncode}: {said} (its log: {self.log})")

    async def stop(self, grace: float) -> None:
        """End the child: SIGTERM, and SIGKILL to its whole session after ``grace`` seconds."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), grace)
        self.kill()
        await self.process.wait()

    def kill(self) -> None:
        """SIGKILL to the child, if it still runs."""
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError, OSError):
        if url.startswith("tcp://"):
            host, _, port = url.removeprefix("tcp://").rpartition(":")
            _, writer = await asyncio.open_connection(host, int(port))
            writer.close()
            return True
        return (await client.get(url)).is_success
    return False
