"""Held calls through a real Envoy: a human answers on the command line, and the call runs once, or never."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from extproc.core.tickets import Ticket, TicketState
from extproc.demo.proxy import CHAINS, Chain
from extproc.edges.console.local_approvers import LocalApprovers
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets
from extproc.office import LOCAL_APPROVERS
from ports import free_ports
from stack.calls import Site, client, events, everywhere, executed, extproc, request, site, tool, until
from stack.servers.recorder import Raw, echoes, raw_server

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {echo: {verb: query}, drop_table: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants:
      - {servers: [sales-db], verbs: [query]}
      - {servers: [sales-db], verbs: [admin], approval: schema-change}
approvals:
  schema-change: {approvers: {groups: [dba]}, hold: HOLD, expires_after: 5m}
"""


@pytest.fixture
def chain(request: pytest.FixtureRequest) -> Chain:
    """One chain, and the other where a test asks for both: what differs between them is how a call is held."""
    chosen: Chain = getattr(request, "param", "one-message")
    return chosen


@pytest.fixture
async def upstream() -> AsyncIterator[Raw]:
    async with raw_server() as running:
        running.script = echoes({"content": [{"type": "text", "text": "done"}], "resultType": "complete"})
        yield running


@pytest.fixture
async def stand(chain, upstream, tmp_path, request) -> AsyncIterator[Site]:
    hold = getattr(request, "param", "20s")
    policy = POLICY.replace("HOLD", hold)
    async with site(chain, upstream.url, tmp_path, policy=policy) as running:
        yield running


class Approver:
    """A local approver at the command line of one node, who looks into the store to see what waits."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.secret = LocalApprovers(state / LOCAL_APPROVERS).add("dan", groups=["dba"])

    async def waiting(self) -> list[Ticket]:
        database = open_database(self.state / "shared.db")
        try:
            found = await DatabaseTickets(database).waiting()
        finally:
            await database.close()
        return [ticket for ticket in found if ticket.state is TicketState.PENDING]

    async def one(self) -> Ticket:
        (found,) = await until(self.waiting)
        return found

    async def says(self, word: str, ticket: Ticket, reason: str = "seen") -> None:
        options = ["--as", "dan", "--secret", self.secret, "--reason", reason, "--state", str(self.state)]
        await extproc("approvals", word, ticket.id, *options)


@pytest.fixture
def approver(stand: Site) -> Approver:
    return Approver(stand.gateway.state)


@pytest.mark.parametrize("chain", CHAINS, indirect=True)
async def test_a_held_call_runs_exactly_as_shown_once_a_human_says_yes(stand, approver, upstream):
    call = tool("drop_table", table="orders")
    held = asyncio.create_task(stand.post(call))
    shown = await approver.one()
    assert (shown.ask.target, shown.ask.arguments) == ("drop_table", '{"table":"orders"}')
    assert executed(upstream) == []
    await approver.says("approve", shown)
    assert (await held).allowed
    assert executed(upstream) == [call["id"]]
    assert json.loads(upstream.requests[0].body)["params"]["arguments"] == {"table": "orders"}
    event = stand.decision(call)
    assert (event["effect"], event["reason"], event["ticket"]) == ("allow", "approved", shown.id)


@pytest.mark.parametrize("chain", CHAINS, indirect=True)
async def test_a_denied_call_never_runs_and_says_who_and_why(stand, approver, upstream):
    held = asyncio.create_task(stand.post(tool("drop_table", table="orders")))
    await approver.says("deny", await approver.one(), "not on a Friday")
    text = (await held).message["result"]["content"][0]["text"]
    assert "denied by dan" in text
    assert "not on a Friday" in text
    again = await stand.post(tool("drop_table", table="orders"))
    assert "not on a Friday" in again.message["result"]["content"][0]["text"]
    assert executed(upstream) == []


@pytest.mark.parametrize("stand", ["1s"], indirect=True)
async def test_the_identical_later_call_finds_its_approval_and_the_next_one_asks_anew(stand, approver, upstream):
    first = await stand.post(tool("drop_table", table="orders"))
    assert "waits for it" in first.message["result"]["content"][0]["text"]
    other = await stand.post(tool("drop_table", table="orders "))
    assert "waits for it" in other.message["result"]["content"][0]["text"]
    waiting = await approver.waiting()
    assert len(waiting) == 2
    (wanted,) = [each for each in waiting if each.ask.arguments == '{"table":"orders"}']
    await approver.says("approve", wanted)
    later = tool("drop_table", table="orders")
    assert (await stand.post(later)).allowed
    assert executed(upstream) == [later["id"]]
    assert not (await stand.post(tool("drop_table", table="orders"))).allowed
    assert executed(upstream) == [later["id"]]


async def test_of_fifty_duplicates_one_runs(stand, approver, upstream):
    calls = [tool("drop_table", table="orders") for _ in range(15)]
    held = [asyncio.create_task(stand.post(call)) for call in calls]
    await approver.says("approve", await approver.one())
    heard = await asyncio.gather(*held)
    assert sum(each.allowed for each in heard) == 1
    assert len(executed(upstream)) == 1


@pytest.mark.parametrize("chain", CHAINS, indirect=True)
async def test_who_hangs_up_while_held_gets_nothing_run(stand, approver, upstream):
    call = tool("drop_table", table="orders")
    held = asyncio.create_task(stand.post(call))
    shown = await approver.one()
    held.cancel()
    (gone,) = await until(lambda: events(stand.gateway.state, "decision", reason="client_gone"))
    assert gone["effect"] == "hold"
    await approver.says("approve", shown)
    assert (await stand.post(tool("echo"))).allowed
    assert call["id"] not in executed(upstream)


async def test_other_calls_go_on_while_one_is_held(stand, approver):
    held = asyncio.create_task(stand.post(tool("drop_table", table="orders")))
    shown = await approver.one()
    assert (await stand.post(tool("echo"))).allowed
    assert (await stand.post(request("tools/list"))).status == 200
    await approver.says("deny", shown)
    await held


async def test_a_revoked_requester_is_out_of_his_hold_and_of_everything(stand, approver, upstream):
    held = asyncio.create_task(stand.post(tool("drop_table", table="orders")))
    await approver.one()
    await extproc("revoke", "--subject", "ada", "--reason", "left", "--state", str(stand.gateway.state))
    assert (await held).status == 401
    # each worker learns of it within its second
    await everywhere(lambda: _is_out(stand))
    before = len(executed(upstream))
    assert (await stand.post(tool("echo"), who="bob")).allowed
    (one,) = json.loads(await extproc("revocations", "list", "--json", "--state", str(stand.gateway.state)))
    await extproc("revocations", "lift", one["id"], "--state", str(stand.gateway.state))
    assert (await until(lambda: _again(stand))).allowed
    assert len(executed(upstream)) == before + 2


async def _is_out(stand: Site) -> bool:
    return (await stand.post(tool("echo"))).status == 401


async def _again(stand: Site) -> Any:
    heard = await stand.post(tool("echo"))
    return heard if heard.status == 200 else None


async def test_the_policy_that_changes_during_a_hold_counts(stand, approver, upstream):
    held = asyncio.create_task(stand.post(tool("drop_table", table="orders")))
    await approver.one()
    path = stand.gateway.state.parent / "policy.yaml"
    text = path.read_text() + "deny: [{name: freeze, servers: [sales-db], tools: [drop_table]}]\n"
    path.write_text(text)
    heard = await held
    assert "freeze" in heard.message["result"]["content"][0]["text"]
    assert executed(upstream) == []


@pytest.mark.skipif(sys.platform != "linux", reason="ends workers by their process ids from /proc")
async def test_a_worker_that_dies_while_it_holds_runs_nothing_and_the_request_still_waits(stand, approver, upstream):
    held = asyncio.create_task(stand.post(tool("drop_table", table="orders")))
    shown = await approver.one()
    _, ready = await stand.readiness()
    for worker in ready["workers"]:
        os.kill(worker["pid"], signal.SIGKILL)
    heard = await held
    assert heard.status >= 500 or heard.cut
    assert executed(upstream) == []
    assert (await approver.one()).id == shown.id
    await approver.says("approve", shown)
    later = tool("drop_table", table="orders")

    async def runs() -> bool:
        return (await stand.post(later)).allowed or later["id"] in executed(upstream)

    assert await until(runs)
    assert executed(upstream) == [later["id"]]


LENDING: Final = (
    POLICY.replace("HOLD", "20s")
    .replace(
        "approvals:",
        """\
  steward:
    lend: {approval: schema-change, at_most: 1h}
    grants: [{servers: [sales-db]}]
approvals:""",
    )
    .replace(", approval: schema-change}\n", "}\n", 1)
    .replace("      - {servers: [sales-db], verbs: [admin]}\n", "")
)


@pytest.fixture
async def with_console(upstream: Raw, tmp_path: Path) -> AsyncIterator[tuple[Site, str]]:
    console = f"127.0.0.1:{free_ports(1)[0]}"
    settings = {"EXTPROC_CONSOLE": console}
    async with site("one-message", upstream.url, tmp_path, policy=LENDING, settings=settings) as running:
        base = f"http://{console}"

        async def is_up() -> bool:
            try:
                return (await running.http.get(f"{base}/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        assert await until(is_up)
        yield running, base


async def test_a_role_is_asked_for_approved_used_and_taken_back(with_console, upstream):
    stand, console = with_console
    approver = Approver(stand.gateway.state)
    call = tool("drop_table", table="orders")
    assert not (await stand.post(call)).allowed
    token = stand.tokens["ada"]
    asking = asyncio.create_task(
        extproc(
            "access", "request", "--role", "steward", "--for", "30m", "--console", console, "--token", token, "--wait"
        )
    )
    shown = await approver.one()
    assert (shown.ask.role, shown.ask.seconds, shown.ask.subject) == ("steward", 1800, "ada")
    await approver.says("approve", shown)
    assert "the role is lent" in await asking

    async def runs() -> bool:
        return (await stand.post(tool("drop_table", table="orders"))).allowed

    assert await until(runs)
    assert not (await stand.post(tool("drop_table", table="orders"), who="bob")).allowed
    (loan,) = json.loads(await extproc("access", "list", "--json", "--state", str(approver.state)))
    await extproc("access", "revoke", loan["id"], "--state", str(approver.state))

    async def is_refused() -> bool:
        return not (await stand.post(tool("drop_table", table="orders"))).allowed

    assert await until(is_refused)
    assert {event["step"] for event in events(approver.state, "loan")} == {"lent", "ended"}
    assert executed(upstream)


async def test_a_role_that_is_not_lent_or_for_too_long_is_not_asked_for(with_console):
    stand, console = with_console
    await stand.post(tool("echo"))
    headers = {"authorization": f"Bearer {stand.tokens['ada']}"}
    for wish in ({"role": "analyst", "seconds": 60}, {"role": "steward", "seconds": 7200}, {"role": "x", "seconds": 1}):
        answer = await stand.http.post(f"{console}/api/v1/access", json=wish, headers=headers)
        assert answer.status_code == 400, wish
    assert (await stand.http.post(f"{console}/api/v1/access", json={})).status_code == 401


async def test_an_approver_answers_on_the_page(with_console, upstream):
    stand, console = with_console
    approver = Approver(stand.gateway.state)
    await stand.post(tool("echo"))
    headers = {"authorization": f"Bearer {stand.tokens['ada']}"}
    wish = {"role": "steward", "seconds": 600, "reason": "<b>fix</b>"}
    asked = (await stand.http.post(f"{console}/api/v1/access", json=wish, headers=headers)).json()
    async with client(base_url=console) as browser:
        await browser.post("/login/local", data={"name": "dan", "secret": approver.secret})
        page = await browser.get(asked["page"])
        assert "&lt;b&gt;fix&lt;/b&gt;" in page.text
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
        await browser.post(asked["page"], data=form | {"answer": "approve", "reason": "ok"})

    async def runs() -> bool:
        return (await stand.post(tool("drop_table", table="orders"))).allowed

    assert await until(runs)
    assert len(executed(upstream)) >= 1
    assert [event["by"]["subject"] for event in events(approver.state, "login")] == ["dan"]


async def test_who_signs_out_is_removed_or_revoked_is_out_of_the_console(with_console):
    stand, console = with_console
    state = stand.gateway.state
    local = LocalApprovers(state / LOCAL_APPROVERS)
    secrets = {name: local.add(name, groups=["dba"]) for name in ("dan", "eva", "ida")}

    async def is_in(browser: httpx.AsyncClient) -> bool:
        return (await browser.get("/approvals")).status_code == 200

    async with client(base_url=console) as dan, client(base_url=console) as eva, client(base_url=console) as ida:
        for name, browser in (("dan", dan), ("eva", eva), ("ida", ida)):
            await browser.post("/login/local", data={"name": name, "secret": secrets[name]})
            assert await is_in(browser)
        kept = dict(ida.cookies)
        page = await ida.get("/approvals")
        form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
        await ida.post("/logout", data=form)
        ida.cookies.update(kept)
        assert not await is_in(ida), "a copy of the cookie still opens the console"
        await extproc("approvers", "remove", "dan", "--state", str(state))
        assert not await is_in(dan)
        await extproc("revoke", "--issuer", "local", "--subject", "eva", "--state", str(state))

        async def is_out() -> bool:
            return not await is_in(eva)

        assert await until(is_out)
