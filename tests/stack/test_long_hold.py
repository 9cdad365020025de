"""The longest hold that a policy can ask for, through a real Envoy on both chains: no clock on the way ends it."""

import asyncio
import time
from pathlib import Path
from typing import Final

import httpx
import pytest

from extproc.demo.proxy import CHAINS, Chain
from stack.answering import humans
from stack.calls import executed, site, tool
from stack.servers.recorder import echoes, raw_server

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {drop_table: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db], verbs: [admin], approval: schema-change}]
approvals:
  schema-change: {approvers: {groups: [dba]}, hold: 5m, expires_after: 10m}
"""
ANSWERED_AFTER: Final = 295.0


@pytest.mark.slow
@pytest.mark.timeout(500)
async def test_a_client_that_waits_for_five_minutes_gets_its_result(tmp_path: Path) -> None:
    async with asyncio.TaskGroup() as both:
        for chain in CHAINS:
            both.create_task(waits(chain, tmp_path / chain))


async def waits(chain: Chain, folder: Path) -> None:
    async with (
        raw_server() as upstream,
        site(chain, upstream.url, folder, policy=POLICY) as stand,
        humans(folder / "state" / "shared.db") as people,
    ):
        upstream.script = echoes({"content": [], "resultType": "complete"})
        stand.http.timeout = httpx.Timeout(None)
        begun = time.monotonic()
        approved, unanswered = tool("drop_table", table="orders"), tool("drop_table", table="customers")
        held = asyncio.create_task(stand.post(approved))
        other = asyncio.create_task(stand.post(unanswered))
        ticket = await people.one('{"table":"orders"}')
        over, _ = await asyncio.wait({held, other}, timeout=ANSWERED_AFTER)
        assert not over, f"ended after {time.monotonic() - begun:.0f} s: {[each.result() for each in over]}"
        assert executed(upstream) == []
        await people.says(ticket, approves=True)
        assert (await held).allowed
        assert "waits for it" in (await other).message["result"]["content"][0]["text"]
        assert time.monotonic() - begun >= ANSWERED_AFTER
        assert executed(upstream) == [approved["id"]]
