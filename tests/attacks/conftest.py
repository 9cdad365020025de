"""Fixtures of the attacks: one gateway of each chain for a module, in front of a server that keeps and says anything."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from attacks.site import POLICY, Site, site
from extproc.demo.proxy import CHAINS, EnvoyMissing, find_envoy
from stack.servers.recorder import Raw, json_reply, raw_server


@pytest.fixture(scope="session", autouse=True)
def _envoy_is_installed() -> None:
    try:
        find_envoy()
    except EnvoyMissing as error:
        pytest.skip(str(error))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def _before_raw(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with (
        raw_server() as upstream,
        site(request.param, upstream, tmp_path_factory.mktemp(request.param), policy=POLICY) as running,
    ):
        yield running


@pytest.fixture
def raw(_before_raw: Site) -> Site:
    """U-raw behind either chain, with nothing kept and nothing said yet."""
    upstream: Raw = _before_raw.upstream
    upstream.requests.clear()
    upstream.faults.clear()
    upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    return _before_raw
