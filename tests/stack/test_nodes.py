"""What is decided on one node holds on the other, and who is put out is out of every stream of every worker."""

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from extproc.edges.console.local_approvers import LocalApprovers
from extproc.office import LOCAL_APPROVERS
from postgres import postgres_server
from stack.answering import humans
from stack.calls import LEGACY, PATIENCE, Site, client, executed, extproc, site, tool, until
from stack.gateway import Gateway, Issuer
from stack.servers.recorder import Arrival, Raw, echoes, raw_server, sse

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: AUDIENCE, jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {echo: {verb: query}, drop_table: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants:
      - {servers: [sales-db], verbs: [query]}
      - {servers: [sales-db], verbs: [admin], approval: schema-change}
approvals:
  schema-change: {approvers: {groups: [dba]}, hold: 20s}
"""
ONE: Final = POLICY.replace("AUDIENCE", '"{audience}"')
NEWS: Final = b'data: {"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n\n'


# --- open streams -----------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Listening:
    """One open event stream: what came so far, and when it ended (seconds of the monotonic clock)."""

    heard: bytearray = field(default_factory=bytearray)
    opened: asyncio.Event = field(default_factory=asyncio.Event)
    ended_at: float = 0.0

    async def follow(self, http: httpx.AsyncClient, gateway: Gateway, token: str) -> None:
        headers = {"accept": "text/event-stream", "authorization": f"Bearer {token}", "mcp-protocol-version": LEGACY}
        try:
            async with http.stream("GET", gateway.url, headers=headers) as answer:
                assert answer.status_code == 200
                async for chunk in answer.aiter_raw():
                    self.heard += chunk
                    self.opened.set()
        except httpx.HTTPError:
            pass
        self.ended_at = time.monotonic()


@asynccontextmanager
async def streams(gateway: Gateway, subjects: dict[str, int]) -> AsyncIterator[dict[str, list[Listening]]]:
    """So many open streams of each subject."""
    found: dict[str, list[Listening]] = {subject: [] for subject in subjects}
    limits = httpx.Limits(max_connections=None)
    async with client(limits=limits) as http, asyncio.TaskGroup() as following:
        http.timeout = httpx.Timeout(None)
        tasks = []
        for subject, number in subjects.items():
            token = gateway.token(subject, groups=["analysts"])
            for _ in range(number):
                listening = Listening()
                found[subject].append(listening)
                tasks.append(following.create_task(listening.follow(http, gateway, token)))
        async with asyncio.timeout(PATIENCE):
            for each in (listening for some in found.values() for listening in some):
                await each.opened.wait()
        yield found
        for task in tasks:
            task.cancel()


def telling(more: asyncio.Event) -> Any:
    """A stream that says that it is there, and its news when ``more`` is set."""

    async def later(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await sse(b": here\n\n", more, NEWS)(arrival, writer)

    return later


async def test_a_revoked_subject_is_out_of_all_his_streams_on_every_worker(tmp_path, capsys) -> None:
    more = asyncio.Event()
    async with raw_server() as upstream, site("one-message", upstream.url, tmp_path, policy=ONE, workers=4) as stand:
        upstream.script = telling(more)
        async with streams(stand.gateway, {"ada": 100, "bob": 4}) as opened:
            await extproc("revoke", "--subject", "ada", "--reason", "left", "--state", str(stand.gateway.state))
            returned = time.monotonic()
            await until(lambda: all(each.ended_at for each in opened["ada"]))
            more.set()
            await until(lambda: all(each.ended_at for each in opened["bob"]))
            assert all(NEWS in each.heard for each in opened["bob"])
            assert not any(NEWS in each.heard for each in opened["ada"])
            late = max(each.ended_at for each in opened["ada"]) - returned
            with capsys.disabled():
                sys.stdout.write(
                    f"\n100 streams on 4 workers: the last was cut {late * 1000:+.0f} ms from the command's return\n"
                )


# --- two nodes ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Nodes:
    """Two gateways on one PostgreSQL, in front of one server."""

    a: Gateway
    b: Gateway
    place: str
    url_file: Path
    upstream: Raw

    def state(self, gateway: Gateway) -> list[str]:
        """The options by which the command line finds a node."""
        return ["--state", str(gateway.state), "--store-url", str(self.url_file)]


@pytest.fixture
async def nodes(tmp_path: Path) -> AsyncIterator[Nodes]:
    async with AsyncExitStack() as stack:
        place = stack.enter_context(postgres_server()).database()
        url_file = tmp_path / "store-url"
        url_file.write_text(f"{place}\n")
        upstream = await stack.enter_async_context(raw_server())
        upstream.script = echoes({"content": [], "resultType": "complete"})
        issuer = Issuer()
        both = [
            Gateway(
                chain="one-message",
                upstream=upstream.url,
                folder=tmp_path / name,
                policy=POLICY,
                issuer=issuer,
                settings={"EXTPROC_STORE_URL": str(url_file), "EXTPROC_NODE": name},
            )
            for name in ("a", "b")
        ]
        for gateway in both:
            # one text, because an approval is for one policy
            gateway.policy = POLICY.replace("AUDIENCE", json.dumps([each.url for each in both]))
            await stack.enter_async_context(gateway)
        yield Nodes(*both, place, url_file, upstream)


async def test_an_approval_on_one_node_runs_the_call_that_waits_on_the_other_once(nodes: Nodes) -> None:
    secret = LocalApprovers(nodes.b.state / LOCAL_APPROVERS).add("dan", groups=["dba"])
    async with client() as http, humans(nodes.place) as people:
        at_a, at_b = Site(gateway=nodes.a, http=http), Site(gateway=nodes.b, http=http)
        calls = [tool("drop_table", table="orders") for _ in range(20)]
        held = [asyncio.create_task((at_a, at_b)[number % 2].post(call)) for number, call in enumerate(calls)]
        shown = await people.one('{"table":"orders"}')
        assert executed(nodes.upstream) == []
        options = ["--as", "dan", "--secret", secret, "--reason", "seen", *nodes.state(nodes.b)]
        await extproc("approvals", "approve", shown.id, *options)
        heard = await asyncio.gather(*held)
        assert sum(each.allowed for each in heard) == 1
        assert len(executed(nodes.upstream)) == 1
        (ran,) = nodes.upstream.requests
        assert json.loads(ran.body)["params"]["arguments"] == {"table": "orders"}


async def test_a_revocation_on_one_node_puts_out_on_the_other(nodes: Nodes, capsys) -> None:
    more = asyncio.Event()
    nodes.upstream.script = telling(more)
    async with client() as http, humans(nodes.place) as people, streams(nodes.a, {"ada": 8, "bob": 2}) as opened:
        at_a = Site(gateway=nodes.a, http=http)
        held = asyncio.create_task(at_a.post(tool("drop_table", table="orders")))
        await people.one('{"table":"orders"}')
        await extproc("revoke", "--subject", "ada", "--reason", "left", *nodes.state(nodes.b))
        returned = time.monotonic()
        await until(lambda: all(each.ended_at for each in opened["ada"]))
        late = max(each.ended_at for each in opened["ada"]) - returned
        assert (await held).status == 401
        assert (await at_a.post(tool("echo"))).status == 401
        more.set()
        await until(lambda: all(each.ended_at for each in opened["bob"]))
        assert all(NEWS in each.heard for each in opened["bob"])
        assert not any(NEWS in each.heard for each in opened["ada"])
        assert all(b"drop_table" not in each.body for each in nodes.upstream.requests)
        with capsys.disabled():
            sys.stdout.write(
                f"\nanother node: the last stream was cut {late * 1000:+.0f} ms from the command's return\n"
            )
