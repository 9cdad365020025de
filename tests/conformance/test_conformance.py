"""The gateway changes nothing that the official suite can see: the same checks with the same outcome, direct and through it.

The suite cannot send credentials, so a header mutation in front of the shipped filters does; everything else is as shipped.
"""

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from conformance.suite import REVISIONS, Checks, fixture, run_suite, statuses
from extproc.demo.proxy import CHAINS, Chain, EnvoyMissing, find_envoy
from stack.gateway import Gateway
from stack.processes import needs_node

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack, needs_node()]

EXPECTED: Final = {"2025-11-25": (33, 84), "2026-07-28": (40, 152)}
"""Scenarios and successes of the pinned suite against the fixture."""
POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  fixture: {unlisted_tools: query, server_requests: [sampling, roots, elicitation]}
roles:
  everyone:
    assigned_to: {subjects: [suite]}
    grants:
      - {servers: [fixture]}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target() -> AsyncIterator[str]:
    async with fixture() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def direct(target: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Checks]:
    """What the suite says without a gateway."""
    folder = tmp_path_factory.mktemp("direct")
    return {revision: await run_suite(target, revision, folder / revision) for revision in REVISIONS}


def bearing(gateway: list[Gateway]) -> Any:
    """Adds the token to every request, before the first shipped filter sees it."""

    def adapt(document: dict[str, Any]) -> None:
        mutation = {
            "append": {
                "header": {"key": "authorization", "value": f"Bearer {gateway[0].token('suite')}"},
                "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
            }
        }
        credentials = {
            "name": "test.credentials",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation",
                "mutations": {"request_mutations": [mutation]},
            },
        }
        for listener in document["static_resources"]["listeners"]:
            for chain in listener["filter_chains"]:
                chain["filters"][0]["typed_config"]["http_filters"].insert(0, credentials)

    return adapt


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def gateway(
    request: pytest.FixtureRequest, target: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Gateway]:
    chain: Chain = request.param
    try:
        find_envoy()
    except EnvoyMissing as error:
        pytest.skip(str(error))
    started: list[Gateway] = []
    folder = tmp_path_factory.mktemp(chain)
    running = Gateway(
        chain=chain, upstream=target, folder=folder, policy=POLICY, server="fixture", adapt=bearing(started)
    )
    started.append(running)
    async with running:
        yield running


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_fixture_passes_every_check_without_a_gateway(revision: str, direct: dict[str, Checks]) -> None:
    checks = direct[revision]
    counted = statuses(checks)
    assert (len(checks), counted["SUCCESS"], counted["FAILURE"]) == (*EXPECTED[revision], 0)
    assert [scenario for scenario, pairs in checks.items() if "SUCCESS" not in dict(map(reversed, pairs))] == []


@pytest.mark.parametrize("revision", REVISIONS)
async def test_the_suite_sees_no_difference_through_the_gateway(
    revision: str, direct: dict[str, Checks], gateway: Gateway, tmp_path: Path
) -> None:
    checks = await run_suite(gateway.url, revision, tmp_path / revision)
    without, through = counted(direct[revision]), counted(checks)
    assert (without - through, through - without) == (Counter(), Counter())


def counted(checks: Checks) -> Counter[tuple[str, str, str]]:
    """Each verdict as often as it was given; a remark (INFO) once, because how many there are is a matter of timing."""
    found = Counter((scenario, *pair) for scenario, pairs in checks.items() for pair in pairs)
    return Counter({check: 1 if check[2] == "INFO" else times for check, times in found.items()})
