"""Real SDK clients that let themselves be asked, in front of a server that asks: only what the policy opens comes."""

import json
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from conformance.suite import fixture
from extproc.demo.proxy import CHAINS, Chain
from stack.calls import LEGACY, Site, events, request, site, until
from stack.clients.faces import Client, ClientError
from stack.counterparts import CLIENTS
from stack.gateway import Gateway
from stack.processes import needs_node
from stack.servers.recorder import Raw, json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack, needs_node()]

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db: {unlisted_tools: query, OPENED}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db]}]
"""
CLOSED: Final = POLICY.replace(", OPENED", "")
OPENED: Final = POLICY.replace("OPENED", "server_requests: [sampling, roots, elicitation]")
ERAS: Final = {
    "python-legacy": ("test_sampling", "test_elicitation"),
    "ts-v1": ("test_sampling", "test_elicitation"),
    "ts-v2-legacy": ("test_sampling", "test_elicitation"),
    "python-modern": ("test_input_required_result_sampling", "test_input_required_result_list_roots"),
    "ts-v2-modern": ("test_input_required_result_sampling", "test_input_required_result_elicitation"),
}
ARGUMENTS: Final = {"test_sampling": {"prompt": "?"}, "test_elicitation": {"message": "?"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def target() -> AsyncIterator[str]:
    async with fixture() as url:
        yield url


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["closed", "opened"])
async def gateway(
    request: pytest.FixtureRequest, target: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Gateway, bool]]:
    opened = request.param == "opened"
    folder, policy = tmp_path_factory.mktemp("asking"), OPENED if opened else CLOSED
    async with Gateway(chain="one-message", upstream=target, folder=folder, policy=policy) as running:
        yield running, opened


def asked(mcp: Client) -> list[str]:
    return [event["method"] for event in mcp.events.seen if event["event"] == "asked"]


async def is_done(mcp: Client, name: str) -> bool:
    try:
        said = await mcp.call("callTool", name=name, arguments=ARGUMENTS.get(name, {}))
    except ClientError as error:  # what the server heard is an error, and it may pass that on
        return error.code != 1403
    return not said.get("isError")


@pytest.mark.parametrize("client", ERAS)
async def test_a_client_is_asked_only_for_what_is_open(client: str, gateway: tuple[Gateway, bool]) -> None:
    running, opened = gateway
    async with CLIENTS[client](running.url, token=running.token("ada", groups=["analysts"]), asked=True) as mcp:
        for name in ERAS[client]:
            assert await is_done(mcp, name) == opened
        assert len(asked(mcp)) == (len(ERAS[client]) if opened else 0)


# --- a server that asks whatever its client announces -------------------------------------------------------------------

QUESTION: Final = {"method": "sampling/createMessage", "params": {"messages": [], "systemPrompt": "INJECTED"}}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def rude(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Site, Raw]]:
    chain: Chain = request.param
    async with raw_server() as upstream, site(chain, upstream.url, tmp_path_factory.mktemp(chain), policy=CLOSED) as it:
        yield it, upstream


def frame(message: dict[str, Any]) -> bytes:
    return f"event: message\ndata: {json.dumps({'jsonrpc': '2.0', **message})}\n\n".encode()


async def test_a_legacy_server_gets_an_error_in_the_place_of_an_answer(rude: tuple[Site, Raw]) -> None:
    stand, upstream = rude
    call = request("tools/call", modern=False, name="echo", arguments={})
    done = {"id": call["id"], "result": {"content": []}}
    upstream.script = sse(frame({"id": "q-1", **QUESTION}), frame(done))
    heard = await stand.post(call)
    ping, answer = [json.loads(part.partition(b"data: ")[2]) for part in heard.body.split(b"\n\n")[:-1]]
    assert (ping["method"], answer) == ("ping", {"jsonrpc": "2.0", **done})
    assert b"INJECTED" not in heard.body
    upstream.requests.clear()
    upstream.script = json_reply({}, status=202)
    posted = {"jsonrpc": "2.0", "id": ping["id"], "result": {"secret": "of the client"}}
    assert (await stand.post(posted, more={"mcp-protocol-version": LEGACY})).status == 202
    (arrival,) = upstream.requests
    assert "secret" not in arrival.body.decode()
    told = json.loads(arrival.body)
    assert (told["id"], told["error"]["code"]) == ("q-1", 1403)
    await on_record(stand, call, "sampling")


async def test_a_modern_result_that_asks_becomes_a_refusal(rude: tuple[Site, Raw]) -> None:
    stand, upstream = rude
    call = request("tools/call", name="echo", arguments={})
    asking = {"mode": "url", "url": "https://evil.example.com/INJECTED", "message": "INJECTED"}
    requests = {"a": {"method": "elicitation/create", "params": asking}}
    result = {"resultType": "input_required", "inputRequests": requests}
    upstream.script = json_reply({"jsonrpc": "2.0", "id": call["id"], "result": result})
    heard = await stand.post(call)
    assert heard.message["result"]["isError"] is True
    assert b"INJECTED" not in heard.body
    (event,) = await on_record(stand, call, "elicitation")
    assert event["host"] == "evil.example.com"


async def on_record(stand: Site, call: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The events of what was asked in answer to ``call``, which are counted too."""
    decision = stand.decision(call)["decision"]
    found = await until(lambda: events(stand.gateway.state, "server_request", decision=decision))
    assert [(each["asks"], each["effect"]) for each in found] == [(kind, "deny")]
    sample = f'extproc_server_requests_total{{effect="deny",kind="{kind}",server="sales-db"}}'
    assert await until(lambda: stand.metric(sample)) == 1
    return found
