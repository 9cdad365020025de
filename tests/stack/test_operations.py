"""What an operator sees and does while calls go on: metrics, health, drain, dead and stopped workers, a full disk."""

import asyncio
import contextlib
import errno
import json
import os
import resource
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from extproc.demo.proxy import CHAINS, Chain
from failing_disk import KINDS, SHORT, SLOW, failing_disk
from shipped import ext_proc
from stack.calls import Heard, Site, client, events, executed, extproc, site, tool, until
from stack.servers.recorder import Arrival, Raw, json_reply, raw_server

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {echo: {verb: query}, drop_table: {verb: admin}}
    unlisted_tools: deny
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db], verbs: [query], tools: [echo]}]
"""
FOREIGN = "a-server-that-no-policy-names"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _upstream() -> AsyncIterator[Raw]:
    async with raw_server() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def everyday(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _upstream: Raw
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    async with site(request.param, _upstream.url, folder, policy=POLICY, adapt=with_a_foreign_server) as running:
        yield running


def with_a_foreign_server(document: dict[str, Any]) -> None:
    """Another server behind /sse."""
    connection = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    for route in connection["route_config"]["virtual_hosts"][0]["routes"]:
        if route["name"] == "sse-stream":
            overrides = route["typed_per_filter_config"]["envoy.filters.http.ext_proc"]["overrides"]
            overrides["grpc_initial_metadata"] = [{"key": "x-mcp-server", "value": FOREIGN}]


@pytest.fixture
def upstream(_upstream: Raw) -> Raw:
    _upstream.requests.clear()
    _upstream.faults.clear()
    _upstream.script = answer
    return _upstream


async def answer(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    await arrival.complete.wait()
    message = json.loads(arrival.body)
    await json_reply({"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}})(arrival, writer)


def holding(release: asyncio.Event) -> Callable[[Arrival, asyncio.StreamWriter], Any]:
    """Answers like ``answer``, but a call that says so only after ``release``."""

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        if b'"held"' in arrival.body:
            await release.wait()
        await answer(arrival, writer)

    return script


async def pids(mcp: Site) -> list[int]:
    """The processes of the workers, once all serve."""

    async def ready() -> list[int]:
        status, told = await mcp.readiness()
        return [worker["pid"] for worker in told["workers"]] if status == 200 else []

    return await until(ready)


def gone(pid: int) -> bool:
    """Whether there is no such process any more."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def page(mcp: Site, path: str, method: str = "GET") -> httpx.Response:
    async with client() as http:
        return await http.request(method, mcp.gateway.metrics.replace("/metrics", path))


def refused(heard: Heard) -> bool:
    """Whether it is a refusal, as JSON-RPC."""
    return heard.status == 503 and heard.error["code"] == -32603


# --- what is shown -----------------------------------------------------------------------------------------------


async def test_the_metrics_count_decisions_and_time_them(everyday: Site, upstream: Raw) -> None:  # noqa: ARG001
    samples = {
        'extproc_decisions_total{effect="allow",server="sales-db",verb="query"}': 3,
        'extproc_decisions_total{effect="deny",server="sales-db",verb="admin"}': 2,
        'extproc_decisions_total{effect="reject",server="sales-db",verb="unknown"}': 1,
        'extproc_decision_seconds_count{server="sales-db"}': 6,
        'extproc_decision_seconds_bucket{le="+Inf",server="sales-db"}': 6,
        'extproc_responses_total{result="complete",server="sales-db"}': 3,
        'extproc_response_seconds_count{server="sales-db"}': 3,
        "extproc_journal_errors_total": 0,
        'extproc_worker_ready{worker="0"}': 0,
        'extproc_worker_ready{worker="1"}': 0,
    }
    before = {sample: await everyday.metric(sample) for sample in samples}
    calls = [tool("echo") for _ in range(3)]
    for message in (*calls, tool("drop_table"), tool("drop_table")):
        await everyday.post(message)
    await everyday.post(tool("echo"), content=b"{")
    for message in calls:
        await everyday.outcome(message)

    async def counted() -> bool:  # a decision is counted behind its answer
        return {sample: await everyday.metric(sample) - before[sample] for sample in samples} == samples

    await until(counted)
    assert await everyday.metric('extproc_worker_ready{worker="0"}') == 1
    assert await everyday.metric("extproc_policy_problem") == 0
    assert await everyday.metric("extproc_policy_loaded_timestamp_seconds") > 0


async def test_no_word_of_a_client_or_of_a_foreign_route_becomes_a_label(everyday: Site, upstream: Raw) -> None:
    name = "a-tool-that-nobody-knows"
    listening = everyday.headers(tool("echo")) | {"mcp-protocol-version": "2024-11-05", "accept": "text/event-stream"}
    listening = {key: value for key, value in listening.items() if key not in {"mcp-method", "mcp-name"}}
    answered = await everyday.http.get(f"{everyday.gateway.base}/sse", headers=listening)
    assert answered.status_code >= 400
    for n in range(5):
        assert not (await everyday.post(tool(f"{name}-{n}"), who=f"somebody-{n}")).allowed
    assert not upstream.requests
    shown = await everyday.metrics()
    for word in (name, FOREIGN, "somebody", everyday.gateway.issuer.url, "tools/call"):
        assert word not in shown
    assert events(everyday.gateway.state, "decision", server=FOREIGN)
    unknown = [line for line in shown.splitlines() if line.startswith("extproc_decisions_total{") and "unknown" in line]
    assert any('server="unknown"' in line for line in unknown)


async def test_health_and_readiness_say_how_the_node_is(everyday: Site) -> None:
    workers = await pids(everyday)
    assert len(set(workers)) == 2
    assert (await page(everyday, "/healthz")).text == "ok\n"
    status, told = await everyday.readiness()
    assert (status, told["ready"], told["draining"]) == (200, True, False)
    assert [worker["address"] for worker in told["workers"]] == list(everyday.gateway.workers)
    assert {worker["state"] for worker in told["workers"]} == {"ready"}
    assert (await page(everyday, "/")).status_code == 404
    assert (await page(everyday, "/metrics", "POST")).status_code == 405
    for address in everyday.gateway.workers:
        async with grpc.aio.insecure_channel(address) as channel:
            check = health_pb2_grpc.HealthStub(channel).Check
            assert (await check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING


# --- workers that fail -------------------------------------------------------------------------------------------


async def test_a_worker_that_hangs_makes_the_node_unready_and_envoy_asks_the_other(
    everyday: Site, upstream: Raw
) -> None:
    hung, _ = await pids(everyday)
    os.kill(hung, signal.SIGSTOP)
    try:

        async def unready() -> Any:
            status, told = await everyday.readiness()
            return told if status == 503 else None

        told = await until(unready)
        assert [worker["state"] for worker in told["workers"]] == ["unready", "ready"]
        assert await everyday.metric('extproc_worker_ready{worker="0"}') == 0
        assert (await page(everyday, "/healthz")).status_code == 200

        await until(lambda: healthy_workers_are(everyday, 1))
        messages = [tool("echo") for _ in range(20)]
        for message in messages:
            await until(lambda asked=message: passes(everyday, asked))
        assert executed(upstream) == [message["id"] for message in messages]
    finally:
        os.kill(hung, signal.SIGCONT)
    assert hung in await pids(everyday)
    await until(lambda: healthy_workers_are(everyday, 2))


async def passes(mcp: Site, message: dict[str, Any]) -> bool:
    """Whether it does; on a starved machine the other's health check may time out as well, so that nobody is asked."""
    heard = await mcp.post(message)
    assert heard.allowed or refused(heard)
    return heard.allowed


async def healthy_workers_are(mcp: Site, count: int) -> bool:
    return await mcp.gateway.stat("cluster.mcp_extproc.membership_healthy") == count


async def test_the_calls_after_a_worker_was_killed_go_to_the_other_and_it_comes_back(
    everyday: Site, upstream: Raw
) -> None:
    killed, other = await pids(everyday)
    os.kill(killed, signal.SIGKILL)
    await until(lambda: gone(killed))
    messages = [tool("echo") for _ in range(30)]
    for message in messages:
        await until(lambda asked=message: passes(everyday, asked))
    assert set(executed(upstream)) == {message["id"] for message in messages}
    back = await pids(everyday)
    assert killed not in back
    assert back[1] == other
    assert await everyday.metric('extproc_worker_restarts_total{worker="0"}') == 1
    assert json.loads(await extproc("verify", "--json", "--state", str(everyday.gateway.state)))["holds"]


# --- drain -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_drain_under_load_answers_every_call_and_lets_none_pass_undecided(
    chain: Chain, tmp_path: Path, upstream: Raw
) -> None:
    release = asyncio.Event()
    upstream.script = holding(release)
    async with site(chain, upstream.url, tmp_path, policy=POLICY, settings={"EXTPROC_SEAL_SECONDS": "10"}) as mcp:
        service = mcp.gateway.service
        assert service is not None
        heard: list[Heard] = []

        async def calling() -> None:
            while service.returncode is None:
                heard.append(await mcp.post(tool("echo")))

        held = asyncio.create_task(mcp.post(tool("echo", text="held")))
        await upstream.wait_for(1)
        load = [asyncio.create_task(calling()) for _ in range(8)]
        await until(lambda: len(heard) > 50)
        service.terminate()

        async def draining() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                status, told = await mcp.readiness()
                return status == 503 and told["draining"]
            return False

        await until(draining)
        before = len(heard)
        await until(lambda: len(heard) > before + 8)  # refused or not, clients are answered meanwhile
        release.set()
        assert (await held).allowed  # what was on its way had its time
        assert await service.wait() == 0
        await asyncio.gather(*load)
        for each in heard:
            assert not each.cut
            assert each.allowed or refused(each)
        assert refused(await mcp.post(tool("echo")))
        allowed = {event["id"] for event in events(mcp.gateway.state, "decision", effect="allow")}
        ran = executed(upstream)
        assert len(ran) == len(set(ran))
        assert set(ran) <= allowed
        assert len(ran) >= sum(each.allowed for each in heard) + 1
    verdict = json.loads(await extproc("verify", "--json", "--state", str(mcp.gateway.state)))
    assert verdict["holds"]
    assert [(each["live"], each["last_kind"]) for each in verdict["reports"]] == [(False, "stopped")] * 3
    assert all(each["sealed"] == each["events"] for each in verdict["reports"])


# --- a full disk -------------------------------------------------------------------------------------------------


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """``folder`` on a file system of its own, of 8 MiB."""
    folder.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command to make a small disk with")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", str(folder)], check=True)


async def refuses_and_recovers(mcp: Site, upstream: Raw, *, fill: Callable[[], None], free: Callable[[], None]) -> None:
    workers = await pids(mcp)
    assert (await mcp.post(tool("echo"))).allowed
    ran = len(upstream.requests)
    errors = await mcp.metric("extproc_journal_errors_total")
    fill()
    # larger than what a file may have left of its last block
    messages = [tool("echo", text="x" * 8000) for _ in range(20)]
    heard = await asyncio.gather(*map(mcp.post, messages))
    for message, each in zip(messages, heard, strict=True):
        assert refused(each)
        assert each.message["id"] == message["id"]
        assert "cannot be recorded" in each.error["message"]
    assert not (await mcp.post(tool("drop_table"))).allowed  # a refusal needs no record to stand
    assert len(upstream.requests) == ran
    assert await mcp.metric("extproc_journal_errors_total") >= errors + 20
    free()

    async def again() -> bool:
        return (await mcp.post(tool("echo"))).allowed

    await until(again)
    assert all(each.allowed for each in await asyncio.gather(*(mcp.post(tool("echo")) for _ in range(20))))
    assert await pids(mcp) == workers  # nobody had to be started again
    allowed = {event["id"] for event in events(mcp.gateway.state, "decision", effect="allow")}
    assert set(executed(upstream)) <= allowed
    assert not allowed & {message["id"] for message in messages}
    assert json.loads(await extproc("verify", "--json", "--state", str(mcp.gateway.state)))["holds"]


async def test_a_full_disk_refuses_calls_and_the_service_goes_on_when_there_is_room(
    tmp_path: Path, upstream: Raw
) -> None:
    state = tmp_path / "state"
    filler = state / "filler"

    def fill() -> None:
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while file.write(b"\0" * 65536):
                pass
        with contextlib.suppress(OSError), filler.open("ab", buffering=0) as file:
            while file.write(b"\0"):
                pass

    with small_disk(state):
        async with site("one-message", upstream.url, tmp_path, policy=POLICY) as mcp:
            await refuses_and_recovers(mcp, upstream, fill=fill, free=filler.unlink)


async def test_files_that_may_not_grow_refuse_calls_until_they_may(everyday: Site, upstream: Raw) -> None:
    if sys.platform != "linux":
        pytest.skip("only Linux can set a limit on a running process")
    workers = await pids(everyday)
    _, hard = resource.prlimit(workers[0], resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        for worker in workers:
            resource.prlimit(worker, resource.RLIMIT_FSIZE, (size, hard))

    await refuses_and_recovers(everyday, upstream, fill=lambda: limit(1), free=lambda: limit(hard))


FAULTS = {
    "full": (errno.ENOSPC, False),
    "broken": (errno.EIO, False),
    "interrupted": (errno.EINTR, False),
    "short": (SHORT, False),
    "stays broken": (errno.EIO, True),
    "read-only": (errno.EROFS, True),
    "slow": (SLOW, True),
}


async def test_whichever_call_on_the_disk_fails_no_call_runs_unrecorded(tmp_path: Path, upstream: Raw) -> None:
    """D04, on the journal and the seals of the whole service; tests/edges/journal does it call by call."""
    state = tmp_path / "state"
    disk = failing_disk(tmp_path, state / "journal", state / "seals")
    settings = disk.environment | {"EXTPROC_DURABILITY": "disk", "EXTPROC_SEAL_SECONDS": "0.2"}

    def impatient(document: dict[str, Any]) -> None:
        ext_proc(document)["message_timeout"] = "2s"

    async with site("one-message", upstream.url, tmp_path, policy=POLICY, settings=settings, adapt=impatient) as mcp:
        mcp.http.timeout = httpx.Timeout(10)  # whose disk hangs for 30 s is started again, which is not meant here
        workers = await pids(mcp)
        passed: set[int] = set()
        stopped: set[int] = set()
        lost: set[int] = set()

        async def ask() -> bool:
            """Whether eight calls at once all pass."""
            messages = [tool("echo") for _ in range(8)]
            heard = await asyncio.gather(*map(mcp.post, messages))
            for message, each in zip(messages, heard, strict=True):
                if each.cut or not each.body:  # its response could not be recorded, and is withheld
                    lost.add(message["id"])
                else:
                    assert each.allowed or refused(each)
                    (passed if each.allowed else stopped).add(message["id"])
            return {message["id"] for message in messages} <= passed

        await until(ask)
        met = dict.fromkeys(FAULTS, 0)
        for name, (error, lasting) in FAULTS.items():
            for at in (1, 3):
                kinds = ("write", "sync") if error in {SHORT, SLOW} else KINDS
                disk.fail(at, error, lasting=lasting, kinds=kinds)
                all_passed = False

                async def struck(at: int = at) -> bool:
                    """Whether a call failed; on a starved machine none of the first eight may have come so far."""
                    nonlocal all_passed
                    all_passed = await ask()
                    return at > 1 or disk.fired > 0

                await until(struck)
                assert not (all_passed and lasting and at == 1), name
                met[name] += disk.fired
                disk.heal()
                await until(ask)
        assert min(met.values()) > 0, met
        assert await pids(mcp) == workers  # nobody had to be started again
        ran = executed(upstream)
        assert len(ran) == len(set(ran))
        assert set(ran) <= {event["id"] for event in events(state, "decision", effect="allow")}
        assert passed <= set(ran)
        # a refused call ran only where Envoy gave up waiting for its response to be recorded
        late = set(ran) - passed - lost
        assert len(late) <= await mcp.gateway.stat(r"http\..*\.ext_proc\..*\.message_timeouts")
        assert len(lost) < len(stopped)
        await mcp.gateway.stop_service()
    verdict = json.loads(await extproc("verify", "--json", "--state", str(state)))
    assert verdict["holds"]
    assert all(each["sealed"] == each["events"] for each in verdict["reports"])
