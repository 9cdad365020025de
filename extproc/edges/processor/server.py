"""The gRPC server of one worker: ext_proc and health on one address, and a drain that never ends a stream cleanly.

HTTP/2 is h2corn's, which hands each stream over as ASGI events on the worker's own loop; grpc.aio wakes three threads
several times for each call, which costs more than everything that this service does with it.
Windows are small, so that a slow client holds back the upstream instead of filling this process (README of ``envoy``).
"""

import asyncio
import socket
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from h2corn import Application, Config, Receive, Scope, Send, Server

from extproc.edges.processor.servicer import Servicer
from extproc.edges.processor.stream import EOF, EnvoyGone, Status, Stream, StreamFault
from extproc.edges.processor.translate import METHOD

__all__ = ["SERVER_KEY", "ProcessorServer", "Tls"]

SERVER_KEY: Final = b"x-mcp-server"
"""The gRPC metadata by which an Envoy route names its server."""
_HEALTH: Final = "/grpc.health.v1.Health/Check"
_EVERYTHING: Final = b""
"""A HealthCheckRequest about the server as a whole."""
_SERVING: Final = b"\x08\x01"
_NOT_SERVING: Final = b"\x08\x02"
_MAX_STREAMS: Final = 1 << 16
"""Envoy bounds what it sends (``circuit_breakers``); a stream that is held or inspected stays open for long."""
_UNLIMITED: Final = 0.0
_UNIX: Final = "unix:"
_BACKLOG: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Mutual TLS towards Envoy: our certificate, the authority of Envoy's, and whom we accept by SPIFFE id."""

    certificate: Path
    key: Path
    client_authority: Path
    clients: frozenset[str]


class ProcessorServer:
    """Serves one ``Servicer`` on one address; streams in flight at the end have ``drain_seconds``.

    With TLS only Envoy's certificate opens that address, so this machine's own user asks for health, and for nothing
    else, at ``health_address``.
    """

    def __init__(
        self,
        servicer: Servicer,
        *,
        address: str,
        tls: Tls | None,
        drain_seconds: float,
        health_address: str | None = None,
    ) -> None:
        self._servicer = servicer
        self._tls = tls
        self._health = _SERVING
        self._drain_seconds = drain_seconds
        self._addresses: list[tuple[str, Application, Tls | None]] = [(address, self._answer, tls)]
        if health_address is not None:
            self._addresses.append((health_address, self._answer_health, None))
        self._serving: list[_Serving] = []

    async def start(self) -> None:
        """Bind, serve, and report SERVING.

        Raises:
            OSError: the address is taken or cannot be bound, or a certificate cannot be read.
        """
        for address, application, tls in self._addresses:
            try:
                listener = _listening(address)
                server = Server(application, _config(listener, tls, self._drain_seconds))
                running = asyncio.create_task(server.serve())
                self._serving.append(_Serving(listener=listener, server=server, running=running))
                await server.wait_started()
            except (OSError, ValueError) as error:
                raise OSError(f"cannot listen on {address}: {error}") from None

    async def drain(self) -> None:
        """Report NOT_SERVING, take no new stream, wait for those in flight, then break the rest.

        A broken stream ends with an error, so Envoy refuses what it still held (invariant 4).
        """
        self._health = _NOT_SERVING
        for each in self._serving:
            each.server.shutdown()
            # h2corn accepts no more, but keeps the socket: without this, Envoy would connect and wait for nobody
            with suppress(OSError):
                each.listener.shutdown(socket.SHUT_RDWR)
            each.listener.close()
        await asyncio.gather(*(each.running for each in self._serving), return_exceptions=True)
        await self._servicer.settle()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        path, stream = scope["path"], Stream(receive, send)
        if path == _HEALTH:
            await self._tell_health(stream)
        elif path != METHOD:
            await stream.abort(Status.UNIMPLEMENTED, "this service is not here")
        elif self._tls is not None and not _peers(scope) & self._tls.clients:
            await stream.abort(Status.PERMISSION_DENIED, "this peer is not the Envoy we serve")
        else:
            named = [value for name, value in scope["headers"] if name == SERVER_KEY]
            await self._servicer.serve(named[0].decode("latin-1") if len(named) == 1 else "", stream)

    async def _answer_health(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        stream = Stream(receive, send)
        if scope["path"] == _HEALTH:
            await self._tell_health(stream)
        else:
            await stream.abort(Status.UNIMPLEMENTED, "this service is not here")

    async def _tell_health(self, stream: Stream) -> None:
        with suppress(EnvoyGone):
            try:
                asked = await stream.read()
            except StreamFault as fault:
                await stream.abort(Status.INTERNAL, str(fault))
                return
            if asked is EOF or asked != _EVERYTHING:
                await stream.abort(Status.NOT_FOUND, "this server has no parts")
                return
            await stream.write(self._health)
            await stream.finish()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Serving:
    """One address that is served."""

    listener: socket.socket
    server: Server
    running: asyncio.Task[None]


def _listening(address: str) -> socket.socket:
    """A listening socket for ``host:port`` or ``unix:/path``.

    Raises:
        OSError: it is taken, or not of this machine.
    """
    if address.startswith(_UNIX):
        path = Path(address.removeprefix(_UNIX))
        if path.is_socket():  # a predecessor's; that nobody lives behind it was seen before the start
            path.unlink()
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen(_BACKLOG)
        return listener
    host, _, port = address.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=_BACKLOG)


def _config(listener: socket.socket, tls: Tls | None, drain_seconds: float) -> Config:
    secured: dict[str, Any] = {}
    if tls is not None:
        secured = {"certfile": tls.certificate, "keyfile": tls.key}
        secured |= {"ca_certs": tls.client_authority, "cert_reqs": "required"}
    return Config(
        bind=(f"fd://{listener.fileno()}",),
        http1=False,
        grpc=True,
        lifespan="off",
        runtime_threads=1,
        access_log=False,
        log_format="json",
        max_concurrent_streams=_MAX_STREAMS,
        h2_initial_stream_window_size=(64 << 10) - 1,
        h2_initial_connection_window_size=1 << 20,
        # a client may read its stream as slowly as it likes, and be silent: Envoy's own limits are the ones
        h2_timeout_response_stall=_UNLIMITED,
        timeout_keep_alive=_UNLIMITED,
        timeout_graceful_shutdown=drain_seconds,
        **secured,
    )


def _peers(scope: Any) -> frozenset[str]:
    chain = scope["extensions"].get("tls", {}).get("client_cert_chain", ())
    return _spiffe_ids(chain[0]) if chain else frozenset()


@lru_cache(maxsize=64)
def _spiffe_ids(certificate: str) -> frozenset[str]:
    """The URI names of a certificate that the TLS handshake verified."""
    try:
        names = x509.load_pem_x509_certificate(certificate.encode()).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (ValueError, x509.ExtensionNotFound):
        return frozenset()
    return frozenset(names.value.get_values_for_type(x509.UniformResourceIdentifier))
