"""What is in no catalogue: holes that a reviewer tried, each through a real Envoy and both chains."""

import asyncio
from pathlib import Path
from typing import Any, Final

import pytest

from attacks.rig import DENIED_TOOL, call
from attacks.site import POLICY, Site, handshake, site
from attacks.streams import event
from extproc.demo.proxy import CHAINS, Chain
from stack.calls import until
from stack.servers.recorder import json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

SECRET: Final = "canary-7f3a"
PUBLIC: Final = "notes://public/readme"


def said(text: str, **more: Any) -> bytes:
    return event(
        {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": text}} | more
    )


@pytest.mark.parametrize("kind", ["get", "post"])
@pytest.mark.parametrize("bad", [b"data: {\n\n", b"data: \xff\n\n", b"data: " + b"x" * (1 << 20) + b"\n\n"])
async def test_after_an_event_that_cannot_be_read_nothing_of_the_stream_passes(
    raw: Site, kind: str, bad: bytes
) -> None:
    """The service ends the response; Envoy must not go on with what the upstream still sends, sent already or later."""
    later = asyncio.Event()
    flood = said(SECRET) * 4000
    raw.upstream.script = sse(said("first"), bad + said(SECRET), flood, later.wait, said(SECRET))
    opening = raw.listen("alice") if kind == "get" else raw.converse("alice", call(modern=False))
    async with opening as opened:
        await opened.end()
        later.set()
        assert b"first" in opened.raw
        assert SECRET.encode() not in opened.raw


async def test_json_that_answers_a_get_is_cut_to_what_the_caller_may_see(raw: Site) -> None:
    tools = [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", DENIED_TOOL)]
    for body in ({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}}, {"tools": tools}, tools):
        raw.upstream.script = json_reply(body)
        heard = await raw.bodiless("GET", "alice")
        assert heard.shows(DENIED_TOOL) == []


@pytest.mark.parametrize("chain", CHAINS)
async def test_a_stream_ends_with_the_policy_that_opened_it(chain: Chain, tmp_path: Path) -> None:
    """S10: who loses a role hears no more, also on a stream that is open and where the upstream never falls silent."""
    revoked = asyncio.Event()
    news = event({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": PUBLIC}})
    wanted = {"notifications": {"resourceSubscriptions": [PUBLIC]}}
    async with raw_server() as upstream, site(chain, upstream, tmp_path, policy=POLICY) as guarded:
        upstream.script = sse(news, revoked.wait, said(SECRET))
        listening = guarded.converse("alice", call("subscriptions/listen", **wanted), modern=True)
        async with listening as listened, guarded.listen("alice") as opened:
            await asyncio.gather(listened.wait(1), opened.wait(1))
            file = guarded.gateway.policy_file
            file.write_text(file.read_text("utf-8").replace("groups: [data-analysts]", "groups: [others]"), "utf-8")
            await asyncio.gather(listened.end(), opened.end())
            revoked.set()
            assert SECRET.encode() not in listened.raw + opened.raw

        async def refused() -> bool:
            return (await guarded.bodiless("GET", "alice")).status == 405

        await until(refused)  # the other worker reads the file for itself, within a second


@pytest.mark.parametrize("query", ["sid=1&mcp_owner", "mcp_owner&sid=1", "sid=1&mcp_owner=", "sid=1&mcp_owner#"])
async def test_the_parameter_of_the_seal_without_a_seal_opens_no_endpoint(raw: Site, query: str) -> None:
    heard = await raw.post("alice", handshake(), url=f"{raw.gateway.base}/messages?{query}")
    assert heard.status in {400, 404}
    assert raw.upstream.requests == []
