"""The Python SDK as a client, in process: Streamable HTTP in every mode, and HTTP+SSE."""

import asyncio
import contextlib
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Any

import httpx2
import mcp
import mcp_types as types
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from pydantic import BaseModel

from stack.clients.faces import Call, ClientError, Connect, Events

__all__ = ["described", "python_client", "python_sse_client"]

PATIENCE = httpx2.Timeout(30.0, read=120.0)


def leaves(error: BaseException) -> Iterator[BaseException]:
    """The errors inside nested groups."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def described(error: BaseException) -> ClientError:
    """What the SDK raised, in the common shape."""
    first = next(leaves(error))
    if isinstance(first, ClientError):
        return first
    if isinstance(first, MCPError):
        wrong = first.error
        return ClientError(type="MCPError", code=wrong.code, status=None, message=wrong.message, data=wrong.data)
    status = first.response.status_code if isinstance(first, httpx2.HTTPStatusError) else None
    return ClientError(type=type(first).__name__, code=None, status=status, message=str(first), data=None)


def wire(result: BaseModel) -> dict[str, Any]:
    return result.model_dump(mode="json", by_alias=True, exclude_none=True)


class PythonClient:
    """One connected ``mcp.Client``."""

    def __init__(self, client: mcp.Client, events: Events) -> None:
        info = client.server_info
        self.about: dict[str, Any] = {
            "server": wire(info) if info else None,
            "capabilities": wire(client.server_capabilities),
            "protocolVersion": client.protocol_version,
        }
        self.events = events
        self._client = client
        self._serial = 0
        self._tasks: set[asyncio.Task[Any]] = set()

    async def _all(self, key: str, page: Callable[..., Awaitable[Any]]) -> dict[str, Any]:
        first = result = wire(await page(cache_mode="bypass"))
        found = list(result[key])
        pages = 1
        while (cursor := result.get("nextCursor")) is not None:
            result = wire(await page(cursor=cursor, cache_mode="bypass"))
            found += result[key]
            pages += 1
        first.pop("nextCursor", None)
        return {**first, key: found, "pages": pages}

    async def _run(self, serial: int, command: str, given: dict[str, Any]) -> dict[str, Any]:
        client = self._client
        match command:
            case "listTools" | "listPrompts" | "listResources" | "listResourceTemplates":
                key = command[4].lower() + command[5:]
                snake = "".join(f"_{each.lower()}" if each.isupper() else each for each in command)
                return await self._all(key, getattr(client, snake))
            case "callTool":
                return await self._call_tool(serial, given)
            case "subscribe":
                return await self._subscribe(given["uri"])
            case "complete":
                ref = {name: value for name, value in given["ref"].items() if name != "type"}
                kind = {"ref/prompt": types.PromptReference, "ref/resource": types.ResourceTemplateReference}
                known = given.get("context", {}).get("arguments")
                return wire(await client.complete(kind[given["ref"]["type"]](**ref), given["argument"], known))
        simple: dict[str, Callable[[], Awaitable[BaseModel]]] = {
            "readResource": lambda: client.read_resource(given["uri"], cache_mode="bypass"),
            "getPrompt": lambda: client.get_prompt(given["name"], given.get("arguments")),
            "setLevel": lambda: client.set_logging_level(given["level"]),
            "ping": client.send_ping,
        }
        return wire(await simple[command]())

    async def _call_tool(self, serial: int, given: dict[str, Any]) -> dict[str, Any]:
        async def progress(done: float, total: float | None, message: str | None) -> None:
            told = {"event": "progress", "call": serial, "progress": done, "total": total, "message": message}
            await self.events.add(told)

        timeout = given["timeout"] / 1000 if "timeout" in given else None
        return wire(await self._client.call_tool(given["name"], given.get("arguments"), timeout, progress))

    async def _subscribe(self, uri: str) -> dict[str, Any]:
        if self._client.protocol_version != "2026-07-28":
            return wire(await self._client.subscribe_resource(uri))
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def listen() -> None:
            try:
                async with self._client.listen(resource_subscriptions=[uri]) as subscription:
                    opened.set_result(None)
                    async for event in subscription:
                        await self.events.add({"event": "updated", "uri": str(getattr(event, "uri", ""))})
            except Exception as error:
                if opened.done():
                    raise
                opened.set_exception(error)

        task = asyncio.create_task(listen())
        self._tasks.add(task)
        await opened
        return {}

    def start(self, command: str, **parameters: Any) -> Call:
        self._serial += 1
        task = asyncio.create_task(self._described(self._serial, command, parameters))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return Call(serial=self._serial, result=task, cancel=task.cancel)

    async def _described(self, serial: int, command: str, parameters: dict[str, Any]) -> dict[str, Any]:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", MCPDeprecationWarning)
                return await self._run(serial, command, parameters)
        except Exception as error:
            raise described(error) from error

    async def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        return await self.start(command, **parameters).result

    async def end(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        for task in tuple(self._tasks):
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task


def answering(events: Events) -> dict[str, Any]:
    """Callbacks that say yes to all that a server asks, and tell of it."""

    async def sample(_: Any, params: Any) -> types.CreateMessageResult:
        await events.add({"event": "asked", "method": "sampling/createMessage", "params": wire(params)})
        words = types.TextContent(text="sampled")
        return types.CreateMessageResult(role="assistant", content=words, model="m")

    async def roots(_: Any) -> types.ListRootsResult:
        await events.add({"event": "asked", "method": "roots/list", "params": {}})
        return types.ListRootsResult(roots=[])

    async def elicit(_: Any, params: Any) -> types.ElicitResult:
        await events.add({"event": "asked", "method": "elicitation/create", "params": wire(params)})
        return types.ElicitResult(action="accept", content={"name": "Ann", "username": "ann", "email": "a"})

    return {"sampling_callback": sample, "list_roots_callback": roots, "elicitation_callback": elicit}


def opener(transport: Callable[..., AbstractAsyncContextManager[Any]], mode: str) -> Connect:
    @asynccontextmanager
    async def connect(
        url: str,
        *,
        token: str | None = None,
        log_level: str | None = None,
        asked: bool = False,
        auth: httpx2.Auth | None = None,
    ) -> AsyncIterator[PythonClient]:
        events = Events()

        async def log(params: types.LoggingMessageNotificationParams) -> None:
            await events.add({"event": "log", **wire(params)})

        async def other(message: Any) -> None:
            if isinstance(message, types.ResourceUpdatedNotification):
                await events.add({"event": "updated", "uri": str(message.params.uri)})
            elif isinstance(message, BaseModel) and not isinstance(
                message, types.LoggingMessageNotification | types.ProgressNotification
            ):
                await events.add({"event": "notification", **wire(message)})

        headers = {"Authorization": f"Bearer {token}"} if token else {}
        body: Exception | None = None
        try:
            async with AsyncExitStack() as stack:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", MCPDeprecationWarning)
                    opened = await transport(stack, url, headers, auth)
                    client = await stack.enter_async_context(
                        mcp.Client(
                            opened,
                            mode=mode,
                            logging_callback=log,
                            log_level=log_level,  # type: ignore[arg-type]
                            message_handler=other,
                            **(answering(events) if asked else {}),
                        )
                    )
                face = PythonClient(client, events)
                try:
                    yield face
                except Exception as error:
                    body = error
                    raise
                finally:
                    await face.end()
        except Exception as error:
            if body is not None:
                raise body from None  # the SDK's task groups wrap what the test itself raised
            raise described(error) from error

    return connect


def python_client(mode: str) -> Connect:
    """Clients over Streamable HTTP in ``mode`` (legacy, auto or a revision to insist on)."""

    async def transport(stack: AsyncExitStack, url: str, headers: dict[str, str], auth: httpx2.Auth | None) -> Any:
        http = await stack.enter_async_context(httpx2.AsyncClient(headers=headers, auth=auth, timeout=PATIENCE))
        return streamable_http_client(url, http_client=http)

    return opener(transport, mode)


def python_sse_client() -> Connect:
    """Clients over the HTTP+SSE transport of 2024-11-05; the URL is that of the event stream."""

    async def transport(_: AsyncExitStack, url: str, headers: dict[str, str], auth: httpx2.Auth | None) -> Any:
        return sse_client(url, headers=headers, auth=auth)

    return opener(transport, "legacy")
