"""A worker and a real Envoy in front of any upstream, and what became of each request: answered, recorded, run."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

from attacks import site as sites
from attacks.faults import Worker, worker
from attacks.json_bodies import Body
from attacks.rig import DENIED_TOOL, LEGACY, MODERN, Heard, mirrored, send
from attacks.site import Site, site
from extproc.demo.proxy import Chain
from stack.calls import until
from stack.counterparts import canary
from stack.servers.recorder import Arrival, Raw, json_reply, raw_server

__all__ = ["AT_ONCE", "Judged", "judged"]

AT_ONCE: Final = 16
POLICY: Final = (
    sites.POLICY.replace(
        "      run_shell:",
        "      multi: {verb: calls, calls: {tool: calls.*.name, arguments: calls.*.arguments}}\n"
        "      call_tool: {verb: calls, calls: {tool: name, arguments: arguments}}\n"
        "      relay:\n"
        "        verb: calls\n"
        "        calls:\n"
        "          tool: request.@json.params.name\n"
        "          arguments: request.@json.params.arguments\n"
        "          fixed: {request.@json.method: tools/call, request.@json.jsonrpc: '2.0'}\n"
        "          other: [request.@json.id]\n"
        "      caf\u00e9: {verb: query}\n"
        "      run_shell:",
    )
    .replace("tools: [echo, get_customer]", "tools: [echo, get_customer, caf\u00e9]")
    .replace(
        "      - {servers: [sales-db], prompts",
        "      - {servers: [sales-db], tools: [multi, call_tool, relay]}\n      - {servers: [sales-db], prompts",
    )
    .replace("limits:", "deny: [{name: no-shell, servers: ['*'], tools: [run_shell]}]\nlimits:")
)


async def same_id(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """Answer under the id of the request, digit by digit."""
    await arrival.complete.wait()
    found = re.search(rb'"id": ?("[^"]*"|[^,}]*)', arrival.body)
    wanted = found[1] if found else b"1"
    await json_reply(b'{"jsonrpc":"2.0","id":' + wanted + b',"result":{"content":[]}}')(arrival, writer)


class Judged:
    """One worker and Envoy in front of one upstream, and what became of each request."""

    def __init__(self, running: Site, working: Worker, kind: str) -> None:
        self.site, self.worker, self.kind = running, working, kind
        self.session: dict[str, dict[str, str]] = {}

    async def post(self, body: Body) -> Heard:
        version = MODERN if body.modern else LEGACY
        headers = {
            "content-type": body.content_type,
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": version,
        }
        headers |= {} if body.modern else await self.session_of(body.who)
        if body.modern:
            headers["mcp-method"] = body.method
            if body.name is not None:
                headers["mcp-name"] = mirrored(body.name)
        return await send(self.site.http, self.site.gateway.url, body.raw, **headers, **self.site.bearer(body.who))

    async def session_of(self, who: str) -> dict[str, str]:
        """The header of a legacy session, which only the SDKs want."""
        if self.kind == "raw":
            return {}
        if who not in self.session:
            self.session[who] = {"mcp-session-id": await self.site.session(who)}
        return self.session[who]

    async def all(self, bodies: Iterable[Body], *, at_once: int = AT_ONCE) -> list[Heard]:
        """Send every body, so many ``at_once``; the answers in their order."""
        for who in ("alice", "carol"):
            await self.session_of(who)
        await self.forget()
        turn, in_session = asyncio.Semaphore(at_once), asyncio.Lock()

        async def one(body: Body) -> Heard:
            # two open requests of one session with one id: an SDK server answers only one of them
            alone = in_session if self.kind != "raw" and not body.modern else turn
            async with alone:
                if at_once == 1:
                    await until(self.reachable)
                return await self.post(body)

        return await asyncio.gather(*(one(each) for each in bodies))

    async def reachable(self) -> bool:
        """Whether Envoy has a worker to ask."""
        return await self.site.gateway.stat("cluster.mcp_extproc.membership_healthy") > 0

    async def forget(self) -> None:
        # the worker shares its event loop with the test: after a heavy message Envoy may hold it for hung
        await until(self.reachable)
        self.worker.journal.kept.clear()
        if self.kind == "raw":
            self.site.upstream.requests.clear()
            self.site.upstream.received = 0
        else:
            await self.site.upstream.forget()

    def effects(self) -> list[str]:
        return [each["effect"] for each in self.decisions()]

    def decisions(self) -> list[Mapping[str, Any]]:
        return [each for each in self.worker.journal.kept if each["kind"] == "decision"]

    async def arrived(self) -> list[bytes]:
        """The bodies that reached the upstream."""
        if self.kind == "raw":
            return [bytes(each.body) for each in self.site.upstream.requests]
        return [each["body"] for each in (await self.site.upstream.ledger())["requests"]]

    def digest(self, arguments: Any) -> str | None:
        return self.worker.digests.of(arguments) if arguments else None

    async def check(self) -> None:
        """O1: what arrived, and what ran, are exactly calls with an allow record of the same tool and arguments."""
        allowed = {
            (each["targets"][0]["name"], each["arguments_digest"])
            for each in self.decisions()
            if each["effect"] == "allow"
        }
        for raw in await self.arrived():
            message = json.loads(raw)
            if message["method"] == "tools/call":
                params = message["params"]
                assert (params["name"], self.digest(params.get("arguments"))) in allowed, raw[:500]
        if self.kind != "raw":
            executed = await self.site.upstream.executed()
            assert DENIED_TOOL not in executed
            assert len(executed) <= self.effects().count("allow")


@asynccontextmanager
async def judged(chain: Chain, kind: str, folder: Path) -> AsyncIterator[Judged]:
    """In front of ``raw`` (the recorder) or of a canary by its name."""
    async with AsyncExitStack() as stack:
        upstream: Any = await stack.enter_async_context(raw_server() if kind == "raw" else canary(kind))
        if isinstance(upstream, Raw):
            upstream.script = same_id
        working = await stack.enter_async_context(worker(folder / "worker"))
        options: Any = {"processors": [working.address]}
        running = await stack.enter_async_context(site(chain, upstream, folder / "gateway", **options))
        working.follow(POLICY, running.gateway)
        yield Judged(running, working, kind)
