"""One gateway in front of one upstream, as several callers use it.

``alice`` and ``bob`` are analysts; ``carol`` is a steward who has everything, ``dave`` may deploy to staging alone, and
``eve`` has a valid token and no role. Every answer is kept whole.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx

from attacks import rig
from attacks.rig import Heard, call, headers_of, records, send
from attacks.streams import Stream, stream
from extproc.demo.proxy import Chain
from plain import NO_AUTHORITY, PATIENCE
from stack.gateway import Gateway

__all__ = ["GROUPS", "POLICY", "Site", "ask_raw", "handshake", "site"]

GROUPS: Final = {
    "alice": ["data-analysts"],
    "bob": ["data-analysts"],
    "carol": ["data-stewards"],
    "dave": ["deployers"],
    "eve": [],
}
POLICY: Final = rig.POLICY.replace("      run_shell:", "      deploy: {verb: mutate}\n      run_shell:").replace(
    "limits:",
    """\
  steward:
    assigned_to: {groups: [data-stewards]}
    grants: [{servers: [sales-db]}]
  deployer:
    assigned_to: {groups: [deployers]}
    grants: [{servers: [sales-db], tools: [deploy], when: arguments.target == "staging"}]
limits:""",
)
LEGACY: Final = {"mcp-protocol-version": "2025-06-18"}
EVENTS: Final = LEGACY | {"accept": "text/event-stream"}


def handshake() -> dict[str, Any]:
    """An ``initialize`` request."""
    told = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    return call("initialize", modern=False, **told)


@dataclass(slots=True)
class Site:
    """``upstream`` is what stands behind: a recorder, or a canary."""

    gateway: Gateway
    upstream: Any
    http: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)
    mode: str = "envoy"
    """Who verifies tokens: Envoy, or the service itself."""
    other: Any = None
    """A second token issuer, where the policy trusts two."""

    def bearer(self, who: str) -> dict[str, str]:
        if who not in self.tokens:
            self.tokens[who] = self.gateway.token(who, groups=GROUPS.get(who, []))
        return {"authorization": f"Bearer {self.tokens[who]}"}

    async def post(
        self, who: str, message: Mapping[str, Any], *, modern: bool = False, url: str | None = None, **headers: str
    ) -> Heard:
        """One POST; underscores in ``headers`` stand for dashes."""
        sent = headers_of(message, modern=modern) | self.bearer(who) | dashed(headers)
        return await send(self.http, url or self.gateway.url, encoded(message), **sent)

    async def bodiless(self, method: str, who: str, *, url: str | None = None, **headers: str) -> Heard:
        """A GET or DELETE, read to its end."""
        sent = EVENTS | self.bearer(who) | dashed(headers)
        return await send(self.http, url or self.gateway.url, method=method, **sent)

    def listen(self, who: str, *, url: str | None = None, **headers: str) -> AbstractAsyncContextManager[Stream]:
        """A GET, read event by event."""
        sent = EVENTS | self.bearer(who) | dashed(headers)
        return stream(self.http, url or self.gateway.url, sent)

    def converse(
        self, who: str, message: Mapping[str, Any], *, modern: bool = False, **headers: str
    ) -> AbstractAsyncContextManager[Stream]:
        """A POST, read event by event."""
        sent = headers_of(message, modern=modern) | self.bearer(who) | dashed(headers)
        return stream(self.http, self.gateway.url, sent, encoded(message))

    async def session(self, who: str) -> str:
        """The handle of a new session."""
        heard = await self.post(who, handshake())
        assert heard.status == 200, heard
        return heard.headers["mcp-session-id"]

    def decisions(self, **wanted: Any) -> list[dict[str, Any]]:
        """The stored decisions with these members."""
        found = records(self.gateway.state, "decision")
        return [each for each in found if all(each.get(name) == value for name, value in wanted.items())]

    async def outcome(self, **wanted: Any) -> dict[str, Any]:
        """The stored outcome of the latest decision with these members; it is written once the client has it all."""
        latest = self.decisions(**wanted)[-1]["decision"]
        async with asyncio.timeout(PATIENCE):
            while True:
                for each in records(self.gateway.state, "outcome"):
                    if each["decision"] == latest:
                        return each
                await self.post("bob", call("ping", modern=False))


def dashed(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def encoded(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message).encode()


async def ask_raw(gateway: Gateway, *lines: bytes, body: bytes = b"", method: bytes = b"POST") -> bytes:
    """One request byte for byte on a connection of its own; the answer, empty where there was none."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = [method + b" /mcp HTTP/1.1", b"host: 127.0.0.1:%d" % gateway.port, b"connection: close", *lines]
    if body:
        head += [b"content-type: application/json", b"content-length: %d" % len(body)]
    try:
        writer.write(b"\r\n".join([*head, b"", b""]) + body)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.readuntil(b"\r\n\r\n")
            length = re.search(rb"(?i)content-length: (\d+)", answer)
            # Envoy keeps a connection that it refused open for a second: so not to the end
            return answer + (await reader.readexactly(int(length[1])) if length else await reader.read())
    except (asyncio.IncompleteReadError, ConnectionError):
        return b""
    finally:
        writer.close()


@asynccontextmanager
async def site(chain: Chain, upstream: Any, folder: Path, **options: Any) -> AsyncIterator[Site]:
    """A gateway of ``chain`` in front of ``upstream``; ``policy`` is among the options."""
    url = upstream.url
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=64)
    async with (
        Gateway(chain=chain, upstream=url, folder=folder, **options) as gateway,
        httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE, limits=limits) as http,
    ):
        yield Site(gateway=gateway, upstream=upstream, http=http)
