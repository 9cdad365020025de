"""Fixtures of the stack tests: see gateway.py for the gateway, scripted.py for the two stand-ins."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from extproc.demo.proxy import CHAINS, Chain, EnvoyMissing, find_envoy
from stack.gateway import Gateway
from stack.scripted import Processor, Recorder, processor, recorder


@pytest.fixture(scope="session", autouse=True)
def _envoy_is_installed() -> None:
    try:
        find_envoy()
    except EnvoyMissing as error:
        pytest.skip(str(error))


@pytest.fixture(params=CHAINS)
def chain(request: pytest.FixtureRequest) -> Chain:
    """Each of the two chains in turn."""
    chosen: Chain = request.param
    return chosen


@pytest.fixture
async def gateway(chain: Chain, tmp_path: Path) -> AsyncIterator[Callable[..., Any]]:
    """Start gateways of the chain under test; all end with it: ``running = await gateway(upstream=url, policy=text)``."""
    async with AsyncExitStack() as stack:
        started = 0

        async def start(**options: Any) -> Gateway:
            nonlocal started
            started += 1
            folder = tmp_path / f"gateway-{started}"
            return await stack.enter_async_context(Gateway(**{"chain": chain, "folder": folder} | options))

        yield start


@pytest.fixture
async def scripted() -> AsyncIterator[Processor]:
    async with processor() as running:
        yield running


@pytest.fixture
async def recorded() -> AsyncIterator[Recorder]:
    async with recorder() as running:
        yield running
