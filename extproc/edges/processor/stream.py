"""One gRPC stream of Envoy as ASGI events: whole messages in and out, and an end that somebody has to declare.

The HTTP/2 is h2corn's; gRPC's own part, five bytes before each message and a status behind the last, is here. A stream
ends cleanly in one way only, through ``finish``: no other code writes status 0, and h2corn resets a stream whose
handler returned or raised without a status. Whatever nobody thought of is therefore an error to Envoy (invariant 4).
gRPC over HTTP/2: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
"""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Any, Final
from urllib.parse import quote

from h2corn import Receive, Send

__all__ = ["EOF", "EnvoyGone", "Status", "Stream", "StreamFault"]

EOF: Final = object()
"""What ``Stream.read`` gives once the peer has sent its last message."""

MAX_MESSAGE_BYTES: Final = 64 << 20
"""A whole buffered body is one message; Envoy's own limit is far below."""

_PREFIX: Final = struct.Struct("!BI")
_UNCOMPRESSED: Final = 0
_START: Final = {
    "type": "http.response.start",
    "status": 200,
    "headers": ((b"content-type", b"application/grpc"),),
    "trailers": True,
}
_LAST_BYTE: Final = {"type": "http.response.body", "body": b"", "more_body": False}
_PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


class Status(IntEnum):
    """The gRPC statuses that this service sends."""

    OK = 0
    CANCELLED = 1
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    UNIMPLEMENTED = 12
    INTERNAL = 13


class StreamFault(Exception):  # noqa: N818 - a fault of the peer, not an error of ours
    """The peer's bytes are no gRPC messages, or none that are taken here; the message says why."""


class EnvoyGone(Exception):  # noqa: N818 - nothing is wrong: its client went away, or it has read enough
    """The peer ended the stream: nothing more comes, and nobody reads an answer."""


class Stream:
    """The server's side of one gRPC stream."""

    def __init__(self, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send: Any = send
        self._received = bytearray()
        self._complete = False
        self._begun = False

    async def read(self) -> Any:
        """The next message as bytes, or ``EOF``.

        Raises:
            StreamFault: the bytes are no uncompressed message of a bearable size, or end inside of one.
            EnvoyGone: the stream is over.
        """
        while not self._received or (message := self._next()) is None:
            if self._complete and self._received:
                raise StreamFault("the stream ends inside of a message")
            if self._complete:
                return EOF
            event: Mapping[str, Any] = await self._receive()
            if event["type"] != "http.request":
                raise EnvoyGone
            self._received += event.get("body", b"")
            self._complete = not event.get("more_body", False)
        return message

    async def write(self, message: bytes) -> None:
        """Send one message; returns once there is room for more.

        Raises:
            EnvoyGone: the stream is over.
        """
        if not self._begun:
            await self._begin()
        framed = _PREFIX.pack(_UNCOMPRESSED, len(message)) + message
        await self._tell({"type": "http.response.body", "body": framed, "more_body": True})

    async def finish(self) -> None:
        """End the stream cleanly: Envoy goes on without this service from here.

        Raises:
            EnvoyGone: the stream is over.
        """
        await self._end(Status.OK, "")

    async def abort(self, status: Status, why: str) -> bool:
        """End the stream with an error, so that Envoy refuses; False where it is over and there is nobody to tell.

        Raises:
            ValueError: the status is none of an error.
        """
        if status is Status.OK:
            raise ValueError("a clean end is no abort")
        try:
            await self._end(status, why)
        except EnvoyGone:
            return False
        return True

    def _next(self) -> bytes | None:
        if len(self._received) < _PREFIX.size:
            return None
        compressed, length = _PREFIX.unpack_from(self._received)
        if compressed != _UNCOMPRESSED:
            raise StreamFault("compressed messages are not taken")
        if length > MAX_MESSAGE_BYTES:
            raise StreamFault("a message is too large")
        end = _PREFIX.size + length
        if len(self._received) < end:
            return None
        message = bytes(self._received[_PREFIX.size : end])
        del self._received[:end]
        return message

    async def _begin(self) -> None:
        self._begun = True
        await self._tell(_START)

    async def _end(self, status: Status, why: str) -> None:
        if not self._begun:
            await self._begin()
        await self._tell(_LAST_BYTE)
        trailers = [(b"grpc-status", b"%d" % status)]
        if why:
            trailers.append((b"grpc-message", quote(why, safe=_PRINTABLE).encode()))
        await self._tell({"type": "http.response.trailers", "headers": trailers, "more_trailers": False})

    async def _tell(self, event: Mapping[str, Any]) -> None:
        try:
            await self._send(event)
        except OSError:  # ASGI: the stream is closed
            raise EnvoyGone from None
