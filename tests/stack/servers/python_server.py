"""U-py: the canary server on the Python SDK, both eras on one endpoint, HTTP+SSE beside it.

``python -m stack.servers.python_server`` prints ``{"url", "sse_url", "control", "pid"}`` once it listens. Its tools,
prompts and resources are the same as those of server-v1.mjs and server-v2.mjs; what it executed and received is told by the control port.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import Any

import anyio
import mcp_types as types
import uvicorn
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.streamable_http import EventCallback, EventMessage, EventStore
from starlette.applications import Starlette

from stack.servers.canary import CUSTOMER, PIXEL, TOPICS, Ledger, control_app

__all__ = ["add_plain_tools", "build", "serve"]


class Events(EventStore):
    """Every event of every stream, in order, so that a client can resume."""

    def __init__(self) -> None:
        self._events: list[tuple[str, types.JSONRPCMessage | None]] = []

    async def store_event(self, stream_id: str, message: types.JSONRPCMessage | None) -> str:
        self._events.append((stream_id, message))
        return str(len(self._events))

    async def replay_events_after(self, last_event_id: str, send_callback: EventCallback) -> str | None:
        start = int(last_event_id)
        if not 0 < start <= len(self._events):
            return None
        stream = self._events[start - 1][0]
        for number, (owner, message) in enumerate(self._events[start:], start + 1):
            if owner == stream and message is not None:
                await send_callback(EventMessage(message, str(number)))
        return stream


def build(ledger: Ledger) -> MCPServer:
    """The canary's tools, prompts and resources."""
    server = MCPServer("canary-python", version="1.0.0", log_level="WARNING")
    add_plain_tools(server, ledger)
    add_talking_tools(server, ledger)
    add_resources(server, ledger)
    add_prompts(server, ledger)

    async def accept(*_: Any) -> types.EmptyResult:
        return types.EmptyResult()

    # the legacy methods that MCPServer leaves to the server below it
    below = server._lowlevel_server
    below.add_request_handler("logging/setLevel", types.SetLevelRequestParams, accept)
    below.add_request_handler("resources/subscribe", types.SubscribeRequestParams, accept)
    below.add_request_handler("resources/unsubscribe", types.UnsubscribeRequestParams, accept)
    return server


def add_plain_tools(server: MCPServer, ledger: Ledger) -> None:
    @server.tool(annotations=types.ToolAnnotations(read_only_hint=True))
    async def echo(text: str) -> str:
        """Say it again."""
        ledger.execute("echo", {"text": text})
        return text

    @server.tool()
    async def run_shell(command: str) -> str:
        """Run a command (it is only written down)."""
        ledger.execute("run_shell", {"command": command})
        return "done"

    @server.tool()
    async def deploy(target: str) -> str:
        """Deploy to a target (it is only written down)."""
        ledger.execute("deploy", {"target": target})
        return "deployed"

    @server.tool()
    async def get_customer(number: int) -> dict[str, Any]:
        """One customer, with planted personal values."""
        ledger.execute("get_customer", {"number": number})
        return {"number": number, **CUSTOMER}


def add_talking_tools(server: MCPServer, ledger: Ledger) -> None:
    @server.tool()
    async def steps(key: str, count: int, ctx: Context) -> str:
        """Report progress step by step; each step waits until the test releases ``key``."""
        ledger.execute("steps", {"key": key, "count": count})
        try:
            for step in range(1, count + 1):
                await ctx.report_progress(step, count, f"step {step}")
                await ledger.released(key)
        except asyncio.CancelledError:
            with anyio.CancelScope(shield=True):
                await ledger.cancel(key)
            raise
        return f"{count} steps"

    @server.tool()
    async def speak(text: str, level: str, ctx: Context) -> str:
        """Send one log message."""
        ledger.execute("speak", {"text": text, "level": level})
        await ctx.session.send_log_message(level=level, data=text, logger="canary", related_request_id=ctx.request_id)  # type: ignore[arg-type]
        return "spoken"

    @server.tool()
    async def drop_stream(text: str, ctx: Context) -> str:
        """Close the event stream of this call before its result, which the client must come back for."""
        ledger.execute("drop_stream", {"text": text})
        await ctx.close_sse_stream()
        return text

    @server.tool()
    async def touch(uri: str, ctx: Context) -> str:
        """Tell subscribers that a resource changed."""
        ledger.execute("touch", {"uri": uri})
        await ctx.notify_resource_updated(uri)
        await ctx.session.send_resource_updated(uri)
        return "touched"


def add_resources(server: MCPServer, ledger: Ledger) -> None:
    @server.resource("notes://public/readme", mime_type="text/plain")
    async def readme() -> str:
        ledger.execute("resource:notes://public/readme", {})
        return "read me"

    @server.resource("notes://public/pixel", mime_type="image/png")
    async def pixel() -> bytes:
        return PIXEL

    @server.resource("notes://secret/plan", mime_type="text/plain")
    async def plan() -> str:
        ledger.execute("resource:notes://secret/plan", {})
        return CUSTOMER["secret"]

    @server.resource("notes://public/{topic}", mime_type="text/plain")
    async def note(topic: str) -> str:
        return f"a note about {topic}"

    @server.resource("notes://secret/{topic}", mime_type="text/plain")
    async def secret_note(topic: str) -> str:
        ledger.execute(f"resource:notes://secret/{topic}", {})
        return CUSTOMER["secret"]


def add_prompts(server: MCPServer, ledger: Ledger) -> None:
    @server.prompt()
    async def summarise(topic: str) -> str:
        """Sum a topic up."""
        return f"Sum up {topic}."

    @server.prompt()
    async def exfiltrate(topic: str) -> str:
        """A prompt that no analyst may have."""
        ledger.execute("prompt:exfiltrate", {"topic": topic})
        return f"Send {topic} away."

    @server.completion()
    async def complete(
        ref: types.PromptReference | types.ResourceTemplateReference,  # noqa: ARG001
        argument: types.CompletionArgument,
        context: types.CompletionContext | None,  # noqa: ARG001
    ) -> types.Completion | None:
        return types.Completion(values=[topic for topic in TOPICS if topic.startswith(argument.value)], has_more=False)


def application(ledger: Ledger) -> Starlette:
    """Streamable HTTP at /mcp with sessions and resumption, HTTP+SSE at /sse, both recorded."""
    server = build(ledger)
    modern = server.streamable_http_app(event_store=Events(), retry_interval=50)
    older = server.sse_app()
    return Starlette(routes=[*modern.routes, *older.routes], lifespan=modern.router.lifespan_context)


async def serve(made: Callable[[Ledger], Starlette] = application) -> None:
    """Serve an application and its control port until SIGTERM, and say where."""
    ledger = Ledger()
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
    ports = [each.getsockname()[1] for each in sockets]
    servers = [
        uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on", timeout_graceful_shutdown=1))
        for app in (ledger.recording(made(ledger)), control_app(ledger))
    ]
    loop = asyncio.get_running_loop()
    tasks = [
        loop.create_task(each._serve([listener]))  # its own signal capture would end only one of the two
        for each, listener in zip(servers, sockets, strict=True)
    ]
    loop.add_signal_handler(signal.SIGTERM, lambda: [setattr(each, "should_exit", True) for each in servers])
    base = f"http://127.0.0.1:{ports[0]}"
    ready = {
        "url": f"{base}/mcp",
        "sse_url": f"{base}/sse",
        "control": f"http://127.0.0.1:{ports[1]}",
        "pid": os.getpid(),
    }
    sys.stdout.write(json.dumps(ready) + "\n")  # the sockets listen already: who connects now, waits
    sys.stdout.flush()
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(serve())
