"""X04, X05, X12, X14: floods of HTTP/2 frames, bombs and endless answers hurt nobody else, and end by themselves."""

import asyncio
import contextlib
import gzip
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

import hpack
import pytest

from attacks.rig import call
from attacks.site import Site
from plain import PATIENCE
from stack.calls import until
from stack.servers.recorder import Arrival, json_reply

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

HEADERS, RST_STREAM, SETTINGS, GOAWAY, CONTINUATION = 1, 3, 4, 7, 9
END_STREAM, END_HEADERS = 1, 4
CANCEL: Final = struct.pack(">I", 8)
PREFACE: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
ATTACKERS: Final = 4
AT_ONCE: Final = 12
QUIET: Final = 20


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


@asynccontextmanager
async def http2(gate: Site) -> AsyncIterator[tuple[asyncio.StreamWriter, asyncio.Event]]:
    """A connection that speaks HTTP/2 without any regard, and whether Envoy has ended it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gate.gateway.port)
    ended = asyncio.Event()

    async def listen() -> None:
        with contextlib.suppress(ConnectionError):
            while await reader.read(65536):
                pass
        ended.set()

    listening = asyncio.create_task(listen())
    writer.write(PREFACE + frame(SETTINGS, 0, 0))
    try:
        yield writer, ended
    finally:
        listening.cancel()
        writer.close()


async def goes_on(writer: asyncio.StreamWriter, ended: asyncio.Event) -> bool:
    """Whether Envoy still takes what is written, once it has taken what was."""
    try:
        await writer.drain()
    except ConnectionError:
        return False
    await asyncio.sleep(0)
    return not ended.is_set()


async def over(ended: asyncio.Event) -> bool:
    """Whether Envoy, once it has read what lies in its sockets, hangs up."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            await ended.wait()
    return ended.is_set()


def head(gate: Site) -> bytes:
    """The header block of a call that would be denied, in a form that any number of streams can carry."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":authority": f"127.0.0.1:{gate.gateway.port}",
        ":path": "/mcp",
        "content-type": "application/json",
        "mcp-protocol-version": "2025-06-18",
        "authorization": gate.bearer("eve")["authorization"],
    }
    return b"".join(hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple(*each)]) for each in fields.items())


async def resets(gate: Site) -> bool:
    """X04, rapid reset: streams that are taken back as soon as they are open; whether Envoy ended the connection."""
    block = head(gate)
    async with http2(gate) as (writer, ended):
        for number in range(20_000):
            stream = 2 * number + 1
            writer.write(frame(HEADERS, END_HEADERS, stream, block) + frame(RST_STREAM, 0, stream, CANCEL))
            if number % 50 == 0 and not await goes_on(writer, ended):
                return True
        return await over(ended)


async def continuations(gate: Site) -> bool:
    """X04: a header block that never ends."""
    piece = hpack.Encoder().encode([hpack.NeverIndexedHeaderTuple("x-fill", "x" * 8000)], huffman=False)
    async with http2(gate) as (writer, ended):
        writer.write(frame(HEADERS, 0, 1, head(gate)))
        for _ in range(20_000):
            writer.write(frame(CONTINUATION, 0, 1, piece))
            if not await goes_on(writer, ended):
                return True
        return await over(ended)


async def streams(gate: Site) -> bool:
    """X04: 25,000 streams on each connection, none of which is ever closed; whether Envoy kept to its limit."""
    block = head(gate)
    async with http2(gate) as (writer, ended):
        most = 0
        for number in range(25_000):
            writer.write(frame(HEADERS, END_HEADERS, 2 * number + 1, block))
            if number % 500 == 0 and not await goes_on(writer, ended):
                break
            if number % 5000 == 4999:
                most = max(most, await gate.gateway.stat("http.mcp.downstream_rq_active"))
        return most <= ATTACKERS * 100 + 50


async def honest(gate: Site) -> bool:
    """As many connections of somebody who calls and waits for the answer."""
    for _ in range(15):
        assert (await gate.post("bob", call(modern=False))).status == 200
    return True


async def beside(gate: Site, neighbour: Callable[[Site], Awaitable[bool]]) -> tuple[float, int]:
    """The time in which nine of ten calls of an innocent client are answered while four such neighbours are at work.

    And how many of them were refused.
    """
    working = [asyncio.create_task(neighbour(gate)) for _ in range(ATTACKERS)]
    times: list[float] = []
    refused = 0
    while len(times) < 20 or not all(each.done() for each in working):
        began = time.monotonic()
        heard = await gate.post("alice", call(), modern=True)
        assert heard.status == 200 or (heard.status, heard.message["error"]["code"]) == (503, -32603)
        refused += heard.status != 200
        times.append(time.monotonic() - began)
        await asyncio.sleep(0)
    assert all([await each for each in working]), neighbour.__name__
    return sorted(times)[len(times) * 9 // 10], refused


@pytest.mark.parametrize(
    "attack",
    [
        pytest.param(resets, id="X04-resets"),
        pytest.param(continuations, id="X04-continuations"),
        pytest.param(streams, id="X04-streams", marks=pytest.mark.slow),
    ],
)
async def test_x04_a_flood_of_frames_ends_by_the_limits_and_an_innocent_client_is_served(
    raw: Site, attack: Callable[[Site], Awaitable[bool]]
) -> None:
    memory = await raw.gateway.stat("server.memory_allocated")
    seen = len(raw.upstream.requests)
    # an attack may cost the others as much as honest traffic does, or a few times that, and no more; other loads of the
    # machine come and go in between, so the best of three counts
    times = []
    for _ in range(3):
        calm, none = await beside(raw, honest)
        assert none == 0
        attacked, refused = await beside(raw, attack)
        # the service's own limit of streams that are taken back ends a connection of Envoy's, and what is on it is refused
        assert refused == 0 or attack is resets
        times.append((attacked, calm))
        if attacked < 10 * max(calm, 0.05):
            break
    else:
        pytest.fail(f"{times}: seconds with an attack, and with as much honest traffic")
    served = [bytes(each.body) for each in raw.upstream.requests[seen:]]
    assert all(b'"echo"' in body for body in served)

    async def forgotten() -> bool:
        """X14: what the attack took is given back."""
        active = await raw.gateway.stat("http.mcp.downstream_rq_active")
        return active == 0 and await raw.gateway.stat("server.memory_allocated") < 1.5 * memory

    await until(forgotten)

    async def served_again() -> bool:
        return (await raw.post("alice", call(), modern=True)).status == 200

    await until(served_again)


@pytest.mark.parametrize("times", [1, 10], ids=["X05-gzip", "X05-gzip-in-gzip"])
async def test_x05_a_bomb_is_never_unpacked_in_either_direction(raw: Site, times: int) -> None:
    bomb = b'{"jsonrpc":"2.0","id":1,"result":{"content":[{"type":"text","text":"' + b"x" * (32 << 20) + b'"}]}}'
    for _ in range(times):
        bomb = gzip.compress(bomb, 1)
    heard = await raw.post("alice", call(), modern=True, content_encoding="gzip")
    assert heard.refused
    assert raw.upstream.requests == []
    raw.upstream.script = json_reply(bomb, headers=[("content-encoding", "gzip")])
    heard = await raw.post("alice", call(modern=False))
    assert heard.refused
    assert len(heard.body) < 4096
    assert len(raw.upstream.requests) == 1


@pytest.mark.parametrize("kind", ["json", "event"])
async def test_x12_an_answer_without_end_is_withheld_and_its_server_hung_up_on(raw: Site, kind: str) -> None:
    """One list, or one event, of which there is always more: not the 10 GiB that the server would send."""
    sent = 0
    ended = asyncio.Event()

    async def endless(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await arrival.complete.wait()
        content_type = b"application/json" if kind == "json" else b"text/event-stream"
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: " + content_type + b"\r\ntransfer-encoding: chunked\r\n\r\n")
        begin = b'{"jsonrpc":"2.0","id":1,"result":{"tools":[],"x":"'
        begin = b"data: " + begin if kind == "event" else begin
        writer.write(b"%x\r\n%s\r\n" % (len(begin), begin))
        with contextlib.suppress(ConnectionError):
            while True:
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                await writer.drain()
                sent += 65536
        ended.set()

    raw.upstream.script = endless
    heard = await raw.post("alice", call("tools/list", modern=False))
    assert b"xxxx" not in heard.body
    assert heard.cut or len(heard.body) < 4096
    async with asyncio.timeout(PATIENCE):
        await ended.wait()
    assert sent < 64 << 20
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    assert (await raw.post("alice", call(), modern=True)).status == 200


async def test_x15_beside_a_noisy_caller_others_wait_for_no_more_than_their_turn(raw: Site) -> None:
    """Told in turns and not in seconds: how many answers a noisy one gets while another gets some, one after the other."""
    quiet_is_done = asyncio.Event()
    answered = 0

    async def noisy() -> None:
        nonlocal answered
        while not quiet_is_done.is_set():
            assert (await raw.post("bob", call(modern=False))).status == 200
            answered += 1

    shouting = [asyncio.create_task(noisy()) for _ in range(AT_ONCE)]
    await until(lambda: answered >= AT_ONCE)
    before = answered
    for number in range(QUIET):
        assert (await raw.post("alice", call(id=number), modern=True)).status == 200
    meanwhile = answered - before
    quiet_is_done.set()
    await asyncio.gather(*shouting)
    # one of his own for each of theirs would be the fair share; of workers that the machine lets wait, some take longer
    assert meanwhile <= 2 * AT_ONCE * QUIET
