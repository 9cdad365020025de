"""Published MCP servers, unchanged, behind the gateway: one over Streamable HTTP and HTTP+SSE, one over stdio."""

from pathlib import Path
from typing import Any, Final

import pytest

from extproc.demo.proxy import Chain
from stack import conversations as talk
from stack.clients.faces import ClientError
from stack.counterparts import CLIENTS, SSE_CLIENTS, everything, filesystem
from stack.gateway import Gateway
from stack.processes import needs_node

pytestmark = [pytest.mark.stack, needs_node()]

IDENTITY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
"""
EVERYTHING: Final = (
    IDENTITY
    + """
servers:
  everything:
    tools:
      echo: {verb: query}
      get-sum: {verb: query}
      trigger-long-running-operation: {verb: query}
      get-env: {verb: admin}
    unlisted_tools: deny
roles:
  reader:
    assigned_to: {subjects: [ada]}
    grants:
      - {servers: [everything], verbs: [query], tools: ["*"]}
      - {servers: [everything], prompts: [simple-prompt]}
      - {servers: [everything], resources: ["demo://resource/*"]}
"""
)
FILESYSTEM: Final = (
    IDENTITY
    + """
servers:
  files:
    tools:
      read_text_file: {verb: query}
      list_directory: {verb: query}
      write_file: {verb: mutate}
    unlisted_tools: deny
roles:
  reader:
    assigned_to: {subjects: [ada]}
    grants:
      - servers: [files]
        tools: [read_text_file]
        when: arguments.path.endsWith("/open.txt")
      - {servers: [files], tools: [list_directory]}
"""
)


async def use_everything(mcp: Any) -> None:
    assert talk.names(await mcp.call("listTools"), "tools") == {"echo", "get-sum", "trigger-long-running-operation"}
    said = await mcp.call("callTool", name="echo", arguments={"message": "hello"})
    assert said["content"][0]["text"] == "Echo: hello"
    added = await mcp.call("callTool", name="get-sum", arguments={"a": 2, "b": 3})
    assert "5" in added["content"][0]["text"]
    assert talk.names(await mcp.call("listPrompts"), "prompts") == {"simple-prompt"}
    assert (await mcp.call("getPrompt", name="simple-prompt"))["messages"]
    uris = talk.names(await mcp.call("listResources"), "resources", "uri")
    assert all(uri.startswith("demo://resource/") for uri in uris)


@pytest.mark.parametrize("client", ["ts-v1", "python-auto"])
async def test_the_everything_server_is_cut_to_what_the_policy_grants(
    client: str, chain: Chain, tmp_path: Path
) -> None:
    folder = tmp_path / "gateway"
    async with (
        everything() as upstream,
        Gateway(chain=chain, upstream=upstream.url, folder=folder, policy=EVERYTHING, server="everything") as gateway,
        CLIENTS[client](gateway.url, token=gateway.token("ada")) as mcp,
    ):
        await use_everything(mcp)
        arguments = {"duration": 0.2, "steps": 2}
        await mcp.call("callTool", name="trigger-long-running-operation", arguments=arguments)
        assert [each["progress"] for each in mcp.events.seen if each["event"] == "progress"] == [1, 2]
        refused = await mcp.call("callTool", name="get-env", arguments={})
        assert refused["isError"] is True
        assert "PATH" not in str(refused)
        with pytest.raises(ClientError) as error:
            await mcp.call("getPrompt", name="args-prompt", arguments={"city": "Paris"})
        assert error.value.code == 1403


async def test_the_everything_server_works_over_the_older_transport(chain: Chain, tmp_path: Path) -> None:
    folder = tmp_path / "gateway"
    async with (
        everything("sse") as upstream,
        Gateway(
            chain=chain, upstream=upstream.sse_url, folder=folder, policy=EVERYTHING, server="everything"
        ) as gateway,
        SSE_CLIENTS["ts-v1-sse"](f"{gateway.base}/sse", token=gateway.token("ada")) as mcp,
    ):
        await use_everything(mcp)


@pytest.mark.parametrize("client", ["ts-v1", "python-legacy"])
async def test_a_stdio_server_is_judged_by_its_arguments(client: str, chain: Chain, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    (files / "open.txt").write_text("for everyone")
    (files / "closed.txt").write_text("canary-closed")
    async with (
        filesystem(files) as upstream,
        Gateway(
            chain=chain, upstream=upstream.url, folder=tmp_path / "gateway", policy=FILESYSTEM, server="files"
        ) as gateway,
        CLIENTS[client](gateway.url, token=gateway.token("ada")) as mcp,
    ):
        assert talk.names(await mcp.call("listTools"), "tools") == {"read_text_file", "list_directory"}
        read = await mcp.call("callTool", name="read_text_file", arguments={"path": str(files / "open.txt")})
        assert read["content"][0]["text"] == "for everyone"
        closed = await mcp.call("callTool", name="read_text_file", arguments={"path": str(files / "closed.txt")})
        assert closed["isError"] is True
        assert "canary-closed" not in str(closed)
        written = {"path": str(files / "new.txt"), "content": "x"}
        assert (await mcp.call("callTool", name="write_file", arguments=written))["isError"] is True
        assert {each.name for each in files.iterdir()} == {"open.txt", "closed.txt"}
