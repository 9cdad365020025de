"""Records as syslog messages (RFC 5424) over TLS (RFC 5425): one message each, its length before it.

Syslog answers nothing, so a record counts as stored once it was handed to the connection and the connection still
stands. What the server may not have read of a connection that it ended is sent again before anything else: all of its
last half minute, up to 4 MiB.
"""

import asyncio
import contextlib
import socket
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from extproc.edges.sinks.lines import LineOf, line_of
from extproc.edges.sinks.tls import TlsContext
from extproc.ports import Record, SinkError

__all__ = ["SyslogSink", "message_of"]

_FACILITY: Final = 13 * 8  # log audit (RFC 5424 section 6.2.1)
_SEVERITY: Final = {"deny": 4, "reject": 4, "shadow": 5}
_NOTICE: Final = 6
_NANO: Final = 1_000_000_000
_DOUBTFUL_SECONDS: Final = 30.0
_DOUBTFUL_BYTES: Final = 4 << 20


class SyslogSink:
    """Sends to ``host:port``; ``tls`` None is for a relay on this machine."""

    def __init__(self, host: str, port: int, *, tls: TlsContext | None, timeout: float, line: LineOf = line_of) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._timeout = timeout
        self._line = line
        self._writer: asyncio.StreamWriter | None = None
        self._ended: asyncio.Task[float] | None = None
        self._doubtful: deque[tuple[float, bytes]] = deque()

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` where the connection cannot be made or breaks."""
        messages = [message_of(record, self._line) for record in records]
        batch = b"".join(b"%d %b" % (len(message), message) for message in messages)
        try:
            async with asyncio.timeout(self._timeout):
                if self._ended is not None and self._ended.done():
                    await self.close()
                writer = self._writer or await self._connect()
                writer.write(batch)
                await writer.drain()
                await self._look()
        except (OSError, EOFError, TimeoutError) as error:
            await self.close()
            raise SinkError(f"the syslog server does not answer: {type(error).__name__}") from None
        self._doubtful.append((asyncio.get_running_loop().time(), batch))
        while sum(len(sent) for _, sent in self._doubtful) > _DOUBTFUL_BYTES:
            self._doubtful.popleft()

    async def close(self) -> None:
        """Let go of the connection; what it may have lost is kept for the next one."""
        writer, self._writer = self._writer, None
        ended, self._ended = self._ended, None
        if writer is None or ended is None:
            return
        end = ended.result() if ended.done() else asyncio.get_running_loop().time()
        ended.cancel()
        while self._doubtful and self._doubtful[0][0] < end - _DOUBTFUL_SECONDS:
            self._doubtful.popleft()
        writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(1):
                await writer.wait_closed()

    async def _connect(self) -> asyncio.StreamWriter:
        tls = self._tls() if self._tls is not None else None
        name = self._host if tls is not None else None
        reader, writer = await asyncio.open_connection(self._host, self._port, ssl=tls, server_hostname=name)
        self._writer, self._ended = writer, asyncio.create_task(_end_of(reader))
        for _, batch in self._doubtful:
            writer.write(batch)
        return writer

    async def _look(self) -> None:
        """Give a server that went away a moment to be seen."""
        if self._ended is not None and (await asyncio.wait({self._ended}, timeout=0.01))[0]:
            raise EOFError


async def _end_of(reader: asyncio.StreamReader) -> float:
    """When the server ended the connection; what it says until then means nothing."""
    with contextlib.suppress(OSError):
        while await reader.read(4096):
            pass
    return asyncio.get_running_loop().time()


def message_of(record: Record, line: LineOf = line_of) -> bytes:
    """The message of RFC 5424 section 6: priority, time, host, application, process, kind, identity, and the record."""
    at = record.event.get("at")
    seconds, rest = divmod(at if isinstance(at, int) and 0 < at < 2**62 else 0, _NANO)
    stamp = f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest // 1000:06d}Z"
    severity = _SEVERITY.get(str(record.event.get("effect")), _NOTICE)
    kind = "".join(char for char in str(record.event.get("kind")) if char.isascii() and char.isalnum())[:32] or "-"
    head = (
        f"<{_FACILITY + severity}>1 {stamp} {socket.gethostname()[:255]} mcp-extproc {record.journal[:128]} {kind} "
        f'[record@32473 seq="{record.seq}" hash="{record.hash}"] '
    )
    return head.encode("ascii", "replace") + b"\xef\xbb\xbf" + line(record)
