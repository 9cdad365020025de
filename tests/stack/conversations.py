"""What a client and a canary server say to each other, asserted by what arrives: the same direct and through a gateway."""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

import pytest

from stack.clients.faces import Client, ClientError
from stack.counterparts import Server

__all__ = [
    "ALLOWED",
    "TOOLS",
    "cancel_a_call",
    "come_back_for_a_result",
    "follow_progress",
    "hear_a_log",
    "hear_of_a_change",
    "names",
    "use_what_is_allowed",
]

TOOLS: Final = {"echo", "run_shell", "deploy", "get_customer", "steps", "speak", "drop_stream", "touch"}
ALLOWED: Final = TOOLS - {"run_shell", "deploy"}
README: Final = "notes://public/readme"
GREETING: Final = "grüße ✓ 😀"


def names(listed: dict[str, Any], key: str, by: str = "name") -> set[str]:
    return {each[by] for each in listed[key]}


async def use_what_is_allowed(
    mcp: Client, upstream: Server, *, completions: Sequence[str] = ("analysis", "analytics")
) -> None:
    """A call, resources of both kinds, a template, a prompt, and ``completions``, in this order."""
    said = await mcp.call("callTool", name="echo", arguments={"text": GREETING})
    assert said["content"][0]["text"] == GREETING
    assert not said.get("isError")
    customer = await mcp.call("callTool", name="get_customer", arguments={"number": 7})
    assert customer["structuredContent"]["number"] == 7
    read = await mcp.call("readResource", uri=README)
    assert read["contents"][0]["text"] == "read me"
    assert (await mcp.call("readResource", uri="notes://public/pixel"))["contents"][0]["blob"]
    note = await mcp.call("readResource", uri="notes://public/tea")
    assert note["contents"][0]["text"] == "a note about tea"
    prompt = await mcp.call("getPrompt", name="summarise", arguments={"topic": "sales"})
    assert prompt["messages"][0]["content"]["text"] == "Sum up sales."
    for ref in ({"type": "ref/prompt", "name": "summarise"}, {"type": "ref/resource", "uri": "notes://public/{topic}"}):
        completed = await mcp.call("complete", ref=ref, argument={"name": "topic", "value": "ana"})
        assert completed["completion"]["values"] == [*completions]
    assert await upstream.executed() == ["echo", "get_customer", f"resource:{README}"]


async def follow_progress(mcp: Client, upstream: Server) -> None:
    """Each event is seen before the server is let to send the next: nothing on the way waits for more."""
    call = mcp.start("callTool", name="steps", arguments={"key": "progress", "count": 3})
    for step in (1, 2, 3):
        event = await mcp.events.wait(lambda each, n=step: each.get("call") == call.serial and each["progress"] == n)
        assert (event["total"], event["message"]) == (3, f"step {step}")
        await upstream.release("progress")
    assert (await call.result)["content"][0]["text"] == "3 steps"


async def cancel_a_call(mcp: Client, upstream: Server) -> None:
    """The server stops, and the client can go on."""
    call = mcp.start("callTool", name="steps", arguments={"key": "cancel", "count": 2})
    await mcp.events.wait(lambda event: event.get("call") == call.serial)
    call.cancel()
    with pytest.raises((asyncio.CancelledError, ClientError)):
        await call.result
    await upstream.cancelled("cancel")
    said = await mcp.call("callTool", name="echo", arguments={"text": "still here"})
    assert said["content"][0]["text"] == "still here"


async def hear_a_log(mcp: Client) -> None:
    """A log message on the call's own stream (the client was opened with a log level)."""
    await mcp.call("callTool", name="speak", arguments={"text": "a word", "level": "warning"})
    assert (await mcp.events.wait(lambda event: event["event"] == "log"))["data"] == "a word"


async def come_back_for_a_result(mcp: Client, upstream: Server) -> None:
    """The server closes the stream before the result; the SDK resumes with Last-Event-ID."""
    said = await mcp.call("callTool", name="drop_stream", arguments={"text": "came back"})
    assert said["content"][0]["text"] == "came back"
    resumed = [
        each
        for each in (await upstream.ledger())["requests"]
        if each["method"] == "GET" and "last-event-id" in dict(each["headers"])
    ]
    assert resumed


async def hear_of_a_change(mcp: Client) -> None:
    """A subscription (legacy) or a listen stream (modern) tells of the resource that changed."""
    await mcp.call("subscribe", uri=README)
    await mcp.call("callTool", name="touch", arguments={"uri": README})
    assert (await mcp.events.wait(lambda event: event["event"] == "updated"))["uri"] == README
