"""One face of every MCP client: the same commands, results, errors and events, so that one test body drives all."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from plain import PATIENCE

__all__ = ["Call", "Client", "ClientError", "Connect", "Events"]


class ClientError(Exception):
    """What the SDK raised: its type's name, JSON-RPC code, HTTP status where it told one, message and data."""

    def __init__(self, *, type: str, code: int | str | None, status: int | None, message: str, data: Any) -> None:  # noqa: A002
        super().__init__(f"{type} {code} {status}: {message}")
        self.type = type
        self.code = code
        self.status = status
        self.message = message
        self.data = data


@dataclass(slots=True)
class Events:
    """What the server sent beside results, in order: ``{"event": "progress" | "log" | "updated" | "notification" | "asked", …}``."""

    seen: list[dict[str, Any]] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def add(self, event: dict[str, Any]) -> None:
        async with self._news:
            self.seen.append(event)
            self._news.notify_all()

    async def wait(self, wanted: Callable[[dict[str, Any]], bool], *, within: float = PATIENCE) -> dict[str, Any]:
        """The first event, past or future, that is wanted."""
        async with asyncio.timeout(within), self._news:
            position = 0
            while True:
                for event in self.seen[position:]:
                    if wanted(event):
                        return event
                position = len(self.seen)
                await self._news.wait()


@dataclass(slots=True)
class Call:
    """A command under way: await ``result``, or cancel it as the SDK's user would.

    Its progress events carry ``serial`` as their ``call``.
    """

    serial: int
    result: asyncio.Future[dict[str, Any]]
    cancel: Callable[[], Any]


class Client(Protocol):
    """A connected client. Results are the JSON of the wire, with all pages of a list joined under its key."""

    about: Mapping[str, Any]
    events: Events

    async def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        """The result of one command; raises ClientError. Commands: see ``driver.mjs``."""
        ...

    def start(self, command: str, **parameters: Any) -> Call:
        """The same without waiting for it."""
        ...


class Connect(Protocol):
    """Opens a client: ``async with connect(url, token=…) as client``; raises ClientError when it cannot.

    With ``asked`` it announces sampling, roots and elicitation in both modes, says yes to all, and each request of the
    server is an event ``asked`` with its ``method`` and ``params``.
    """

    def __call__(
        self, url: str, *, token: str | None = None, log_level: str | None = None, asked: bool = False
    ) -> AbstractAsyncContextManager[Client]: ...
