"""Real SDK clients and servers of both eras, with a real Envoy and the policy service between them, on both chains."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from extproc.demo.proxy import CHAINS, Chain
from plain import PATIENCE
from stack import conversations as talk
from stack.clients.faces import Client, ClientError
from stack.counterparts import CANARIES, CLIENTS, MODERN, SSE_CLIENTS, Server, canary
from stack.gateway import Gateway
from stack.processes import needs_node

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack, needs_node()]

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  canary:
    tools:
      echo: {verb: query}
      get_customer: {verb: query}
      steps: {verb: query}
      speak: {verb: query}
      drop_stream: {verb: query}
      touch: {verb: query}
      deploy: {verb: mutate}
      run_shell: {verb: admin}
    unlisted_tools: deny
roles:
  analyst:
    assigned_to: {groups: [data-analysts]}
    grants:
      - {servers: [canary], verbs: [query], tools: ["*"]}
      - {servers: [canary], prompts: [summarise]}
      - {servers: [canary], resources: ["notes://public/*"]}
  steward:
    assigned_to: {groups: [data-stewards]}
    grants:
      - {servers: [canary]}
"""
DENIED: Final = 1403

Rig = tuple[Gateway, Server, str]


@asynccontextmanager
async def standing(chain: Chain, server: str, folder: Path) -> AsyncIterator[Rig]:
    """One gateway in front of one canary."""
    async with canary(server) as upstream:
        running = Gateway(chain=chain, upstream=upstream.url, folder=folder, policy=POLICY, server="canary")
        async with running:
            yield running, upstream, server


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(chain, server) for chain in CHAINS for server in CANARIES],
    ids="-".join,
)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    chain, server = request.param
    async with standing(chain, server, tmp_path_factory.mktemp("rig")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def python_rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with standing(request.param, "python", tmp_path_factory.mktemp("rig")) as running:
        yield running


@asynccontextmanager
async def analyst(client: str, rig: Rig) -> AsyncIterator[Client]:
    """An analyst's client, connected through the gateway; in the test's own task, which the Python SDK demands."""
    gateway, upstream, server = rig
    if "modern" in client and server == "ts-v1":
        pytest.skip("the TypeScript SDK v1 has no modern era")
    await upstream.forget()
    token = gateway.token("ada", groups=["data-analysts"])
    async with CLIENTS[client](gateway.url, token=token, log_level="info") as mcp:
        modern = "modern" in client or ("auto" in client and server != "ts-v1")
        assert (mcp.about["protocolVersion"] == MODERN) == modern
        yield mcp


def plain(refused: dict[str, Any]) -> str:
    """The words of a refusal, without the tool's name and the decision's id."""
    said = refused["content"][0]["text"]
    return re.sub(r"run_shell|deploy|no_such_tool|[0-9a-fA-F-]{16,}", "…", said)


@pytest.mark.parametrize("client", CLIENTS)
async def test_an_analyst_has_what_the_policy_grants_and_nothing_else(client: str, rig: Rig) -> None:
    _, upstream, _ = rig
    async with analyst(client, rig) as mcp:
        assert talk.names(await mcp.call("listTools"), "tools") == talk.ALLOWED
        uris = talk.names(await mcp.call("listResources"), "resources", "uri")
        assert uris == {"notes://public/readme", "notes://public/pixel"}
        templates = await mcp.call("listResourceTemplates")
        assert talk.names(templates, "resourceTemplates", "uriTemplate") == {"notes://public/{topic}"}
        assert talk.names(await mcp.call("listPrompts"), "prompts") == {"summarise"}
        await talk.use_what_is_allowed(mcp, upstream)

        await upstream.forget()
        refused = await mcp.call("callTool", name="run_shell", arguments={"command": "rm -rf /"})
        assert refused["isError"] is True
        assert len(refused["content"][0]["text"]) > len("refused")
        missing = await mcp.call("callTool", name="no_such_tool", arguments={})
        assert missing["isError"] is True
        assert plain(missing) == plain(refused)

        attempts: list[tuple[str, dict[str, Any]]] = [
            ("readResource", {"uri": "notes://secret/plan"}),
            ("readResource", {"uri": "notes://secret/tea"}),
            ("getPrompt", {"name": "exfiltrate", "arguments": {"topic": "everything"}}),
            ("subscribe", {"uri": "notes://secret/plan"}),
        ]
        asked = {"name": "topic", "value": "s"}
        refs = ({"type": "ref/prompt", "name": "exfiltrate"}, {"type": "ref/resource", "uri": "notes://secret/{topic}"})
        attempts += [("complete", {"ref": ref, "argument": asked}) for ref in refs]
        for command, parameters in attempts:
            with pytest.raises(ClientError) as error:
                await mcp.call(command, **parameters)
            assert error.value.code == DENIED, (command, parameters, error.value)
            assert set(error.value.data) >= {"rule", "reason", "decision_id"}
        assert await upstream.executed() == []


@pytest.mark.parametrize("client", CLIENTS)
async def test_streams_pass_unhindered(client: str, rig: Rig) -> None:
    _, upstream, server = rig
    async with analyst(client, rig) as mcp:
        modern = mcp.about["protocolVersion"] == MODERN
        sessions = not modern and server != "ts-v2"
        await talk.follow_progress(mcp, upstream)
        await talk.hear_a_log(mcp)
        if modern or sessions:
            await talk.cancel_a_call(mcp, upstream)
            await talk.hear_of_a_change(mcp)
        if sessions:
            await talk.come_back_for_a_result(mcp, upstream)


async def test_a_steward_has_everything(rig: Rig) -> None:
    gateway, upstream, _ = rig
    await upstream.forget()
    async with CLIENTS["python-auto"](gateway.url, token=gateway.token("eve", groups=["data-stewards"])) as mcp:
        assert talk.names(await mcp.call("listTools"), "tools") == talk.TOOLS
        said = await mcp.call("callTool", name="run_shell", arguments={"command": "ls"})
        assert said["content"][0]["text"] == "done"
        assert (await mcp.call("readResource", uri="notes://secret/plan"))["contents"][0]["text"]
        assert await upstream.executed() == ["run_shell", "resource:notes://secret/plan"]


@pytest.mark.parametrize(
    "client", ["python-legacy", "python-auto", "python-modern", "ts-v1", "ts-v2-legacy", "ts-v2-auto"]
)
async def test_without_a_token_no_client_gets_in(client: str, python_rig: Rig) -> None:
    gateway, upstream, _ = python_rig
    await upstream.forget()
    with pytest.raises(ClientError):
        async with CLIENTS[client](gateway.url) as mcp:
            await mcp.call("listTools")
    assert (await upstream.ledger())["requests"] == []


@pytest.mark.parametrize("client", SSE_CLIENTS)
async def test_the_transport_with_two_endpoints_is_judged_too(client: str, python_rig: Rig) -> None:
    gateway, upstream, _ = python_rig
    await upstream.forget()
    token = gateway.token("ada", groups=["data-analysts"])
    async with SSE_CLIENTS[client](f"{gateway.base}/sse", token=token) as mcp:
        assert talk.names(await mcp.call("listTools"), "tools") == talk.ALLOWED
        assert talk.names(await mcp.call("listPrompts"), "prompts") == {"summarise"}
        # the stream does not know which request a completion answers, so its values stay behind
        await talk.use_what_is_allowed(mcp, upstream, completions=())
        await talk.follow_progress(mcp, upstream)


@pytest.mark.parametrize("client", SSE_CLIENTS)
async def test_a_refusal_reaches_a_client_whose_answers_come_on_another_stream(client: str, python_rig: Rig) -> None:
    gateway, upstream, _ = python_rig
    await upstream.forget()
    token = gateway.token("ada", groups=["data-analysts"])
    async with asyncio.timeout(PATIENCE), SSE_CLIENTS[client](f"{gateway.base}/sse", token=token) as mcp:
        refused = await mcp.call("callTool", name="run_shell", arguments={"command": "rm -rf /"})
        assert refused["isError"] is True
        with pytest.raises(ClientError) as error:
            await mcp.call("readResource", uri="notes://secret/plan")
        assert error.value.code == DENIED
    assert await upstream.executed() == []
