"""What one event of a stream takes from its server to its client: ``python bench/events.py PORT`` is the server.

The server writes the time into each event, and the client, on the same machine and so with the same clock, takes the
difference. Events come one at a time with a pause between, as progress of a tool does.
"""

import asyncio
import http.client
import json
import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

__all__ = ["EVENTS", "Passage", "passage"]

EVENTS: Final = 100
PAUSE_SECONDS: Final = 0.01
_SENT: Final = "sent at "
_LETTERS: Final = str.maketrans("0123456789", "abcdefghij")
"""A time in digits is a credit card's number every tenth time, and masked."""
_DIGITS: Final = str.maketrans("abcdefghij", "0123456789")
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """How long events were on their way, in milliseconds."""

    p50_ms: float
    p99_ms: float


def passage(url: str, headers: dict[str, str], body: bytes) -> Passage:
    """Make one call that is answered by a stream, and time each of its events.

    Raises:
        ValueError: the stream did not bring them all.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    connection.request("POST", parts.path, body, headers)
    answer, taken = connection.getresponse(), []
    while line := answer.readline():
        _, found, sent = line.decode().partition(_SENT)
        if found:
            taken.append((time.monotonic_ns() - int(sent.partition(" ")[0].translate(_DIGITS))) / 1e6)
    connection.close()
    if len(taken) != EVENTS:
        raise ValueError(f"{len(taken)} of {EVENTS} events came, with status {answer.status}")
    return Passage(p50_ms=statistics.median(taken), p99_ms=statistics.quantiles(taken, n=100)[98])


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
    await reader.readexactly(int(length.partition(b":")[2]))
    writer.write(_HEAD)
    for number in range(EVENTS):
        await asyncio.sleep(PAUSE_SECONDS)
        words = f"{_SENT}{str(time.monotonic_ns()).translate(_LETTERS)} of customer.{number}@example.com"
        _tell(writer, {"method": "notifications/progress", "params": _progress(number, words)})
        await writer.drain()
    _tell(writer, {"id": 1, "result": {"resultType": "complete", "content": [{"type": "text", "text": "done"}]}})
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    writer.close()


def _progress(number: int, words: str) -> dict[str, Any]:
    return {"progressToken": 1, "progress": number, "total": EVENTS, "message": words}


def _tell(writer: asyncio.StreamWriter, message: dict[str, Any]) -> None:
    event = b"event: message\ndata: %b\n\n" % json.dumps({"jsonrpc": "2.0", **message}).encode()
    writer.write(b"%x\r\n%b\r\n" % (len(event), event))


async def main() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
