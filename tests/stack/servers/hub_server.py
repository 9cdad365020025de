"""A server with tools that call its other tools: one by name, a batch, and one that takes a JSON-RPC request as text.

``python -m stack.servers.hub_server`` prints where it listens, as python_server does.
"""

import asyncio
import json
from typing import Any

from mcp.server.mcpserver import MCPServer
from starlette.applications import Starlette

from stack.servers.canary import Ledger
from stack.servers.python_server import add_plain_tools, serve


def application(ledger: Ledger) -> Starlette:
    server = MCPServer("hub", version="1.0.0", log_level="WARNING")
    add_plain_tools(server, ledger)

    async def called(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        return (await server.call_tool(name, arguments)).model_dump(mode="json")

    @server.tool()
    async def call_tool(name: str, arguments: dict[str, Any]) -> str:
        """Call one of the other tools."""
        return json.dumps(await called(name, arguments))

    @server.tool()
    async def batch(calls: list[dict[str, Any]]) -> str:
        """Call several of the other tools."""
        return json.dumps([await called(each["name"], each.get("arguments", {})) for each in calls])

    @server.tool()
    async def relay(request: str) -> str:
        """Call one of the other tools by a request in JSON."""
        params = json.loads(request)["params"]
        return json.dumps(await called(params["name"], params["arguments"]))

    return server.streamable_http_app()


if __name__ == "__main__":
    asyncio.run(serve(application))
