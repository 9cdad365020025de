"""Server-sent events, framed over bytes that may be cut anywhere.

An ``EventReader`` takes chunks and gives whole events; lines end at CR, LF or CRLF and at nothing else, also where a
chunk ends between the two. It holds one event at most, reads each byte once, and never raises: an event that is too
large or is not UTF-8 is a ``Fault``, and nothing comes after it. An event that the stream's end cuts off is dropped, as
every client does. https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import msgspec

from extproc.core.limits import MAX_SSE_EVENT_BYTES

__all__ = ["Event", "EventReader", "Fault", "encode", "ends_a_line"]

_BOM: Final = b"\xef\xbb\xbf"
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_RETRY: Final = re.compile(rb"[0-9]{1,7}")
"""At most some hours; a longer number is no time to wait, and may well be something else (threat R06)."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """What stands before one blank line, or one comment.

    ``data`` is None without a data line, so that the client's own state (``id``, ``retry``) is set and nothing is
    dispatched. ``type`` is empty where the stream names none; ``id`` is None where the event leaves the last one
    alone. A comment keeps a connection alive; what it says is not kept.
    """

    type: str = ""
    data: bytes | None = None
    id: str | None = None
    retry: int | None = None
    comment: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Why a stream cannot be read on."""

    reason: str


_COMMENT: Final = Event(comment=True)


@dataclass(slots=True)
class EventReader:
    """An incremental reader of one stream."""

    _line: bytearray = field(default_factory=bytearray)
    _fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    _size: int = 0
    _first: bool = True
    _after_cr: bool = False
    _poisoned: bool = False

    @property
    def held(self) -> int:
        """How many bytes of an event that is not complete are here."""
        return self._size + len(self._line)

    def feed(self, chunk: bytes) -> tuple[Event | Fault, ...]:
        """Take the next bytes and give the events that they complete."""
        return tuple(self._read(chunk))

    def finish(self) -> tuple[Event | Fault, ...]:
        """Take the end of the stream; what it cuts off is no event."""
        self._poisoned = True
        return ()

    def _read(self, chunk: bytes) -> Iterator[Event | Fault]:
        if self._poisoned or not chunk:
            return
        start = 1 if self._after_cr and chunk.startswith(b"\n") else 0
        self._after_cr = chunk.endswith(b"\r")
        for end in _LINE_END.finditer(chunk, start):
            if self._size + len(self._line) + end.start() - start > MAX_SSE_EVENT_BYTES:
                yield self._fault("event_too_large")
                return
            self._line += chunk[start : end.start()]
            start = end.end()
            line = bytes(self._line)
            self._line.clear()
            outcome = self._take(line)
            if outcome is not None:
                yield outcome
            if isinstance(outcome, Fault):
                return
        self._line += chunk[start:]
        if self._size + len(self._line) > MAX_SSE_EVENT_BYTES:
            yield self._fault("event_too_large")

    def _take(self, line: bytes) -> Event | Fault | None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        if line.startswith(b":"):
            return _COMMENT
        name, _, value = line.partition(b":")
        self._fields.append((name, value.removeprefix(b" ")))
        # a line costs more memory than its bytes
        self._size += len(line) + 64
        return None

    def _dispatch(self) -> Event | Fault | None:
        fields, self._fields, self._size = self._fields, [], 0
        try:
            return _interpreted(fields)
        except UnicodeDecodeError:
            return self._fault("not_utf8")

    def _fault(self, reason: str) -> Fault:
        self._poisoned = True
        self._line.clear()
        self._fields.clear()
        return Fault(reason=reason)


def ends_a_line(chunk: bytes) -> bool:
    """Whether a line ends in these bytes, and with it perhaps an event."""
    return b"\n" in chunk or b"\r" in chunk


def encode(event: Event) -> bytes:
    """Write an event as lines of its own, so that a reader gets the same event back."""
    if event.comment:
        return b":\n\n"
    lines = []
    if event.type:
        lines.append(b"event: " + event.type.encode())
    if event.id is not None:
        lines.append(b"id: " + event.id.encode())
    if event.retry is not None:
        lines.append(b"retry: %d" % event.retry)
    if event.data is not None:
        lines += [b"data: " + line for line in _LINE_END.split(event.data)]
    return b"\n".join(lines) + b"\n\n"


def _interpreted(fields: list[tuple[bytes, bytes]]) -> Event | None:
    """The event that fields make, None where they are all unknown; raises where one is not UTF-8."""
    event_type, event_id, retry = "", None, None
    data: list[bytes] = []
    for name, value in fields:
        match name:
            case b"data":
                data.append(value)
            case b"event":
                event_type = value.decode()
            case b"id" if b"\0" not in value:
                event_id = value.decode()
            case b"retry" if _RETRY.fullmatch(value):
                retry = int(value)
            case _:
                pass
    joined = b"\n".join(data) if data else None
    if joined is not None:
        joined.decode()
    elif event_id is None and retry is None:
        return None
    return Event(type=event_type, data=joined, id=event_id, retry=retry)
