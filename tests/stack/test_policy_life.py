"""A policy from its edit to its effect: reload, swap under load, shadow mode, limits, recording levels, through Envoy."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from extproc.core.policy import compiled
from extproc.core.policy.rules import Policy
from extproc.demo.proxy import CHAINS, Chain
from stack.calls import Heard, Site, events, executed, extproc, request, site, tool, until
from stack.servers.recorder import Arrival, Raw, json_reply, raw_server

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

IDENTITY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
"""
SERVERS = """
servers:
  sales-db:
    tools: {alpha: {verb: query}, beta: {verb: query}, drop_table: {verb: admin}}
    unlisted_tools: deny
"""
SECRET = "hunter2-s3cr3t"
KEYED = re.compile(r"hmac-sha256:[0-9a-f]{8}:[0-9a-f]{64}")
TOOLS = ["alpha", "beta", "drop_table", "unlisted"]


def granting(*tools: str, more: str = "", when: str = "") -> str:
    """A policy by which analysts may use these tools."""
    condition = f", when: '{when}'" if when else ""
    grant = f"{{servers: [sales-db], verbs: [query], tools: [{', '.join(tools)}]{condition}}}"
    roles = f"roles:\n  analyst:\n    assigned_to: {{groups: [analysts]}}\n    grants: [{grant}]\n"
    return IDENTITY + SERVERS + roles + more


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _upstream() -> AsyncIterator[Raw]:
    async with raw_server() as running:
        running.script = answer
        yield running


async def answer(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """A list of all tools, or the empty result of a call."""
    await arrival.complete.wait()
    message = json.loads(arrival.body)
    result: Any = {"content": []}
    if message["method"] == "tools/list":
        result = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}
    if message["method"] == "initialize":
        told = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
        headers = [("mcp-session-id", f"session-{message['id']}")]
        await json_reply({"jsonrpc": "2.0", "id": message["id"], "result": told}, headers=headers)(arrival, writer)
        return
    if message["params"].get("arguments", {}).get("reply"):
        result = {"content": [{"type": "text", "text": message["params"]["arguments"]["reply"]}]}
    await json_reply({"jsonrpc": "2.0", "id": message["id"], "result": result})(arrival, writer)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def everyday(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _upstream: Raw
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    async with site(request.param, _upstream.url, folder, policy=granting("alpha")) as running:
        yield running


@pytest.fixture
def upstream(_upstream: Raw) -> Raw:
    _upstream.requests.clear()
    _upstream.faults.clear()
    return _upstream


@pytest.fixture
def mcp(everyday: Site, upstream: Raw) -> Site:  # noqa: ARG001 - forgotten before each test
    """A gateway with whatever policy the test before has left; ``follow`` puts another into force."""
    return everyday


def write(mcp: Site, text: str, *, in_place: bool = False) -> str:
    """Put a policy file into place and return its text."""
    gateway = mcp.gateway
    values = {
        "{issuer}": gateway.issuer.url,
        "{audience}": gateway.url,
        "{jwks_uri}": f"{gateway.issuer.url}/jwks.json",
    }
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    if in_place:
        gateway.policy_file.write_text(text, "utf-8")
    else:
        fresh = gateway.policy_file.with_suffix(".new")
        fresh.write_text(text, "utf-8")
        fresh.replace(gateway.policy_file)
    return text


async def follow(mcp: Site, text: str, *, in_place: bool = False) -> str:
    """Put a policy into place and wait until every worker has recorded that it is in force; its digest."""
    loaded = compiled.load(write(mcp, text, in_place=in_place), source="policy.yaml")
    assert isinstance(loaded, Policy), loaded
    await until(lambda: set(in_force(mcp)) == {loaded.digest})
    return loaded.digest


def in_force(mcp: Site) -> list[str]:
    """The digest that each worker recorded last."""
    return [
        [event["policy"] for event in journal(folder) if event["kind"] == "policy" and event["ok"]][-1]
        for folder in sorted((mcp.gateway.state / "journal").iterdir())
    ]


def journal(folder: Path) -> list[dict[str, Any]]:
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_bytes().split(b"\n")[:-1]]
    return [json.loads(line)["event"] for line in lines]


# --- reload ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("in_place", [False, True], ids=["renamed", "in place"])
async def test_the_next_calls_follow_an_edited_policy(mcp: Site, in_place: bool) -> None:
    await follow(mcp, granting("alpha"))
    assert (await mcp.post(tool("alpha"))).allowed
    assert not (await mcp.post(tool("beta"))).allowed
    write(mcp, granting("beta"), in_place=in_place)

    async def every_worker_follows() -> bool:
        asked = await asyncio.gather(*(mcp.post(tool(name)) for name in ("alpha", "beta") * 8))
        return [each.allowed for each in asked] == [False, True] * 8

    await until(every_worker_follows)
    listed = await mcp.post(request("tools/list"))
    assert [each["name"] for each in listed.message["result"]["tools"]] == ["beta"]


async def test_a_broken_policy_file_leaves_the_last_good_one_in_force_and_raises_the_alarm(mcp: Site) -> None:
    good = await follow(mcp, granting("alpha"))
    assert await mcp.metric("extproc_policy_problem") == 0
    before, told = len(complaints(mcp)), 0
    for broken in ("version: 1\nservers: {", granting("gamma_that_no_server_has"), ""):
        write(mcp, broken)
        told += 2  # each worker says it
        await until(lambda: len(complaints(mcp)[before:]) == told)  # noqa: B023 - asked at once
        assert await mcp.metric("extproc_policy_problem") == 1
        assert (await mcp.post(tool("alpha"))).allowed
        message = tool("beta")
        assert not (await mcp.post(message)).allowed
        assert mcp.decision(message)["policy"] == good
        write(mcp, granting("alpha"))
        await until(lambda: policy_problem_is(mcp, 0))
    assert {event["policy"] for event in complaints(mcp)[before:]} == {good}
    assert all(event["problems"] > 0 for event in complaints(mcp))
    assert f"{mcp.gateway.policy_file}:2:" in mcp.gateway.service_log()


def complaints(mcp: Site) -> list[dict[str, Any]]:
    return events(mcp.gateway.state, "policy", ok=False)


async def policy_problem_is(mcp: Site, value: int) -> bool:
    return await mcp.metric("extproc_policy_problem") == value


async def test_a_policy_that_is_swapped_under_load_judges_each_call_as_a_whole(mcp: Site, upstream: Raw) -> None:
    first = await follow(mcp, granting("alpha"))
    messages: list[dict[str, Any]] = []
    heard: list[Heard] = []
    stop = asyncio.Event()

    async def calling(name: str) -> None:
        while not stop.is_set():
            message = tool(name)
            messages.append(message)
            heard.append(await mcp.post(message))

    async with asyncio.TaskGroup() as load:
        for name in ("alpha", "beta") * 4:
            load.create_task(calling(name))
        second = await follow(mcp, granting("beta"))
        for text in (granting("alpha"), granting("beta"), granting("alpha")):
            await follow(mcp, text)
        stop.set()
    assert len(heard) == len(messages) > 100
    assert {each.status for each in heard} == {200}
    granted = {first: "alpha", second: "beta"}
    seen = {(event["id"], event["policy"]): event for event in events(mcp.gateway.state, "decision")}
    mine = {message["id"]: message["params"]["name"] for message in messages}
    judged = {key: event for key, event in seen.items() if key[0] in mine}
    assert len(judged) == len(messages)  # one decision each, by one policy
    for (number, policy), event in judged.items():
        assert (event["effect"] == "allow") == (granted[policy] == mine[number])
    assert {policy for _, policy in judged} == {first, second}
    assert executed(upstream) == sorted(number for (number, _), event in judged.items() if event["effect"] == "allow")


# --- shadow mode -------------------------------------------------------------------------------------------------


async def test_shadow_mode_by_policy_executes_and_lists_all_and_says_so_on_every_event(
    mcp: Site, upstream: Raw
) -> None:
    await follow(mcp, "mode: shadow\n" + granting("alpha"))
    await _shadowed(mcp, upstream)


@pytest.mark.parametrize("chain", CHAINS)
async def test_shadow_mode_by_settings_executes_and_lists_all_and_says_so_on_every_event(
    chain: Chain, tmp_path: Path, upstream: Raw
) -> None:
    options: Any = {"policy": granting("alpha"), "settings": {"EXTPROC_SHADOW": "true"}}
    async with site(chain, upstream.url, tmp_path, **options) as mcp:
        await _shadowed(mcp, upstream)
        assert all(event["shadow"] for event in events(mcp.gateway.state, "decision", "started"))


async def _shadowed(mcp: Site, upstream: Raw) -> None:
    denied, allowed, listing, malformed = tool("drop_table"), tool("alpha"), request("tools/list"), tool("x" * 5000)
    sample = 'extproc_decisions_total{effect="shadow",server="sales-db",verb="admin"}'
    counted = await mcp.metric(sample)
    assert (await mcp.post(denied)).allowed
    assert (await mcp.post(allowed)).allowed
    listed = await mcp.post(listing)
    assert [each["name"] for each in listed.message["result"]["tools"]] == TOOLS
    assert (await mcp.post(malformed)).status == 400  # what cannot be read is refused in shadow mode as well
    assert executed(upstream) == sorted(each["id"] for each in (denied, allowed, listing))
    judged = [mcp.decision(each) for each in (denied, allowed, listing, malformed)]
    assert [event["effect"] for event in judged] == ["shadow", "allow", "allow", "reject"]
    assert all(event["shadow"] is True for event in judged)
    assert (await mcp.outcome(listing))["hidden"] == 0
    assert await mcp.metric(sample) == counted + 1


# --- limits and conditions ---------------------------------------------------------------------------------------


async def test_a_limit_holds_over_all_workers_whatever_arrives_at_once(mcp: Site, upstream: Raw) -> None:
    await follow(mcp, granting("alpha", more="limits: [{per: principal, servers: [sales-db], calls: 20/1m}]\n"))
    messages = [tool("alpha") for _ in range(60)]
    heard = await asyncio.gather(*(mcp.post(message, who="bob") for message in messages))
    assert sum(each.allowed for each in heard) == 20
    assert {each.status for each in heard} == {200}
    assert executed(upstream) == sorted(m["id"] for m, each in zip(messages, heard, strict=True) if each.allowed)
    mine = {message["id"] for message in messages}
    asked = [
        sum(1 for event in journal(folder) if event["kind"] == "decision" and event["id"] in mine)
        for folder in (mcp.gateway.state / "journal").iterdir()
    ]
    assert sum(asked) == 60
    assert min(asked) > 0  # both workers took part
    assert (await mcp.post(tool("alpha"), who="carol")).allowed  # each principal has a count of its own


async def test_a_condition_on_the_calls_of_a_session_counts_each_session(mcp: Site) -> None:
    await follow(mcp, granting("alpha", when="session.calls < 3"))
    heard = [await mcp.post(tool("alpha"), who="dave") for _ in range(5)]
    assert [each.allowed for each in heard] == [True, True, True, False, False]

    hello = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    for _ in range(2):
        opened = await mcp.post(request("initialize", modern=False, **hello), who="erin")
        handle = {"mcp-session-id": opened.headers["mcp-session-id"]}
        heard = [await mcp.post(tool("alpha", modern=False), who="erin", more=handle) for _ in range(5)]
        assert [each.allowed for each in heard] == [True, True, True, False, False]


# --- recording ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("level", ["masked", "digest", "none"])
async def test_the_journal_holds_what_the_recording_level_says_and_no_token(mcp: Site, level: str) -> None:
    await follow(mcp, granting("alpha", more=f"recording: {{payloads: {level}}}\n"))
    bearer = mcp.gateway.token("somebody")
    message = tool(
        "alpha", password=SECRET, city="Zürich", note=f"Authorization: Bearer {bearer}", reply=f"token={bearer}"
    )
    heard = await mcp.post(message)
    assert bearer in heard.body.decode()  # the recording is masked, the traffic is not
    decision = mcp.decision(message)
    outcomes = events(mcp.gateway.state, "outcome", decision=decision["decision"])
    if level != "none":
        outcomes = [await mcp.outcome(message)]
    assert KEYED.fullmatch(decision["arguments_digest"])
    if level == "masked":
        arguments = decision["arguments"]
        assert arguments["city"] == "Zürich"
        assert arguments["password"].startswith("[masked:")
        assert "[masked:" in arguments["note"]
        assert "[masked:" in json.dumps(outcomes[0]["payload"])
    else:
        assert decision["arguments"] is None
        assert [outcome["payload"] for outcome in outcomes] == ([None] if level == "digest" else [])
    for outcome in outcomes:
        assert KEYED.fullmatch(outcome["digest"])
    files = [file.read_bytes() for file in mcp.gateway.state.rglob("*") if file.is_file()]
    for secret in (SECRET, bearer, bearer.split(".")[2], mcp.tokens["ada"]):
        assert not any(secret.encode() in each for each in files)
        assert secret not in mcp.gateway.service_log()


async def test_the_command_line_reads_and_verifies_what_is_recorded_while_it_is_recorded(mcp: Site) -> None:
    await follow(mcp, granting("alpha"))
    state = ["--state", str(mcp.gateway.state)]
    allowed, denied = tool("alpha"), tool("drop_table")
    for message in (allowed, denied):
        await mcp.post(message, who="frank")
    await mcp.outcome(allowed)
    (session,) = json.loads(await extproc("sessions", "--json", "--principal", "frank", *state))
    assert (session["subject"], session["server"]) == ("frank", "sales-db")
    assert (session["calls"], session["denied"]) == (2, 1)
    shown = json.loads(await extproc("sessions", "show", session["id"], "--json", *state))
    assert [(call["effect"], call["targets"], call["verb"]) for call in shown["calls"]] == [
        ("allow", ["tool:alpha"], "query"),
        ("deny", ["tool:drop_table"], "admin"),
    ]
    verdict = json.loads(await extproc("verify", "--json", *state))
    assert verdict["holds"]
    assert [report["live"] for report in verdict["reports"]] == [True] * 2
