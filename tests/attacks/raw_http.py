"""HTTP as no library would send it: bytes over HTTP/1.1, and header blocks over HTTP/2 with nothing checked."""

import asyncio
import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from plain import PATIENCE

__all__ = ["CLOSED", "Answer", "exchange", "exchange_http2"]

CLOSED = 0
"""The status of a connection, or of a stream, that ended without an answer."""


@dataclass(slots=True)
class Answer:
    """Every byte that came back, and the final statuses in it, in order."""

    raw: bytes = b""
    statuses: list[int] = field(default_factory=list)

    @property
    def status(self) -> int:
        """The first final status."""
        return self.statuses[0] if self.statuses else CLOSED


async def exchange(port: int, *pieces: bytes, eof: bool = False) -> Answer:
    """Write the pieces, one by one, and read until Envoy closes: the last should say ``connection: close``, or ``eof``."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = Answer()
    try:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            if eof:
                writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError):
                while chunk := await reader.read(65536):
                    answer.raw += chunk
    finally:
        writer.close()
    for line in answer.raw.split(b"\r\n"):
        if line.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")) and not line[9:].startswith(b"1"):
            answer.statuses.append(int(line[9:12]))
    return answer


async def exchange_http2(
    port: int,
    headers: Sequence[tuple[bytes, bytes]],
    body: bytes | None = None,
    *,
    trailers: Sequence[tuple[bytes, bytes]] = (),
) -> Answer:
    """One stream with prior knowledge; what h2 would refuse to send is sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    settings = h2.config.H2Configuration(
        client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding=None
    )
    connection = h2.connection.H2Connection(config=settings)
    answer = Answer()
    try:
        connection.initiate_connection()
        connection.send_headers(1, headers, end_stream=body is None)
        if body is not None:
            connection.send_data(1, body, end_stream=not trailers)
        if trailers:
            connection.send_headers(1, trailers, end_stream=True)
        writer.write(connection.data_to_send())
        async with asyncio.timeout(PATIENCE):
            with contextlib.suppress(ConnectionError, h2.exceptions.ProtocolError):
                while chunk := await reader.read(65536):
                    answer.raw += chunk
                    if _is_over(connection.receive_data(chunk), answer):
                        break
                    writer.write(connection.data_to_send())
    finally:
        writer.close()
    return answer


def _is_over(events: Sequence[h2.events.Event], answer: Answer) -> bool:
    for event in events:
        if isinstance(event, h2.events.ResponseReceived):
            answer.statuses.append(int(dict(event.headers)[b":status"]))
        if isinstance(event, h2.events.DataReceived):
            answer.raw += event.data
        if isinstance(event, h2.events.StreamEnded | h2.events.StreamReset | h2.events.ConnectionTerminated):
            return True
    return False
