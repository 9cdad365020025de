"""Event streams as an attacker reads them: event by event, without waiting for the end."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx

from extproc.core.wire import sse
from plain import PATIENCE

__all__ = ["BEFORE_THE_SKEW", "LIFE", "Stream", "event", "stream"]


def event(message: Any, *, id: str = "", type: str = "") -> bytes:  # noqa: A002 - the words of the format
    """One event as a server writes it; ``message`` is JSON, or bytes that stand as they are."""
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    named = "".join(f"{name}: {value}\n" for name, value in (("event", type), ("id", id)) if value)
    return named.encode() + b"data: " + data + b"\n\n"


LIFE: Final = 4
"""Seconds that a token is valid for which a stream is opened, to see it end with that."""
BEFORE_THE_SKEW: Final = 20
"""Until when it has ended: long before the difference of clocks, which a new request is allowed, is over as well."""


@dataclass(slots=True)
class Stream:
    """An open response; ``seen`` is every event so far."""

    status: int
    headers: Mapping[str, str]
    seen: list[sse.Event] = field(default_factory=list)
    raw: bytearray = field(default_factory=bytearray)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, response: httpx.Response) -> None:
        reader = sse.EventReader()
        try:
            async for chunk in response.aiter_raw():
                self.raw += chunk
                found = [each for each in reader.feed(chunk) if isinstance(each, sse.Event)]
                async with self._news:
                    self.seen += found
                    self._news.notify_all()
        except httpx.HTTPError:
            pass
        finally:
            self.ended.set()

    async def wait(self, count: int) -> list[sse.Event]:
        """The events, once there are so many."""
        async with asyncio.timeout(PATIENCE), self._news:
            await self._news.wait_for(lambda: len(self.seen) >= count)
        return self.seen

    async def end(self, within: float = PATIENCE) -> list[Any]:
        """Every JSON message of the stream, once it has ended."""
        async with asyncio.timeout(within):
            await self.ended.wait()
        return self.messages

    @property
    def messages(self) -> list[Any]:
        return [json.loads(each.data) for each in self.seen if each.data.startswith(b"{")]


@asynccontextmanager
async def stream(
    http: httpx.AsyncClient, url: str, headers: Mapping[str, str], body: bytes | None = None
) -> AsyncIterator[Stream]:
    """A GET, or a POST where there is a body; the client goes away at the end."""
    method = "GET" if body is None else "POST"
    async with http.stream(method, url, headers=dict(headers), content=body) as response:
        opened = Stream(status=response.status_code, headers=response.headers)
        reading = asyncio.create_task(opened.read(response))
        try:
            yield opened
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
