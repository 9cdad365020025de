"""The rig itself, without a gateway: what the SDKs do when nothing stands between them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from stack import conversations as talk
from stack.clients.faces import ClientError
from stack.counterparts import CLIENTS, MODERN, SSE_CLIENTS, Server, canary, everything, filesystem
from stack.processes import needs_node

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_node()]

FEW = ("python-legacy", "python-modern", "ts-v1", "ts-v2-modern")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def upstream() -> AsyncIterator[Server]:
    async with canary("python") as running:
        yield running


@pytest.mark.parametrize("client", FEW)
async def test_an_sdk_client_has_every_conversation_with_the_python_canary(client: str, upstream: Server) -> None:
    await upstream.forget()
    async with CLIENTS[client](upstream.url, log_level="info") as mcp:
        assert (mcp.about["protocolVersion"] == MODERN) == ("modern" in client)
        assert talk.names(await mcp.call("listTools"), "tools") == talk.TOOLS
        await talk.use_what_is_allowed(mcp, upstream)
        await talk.follow_progress(mcp, upstream)
        await talk.cancel_a_call(mcp, upstream)
        await talk.hear_a_log(mcp)
        await talk.hear_of_a_change(mcp)
        if "modern" not in client:
            await talk.come_back_for_a_result(mcp, upstream)
        with pytest.raises(ClientError):
            await mcp.call("readResource", uri="nowhere://at/all")


@pytest.mark.parametrize("server", ["ts-v1", "ts-v2"])
async def test_a_typescript_canary_serves_the_python_client(server: str) -> None:
    connect = CLIENTS["python-auto"]
    async with canary(server) as upstream, connect(upstream.url, log_level="info") as mcp:
        assert (mcp.about["protocolVersion"] == MODERN) == (server == "ts-v2")
        assert talk.names(await mcp.call("listTools"), "tools") == talk.TOOLS
        await talk.use_what_is_allowed(mcp, upstream)
        await talk.follow_progress(mcp, upstream)
        await talk.cancel_a_call(mcp, upstream)
        await talk.hear_a_log(mcp)


@pytest.mark.parametrize("client", SSE_CLIENTS)
async def test_the_transport_with_two_endpoints_works(client: str, upstream: Server) -> None:
    await upstream.forget()
    async with SSE_CLIENTS[client](upstream.sse_url) as mcp:
        assert talk.names(await mcp.call("listTools"), "tools") == talk.TOOLS
        await talk.use_what_is_allowed(mcp, upstream)


async def test_the_published_servers_answer(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("from a file")
    async with everything() as server, CLIENTS["ts-v1"](server.url) as mcp:
        said = await mcp.call("callTool", name="echo", arguments={"message": "hello"})
        assert said["content"][0]["text"] == "Echo: hello"
    async with filesystem(tmp_path) as server, CLIENTS["python-legacy"](server.url) as mcp:
        read = await mcp.call("callTool", name="read_text_file", arguments={"path": str(tmp_path / "a.txt")})
        assert read["content"][0]["text"] == "from a file"
