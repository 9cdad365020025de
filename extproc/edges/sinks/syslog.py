"""Records as syslog messages (RFC 5424) over TLS (RFC 5425): one message each, its length before it.

Syslog answers nothing, so a record counts as stored once it was handed to the connection and the connection still
stands; what a broken connection may have lost is sent again, from the start of the batch.
"""

import asyncio
import contextlib
import socket
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


class SyslogSink:
    """Sends to ``host:port``; ``tls`` None is for a relay on this machine."""

    def __init__(self, host: str, port: int, *, tls: TlsContext | None, timeout: float, line: LineOf = line_of) -> None:
        self._host = host
        self._port = port
        self._tls = tls
        self._timeout = timeout
        self._line = line
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` where the connection cannot be made or breaks."""
        try:
            async with asyncio.timeout(self._timeout):
                if self._writer is None or self._reader is None:
                    tls = self._tls() if self._tls is not None else None
                    name = self._host if tls is not None else None
                    self._reader, self._writer = await asyncio.open_connection(
                        self._host, self._port, ssl=tls, server_hostname=name
                    )
                for record in records:
                    message = message_of(record, self._line)
                    self._writer.write(b"%d %b" % (len(message), message))
                await self._writer.drain()
                # a server that went away is known only once its end of the connection is read
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await self._reader.readexactly(1)
        except (OSError, EOFError, TimeoutError) as error:
            await self.close()
            raise SinkError(f"the syslog server does not answer: {type(error).__name__}") from None

    async def close(self) -> None:
        """Let go of the connection."""
        writer, self._writer, self._reader = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):
                    await writer.wait_closed()


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
