"""The playground's MCP server, asked by the real SDK client in both eras."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from mcp import Client

from extproc.demo.server import build, seeded
from plain import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def url() -> AsyncIterator[str]:
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    command = [sys.executable, "-m", "extproc.demo.server", "--port", str(port)]
    process = await asyncio.create_subprocess_exec(*command)
    ended = asyncio.create_task(process.wait())
    async with asyncio.timeout(PATIENCE):
        while not ended.done():
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.wait({ended}, timeout=0.05)
            else:
                writer.close()
                break
    assert not ended.done()
    yield f"http://127.0.0.1:{port}/mcp"
    process.terminate()
    await ended
    process._transport.close()  # type: ignore[attr-defined]


def text(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
async def test_it_serves_tools_resources_and_prompts_in_both_eras(url: str, mode: str) -> None:
    async with Client(url, mode=mode) as client:
        tools = {tool.name for tool in (await client.list_tools()).tools}
        assert tools == {
            *("list_tables", "describe_table", "list_customers", "query"),
            *("update_order", "drop_table", "run_command"),
        }
        assert "Maya Lindqvist" in text(await client.call_tool("list_customers", {"country": "Sweden"}))
        assert "64900" in text(await client.call_tool("query", {"sql": "SELECT amount_cents FROM orders WHERE id=101"}))
        assert "amount_cents" in str(await client.read_resource("schema://sales/orders"))
        assert "salary_cents" in str(await client.read_resource("schema://hr/staff"))
        prompts = {prompt.name for prompt in (await client.list_prompts()).prompts}
        assert prompts == {"summarise_orders", "staff_review"}
        assert "Sweden" in str(await client.get_prompt("summarise_orders", {"country": "Sweden"}))


async def test_it_really_changes_what_it_is_told_to_change() -> None:
    async with Client(build(seeded())) as client:
        await client.call_tool("update_order", {"order_id": 103, "status": "paid"})
        assert "paid" in text(await client.call_tool("query", {"sql": "SELECT status FROM orders WHERE id = 103"}))
        await client.call_tool("drop_table", {"table": "staff"})
        assert "staff" not in text(await client.call_tool("list_tables", {}))


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("query", {"sql": "SELECT nothing FROM nowhere"}),
        ("query", {"sql": "SELECT 1; SELECT 2"}),
        ("describe_table", {"table": "nowhere"}),
        ("drop_table", {"table": 'staff"; DROP TABLE orders; --'}),
        ("update_order", {"order_id": 9, "status": "paid"}),
        ("update_order", {"order_id": 103, "status": "gone"}),
    ],
)
async def test_a_mistake_is_told_to_the_model(tool: str, arguments: dict[str, Any]) -> None:
    database = seeded()
    async with Client(build(database)) as client:
        assert (await client.call_tool(tool, arguments)).is_error
    assert database.execute("SELECT count(*) FROM orders").fetchone()[0] == 8


async def test_a_command_runs_in_an_empty_folder_without_the_environment_and_within_bounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLAYGROUND_SECRET", "canary")
    monkeypatch.setattr("extproc.demo.server.COMMAND_SECONDS", 0.5)
    async with Client(build(seeded())) as client:

        async def run(command: str) -> Any:
            return await client.call_tool("run_command", {"command": command})

        assert "hello" in text(await run("echo hello"))
        assert "canary" not in text(await run("env"))
        assert text(await run("ls -A")) == ""
        assert text(await run("pwd")).strip() != str(Path.cwd())
        assert len(text(await run("yes"))) < 64 << 10
        assert (await run("sleep 60 & sleep 60")).is_error
