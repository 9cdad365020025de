"""Long, slow, silent and broken streams that are masked, through a real Envoy: nothing raw passes, and no worker grows.

The short variants run in `make test`; `make long-streams` runs 100 MB and half a minute of silence.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from extproc.core.wire.sse import Event, EventReader
from extproc.demo.proxy import CHAINS
from leaks import leaks
from plain import PATIENCE
from stack.calls import Site, site, tool, until
from stack.clients.faces import ClientError
from stack.counterparts import CLIENTS
from stack.processes import needs_node
from stack.servers.recorder import Arrival, Raw, dies, head, json_reply, raw_server, sse

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.stack,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of workers from /proc"),
]

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {echo: {verb: query}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db], verbs: [query], tools: [echo]}]
masking:
  - {name: pii, servers: [sales-db], fields: [{path: "$..pin"}], detect: [email, credit_card, secrets]}
recording: {payloads: none}
"""
MAIL, PIN = "bob.mallory@example.com", "under-the-pin"
WORDS: Final = "all of this was said before and nothing of it is about anybody " * 60
MB: Final = 1 << 20
GROWS: Final = 24 * MB
"""What a worker may take for one stream, however long: buffers of gRPC, one event, and what Python keeps for later."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _upstream() -> AsyncIterator[Raw]:
    async with raw_server() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def mcp(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _upstream: Raw
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    async with site(request.param, _upstream.url, folder, policy=POLICY, workers=1) as running:
        yield running


@pytest.fixture
def upstream(_upstream: Raw) -> Raw:
    _upstream.requests.clear()
    _upstream.faults.clear()
    return _upstream


def note(number: int) -> bytes:
    """An event of about 4 KB with two values in it that must not pass."""
    data = {"row": {"pin": PIN, "to": MAIL, "n": number, "said": WORDS}}
    params = {"level": "info", "data": data}
    return b"data: " + json.dumps({"jsonrpc": "2.0", "method": "notifications/message", "params": params}).encode()


def result(number: int) -> bytes:
    found = {"content": [{"type": "text", "text": f"ask {MAIL}"}], "resultType": "complete"}
    return b"data: " + json.dumps({"jsonrpc": "2.0", "id": number, "result": found}).encode()


def resident(site_: Site) -> int:
    """Bytes of memory of the one worker."""
    assert site_.gateway.service is not None
    supervisor = site_.gateway.service.pid
    children = Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split()
    (worker,) = (each for each in children if Path(f"/proc/{each}/comm").read_text().strip() == "extproc-0")
    status = Path(f"/proc/{worker}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) << 10


class Talker:
    """A server that sends so many events, and counts the bytes that were taken from it."""

    def __init__(self, count: int) -> None:
        self.count, self.sent = count, 0

    async def script(self, arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(head(200, "text/event-stream", (), "transfer-encoding: chunked"))
        for number in range(self.count):
            piece = note(number) + b"\n\n"
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            self.sent += len(piece)
        last = result(json.loads(arrival.body)["id"]) + b"\n\n"
        writer.write(b"%x\r\n%b\r\n0\r\n\r\n" % (len(last), last))
        await writer.drain()


async def events_of(answer: httpx.Response) -> AsyncIterator[Any]:
    reader = EventReader()
    async for chunk in answer.aiter_raw():
        for found in reader.feed(chunk):
            assert isinstance(found, Event)
            if found.data:
                yield json.loads(found.data)


async def hear_all(mcp: Site, upstream: Raw, megabytes: int) -> None:
    count = megabytes * MB // len(note(0))
    await hear(mcp, upstream, 64)  # what a first stream takes is taken
    before = resident(mcp)
    most = await hear(mcp, upstream, count)
    assert most - before < GROWS, f"grew by {(most - before) / MB:.1f} MiB over {megabytes} MB"


async def hear(mcp: Site, upstream: Raw, count: int) -> int:
    """Read so many events, each masked; the most memory that the worker had on the way."""
    message, number, most = tool("echo"), 0, 0
    upstream.script = Talker(count).script
    async with mcp.stream(message) as answer:
        async for said in events_of(answer):
            if "result" in said:
                assert said["result"]["content"][0]["text"] == "ask [email]"
                break
            row = said["params"]["data"]["row"]
            assert (row["pin"], row["to"], row["n"]) == ("[masked]", "[email]", number)
            number += 1
            if number % 64 == 0:
                most = max(most, resident(mcp))
    assert number == count
    return most


async def test_a_stream_of_8_mb_is_masked_at_flat_memory(mcp: Site, upstream: Raw) -> None:
    await hear_all(mcp, upstream, 8)


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_a_stream_of_100_mb_is_masked_at_flat_memory(mcp: Site, upstream: Raw) -> None:
    await hear_all(mcp, upstream, 100)


async def test_a_client_that_does_not_read_holds_the_server_back_and_not_the_worker_up(
    mcp: Site, upstream: Raw
) -> None:
    talker = Talker(32 * MB // len(note(0)))
    upstream.script = talker.script
    before, message = resident(mcp), tool("echo")
    seen, quiet = 0, 0

    def stands() -> bool:
        nonlocal seen, quiet
        quiet = quiet + 1 if talker.sent == seen and seen else 0
        seen = talker.sent
        return quiet == 50

    async with mcp.stream(message) as answer:
        await until(stands)
        assert talker.sent < 24 * MB
        assert resident(mcp) - before < GROWS
        said = [each async for each in events_of(answer)]
    assert len(said) == talker.count + 1
    assert resident(mcp) - before < GROWS
    assert not leaks(json.dumps(said[::200]).encode(), MAIL, PIN)


async def silent_for(mcp: Site, upstream: Raw, seconds: float) -> None:
    message = tool("echo")
    quiet = (lambda: asyncio.sleep(seconds),)  # the server's silence is what is tried
    upstream.script = sse(note(0) + b"\n\n", *quiet, result(message["id"]) + b"\n\n")
    mcp.http.timeout = httpx.Timeout(PATIENCE + seconds)
    heard = await mcp.post(message)
    assert not heard.cut
    assert heard.body.count(b"data: ") == 2
    assert not leaks(heard.body[:600] + heard.body[-600:], MAIL, PIN)


async def test_a_stream_may_be_silent_longer_than_any_message_may_take(mcp: Site, upstream: Raw) -> None:
    await silent_for(mcp, upstream, 4)


@pytest.mark.slow
async def test_a_stream_may_be_silent_for_half_a_minute(mcp: Site, upstream: Raw) -> None:
    await silent_for(mcp, upstream, 30)


@pytest.mark.parametrize("at", [30, 200, -1], ids=["in the head of an event", "in a value", "before its end"])
async def test_an_upstream_that_dies_in_an_event_lets_nothing_of_it_pass(mcp: Site, upstream: Raw, at: int) -> None:
    whole, half = note(0) + b"\n\n", note(1)[:at]
    piece = whole + half
    chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
    upstream.script = dies(head(200, "text/event-stream", (), "transfer-encoding: chunked") + chunk)
    message = tool("echo")
    heard = await mcp.post(message)
    assert heard.cut or heard.error["code"] == -32603  # the reset may overtake all that was sent before
    assert b'"n":1' not in heard.body
    assert b'"n": 1' not in heard.body
    assert not leaks(heard.body[:600] + heard.body[-600:], MAIL, PIN)


# --- real clients ------------------------------------------------------------------------------------------------


def conversation(talk: Any) -> Any:
    """A server of the legacy era that answers a handshake, and a call with ``talk``."""

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        message = json.loads(arrival.body or b"{}")
        method = message.get("method")
        if method == "initialize":
            told = {
                "protocolVersion": "2025-06-18",
                "capabilities": {"tools": {}, "logging": {}},
                "serverInfo": {"name": "s", "version": "1"},
            }
            await json_reply({"jsonrpc": "2.0", "id": message["id"], "result": told})(arrival, writer)
        elif method == "tools/call":
            await talk(arrival, writer)
        elif "id" in message:
            found = {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]} if method == "tools/list" else {}
            await json_reply({"jsonrpc": "2.0", "id": message["id"], "result": found})(arrival, writer)
        else:
            await json_reply(b"", status=202 if arrival.body else 405)(arrival, writer)

    return script


@pytest.mark.parametrize("client", ["python-legacy", pytest.param("ts-v1", marks=needs_node())])
async def test_real_clients_get_a_long_stream_masked_and_an_error_where_it_breaks_off(
    mcp: Site, upstream: Raw, client: str
) -> None:
    talker = Talker(256)
    upstream.script = conversation(talker.script)
    token = mcp.gateway.token("ada", groups=["analysts"])
    async with CLIENTS[client](mcp.gateway.url, token=token, log_level="info") as sdk:
        said = await sdk.call("callTool", name="echo", arguments={})
        assert said["content"][0]["text"] == "ask [email]"
        assert len([each for each in sdk.events.seen if each["event"] == "log"]) == 256
        assert not leaks(json.dumps(sdk.events.seen[::32]).encode(), MAIL, PIN)
        piece = note(0) + b"\n\n" + note(1)[:200]
        chunk = b"%x\r\n%b\r\n" % (len(piece), piece)
        upstream.script = conversation(dies(head(200, "text/event-stream", (), "transfer-encoding: chunked") + chunk))
        with pytest.raises(ClientError):
            await sdk.call("callTool", name="echo", arguments={})
        assert not leaks(json.dumps(sdk.events.seen[-2:]).encode(), MAIL, PIN)
