"""A running service takes out what is over by its policy, and `extproc verify` says so."""

import json
from pathlib import Path

import pytest

from extproc.demo.proxy import Chain
from stack.calls import extproc, site, tool, until
from stack.servers.recorder import echoes, raw_server
from stores import Store

POLICY = """
version: 1
identity:
  issuers: [{name: corp, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}"}]
servers: {sales-db: {tools: {echo: {verb: query}}}}
roles: {analyst: {assigned_to: {groups: [analysts]}, grants: [{servers: [sales-db], verbs: [query]}]}}
recording: {servers: {sales-db: {retention: 7d}}}
"""


@pytest.mark.parametrize("chain", ["one-message"])
async def test_what_is_over_goes_while_calls_go_on(chain: Chain, tmp_path: Path) -> None:
    # what a worker wrote long ago, in segments that are done
    old = [{"kind": "decision", "at": 1, "server": "sales-db", "subject": "gone"}] * 60
    await Store(tmp_path / "state").write("earlier-0", old)
    settings = {"EXTPROC_PURGE_SECONDS": "0.1"}
    async with (
        raw_server() as upstream,
        site(chain, upstream.url, tmp_path, policy=POLICY, settings=settings) as running,
    ):
        upstream.script = echoes({"content": [], "resultType": "complete"})
        assert (await running.post(tool("echo"))).allowed
        purged = await until(lambda: purges(running.gateway.state))
        assert {each["journal"] for each in purged} == {"earlier-0"}
        assert (await running.post(tool("echo"))).allowed
    told = json.loads(await extproc("verify", "--json", "--state", str(tmp_path / "state")))
    assert told["holds"], told
    assert sum(each["pruned"] for each in told["reports"]) == sum(each["events"] for each in purged) > 30


def purges(state: Path) -> list[dict]:
    """The purges on record, once all of the old segments but the last were done."""
    left = sorted((state / "journal" / "earlier-0").glob("*.jsonl"))[:-1]
    return [] if any(b"gone" in path.read_bytes() for path in left) else recorded(state)


def recorded(state: Path) -> list[dict]:
    lines = [
        json.loads(line)
        for path in (state / "journal").rglob("*.jsonl")
        for line in path.read_text("utf-8").splitlines()
    ]
    return [line["event"] for line in lines if line.get("event", {}).get("kind") == "purged"]
