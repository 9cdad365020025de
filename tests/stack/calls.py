"""Calls as honest clients write them, what came back for each, and what was recorded of it.

::

    async with raw_server() as upstream, site(chain, upstream.url, folder, policy=POLICY) as running:
        heard = await running.post(tool("echo"))
        assert (await running.outcome(heard.id))["result"] == "complete"

Every call of a run has an id of its own, so an event of the journal belongs to one call.
"""

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx

from extproc.demo.proxy import Chain
from plain import NO_AUTHORITY, PATIENCE
from stack.gateway import Gateway
from stack.servers.recorder import Raw
from warm import ran

__all__ = [
    "LEGACY",
    "MODERN",
    "Heard",
    "Site",
    "client",
    "events",
    "everywhere",
    "executed",
    "extproc",
    "request",
    "site",
    "tool",
    "until",
]

T = TypeVar("T")

MODERN: Final = "2026-07-28"
LEGACY: Final = "2025-06-18"
PAUSE: Final = 0.02
IN_A_ROW: Final = 8

_ids = itertools.count(1)
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def request(method: str, *, modern: bool = True, **params: Any) -> dict[str, Any]:
    """A request with an id that no other one has."""
    if modern:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return {"jsonrpc": "2.0", "id": next(_ids), "method": method, "params": params}


def tool(name: str, *, modern: bool = True, **arguments: Any) -> dict[str, Any]:
    """A call of a tool."""
    return request("tools/call", modern=modern, name=name, arguments=arguments)


def headers_of(message: Mapping[str, Any]) -> dict[str, str]:
    """The headers that belong to ``message``, of the era it is of."""
    found = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    params = message.get("params", {})
    if "_meta" not in params:
        return found | {"mcp-protocol-version": LEGACY}
    found |= {"mcp-protocol-version": MODERN, "mcp-method": message["method"]}
    named = _NAMED.get(message["method"])
    return found if named is None else found | {"mcp-name": params[named]}


async def until(check: Callable[[], T | Awaitable[T]]) -> T:
    """The first true value of ``check``, asked again and again."""
    deadline = time.monotonic() + PATIENCE
    while True:
        found = check()
        value: Any = await found if isinstance(found, Awaitable) else found
        if value:
            return value
        assert time.monotonic() < deadline, f"did not come within {PATIENCE} s"
        await asyncio.sleep(PAUSE)


async def everywhere(check: Callable[[], Awaitable[bool]]) -> None:
    """Wait until ``check`` holds many times one after the other, so that each worker has said so."""
    in_a_row = 0

    async def once() -> bool:
        nonlocal in_a_row
        in_a_row = in_a_row + 1 if await check() else 0
        return in_a_row == IN_A_ROW

    await until(once)


def events(state: Path, *kinds: str, **members: Any) -> list[dict[str, Any]]:
    """The whole events in every journal below ``state`` with these kinds and members, in order of their time."""
    found = [
        json.loads(line)["event"]
        for file in (state / "journal").rglob("*.jsonl")
        for line in file.read_bytes().split(b"\n")[:-1]
    ]
    chosen = [
        each
        for each in found
        if (not kinds or each["kind"] in kinds) and all(each.get(name) == value for name, value in members.items())
    ]
    return sorted(chosen, key=lambda each: each["at"])


async def extproc(*words: str) -> str:
    """What the command line says; it must end with 0."""
    status, output, complaints = await ran(*words)
    assert status == 0, (output, complaints)
    return output


def executed(upstream: Raw) -> list[int]:
    """The ids of what reached the server."""
    return sorted(json.loads(each.body)["id"] for each in upstream.requests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Every byte that came back; status 0 where nothing did, ``cut`` where it ended too early."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        """The JSON-RPC error that this must be."""
        assert not self.cut
        assert self.headers["content-type"] == "application/json"
        assert self.message["jsonrpc"] == "2.0"
        return self.message["error"]

    @property
    def allowed(self) -> bool:
        """Whether it is a result that is none of a refusal."""
        message = self.message
        return self.status == 200 and "result" in message and message["result"].get("isError") is not True


@dataclass(slots=True)
class Site:
    """A gateway and a client in front of it; ``ada`` is an analyst."""

    gateway: Gateway
    http: httpx.AsyncClient
    http2: bool = False
    tokens: dict[str, str] = field(default_factory=dict)

    def headers(self, message: Mapping[str, Any], who: str = "ada") -> dict[str, str]:
        if who not in self.tokens:
            self.tokens[who] = self.gateway.token(who, groups=["analysts"])
        return headers_of(message) | {"authorization": f"Bearer {self.tokens[who]}"}

    async def post(
        self,
        message: Mapping[str, Any],
        *,
        who: str = "ada",
        content: bytes | AsyncIterable[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Heard:
        """One POST, read to its end; ``content`` is sent in the place of ``message``."""
        status, headers, kept = 0, {}, bytearray()
        try:
            async with self.stream(message, who=who, content=content, more=more) as answer:
                status, headers = answer.status_code, dict(answer.headers)
                async for chunk in answer.aiter_raw():
                    kept += chunk
        except httpx.HTTPError:
            return Heard(status=status, headers=headers, body=bytes(kept), cut=True)
        return Heard(status=status, headers=headers, body=bytes(kept))

    def stream(
        self,
        message: Mapping[str, Any],
        *,
        who: str = "ada",
        content: bytes | AsyncIterable[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> AbstractAsyncContextManager[httpx.Response]:
        """One POST whose answer the caller reads."""
        body = json.dumps(message).encode() if content is None else content
        return self.http.stream(
            "POST", self.gateway.url, content=body, headers=self.headers(message, who) | (more or {})
        )

    def decision(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The one event of the decision on ``message``."""
        (found,) = events(self.gateway.state, "decision", id=message["id"])
        return found

    async def outcome(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """The one event of the response to ``message``, once it is there: it is written behind the last byte."""
        wanted = self.decision(message)["decision"]
        (found,) = await until(lambda: events(self.gateway.state, "outcome", decision=wanted))
        return found

    async def metrics(self) -> str:
        """The page for Prometheus."""
        return (await self._look("metrics")).text

    async def metric(self, sample: str) -> float:
        """One sample by its name and labels as the page writes them, 0 where it is not there."""
        lines = (line.rpartition(" ") for line in (await self.metrics()).splitlines() if not line.startswith("#"))
        return next((float(value) for name, _, value in lines if name == sample), 0.0)

    async def readiness(self) -> tuple[int, Any]:
        """Status and body of the readiness page."""
        answer = await self._look("readyz")
        return answer.status_code, answer.json()

    async def _look(self, page: str) -> httpx.Response:
        async with client() as http:
            return await http.get(self.gateway.metrics.replace("metrics", page))


@asynccontextmanager
async def site(
    chain: Chain, upstream: str, folder: Path, *, http2: bool = False, **options: Any
) -> AsyncIterator[Site]:
    """A gateway of ``chain`` in front of ``upstream``; ``policy`` is among the options."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=100)
    async with (
        Gateway(chain=chain, upstream=upstream, folder=folder, **options) as gateway,
        client(http2=http2, limits=limits) as http,
    ):
        yield Site(gateway=gateway, http=http, http2=http2)


def client(*, http2: bool = False, **options: Any) -> httpx.AsyncClient:
    """A client of HTTP/1.1, or of HTTP/2 in the clear with prior knowledge."""
    return httpx.AsyncClient(
        trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE, http1=not http2, http2=http2, **options
    )
