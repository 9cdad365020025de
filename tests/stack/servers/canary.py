"""What every canary server shares: planted values, the ledger of what it received and executed, its control port.

The control port (never reached through the gateway) answers:
``GET /ledger`` -> ``{"executions": [{"name", "arguments", "at"}], "requests": [{"method", "path", "headers", "body",
"first_byte_at"}], "cancelled": [key]}`` (times in nanoseconds since the epoch, body in base64) ·
``GET /cancelled/<key>`` answers once a call waiting for that key is cancelled ·
``POST /release/<key>`` lets one waiting step of that key go on · ``POST /forget`` empties the ledger.
"""

import asyncio
import base64
import time
from collections import defaultdict
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

__all__ = ["CUSTOMER", "PIXEL", "TOPICS", "Ledger", "control_app"]

CUSTOMER: Final = {
    "name": "Ada Canary",
    "email": "ada.canary@canary.example",
    "ssn": "078-05-1120",
    "card": {"number": "4111111111111111"},
    "secret": "canary-secret-7f3a9c",
}
TOPICS: Final = ("analysis", "analytics", "secrets")
PIXEL: Final = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII="
)


class Ledger:
    """What the canary received and executed, in order."""

    def __init__(self) -> None:
        self.executions: list[dict[str, Any]] = []
        self.requests: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self._cancellation = asyncio.Condition()
        self._releases: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(0))

    def execute(self, name: str, arguments: dict[str, Any]) -> None:
        self.executions.append({"name": name, "arguments": arguments, "at": time.time_ns()})

    async def cancel(self, key: str) -> None:
        async with self._cancellation:
            self.cancelled.append(key)
            self._cancellation.notify_all()

    async def cancellation(self, key: str) -> None:
        async with self._cancellation:
            await self._cancellation.wait_for(lambda: key in self.cancelled)

    async def released(self, key: str) -> None:
        await self._releases[key].acquire()

    def release(self, key: str) -> None:
        self._releases[key].release()

    def forget(self) -> None:
        self.executions.clear()
        self.requests.clear()
        self.cancelled.clear()

    def recording(self, app: Any) -> Any:
        """The ASGI application, with every request written down as it arrives."""

        async def recorded(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            body = bytearray()
            query = scope["query_string"].decode("latin-1")
            entry: dict[str, Any] = {
                "method": scope["method"],
                "path": scope["raw_path"].decode("latin-1") + (f"?{query}" if query else ""),
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in scope["headers"]],
                "first_byte_at": time.time_ns(),
                "body": "",
            }
            self.requests.append(entry)

            async def watched() -> Any:
                message = await receive()
                if message["type"] == "http.request":
                    body.extend(message.get("body", b""))
                    entry["body"] = base64.b64encode(body).decode()
                return message

            await app(scope, watched, send)

        return recorded


def control_app(ledger: Ledger) -> Starlette:
    """The control port."""

    async def show(_: Request) -> JSONResponse:
        return JSONResponse(
            {"executions": ledger.executions, "requests": ledger.requests, "cancelled": ledger.cancelled}
        )

    async def cancelled(request: Request) -> JSONResponse:
        await ledger.cancellation(request.path_params["key"])
        return JSONResponse({})

    async def release(request: Request) -> JSONResponse:
        ledger.release(request.path_params["key"])
        return JSONResponse({})

    async def forget(_: Request) -> JSONResponse:
        ledger.forget()
        return JSONResponse({})

    return Starlette(
        routes=[
            Route("/ledger", show),
            Route("/cancelled/{key}", cancelled),
            Route("/release/{key}", release, methods=["POST"]),
            Route("/forget", forget, methods=["POST"]),
        ]
    )
