"""A policy service that does what the test says, and an MCP server that records what it gets.

They prove the shipped Envoy configurations alone, without the product's own service behind them.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from extproc.edges.processor.pb import ext_proc_pb2 as pb

__all__ = ["Processor", "Recorder", "allow", "processor", "recorder"]

RESULT: Final = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
ANSWER: Final = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (
    len(RESULT),
    RESULT,
)

Script = Callable[[pb.ProcessingRequest], Awaitable[pb.ProcessingResponse | None]]


def allow(frame: pb.ProcessingRequest, **handles: str) -> pb.ProcessingResponse | None:
    """The answer to one message that lets everything pass, with the decision that the guard wants.

    ``handles`` are what the upstream must get back: ``session``, ``last_event_id``.
    """
    kind = frame.WhichOneof("request")
    response = pb.ProcessingResponse()
    getattr(response, kind).SetInParent()
    if kind in ("request_headers", "request_body"):
        verdict = response.dynamic_metadata.fields["mcp_extproc"].struct_value.fields
        verdict["decision"].string_value = "allow"
        verdict["decision_id"].string_value = "d-1"
        for name, value in handles.items():
            verdict[name].string_value = value
    if kind == "request_headers":
        response.mode_override.request_body_mode = pb.ProcessingMode.BUFFERED
        response.mode_override.response_header_mode = pb.ProcessingMode.SEND
    return response


@dataclass
class Processor:
    """``frames`` is what Envoy sent, ``metadata`` the gRPC metadata of each stream; ``script`` answers.

    A script returns the answer to one message, or None to say nothing and close the stream cleanly.
    """

    address: str = ""
    frames: list[pb.ProcessingRequest] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)
    script: Script | None = None

    def forget(self) -> None:
        self.frames.clear()
        self.metadata.clear()
        self.script = None

    def kinds(self) -> list[str | None]:
        return [frame.WhichOneof("request") for frame in self.frames]

    def told(self, frame: int = 0) -> dict[str, str]:
        """The headers that reached the service as metadata."""
        fields = self.frames[frame].metadata_context.filter_metadata["mcp_headers"].fields
        return {name: value.string_value for name, value in fields.items()}

    async def process(self, _: Any, context: grpc.aio.ServicerContext) -> None:
        self.metadata.append({str(name): str(value) for name, value in context.invocation_metadata() or ()})
        while (frame := await context.read()) is not grpc.aio.EOF:
            self.frames.append(frame)
            answer = await self.script(frame) if self.script else allow(frame)
            if answer is None:
                return
            await context.write(answer)
            if answer.HasField("immediate_response"):
                return


@asynccontextmanager
async def processor() -> AsyncIterator[Processor]:
    scripted = Processor()
    method = grpc.stream_stream_rpc_method_handler(
        scripted.process,
        request_deserializer=pb.ProcessingRequest.FromString,
        response_serializer=pb.ProcessingResponse.SerializeToString,
    )
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", 64 << 20)])
    service = grpc.method_handlers_generic_handler("envoy.service.ext_proc.v3.ExternalProcessor", {"Process": method})
    server.add_generic_rpc_handlers((service,))
    healthy = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
    await healthy.set("", health_pb2.HealthCheckResponse.SERVING)
    scripted.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield scripted
    finally:
        await server.stop(0)


@dataclass
class Recorder:
    """``requests`` is what arrived: (request line, headers in order, body); ``answer`` is sent back as it stands."""

    url: str = ""
    requests: list[tuple[str, list[tuple[str, str]], bytes]] = field(default_factory=list)
    answer: bytes = ANSWER

    def forget(self) -> None:
        self.requests.clear()
        self.answer = ANSWER

    def values(self, name: str, request: int = -1) -> list[str]:
        return [value for each, value in self.requests[request][1] if each == name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                line, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
                headers = [(name.lower(), value.strip()) for name, _, value in (each.partition(":") for each in lines)]
                fields = dict(headers)
                body = bytearray(await reader.readexactly(int(fields.get("content-length", "0"))))
                if fields.get("transfer-encoding") == "chunked":
                    while size := int(await reader.readline(), 16):
                        body += (await reader.readexactly(size + 2))[:-2]
                    await reader.readline()
                self.requests.append((line, headers, bytes(body)))
                writer.write(self.answer)
                await writer.drain()
        writer.close()


@asynccontextmanager
async def recorder() -> AsyncIterator[Recorder]:
    recorded = Recorder()
    server = await asyncio.start_server(recorded.serve, "127.0.0.1", 0)
    recorded.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/mcp"
    async with server:
        yield recorded
