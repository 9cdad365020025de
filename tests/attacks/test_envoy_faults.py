"""E01-E13: the policy service dead, stopped, slow, wrong, going away or not the one it should be: nothing passes."""

import asyncio
import itertools
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc.aio
import httpx
import pytest

from attacks.certificates import Authority, Pair
from attacks.faults import Worker, worker
from attacks.rig import DENIED_TOOL, POLICY, Heard, call, headers_of, records, send
from attacks.site import Site, site
from attacks.streams import event
from extproc.demo.proxy import CHAINS, Chain
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from extproc.edges.processor.server import Tls
from extproc.edges.processor.translate import METHOD
from extproc.ports import StoreError
from plain import NO_AUTHORITY, PATIENCE
from stack.calls import until
from stack.scripted import Processor, allow, processor
from stack.servers.recorder import Arrival, json_reply, raw_server, sse

pytestmark = [pytest.mark.stack, pytest.mark.parametrize("chain", CHAINS)]

HIDDEN: Final = "upstream-session"
LISTED: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "result": {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", DENIED_TOOL)]},
}
ENVOY_ID: Final = "spiffe://prod.example.com/ns/gateway/sa/envoy"
LARGEST_BODY: Final = 4 << 20


def filters(document: dict[str, Any]) -> list[Any]:
    found: list[Any] = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"][
        "http_filters"
    ]
    return found


def ext_proc(document: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in filters(document) if each["name"] == "envoy.filters.http.ext_proc")
    return found["typed_config"]


def hurried(document: dict[str, Any]) -> None:
    ext_proc(document)["message_timeout"] = "0.4s"


def patient(document: dict[str, Any]) -> None:
    ext_proc(document)["message_timeout"] = f"{PATIENCE}s"


def unguarded(document: dict[str, Any]) -> None:
    filters(document)[:] = [each for each in filters(document) if each["name"] != "mcp.guard"]


def lenient(document: dict[str, Any]) -> None:
    ext_proc(document)["failure_mode_allow"] = True
    hurried(document)


def both(document: dict[str, Any]) -> None:
    unguarded(document)
    lenient(document)


@asynccontextmanager
async def inside(
    chain: Chain, folder: Path, *, drain_seconds: float = 0.1, **options: Any
) -> AsyncIterator[tuple[Site, Worker]]:
    """A gateway whose only worker runs in this process."""
    async with raw_server() as upstream, worker(folder / "worker", drain_seconds=drain_seconds) as working:
        adapt = {"adapt": hurried} | options
        async with site(chain, upstream, folder / "gateway", processors=[working.address], **adapt) as running:
            working.follow(POLICY, running.gateway)
            yield running, working


@asynccontextmanager
async def scripted(chain: Chain, folder: Path, **options: Any) -> AsyncIterator[tuple[Site, Processor]]:
    """A gateway whose policy service does what the test says."""
    async with (
        raw_server() as upstream,
        processor() as service,
        site(chain, upstream, folder, processors=[service.address], **options) as running,
    ):
        yield running, service


@asynccontextmanager
async def outside(chain: Chain, folder: Path, **options: Any) -> AsyncIterator[Site]:
    """A gateway with ``extproc serve`` behind it."""
    async with raw_server() as upstream, site(chain, upstream, folder, policy=POLICY, **options) as running:
        yield running


async def until_allowed(running: Site) -> None:
    """Ask until a call passes again."""
    async with asyncio.timeout(PATIENCE):
        while (await running.post("alice", call(), modern=True)).status != 200:
            pass


async def test_e01_a_dead_service_lets_nothing_pass_and_a_new_one_works(chain: Chain, tmp_path: Path) -> None:
    async with outside(chain, tmp_path) as running:
        service = running.gateway.service
        assert service is not None
        assert (await running.post("alice", call(), modern=True)).status == 200
        before = len(running.upstream.requests)
        service.kill()
        await service.wait()
        for tool in ("echo", DENIED_TOOL):
            for modern in (True, False):
                heard = await running.post("alice", call(name=tool, modern=modern), modern=modern)
                assert (heard.status, heard.message["error"]["code"]) == (503, -32603)
        assert (await running.bodiless("GET", "alice")).status == 503
        assert len(running.upstream.requests) == before
        await running.gateway.start_service()
        await until_allowed(running)


async def test_e01_calls_pass_as_soon_as_envoy_finds_the_workers_well_again(chain: Chain, tmp_path: Path) -> None:
    """By its default Envoy keeps what its checks found from its threads for a second, and refuses calls meanwhile."""

    async def found(*, well: bool) -> bool:
        return set(await running.gateway.well()) == {well}

    async with outside(chain, tmp_path) as running:
        await running.gateway.stop_service()
        await until(lambda: found(well=False))
        await running.gateway.start_service()
        await until(lambda: found(well=True))
        heard = [await running.post("alice", call(), modern=True) for _ in range(4)]
        assert {each.status for each in heard} == {200}


async def test_e02_a_stopped_service_lets_nothing_pass_and_goes_on_when_it_is_woken(
    chain: Chain, tmp_path: Path
) -> None:
    async with outside(chain, tmp_path, adapt=hurried) as running:
        await until_allowed(running)
        told = await running.http.get(running.gateway.metrics.replace("/metrics", "/readyz"))
        workers = [each["pid"] for each in told.json()["workers"]]
        before = len(running.upstream.requests)
        for each in workers:
            os.kill(each, signal.SIGSTOP)
        try:
            heard = await asyncio.gather(
                *(running.post("alice", call(id=n, name="echo"), modern=True) for n in range(20)),
                *(running.post("alice", call(name=DENIED_TOOL, modern=False)) for _ in range(20)),
            )
        finally:
            for each in workers:
                os.kill(each, signal.SIGCONT)
        assert {(each.status, each.message["error"]["code"]) for each in heard} == {(503, -32603)}
        assert len(running.upstream.requests) == before
        await until_allowed(running)
        assert len(running.upstream.requests) == before + 1  # nothing that waited runs late


async def closes(_: pb.ProcessingRequest) -> None:
    return None


async def crashes(_: pb.ProcessingRequest) -> None:
    raise RuntimeError("scripted")


async def test_e03_the_guard_is_what_stops_a_clean_close(chain: Chain, tmp_path: Path) -> None:
    for name, adapt, executed in (("shipped", None, 0), ("lenient", lenient, 0), ("unguarded", unguarded, 1)):
        async with scripted(chain, tmp_path / name, adapt=adapt) as (running, service):
            service.script = closes
            heard = await running.post("alice", call(name=DENIED_TOOL), modern=True)
            assert len(running.upstream.requests) == executed, name
            assert heard.status == (200 if executed else 503), name


async def test_e04_the_guard_holds_although_failures_are_allowed(chain: Chain, tmp_path: Path) -> None:
    for name, adapt, executed in (("lenient", lenient, 0), ("both", both, 1)):
        async with scripted(chain, tmp_path / name, adapt=adapt) as (running, service):
            service.script = crashes
            heard = await running.post("alice", call(name=DENIED_TOOL), modern=True)
            assert len(running.upstream.requests) == executed, name
            assert heard.status == (200 if executed else 503), name


@pytest.mark.parametrize("grace", [0.0, 20.0])
async def test_e03_a_service_that_drains_lets_no_undecided_call_pass(
    chain: Chain, tmp_path: Path, grace: float
) -> None:
    """Also E11: while a record is being stored, no byte is upstream."""
    count, waiting, go_on = 120, asyncio.Semaphore(0), asyncio.Event()

    async def gate() -> None:
        waiting.release()
        await go_on.wait()

    async with inside(chain, tmp_path, adapt=patient, drain_seconds=grace) as (running, working):
        working.journal.gate = gate
        kinds = [call(id=n, name="echo" if n % 2 else DENIED_TOOL) for n in range(count)]
        asked = asyncio.gather(*(running.post("alice", each, modern=True) for each in kinds))
        async with asyncio.timeout(PATIENCE):
            for _ in range(count):
                await waiting.acquire()
        assert running.upstream.received == 0
        draining = asyncio.create_task(working.server.drain())
        late = await running.post("alice", call(), modern=True)
        assert (late.status, running.upstream.received) == (503, 0)
        if grace == 0:
            answers = await asked
            go_on.set()
            assert {each.status for each in answers} == {503}
            assert running.upstream.received == 0
        else:
            go_on.set()
            answers = await asked
            assert {each.status for each in answers} == {200}
            sent = sorted(json.loads(bytes(each.body))["id"] for each in running.upstream.requests)
            assert sent == [n for n in range(count) if n % 2]
        await draining


async def test_e03_sigterm_among_calls_in_flight_lets_nothing_pass_unseen(chain: Chain, tmp_path: Path) -> None:
    count, go_on = 120, asyncio.Event()

    async def upstream_script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        if b"tools/list" in arrival.body:
            await go_on.wait()
        headers = [("mcp-session-id", HIDDEN)]
        streamed = sse(f"data: {json.dumps(LISTED)}\n\n".encode(), headers=headers)
        await (streamed if b"cursor" in arrival.body else json_reply(LISTED, headers=headers))(arrival, writer)

    async with outside(chain, tmp_path) as running:
        service = running.gateway.service
        assert service is not None
        running.upstream.script = upstream_script
        lists = [call("tools/list", modern=False, **({"cursor": "x"} if n % 2 else {})) for n in range(count)]
        listed = asyncio.gather(*(running.post("alice", each) for each in lists))
        await running.upstream.wait_for(count)

        ended = asyncio.Event()

        async def hammer(name: str) -> list[Heard]:
            heard = []
            while not ended.is_set():
                heard.append(await running.post("alice", call(id=name, name=name), modern=True))
            return heard

        hammering = asyncio.gather(*(hammer(name) for name in ("echo", DENIED_TOOL) for _ in range(4)))
        service.terminate()
        async with asyncio.timeout(PATIENCE):  # the listening sockets are closed: new calls are refused
            while (await running.post("alice", call(), modern=True)).status == 200:
                pass
        go_on.set()
        answers = await listed
        await service.wait()
        ended.set()
        for heard in itertools.chain(*await hammering):
            assert heard.status != 200 or heard.refused or not heard.shows(DENIED_TOOL)
        for each in answers:
            assert each.shows(DENIED_TOOL, HIDDEN) == []
            assert each.status in {200, 503} or each.cut
        assert any(each.status == 200 and b"echo" in each.body for each in answers)
        ran = [bytes(each.body) for each in running.upstream.requests]
        assert not [each for each in ran if DENIED_TOOL.encode() in each]
        stored = [each for each in records(running.gateway.state, "decision") if each["effect"] == "allow"]
        assert len(ran) <= len(stored)


async def test_e06_a_service_that_dies_in_a_stream_cuts_it(chain: Chain, tmp_path: Path) -> None:
    dead = asyncio.Event()
    seen = {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "notes://public/tea"}}
    hidden = {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": "notes://secret/plan"}}
    async with outside(chain, tmp_path) as running:
        first, second = (f"data: {json.dumps(each)}\n\n".encode() for each in (seen, hidden))
        running.upstream.script = sse(first, dead, second, second)
        service = running.gateway.service
        assert service is not None
        headers = {"accept": "text/event-stream", "mcp-protocol-version": "2025-06-18"} | running.bearer("alice")
        kept = bytearray()

        async def read() -> None:
            async with running.http.stream("GET", running.gateway.url, headers=headers) as answer:
                async for chunk in answer.aiter_raw():
                    kept.extend(chunk)
                    if b"notes://public/tea" in kept and not dead.is_set():
                        service.kill()
                        await service.wait()
                        dead.set()

        with pytest.raises(httpx.RemoteProtocolError):  # cut, not ended
            await read()
        assert dead.is_set()
        assert b"secret" not in kept


@pytest.mark.parametrize("wrong", ["another-phase", "empty", "unknown-mode"])
async def test_e07_an_answer_that_does_not_fit_lets_nothing_pass(chain: Chain, tmp_path: Path, wrong: str) -> None:
    async def misanswers(frame: pb.ProcessingRequest) -> pb.ProcessingResponse:
        answer = allow(frame)
        assert answer is not None
        if wrong == "another-phase":
            answer.response_trailers.SetInParent()
        elif wrong == "empty":
            answer.ClearField(answer.WhichOneof("response"))
        else:
            answer.ClearField("dynamic_metadata")
            answer.mode_override.request_body_mode = pb.ProcessingMode.NONE
        return answer

    async with scripted(chain, tmp_path, adapt=hurried) as (running, service):
        service.script = misanswers
        for modern in (True, False):
            heard = await running.post("alice", call(name=DENIED_TOOL, modern=modern), modern=modern)
            assert heard.status == 503
        assert (await running.bodiless("GET", "alice")).status == 503
        assert running.upstream.received == 0


async def test_no_client_is_ahead_of_the_record_of_a_stream(chain: Chain, tmp_path: Path) -> None:
    """A message leaves when it is stored, and the next one waits for that; where it cannot be stored it passes."""
    go_on, asked = asyncio.Event(), asyncio.Event()
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}

    async def gate() -> None:
        asked.set()
        await go_on.wait()

    async with inside(chain, tmp_path, adapt=patient) as (running, working):

        async def closes() -> None:
            working.journal.gate = gate

        last = event({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
        running.upstream.script = sse(closes, event(note), asked.wait, event(note), last)
        async with running.converse("alice", call(), modern=True) as heard:
            await asked.wait()
            assert not heard.seen
            go_on.set()
            await heard.wait(3)
        numbers = [each["number"] for each in working.journal.kept if each["kind"] == "message"]
        assert numbers == [0, 1, 2]

        async def fails() -> None:
            raise StoreError("the disk is full")

        async def breaks() -> None:
            working.journal.gate = fails

        running.upstream.script = sse(breaks, event(note), last)
        working.journal.gate = None
        async with running.converse("alice", call(), modern=True) as heard:
            await heard.wait(2)
        assert len([each for each in working.journal.kept if each["kind"] == "message"]) == 3


async def test_e08_a_body_at_the_limit_is_judged_whole_and_one_over_it_refused(chain: Chain, tmp_path: Path) -> None:
    async with inside(chain, tmp_path, adapt=None) as (running, _):
        empty = len(json.dumps(call(arguments={"text": ""})))
        for tool, size, status in (("echo", 0, 200), (DENIED_TOOL, -5, 200), ("echo", 1, 413)):
            running.upstream.requests.clear()
            message = call(name=tool, arguments={"text": "x" * (LARGEST_BODY - empty + size)})
            heard = await running.post("alice", message, modern=True)
            assert heard.status == status
            assert heard.refused == ((tool, size) != ("echo", 0))
            bodies = [json.loads(bytes(each.body)) for each in running.upstream.requests]
            assert bodies == ([] if heard.refused else [message])


async def test_e09_the_late_answer_of_a_slow_service_is_ignored(chain: Chain, tmp_path: Path) -> None:
    go_on, woken = asyncio.Event(), asyncio.Event()

    async def gate() -> None:
        await go_on.wait()
        woken.set()

    async with inside(chain, tmp_path) as (running, working):
        working.journal.gate = gate
        heard = await running.post("alice", call(id="slow"), modern=True)
        assert (heard.status, heard.message["error"]["code"]) == (503, -32603)
        go_on.set()
        await until_allowed(running)
        assert [json.loads(bytes(each.body))["id"] for each in running.upstream.requests] == [1]


def speaks_tls(pair: Pair, authority: Path) -> Any:
    def adapt(document: dict[str, Any]) -> None:
        patient(document)
        clusters = document["static_resources"]["clusters"]
        cluster = next(each for each in clusters if each["name"] == "mcp_extproc")
        del cluster["health_checks"]
        files = {"certificate_chain": {"filename": str(pair.certificate)}, "private_key": {"filename": str(pair.key)}}
        cluster["transport_socket"] = {
            "name": "envoy.transport_sockets.tls",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
                "common_tls_context": {
                    "tls_certificates": [files],
                    "validation_context": {"trusted_ca": {"filename": str(authority)}},
                    "alpn_protocols": ["h2"],
                },
            },
        }

    return adapt


async def test_e13_only_the_envoy_of_the_right_certificate_is_served(chain: Chain, tmp_path: Path) -> None:
    ours, theirs = Authority(tmp_path / "ours"), Authority(tmp_path / "theirs")
    own = ours.issue("127.0.0.1")
    tls = Tls(certificate=own.certificate, key=own.key, client_authority=ours.file, clients=frozenset({ENVOY_ID}))
    envoys = {
        "right": (ours.issue(ENVOY_ID), 200),
        "wrong-id": (ours.issue("spiffe://prod.example.com/ns/other/sa/pod"), 503),
        "longer-id": (ours.issue(f"{ENVOY_ID}-2"), 503),
        "wrong-authority": (theirs.issue(ENVOY_ID), 503),
    }
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(raw_server())
        working = await stack.enter_async_context(worker(tmp_path / "worker", tls=tls))
        for name, (pair, status) in envoys.items():
            adapt = speaks_tls(pair, ours.file)
            options: Any = {"processors": [working.address], "adapt": adapt}
            async with site(chain, upstream, tmp_path / name, **options) as running:
                working.follow(POLICY, running.gateway)
                heard = await running.post("alice", call(id=name), modern=True)
                assert heard.status == status, name
        assert [json.loads(bytes(each.body))["id"] for each in upstream.requests] == ["right"]
        # and nobody at all in the clear
        async with grpc.aio.insecure_channel(working.address) as channel:
            stream = channel.stream_stream(METHOD)()
            with pytest.raises(grpc.aio.AioRpcError):
                await stream.read()


async def test_e13_a_unix_socket_serves_envoy_as_well(chain: Chain, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("u")
    address = folder / "0.sock"

    def local(document: dict[str, Any]) -> None:
        clusters = document["static_resources"]["clusters"]
        cluster = next(each for each in clusters if each["name"] == "mcp_extproc")
        endpoint = {"endpoint": {"address": {"pipe": {"path": str(address)}}}}
        cluster["load_assignment"]["endpoints"] = [{"lb_endpoints": [endpoint]}]

    async with (
        raw_server() as upstream,
        worker(folder / "worker", address=f"unix:{address}") as working,
        site(chain, upstream, folder / "gateway", processors=["127.0.0.1:1"], adapt=local) as running,
    ):
        working.follow(POLICY, running.gateway)
        assert (await running.post("alice", call(), modern=True)).status == 200
        assert (await running.post("alice", call(name=DENIED_TOOL), modern=True)).refused
        assert len(upstream.requests) == 1


async def test_e19_the_service_cannot_move_a_request(chain: Chain, tmp_path: Path) -> None:
    names = (":path", ":method", ":authority", "host", "x-envoy-original-path", "x-forwarded-for", "authorization")
    async with scripted(chain, tmp_path) as (running, service):
        for name in names:

            async def moves(frame: pb.ProcessingRequest, name: str = name) -> pb.ProcessingResponse | None:
                answer = allow(frame)
                assert answer is not None
                kind = frame.WhichOneof("request")
                if kind in ("request_headers", "request_body"):
                    header = getattr(answer, kind).response.header_mutation.set_headers.add(append_action=2)
                    header.header.key, header.header.raw_value = name, b"/moved"
                return answer

            service.script = moves
            for method in ("POST", "GET"):
                running.upstream.requests.clear()
                if method == "POST":
                    heard = await running.post("alice", call(), modern=True)
                else:
                    heard = await running.bodiless("GET", "alice")
                moved = [each for each in running.upstream.requests if b"/moved" in each.head]
                assert not moved, (name, method)
                # in the one-message chain a body's answer carries no header mutation at all
                if method == "GET" or chain == "portable":
                    assert (heard.status, running.upstream.requests) == (503, []), (name, method)


async def test_e21_a_listener_that_drains_lets_no_undecided_call_pass(chain: Chain, tmp_path: Path) -> None:
    async with inside(chain, tmp_path) as (running, _):
        ended = asyncio.Event()

        async def hammer(name: str) -> None:
            number = 0
            while not ended.is_set():
                number += 1
                message = json.dumps(call(id=f"{name}-{number}", name=name)).encode()
                headers = headers_of(call(name=name)) | running.bearer("alice")
                async with httpx.AsyncClient(
                    trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE
                ) as http:  # a connection of its own
                    if (await send(http, running.gateway.url, message, **headers)).status == 0:
                        return

        hammering = asyncio.gather(*(hammer(name) for name in ("echo", DENIED_TOOL) for _ in range(4)))
        await running.upstream.wait_for(8)
        answer = await running.http.post(f"{running.gateway.admin}/drain_listeners")
        assert answer.status_code == 200
        async with asyncio.timeout(PATIENCE):
            await hammering
        ended.set()
        assert not [each for each in running.upstream.requests if DENIED_TOOL.encode() in each.body]
