"""What is in no catalogue: holes that a reviewer tried, each through a real Envoy and both chains."""

import asyncio
from typing import Any, Final

import pytest

from attacks.rig import DENIED_TOOL, call
from attacks.site import Site, handshake
from attacks.streams import event
from stack.servers.recorder import json_reply, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

SECRET: Final = "canary-7f3a"


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


@pytest.mark.parametrize("query", ["sid=1&mcp_owner", "mcp_owner&sid=1", "sid=1&mcp_owner=", "sid=1&mcp_owner#"])
async def test_the_parameter_of_the_seal_without_a_seal_opens_no_endpoint(raw: Site, query: str) -> None:
    heard = await raw.post("alice", handshake(), url=f"{raw.gateway.base}/messages?{query}")
    assert heard.status in {400, 404}
    assert raw.upstream.requests == []
