"""Held calls of real SDK clients of both eras through a real Envoy: whatever happens meanwhile, once or never."""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from extproc.demo.proxy import Chain
from ports import free_ports
from stack.answering import Humans, humans
from stack.calls import events, everywhere, extproc, until
from stack.clients.faces import Call, Client, ClientError
from stack.counterparts import CLIENTS, Server, canary
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
    tools: {echo: {verb: query}, deploy: {verb: mutate}, run_shell: {verb: admin}, touch: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants:
      - {servers: [canary], verbs: [query]}
      - {servers: [canary], tools: [deploy], approval: change}
      - {servers: [canary], tools: [run_shell], approval: short}
  steward:
    lend: {approval: change, at_most: 1h}
    grants: [{servers: [canary], tools: [touch], approval: change}]
approvals:
  change: {approvers: {groups: [dba]}, hold: 40s}
  short: {approvers: {groups: [dba]}, hold: 40s, expires_after: 1s}
"""
KINDS: Final = ("python-legacy", "python-modern", "ts-v1", "ts-v2-legacy", "ts-v2-modern")
SKEW: Final = 30
FREEZE: Final = "deny: [{name: freeze, servers: [canary], tools: [deploy]}]\n"
every_client = pytest.mark.parametrize("kind", KINDS)


class Stand:
    """One gateway in front of a canary, with humans."""

    def __init__(self, gateway: Gateway, upstream: Server, people: Humans) -> None:
        self.gateway, self.upstream, self.people = gateway, upstream, people

    @asynccontextmanager
    async def client(
        self, kind: str, *, subject: str = "", asked: bool = False, **claims: Any
    ) -> AsyncIterator[Client]:
        """A client of somebody of his own, so that no test finds what another one has left."""
        subject = subject or uuid.uuid4().hex
        token = self.gateway.token(subject, groups=["analysts"], **claims)
        async with CLIENTS[kind](self.gateway.url, token=token, asked=asked) as mcp:
            yield mcp

    async def executed(self, word: str) -> int:
        """How often the call with this argument has run."""
        ledger = await self.upstream.ledger()
        return sum(word in each["arguments"].values() for each in ledger["executions"])


@asynccontextmanager
async def standing(chain: Chain, folder: Path) -> AsyncIterator[Stand]:
    settings = {"EXTPROC_CONSOLE": f"127.0.0.1:{free_ports(1)[0]}", "EXTPROC_DRAIN_SECONDS": "1"}
    async with (
        canary("python") as upstream,
        Gateway(
            chain=chain, upstream=upstream.url, folder=folder, policy=POLICY, server="canary", settings=settings
        ) as gateway,
        humans(gateway.state / "shared.db") as people,
    ):
        yield Stand(gateway, upstream, people)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    async with standing("one-message", tmp_path_factory.mktemp("held")) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def portable(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stand]:
    async with standing("portable", tmp_path_factory.mktemp("portable")) as running:
        yield running


def words_of(said: dict[str, Any]) -> str:
    assert said["isError"] is True
    text: str = said["content"][0]["text"]
    return text


def deploying(mcp: Client) -> tuple[str, Call]:
    """A held call under way, and its argument, which no other call has."""
    word = uuid.uuid4().hex
    return word, mcp.start("callTool", name="deploy", arguments={"target": word})


def canonical(name: str, word: str) -> str:
    return json.dumps({name: word}, separators=(",", ":"))


@every_client
async def test_an_approved_call_runs_once_and_its_result_comes(kind: str, stand: Stand) -> None:
    async with stand.client(kind) as mcp:
        word, call = deploying(mcp)
        ticket = await stand.people.one(canonical("target", word))
        assert await stand.executed(word) == 0
        await stand.people.says(ticket, approves=True)
        assert (await call.result)["content"][0]["text"] == "deployed"
        assert await stand.executed(word) == 1


@every_client
async def test_a_denied_call_says_who_and_why(kind: str, stand: Stand) -> None:
    async with stand.client(kind) as mcp:
        word, call = deploying(mcp)
        await stand.people.says(await stand.people.one(canonical("target", word)), approves=False, reason="too late")
        assert "denied by dan (approval `change`): too late" in words_of(await call.result)
        assert await stand.executed(word) == 0


@every_client
@pytest.mark.parametrize("approves", [True, False])
async def test_the_portable_chain_holds_as_well(kind: str, portable: Stand, *, approves: bool) -> None:
    async with portable.client(kind) as mcp:
        word, call = deploying(mcp)
        ticket = await portable.people.one(canonical("target", word))
        await portable.people.says(ticket, approves=approves)
        assert bool((await call.result).get("isError")) != approves
        assert await portable.executed(word) == int(approves)


@every_client
async def test_a_call_that_nobody_answers_says_so_when_its_time_is_over(kind: str, stand: Stand) -> None:
    async with stand.client(kind) as mcp:
        word = uuid.uuid4().hex
        said = await mcp.call("callTool", name="run_shell", arguments={"command": word})
        assert "Nobody approved this call in time" in words_of(said)
        assert await stand.executed(word) == 0


@every_client
async def test_a_client_that_goes_gets_nothing_run(kind: str, stand: Stand) -> None:
    subject = uuid.uuid4().hex
    async with stand.client(kind, subject=subject) as mcp:
        word, call = deploying(mcp)
        ticket = await stand.people.one(canonical("target", word))
        call.cancel()
    with pytest.raises((ClientError, asyncio.CancelledError, RuntimeError)):
        await call.result

    def gone() -> list[dict[str, Any]]:
        found = events(stand.gateway.state, "decision", reason="client_gone")
        return [each for each in found if each["principal"]["subject"] == subject]

    assert await until(gone)
    await stand.people.says(ticket, approves=True)
    async with stand.client(kind) as another:
        assert (await another.call("callTool", name="echo", arguments={"text": "on"}))["content"][0]["text"] == "on"
    assert await stand.executed(word) == 0


@every_client
async def test_a_call_that_its_client_takes_back_does_not_run(kind: str, stand: Stand) -> None:
    subject = uuid.uuid4().hex
    async with stand.client(kind, subject=subject) as mcp:
        word, call = deploying(mcp)
        ticket = await stand.people.one(canonical("target", word))
        call.cancel()
        with pytest.raises((ClientError, asyncio.CancelledError)):
            await call.result

        def is_told() -> bool:
            found = [each for each in events(stand.gateway.state, "decision") if each["principal"]]
            mine = [each for each in found if each["principal"]["subject"] == subject]
            words = {each["method"] for each in mine} | {each["reason"] for each in mine}
            return bool(words & {"notifications/cancelled", "client_gone"})

        assert await until(is_told)
        await stand.people.says(ticket, approves=True)
        assert (await mcp.call("callTool", name="echo", arguments={"text": "on"}))["content"][0]["text"] == "on"
        assert await until(lambda: is_over(stand, subject))
        assert await stand.executed(word) == 0


def is_over(stand: Stand, subject: str) -> bool:
    """Whether the held call of this requester has come to its end."""
    reasons = [
        each["reason"]
        for each in events(stand.gateway.state, "decision")
        if each["principal"] and each["principal"]["subject"] == subject
    ]
    return bool({"client_gone", "cancelled"} & set(reasons))


@every_client
async def test_a_policy_that_changes_during_the_hold_counts(kind: str, stand: Stand) -> None:
    before = stand.gateway.policy_file.read_text()
    async with stand.client(kind) as mcp:
        word, call = deploying(mcp)
        await stand.people.one(canonical("target", word))
        try:
            await put_in_force(stand, before + FREEZE)
            assert "freeze" in words_of(await call.result)
            assert await stand.executed(word) == 0
        finally:
            await put_in_force(stand, before)


async def put_in_force(stand: Stand, text: str) -> None:
    """Write the policy, and wait until every worker goes by it."""
    digest = hashlib.sha256(text.encode()).hexdigest()

    def loads() -> int:
        return len(events(stand.gateway.state, "policy", policy=digest))

    wanted = loads() + len(stand.gateway.workers)
    stand.gateway.policy_file.write_text(text)
    assert await until(lambda: loads() >= wanted)


@every_client
async def test_a_role_that_is_taken_back_during_the_hold_counts(kind: str, stand: Stand) -> None:
    subject, word = uuid.uuid4().hex, uuid.uuid4().hex
    loan = await stand.people.lend(stand.gateway.issuer.url, subject, "steward")
    async with stand.client(kind, subject=subject) as mcp:
        await everywhere(lambda: is_lent(mcp))
        call = mcp.start("callTool", name="touch", arguments={"uri": word})
        await stand.people.one(canonical("uri", word))
        assert await stand.people.shared.end_loan(loan.id)
        assert "touch" in words_of(await call.result)
        assert await stand.executed(word) == 0


async def is_lent(mcp: Client) -> bool:
    return "touch" in {each["name"] for each in (await mcp.call("listTools"))["tools"]}


@every_client
async def test_who_is_revoked_during_the_hold_is_out(kind: str, stand: Stand) -> None:
    subject = uuid.uuid4().hex
    async with stand.client(kind, subject=subject) as mcp:
        word, call = deploying(mcp)
        await stand.people.one(canonical("target", word))
        await extproc("revoke", "--subject", subject, "--reason", "left", "--state", str(stand.gateway.state))
        with pytest.raises(ClientError):
            await to_its_end(mcp, call, word)
        assert await stand.executed(word) == 0


async def to_its_end(mcp: Client, call: Call, word: str) -> None:
    """Wait for the held call and make it once more: a hold that was over first has only said that it waits."""
    await call.result
    await mcp.call("callTool", name="deploy", arguments={"target": word})


@every_client
async def test_a_token_that_expires_during_the_hold_runs_nothing(kind: str, stand: Stand) -> None:
    now = int(time.time())
    # so many seconds are left of it: what is behind ``exp`` is the difference that clocks may have
    end = now + 8
    async with stand.client(kind, iat=now - 60, exp=end - SKEW) as mcp:
        word, call = deploying(mcp)
        ticket = await stand.people.one(canonical("target", word))
        await until(lambda: time.time() > end)
        await stand.people.says(ticket, approves=True)
        with pytest.raises(ClientError):
            await call.result
        assert await stand.executed(word) == 0


@every_client
async def test_a_restart_during_the_hold_runs_nothing_and_the_request_still_waits(kind: str, stand: Stand) -> None:
    subject = uuid.uuid4().hex
    async with stand.client(kind, subject=subject) as mcp:
        word, call = deploying(mcp)
        ticket = await stand.people.one(canonical("target", word))
        await stand.gateway.stop_service()
        await stand.gateway.start_service()
        with pytest.raises(ClientError):
            await call.result
    assert await stand.executed(word) == 0
    assert (await stand.people.one(canonical("target", word))).id == ticket.id
    await stand.people.says(ticket, approves=True)
    await until(lambda: runs_again(stand, kind, subject, word))
    assert await stand.executed(word) == 1


async def runs_again(stand: Stand, kind: str, subject: str, word: str) -> bool:
    """Whether the identical call runs; Envoy may still take the service for away, and refuses."""
    try:
        async with stand.client(kind, subject=subject) as mcp:
            again = await mcp.call("callTool", name="deploy", arguments={"target": word})
    except ClientError:
        return False
    return bool(again["content"][0]["text"] == "deployed")


# --- clients that open URLs for their humans ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["python-modern", "ts-v2-modern"])
@pytest.mark.parametrize("approves", [True, False])
async def test_a_modern_client_opens_the_page_and_gets_its_result(kind: str, stand: Stand, *, approves: bool) -> None:
    async with stand.client(kind, asked=True) as mcp:
        word, call = deploying(mcp)
        ticket = await stand.people.one(canonical("target", word))
        opened = await mcp.events.wait(lambda event: event["event"] == "asked")
        assert opened["params"]["url"].endswith(f"/approvals/{ticket.id}")
        await stand.people.says(ticket, approves=approves)
        said = await call.result
        assert bool(said.get("isError")) != approves
        assert await stand.executed(word) == int(approves)
        assert len([each for each in mcp.events.seen if each["event"] == "asked"]) == 1


@pytest.mark.parametrize("kind", ["python-legacy", "ts-v1", "ts-v2-legacy"])
async def test_a_legacy_client_is_told_the_page_and_calls_again(kind: str, stand: Stand) -> None:
    async with stand.client(kind, asked=True) as mcp:
        word, call = deploying(mcp)
        with pytest.raises(ClientError) as error:
            await call.result
        ticket = await stand.people.one(canonical("target", word))
        assert error.value.code == -32042
        (page,) = error.value.data["elicitations"]
        assert page["url"].endswith(f"/approvals/{ticket.id}")
        await stand.people.says(ticket, approves=True)
        again = await mcp.call("callTool", name="deploy", arguments={"target": word})
        assert again["content"][0]["text"] == "deployed"
        assert await stand.executed(word) == 1
