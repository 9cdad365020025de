"""The HTTP page of a node for probes and scrapers: ``/metrics``, ``/healthz``, ``/readyz``.

Answers GET and HEAD, knows no principal and no traffic, changes nothing. ``/healthz`` says that the supervisor runs,
``/readyz`` that every worker serves (a worker serves only with a policy), with the workers' states as JSON.
"""

import contextlib
import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

__all__ = ["ControlServer", "QuietServer"]

_EXPOSITION: Final = "text/plain; version=0.0.4; charset=utf-8"


class QuietServer(uvicorn.Server):
    """A server that is stopped by its owner, not by signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to the owner."""
        yield


class ControlServer:
    """Serves on ``listener``; ``metrics`` renders the exposition, ``readiness`` the body, whose ``ready`` counts."""

    def __init__(
        self, listener: socket.socket, *, metrics: Callable[[], bytes], readiness: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._listener = listener
        self._metrics = metrics
        self._readiness = readiness
        routes = [
            Route("/metrics", self._serve_metrics),
            Route("/healthz", self._serve_health),
            Route("/readyz", self._serve_readiness),
        ]
        self._server = QuietServer(
            uvicorn.Config(
                Starlette(routes=routes),
                log_config=None,
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                ws="none",
                timeout_graceful_shutdown=1,
                limit_concurrency=64,
            )
        )

    async def _serve_metrics(self, request: Request) -> Response:  # noqa: ARG002
        # reading the workers' files takes milliseconds and would hold up the watching of workers
        return Response(await run_in_threadpool(self._metrics), headers={"content-type": _EXPOSITION})

    async def _serve_health(self, request: Request) -> Response:  # noqa: ARG002
        return PlainTextResponse("ok\n")

    async def _serve_readiness(self, request: Request) -> Response:  # noqa: ARG002
        body = self._readiness()
        return JSONResponse(dict(body), status_code=200 if body.get("ready") is True else 503)

    async def serve(self) -> None:
        """Serve until ``stop``."""
        await self._server.serve(sockets=[self._listener])

    def stop(self) -> None:
        """End ``serve``."""
        self._server.should_exit = True
