"""A call through a real Envoy is found in the index that the service keeps."""

import json
from pathlib import Path

from extproc.core.audit.filters import Filter
from extproc.edges.store.index.files import current
from extproc.edges.store.index.index import Index
from stack.calls import extproc, site, tool, until
from stack.servers.recorder import echoes, raw_server

POLICY = """
version: 1
identity:
  issuers: [{name: corp, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}"}]
servers: {sales-db: {tools: {echo: {verb: query}}}}
roles: {analyst: {assigned_to: {groups: [analysts]}, grants: [{servers: [sales-db], verbs: [query]}]}}
"""


async def test_a_call_shows_up_in_the_index_of_the_service(tmp_path: Path) -> None:
    settings = {"EXTPROC_INDEX": "true"}
    async with (
        raw_server() as upstream,
        site("one-message", upstream.url, tmp_path, policy=POLICY, settings=settings) as running,
    ):
        upstream.script = echoes({"content": [], "resultType": "complete"})
        assert (await running.post(tool("echo"))).allowed
        state = running.gateway.state

        async def kept() -> list:
            # nobody but the service has written it so far
            index = Index(current(state))
            try:
                return (await index.page(Filter(tool="echo"), after=None, limit=9)).sessions
            finally:
                await index.close()

        (row,) = await until(kept)
        shown = json.loads(await extproc("sessions", "--json", "--tool", "echo", "--state", str(state)))
        assert [(each["id"], each["server"], each["calls"]) for each in shown] == [(row.id, "sales-db", 1)]
        await extproc("index", "rebuild", "--state", str(state))
        assert (await running.post(tool("echo"))).allowed
        (row,) = await until(lambda: grown(kept))
        assert row.calls == 2


async def grown(kept) -> list:
    rows = await kept()
    return rows if rows and rows[0].calls > 1 else []
