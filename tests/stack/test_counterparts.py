"""The rig itself, without a gateway: every client speaks to every server, and the ledgers tell the truth."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from stack.clients.faces import ClientError
from stack.counterparts import CANARIES, CLIENTS, MODERN, SSE_CLIENTS, canary, everything, filesystem

TOOLS = {"echo", "run_shell", "deploy", "get_customer", "steps", "speak", "drop_stream", "touch"}
PAIRS = [
    (client, server) for client in CLIENTS for server in CANARIES if not ("modern" in client and server == "ts-v1")
]
STATEFUL = [
    (client, server) for client, server in PAIRS if not ("modern" in client or "auto" in client or server == "ts-v2")
]


def names(listed: dict[str, Any], key: str, by: str = "name") -> set[str]:
    return {each[by] for each in listed[key]}


@pytest.mark.parametrize(("client", "server"), PAIRS)
async def test_every_client_speaks_to_every_canary(client: str, server: str) -> None:
    async with canary(server) as upstream, CLIENTS[client](upstream.url, log_level="info") as mcp:
        if "modern" in client or ("auto" in client and server != "ts-v1"):
            assert mcp.about["protocolVersion"] == MODERN
        assert names(await mcp.call("listTools"), "tools") == TOOLS
        said = await mcp.call("callTool", name="echo", arguments={"text": "grüße ✓"})
        assert said["content"][0]["text"] == "grüße ✓"
        assert not said.get("isError")
        assert names(await mcp.call("listResources"), "resources", "uri") >= {
            "notes://public/readme",
            "notes://secret/plan",
        }
        assert "notes://public/{topic}" in names(
            await mcp.call("listResourceTemplates"), "resourceTemplates", "uriTemplate"
        )
        read = await mcp.call("readResource", uri="notes://public/readme")
        assert read["contents"][0]["text"] == "read me"
        assert names(await mcp.call("listPrompts"), "prompts") == {"summarise", "exfiltrate"}
        prompt = await mcp.call("getPrompt", name="summarise", arguments={"topic": "sales"})
        assert prompt["messages"][0]["content"]["text"] == "Sum up sales."
        completed = await mcp.call(
            "complete",
            ref={"type": "ref/prompt", "name": "summarise"},
            argument={"name": "topic", "value": "ana"},
        )
        assert completed["completion"]["values"] == ["analysis", "analytics"]
        with pytest.raises(ClientError):
            await mcp.call("readResource", uri="nowhere://at/all")
        assert await upstream.executed() == ["echo", "resource:notes://public/readme"]
        bodies = [each["body"] for each in (await upstream.ledger())["requests"]]
        assert any("grüße ✓".encode() in body or b"gr\\u00fc" in body for body in bodies)


@pytest.mark.parametrize(("client", "server"), PAIRS)
async def test_progress_arrives_while_the_call_runs(client: str, server: str) -> None:
    async with canary(server) as upstream, CLIENTS[client](upstream.url) as mcp:
        call = mcp.start("callTool", name="steps", arguments={"key": "k", "count": 3})
        for step in (1, 2, 3):
            await mcp.events.wait(lambda event, step=step: event["event"] == "progress" and event["progress"] == step)
            await upstream.release("k")
        assert (await call.result)["content"][0]["text"] == "3 steps"


@pytest.mark.parametrize(("client", "server"), PAIRS)
async def test_a_cancelled_call_is_cancelled_in_the_server(client: str, server: str) -> None:
    async with canary(server) as upstream, CLIENTS[client](upstream.url) as mcp:
        call = mcp.start("callTool", name="steps", arguments={"key": "k", "count": 2})
        await mcp.events.wait(lambda event: event["event"] == "progress")
        call.cancel()
        with pytest.raises((asyncio.CancelledError, ClientError)):
            await call.result
        if server == "ts-v2" and not ("modern" in client or "auto" in client):
            return  # without sessions nobody can tell that server which call was meant
        await upstream.cancelled("k")
        assert (await mcp.call("callTool", name="echo", arguments={"text": "still here"}))["content"]


@pytest.mark.parametrize(("client", "server"), PAIRS)
async def test_log_messages_arrive(client: str, server: str) -> None:
    async with canary(server) as upstream, CLIENTS[client](upstream.url, log_level="info") as mcp:
        await mcp.call("callTool", name="speak", arguments={"text": "a word", "level": "warning"})
        assert (await mcp.events.wait(lambda event: event["event"] == "log"))["data"] == "a word"


@pytest.mark.parametrize(("client", "server"), STATEFUL)
async def test_a_dropped_stream_is_resumed(client: str, server: str) -> None:
    async with canary(server) as upstream, CLIENTS[client](upstream.url) as mcp:
        said = await mcp.call("callTool", name="drop_stream", arguments={"text": "came back"})
        assert said["content"][0]["text"] == "came back"
        requests = (await upstream.ledger())["requests"]
        assert any("last-event-id" in dict(each["headers"]) for each in requests if each["method"] == "GET")


@pytest.mark.parametrize(("client", "server"), [pair for pair in PAIRS if pair in STATEFUL or "modern" in pair[0]])
async def test_a_changed_resource_is_told_to_its_subscriber(client: str, server: str) -> None:
    async with canary(server) as upstream, CLIENTS[client](upstream.url) as mcp:
        await mcp.call("subscribe", uri="notes://public/readme")
        await mcp.call("callTool", name="touch", arguments={"uri": "notes://public/readme"})
        assert (await mcp.events.wait(lambda event: event["event"] == "updated"))["uri"] == "notes://public/readme"


@pytest.mark.parametrize("client", SSE_CLIENTS)
async def test_the_transport_with_two_endpoints_works(client: str) -> None:
    async with canary("python") as upstream, SSE_CLIENTS[client](upstream.sse_url) as mcp:
        assert names(await mcp.call("listTools"), "tools") == TOOLS
        said = await mcp.call("callTool", name="echo", arguments={"text": "hello"})
        assert said["content"][0]["text"] == "hello"


@pytest.mark.parametrize("client", [name for name in CLIENTS if "modern" not in name])
async def test_the_published_servers_answer(client: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("from a file")
    async with everything() as upstream, CLIENTS[client](upstream.url) as mcp:
        assert "echo" in names(await mcp.call("listTools"), "tools")
        said = await mcp.call("callTool", name="echo", arguments={"message": "hello"})
        assert said["content"][0]["text"] == "Echo: hello"
    async with filesystem(tmp_path) as upstream, CLIENTS[client](upstream.url) as mcp:
        assert "read_text_file" in names(await mcp.call("listTools"), "tools")
        read = await mcp.call("callTool", name="read_text_file", arguments={"path": str(tmp_path / "a.txt")})
        assert read["content"][0]["text"] == "from a file"
