"""U-raw: a server that keeps the bytes it got and replies what the test scripts, in the process of the test.

::

    async with raw_server() as upstream:
        upstream.script = sse(b"data: {", wait, b"}\\n\\n")      # or json_reply(...), early(...), dies(...), or your own
        ...
        assert [each.head for each in upstream.requests] == []   # 0 bytes reached it

A script is ``async (Arrival, asyncio.StreamWriter) -> None``; what it raises is kept in ``faults``. Connections stay open
between requests unless the script closes the writer.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from plain import PATIENCE

__all__ = ["Arrival", "Raw", "Script", "dies", "early", "echoes", "json_reply", "raw_server", "sse"]


@dataclass(slots=True)
class Arrival:
    """One request as it came: ``head`` and ``framed`` are the bytes on the wire, ``body`` is without the framing."""

    first_byte_at: int
    head: bytes = b""
    framed: bytearray = field(default_factory=bytearray)
    body: bytearray = field(default_factory=bytearray)
    complete: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode("latin-1")

    def values(self, name: str) -> list[str]:
        """The values of every header line of that name, in order."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return [value.strip() for key, _, value in pairs if key.strip().lower() == name.lower()]


Script: TypeAlias = Callable[[Arrival, asyncio.StreamWriter], Awaitable[None]]
Piece: TypeAlias = bytes | asyncio.Event | Callable[[], Awaitable[Any]]


def head(status: int, content_type: str, headers: Sequence[tuple[str, str]], *more: str) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", f"content-type: {content_type}", *(f"{k}: {v}" for k, v in headers), *more]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def json_reply(
    value: Any,
    *,
    status: int = 200,
    headers: Sequence[tuple[str, str]] = (),
    content_type: str = "application/json",
) -> Script:
    """One body with a length; ``value`` may be bytes, which are sent as they stand."""
    body = value if isinstance(value, bytes) else json.dumps(value).encode()

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(head(status, content_type, headers, f"content-length: {len(body)}") + body)
        await writer.drain()

    return script


def echoes(result: Any) -> Script:
    """A response to whatever was asked."""

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        answer = {"jsonrpc": "2.0", "id": json.loads(arrival.body)["id"], "result": result}
        await json_reply(answer)(arrival, writer)

    return script


def sse(
    *pieces: Piece,
    headers: Sequence[tuple[str, str]] = (),
    trailers: Sequence[tuple[str, str]] = (),
    content_type: str = "text/event-stream",
) -> Script:
    """A chunked stream: bytes are one chunk each, an Event or a function is awaited in between, trailers at the end."""

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        named = [f"trailer: {', '.join(name for name, _ in trailers)}"] if trailers else []
        writer.write(head(200, content_type, headers, "transfer-encoding: chunked", *named))
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            else:
                await (piece.wait() if isinstance(piece, asyncio.Event) else piece())
        last = "".join(f"{name}: {value}\r\n" for name, value in trailers)
        writer.write(f"0\r\n{last}\r\n".encode("latin-1"))
        await writer.drain()

    return script


def early(status: int = 200, value: Any = None) -> Script:
    """A whole reply as soon as the head is there, before the body."""
    body = json.dumps(value or {"jsonrpc": "2.0", "id": 1, "result": {}}).encode()

    async def script(_: Arrival, writer: asyncio.StreamWriter) -> None:
        writer.write(head(status, "application/json", (), f"content-length: {len(body)}") + body)
        await writer.drain()

    return script


def dies(after: bytes = b"") -> Script:
    """Send ``after`` and reset the connection."""

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(after)
        await writer.drain()
        raw: socket.socket = writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return script


@dataclass(slots=True)
class Raw:
    """The running recorder."""

    url: str = ""
    sse_url: str = ""
    script: Script = field(default_factory=lambda: json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}}))
    requests: list[Arrival] = field(default_factory=list)
    faults: list[BaseException] = field(default_factory=list)
    received: int = 0
    """Every byte of every connection, also of requests that never had a whole head."""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def wait_for(self, count: int, *, within: float = PATIENCE) -> None:
        """Wait until ``count`` heads have come."""
        async with asyncio.timeout(within), self._news:
            await self._news.wait_for(lambda: len(self.requests) >= count)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._one(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        except Exception as fault:  # noqa: BLE001 - a script may raise anything; the test asserts on it
            self.faults.append(fault)
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        first = await reader.read(1)
        if not first:
            return False
        self.received += 1
        arrival = Arrival(first_byte_at=time.time_ns())
        rest = await reader.readuntil(b"\r\n\r\n")
        self.received += len(rest)
        arrival.head = first + rest
        async with self._news:
            self.requests.append(arrival)
            self._news.notify_all()
        replying = asyncio.ensure_future(self.script(arrival, writer))
        try:
            await self._body(arrival, reader)
            await replying
        finally:
            replying.cancel()
        return not writer.is_closing()

    async def _body(self, arrival: Arrival, reader: asyncio.StreamReader) -> None:
        if arrival.values("transfer-encoding"):
            while True:
                line = await reader.readuntil(b"\r\n")
                size = int(line.split(b";")[0], 16)
                data = await (reader.readexactly(size + 2) if size else reader.readuntil(b"\r\n"))
                self._keep(arrival, line + data, data[:size])
                if not size:
                    break
        elif lengths := arrival.values("content-length"):
            left = int(lengths[0])
            while left:
                data = await reader.read(min(left, 65536))
                if not data:
                    raise asyncio.IncompleteReadError(b"", left)
                left -= len(data)
                self._keep(arrival, data, data)
        arrival.complete.set()

    def _keep(self, arrival: Arrival, framed: bytes, body: bytes) -> None:
        self.received += len(framed)
        arrival.framed += framed
        arrival.body += body


@asynccontextmanager
async def raw_server(tls: ssl.SSLContext | None = None) -> AsyncIterator[Raw]:
    """A recorder on loopback."""
    raw = Raw()
    open_ones: set[asyncio.Task[None]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        open_ones.add(task)
        try:
            await raw.serve(reader, writer)
        finally:
            open_ones.discard(task)

    server = await asyncio.start_server(accept, "127.0.0.1", 0, limit=1024 * 1024, ssl=tls)
    base = f"{'https' if tls else 'http'}://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    raw.url, raw.sse_url = f"{base}/mcp", f"{base}/sse"
    try:
        yield raw
    finally:
        server.close()
        for task in tuple(open_ones):
            task.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)
