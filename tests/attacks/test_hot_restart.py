"""E21: an Envoy that takes over from one without the chain (hot restart): nothing passes by the old filters any more.

Connections that were open go on through the old Envoy until that has drained, and so long `extproc doctor` says so.
"""

import asyncio
import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from attacks.rig import DENIED_TOOL, POLICY, call, headers_of
from attacks.site import Site, site
from attacks.test_ways_past import RESULT, unguarded
from extproc.core.doctor import Severity, examined
from extproc.demo.proxy import CHAINS, Chain, find_envoy
from extproc.edges.envoy import running as examine
from plain import NO_AUTHORITY, PATIENCE
from stack.calls import everywhere, until
from stack.servers.recorder import echoes, raw_server

HOT: Final = ("--parent-shutdown-time-s", "6", "--drain-time-s", "3", "--drain-strategy", "immediate")


def why_not() -> str | None:
    """Why no Envoy here can take over from another one."""
    told = subprocess.run([find_envoy(), "--hot-restart-version"], capture_output=True, text=True, check=False)
    if (told.stdout + told.stderr).strip() in {"", "disabled"}:
        return "this Envoy was built without hot restart"
    return None if Path("/dev/shm").is_dir() else "there is no shared memory here (/dev/shm)"


@pytest.fixture
def _shared_memory() -> Iterator[None]:
    """What Envoys leave in it when they end."""
    memory = Path("/dev/shm")
    before = set(memory.glob("envoy_shared_memory_*"))
    yield
    for each in set(memory.glob("envoy_shared_memory_*")) - before:
        each.unlink(missing_ok=True)


def new_client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE)


def denied(running: Site) -> dict[str, Any]:
    message = call(name=DENIED_TOOL, modern=True)
    return {"url": running.gateway.url, "json": message, "headers": headers_of(message) | running.bearer("alice")}


async def passes(http: httpx.AsyncClient, running: Site) -> bool | None:
    """Whether a call that the policy denies reaches the server; None where its connection was drained away."""
    with contextlib.suppress(httpx.TransportError):
        answer = await http.post(**denied(running))
        return answer.status_code == 200 and answer.json()["result"].get("isError") is not True
    return None


@pytest.mark.usefixtures("_shared_memory")
@pytest.mark.parametrize("chain", CHAINS)
async def test_an_envoy_that_takes_over_under_load_lets_nothing_pass_and_the_old_one_is_named_while_it_drains(
    chain: Chain, tmp_path: Path
) -> None:
    if reason := why_not():
        pytest.skip(reason)
    async with raw_server() as upstream, contextlib.AsyncExitStack() as stack:
        upstream.script = echoes(RESULT)
        options: Any = {"policy": POLICY, "hot": HOT, "adapt": unguarded}
        running = await stack.enter_async_context(site(chain, upstream, tmp_path, **options))
        held = await stack.enter_async_context(new_client())
        assert await passes(held, running)  # nothing judges it yet

        over = asyncio.Event()
        by_new_connections: list[bool | None] = []

        async def calls() -> None:
            while not over.is_set():
                async with new_client() as http:
                    by_new_connections.append(await passes(http, running))

        async with asyncio.TaskGroup() as together:
            for _ in range(4):
                together.create_task(calls())
            former = await running.gateway.succeed()
            await everywhere(lambda: is_judged(running))  # whoever connects from here on
            before = len(by_new_connections)
            await until(lambda: len(by_new_connections) > before + 8)
            taken = len(by_new_connections)
            if former.returncode is None:
                findings = examined(await asyncio.to_thread(examine, running.gateway.admin))
                assert (Severity.UNSAFE, "connections that") in [
                    (each.severity, each.problem[:16]) for each in findings
                ]
            await former.wait()
            arrived = len(upstream.requests)
            assert await passes(held, running) in {False, None}
            assert await passes(held, running) is False
            await until(lambda: len(by_new_connections) > taken + 20)
            over.set()
        assert not any(by_new_connections[taken:])
        assert any(each is False for each in by_new_connections[taken:])
        assert len(upstream.requests) == arrived
        await until(lambda: unnamed(running))


async def is_judged(running: Site) -> bool:
    async with new_client() as http:
        return await passes(http, running) is False


async def unnamed(running: Site) -> bool:
    """Whether the doctor has nothing to say of the Envoy that is alone now."""
    return examined(await asyncio.to_thread(examine, running.gateway.admin)) == ()
