"""The real clients and servers by name, and their ledgers."""

import base64
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from plain import NO_AUTHORITY, PATIENCE
from stack.clients.faces import Connect
from stack.clients.node_client import node_client
from stack.clients.python_client import python_client, python_sse_client
from stack.processes import NODE_FOLDER, PYTHON, node_or_skip, running

__all__ = ["CANARIES", "CLIENTS", "MODERN", "SSE_CLIENTS", "Server", "canary", "everything", "filesystem"]

MODERN: Final = "2026-07-28"

CLIENTS: Final[dict[str, Connect]] = {
    "python-legacy": python_client("legacy"),
    "python-auto": python_client("auto"),
    "python-modern": python_client(MODERN),
    "ts-v1": node_client("client-v1.mjs"),
    "ts-v2-legacy": node_client("client-v2.mjs", mode="legacy"),
    "ts-v2-auto": node_client("client-v2.mjs", mode="auto"),
    "ts-v2-modern": node_client("client-v2.mjs", mode=MODERN),
}
"""Clients over Streamable HTTP. Those named modern speak only to a server of that era."""

SSE_CLIENTS: Final[dict[str, Connect]] = {
    "python-sse": python_sse_client(),
    "ts-v1-sse": node_client("client-v1.mjs", sse=True),
}
"""Clients over HTTP+SSE."""

CANARIES: Final = ("python", "ts-v1", "ts-v2")
"""U-py (both eras, sessions), U-ts (legacy, sessions), and the v2 SDK (both eras, no sessions)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running server: where it answers, and its control port where it is a canary."""

    url: str
    control: str = ""
    sse_url: str = ""
    pid: int = 0

    async def _control(self, method: str, path: str) -> Any:
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE) as http:
            answer = await http.request(method, f"{self.control}/{path}")
            answer.raise_for_status()
            return answer.json()

    async def ledger(self) -> dict[str, Any]:
        """``executions``, ``requests`` (bodies as bytes) and ``cancelled`` since the start or the last ``forget``."""
        told = await self._control("GET", "ledger")
        for request in told["requests"]:
            request["body"] = base64.b64decode(request["body"])
        return told

    async def executed(self) -> list[str]:
        """The names of what ran, in order."""
        return [each["name"] for each in (await self.ledger())["executions"]]

    async def release(self, key: str) -> None:
        """Let one waiting step of ``key`` go on."""
        await self._control("POST", f"release/{key}")

    async def cancelled(self, key: str) -> None:
        """Wait until a call that waited for ``key`` is cancelled."""
        await self._control("GET", f"cancelled/{key}")

    async def forget(self) -> None:
        await self._control("POST", "forget")


@asynccontextmanager
async def canary(name: str) -> AsyncIterator[Server]:
    """One canary server of CANARIES."""
    if name == "python":
        argv = [PYTHON, "-m", "stack.servers.python_server"]
    else:
        argv = [node_or_skip(), str(NODE_FOLDER / f"server-{name.removeprefix('ts-')}.mjs")]
    async with running(argv) as child:
        yield Server(**child.ready)


@asynccontextmanager
async def everything(transport: str = "streamableHttp") -> AsyncIterator[Server]:
    """@modelcontextprotocol/server-everything over ``streamableHttp`` or ``sse``, held to loopback."""
    script = NODE_FOLDER / "node_modules/@modelcontextprotocol/server-everything/dist/index.js"
    argv = [node_or_skip(), "--import", str(NODE_FOLDER / "loopback.mjs"), str(script), transport]
    async with running(argv, environ={"PORT": "0"}) as child:
        base = f"http://127.0.0.1:{child.ready['port']}"
        yield Server(url=f"{base}/mcp", sse_url=f"{base}/sse", pid=child.ready["pid"])


def filesystem(folder: Path) -> AbstractAsyncContextManager[Server]:
    """@modelcontextprotocol/server-filesystem on ``folder``, behind the stdio bridge."""
    script = NODE_FOLDER / "node_modules/@modelcontextprotocol/server-filesystem/dist/index.js"

    @asynccontextmanager
    async def bridged() -> AsyncIterator[Server]:
        async with running([node_or_skip(), str(NODE_FOLDER / "bridge.mjs"), str(script), str(folder)]) as child:
            yield Server(**child.ready)

    return bridged()
