"""The TypeScript SDKs as clients: a Node child per client, driven by JSON lines."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from stack.clients.faces import Call, ClientError, Connect, Events
from stack.processes import NODE_FOLDER, Child, node_or_skip, running

__all__ = ["node_client"]


class NodeClient:
    """One driver process."""

    def __init__(self, child: Child) -> None:
        self.about: dict[str, Any] = {}
        self.events = Events()
        self._child = child
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._serial = 0
        self._writes: set[asyncio.Task[None]] = set()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while (line := await self._child.line()) is not None:
            if "event" in line:
                await self.events.add(line)
                continue
            waiting = self._waiting.pop(line["id"], None)
            if waiting is None or waiting.done():
                continue
            if "error" in line:
                waiting.set_exception(ClientError(**line["error"]))
            else:
                waiting.set_result(line["ok"])
        for waiting in self._waiting.values():
            if not waiting.done():
                complaint = self._child.complaints.decode(errors="replace")
                waiting.set_exception(RuntimeError(f"{self._child.name} ended: {complaint}"))

    def _send(self, value: dict[str, Any]) -> None:
        task = asyncio.create_task(self._child.write(value))
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)

    def start(self, command: str, **parameters: Any) -> Call:
        self._serial += 1
        serial = self._serial
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[serial] = future
        self._send({"id": serial, "command": command, **parameters})
        return Call(
            serial=serial,
            result=future,
            cancel=lambda: self._send({"id": -serial, "command": "cancel", "call": serial}),
        )

    async def call(self, command: str, **parameters: Any) -> dict[str, Any]:
        return await self.start(command, **parameters).result

    async def end(self) -> None:
        with contextlib.suppress(ClientError, RuntimeError, TimeoutError, ConnectionError):
            await asyncio.wait_for(self.call("close"), 10)
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader


def node_client(script: str, **fixed: Any) -> Connect:
    """Clients of ``script`` (client-v1.mjs, client-v2.mjs) with fixed parameters (``mode``, ``sse``)."""

    @asynccontextmanager
    async def connect(
        url: str, *, token: str | None = None, log_level: str | None = None, asked: bool = False
    ) -> AsyncIterator[NodeClient]:
        async with running([node_or_skip(), str(NODE_FOLDER / script)]) as child:
            client = NodeClient(child)
            try:
                options = {"token": token, "logLevel": log_level, "asked": asked}
                client.about = await client.call("connect", url=url, **options, **fixed)
                yield client
            finally:
                await client.end()

    return connect
