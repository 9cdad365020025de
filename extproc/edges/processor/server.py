"""The gRPC server of one worker: ext_proc and health on one address, and a drain that never ends a stream cleanly.

The options are those of the measured reference: large messages (a whole buffered body is one message), and small
windows, so that a slow client holds back the upstream instead of filling this process (README of ``envoy``).
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from extproc.edges.processor.servicer import Servicer

__all__ = ["ProcessorServer", "Tls"]

_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 64 << 20),
    ("grpc.max_send_message_length", 64 << 20),
    ("grpc.so_reuseport", 0),  # a taken port is an error, not a second listener
    ("grpc.http2.bdp_probe", 0),
    ("grpc.http2.lookahead_bytes", 64 << 10),
)
_EVERYTHING: Final = ""
"""The health service's name for the server as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Mutual TLS towards Envoy: our certificate, the authority of Envoy's, and whom we accept by SPIFFE id."""

    certificate: Path
    key: Path
    client_authority: Path
    clients: frozenset[str]


class ProcessorServer:
    """Serves one ``Servicer`` on one address.

    With TLS only Envoy's certificate opens that address, so this machine's own user asks for health, and for nothing
    else, at ``health_address``.
    """

    def __init__(self, servicer: Servicer, *, address: str, tls: Tls | None, health_address: str | None = None) -> None:
        self._servicer = servicer
        self._address = address
        self._tls = tls
        interceptors = (_OnlyEnvoy(tls.clients),) if tls is not None else ()
        self._server = grpc.aio.server(options=_OPTIONS, interceptors=interceptors)
        self._health = health.aio.HealthServicer()
        self._health_address = health_address
        self._health_server = grpc.aio.server(options=_OPTIONS) if health_address is not None else None

    async def start(self) -> None:
        """Bind, serve, and report SERVING.

        Raises:
            OSError: the address is taken or cannot be bound.
        """
        self._server.add_generic_rpc_handlers((self._servicer,))
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        try:
            if self._tls is None:
                self._server.add_insecure_port(self._address)
            else:
                self._server.add_secure_port(self._address, _credentials(self._tls))
            if self._health_server is not None:
                health_pb2_grpc.add_HealthServicer_to_server(self._health, self._health_server)
                self._health_server.add_insecure_port(self._health_address)
                await self._health_server.start()
        except RuntimeError:
            raise OSError(f"cannot listen on {self._address}: the address is taken or not of this machine") from None
        await self._server.start()
        await self._health.set(_EVERYTHING, health_pb2.HealthCheckResponse.SERVING)

    async def drain(self, seconds: float) -> None:
        """Report NOT_SERVING, take no new stream, wait for those in flight, then break the rest.

        A broken stream ends with an error status, so Envoy refuses what it still held (invariant 4).
        """
        await self._health.enter_graceful_shutdown()
        await self._server.stop(seconds)
        if self._health_server is not None:
            await self._health_server.stop(None)
        await self._servicer.settle()

    async def wait(self) -> None:
        """Wait until the server was stopped."""
        await self._server.wait_for_termination()


class _OnlyEnvoy(grpc.aio.ServerInterceptor):  # type: ignore[misc]
    """Refuses peers whose verified certificate is not of a listed SPIFFE id."""

    def __init__(self, clients: frozenset[str]) -> None:
        self._clients = clients

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: grpc.HandlerCallDetails
    ) -> Any:
        """The handler behind a check of the peer; health checks pass, they tell nothing."""
        handler = await continuation(details)
        if handler is None or handler.stream_stream is None:
            return handler
        inner, clients = handler.stream_stream, self._clients

        async def checked(requests: Any, stream: Any) -> None:
            peer = {name.decode("utf-8", "replace") for name in stream.auth_context().get("peer_spiffe_id", ())}
            if not peer & clients:
                await stream.abort(grpc.StatusCode.PERMISSION_DENIED, "this peer is not the Envoy we serve")
            await inner(requests, stream)

        return grpc.stream_stream_rpc_method_handler(
            checked, request_deserializer=handler.request_deserializer, response_serializer=handler.response_serializer
        )


def _credentials(tls: Tls) -> grpc.ServerCredentials:
    pair = (tls.key.read_bytes(), tls.certificate.read_bytes())
    return grpc.ssl_server_credentials([pair], tls.client_authority.read_bytes(), require_client_auth=True)
