"""Counterparts of the sinks that speak the real protocols: collectors of HTTP, OTLP and syslog, a store, a cluster."""

import asyncio
import gzip
import json
import logging
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any

import botocore.session
import uvicorn
from botocore.config import Config
from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from werkzeug.serving import make_server
from werkzeug.test import Client

from attacks.certificates import Authority
from extproc.edges.control import QuietServer
from ports import free_ports
from sigv4 import Key, checking
from stack.calls import until

__all__ = [
    "Collector",
    "OtlpReceiver",
    "S3Store",
    "Syslog",
    "consumed",
    "kafka_in_memory",
    "listening",
    "records_in",
    "s3_in_memory",
]


@dataclass
class OtlpReceiver:
    """Takes OTLP/HTTP in protobuf and answers what it is told to, in turn: a status, or how many records it refuses.

    A negative number is of records that it took and refused then, so that they come again.
    """

    answers: list[int] = field(default_factory=list)
    requests: list[ExportLogsServiceRequest] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    port: int = field(default_factory=lambda: free_ports(1)[0])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1/logs"

    async def take(self, request: Request) -> Response:
        body = await request.body()
        if request.headers["content-encoding"] == "gzip":
            body = gzip.decompress(body)
        answer = self.answers.pop(0) if self.answers else 200
        self.headers.append(dict(request.headers))
        found = ExportLogsServiceRequest.FromString(body)
        if answer in {200, 504} or answer < 0:
            self.requests.append(found)
        refused = abs(answer) if abs(answer) < 100 else 0
        partial = ExportLogsPartialSuccess(rejected_log_records=refused, error_message="no: secret-value")
        told = ExportLogsServiceResponse(partial_success=partial if refused else None)
        return Response(
            told.SerializeToString(), status_code=200 if refused else answer, media_type="application/x-protobuf"
        )

    @property
    def log_records(self) -> list[tuple[dict[str, str], Any]]:
        """Each log record with the attributes of its resource."""
        return [
            ({each.key: each.value.string_value for each in logs.resource.attributes}, record)
            for request in self.requests
            for logs in request.resource_logs
            for scope in logs.scope_logs
            for record in scope.log_records
        ]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        application = Starlette(routes=[Route("/v1/logs", self.take, methods=["POST"])])
        server = QuietServer(uvicorn.Config(application, port=self.port, log_config=None, lifespan="off"))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield
        finally:
            server.should_exit = True
            await task


class Collector:
    """A collector that answers what it is told to, in turn, and keeps what it took."""

    def __init__(self, *answers: int) -> None:
        self.answers = list(answers)
        self.batches: list[tuple[dict[str, str], bytes]] = []
        self.port = free_ports(1)[0]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/collector"

    async def take(self, request: Request) -> Response:
        body = gzip.decompress(await request.body())
        status = self.answers.pop(0) if self.answers else 200
        # some lose their answer after they stored: what comes again must not count twice
        if status in {200, 504}:
            self.batches.append((dict(request.headers), body))
        return Response(status_code=status, headers={"location": "http://evil.example/"})

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        application = Starlette(routes=[Route("/collector", self.take, methods=["POST"])])
        server = QuietServer(uvicorn.Config(application, port=self.port, log_config=None, lifespan="off"))
        task = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        try:
            yield
        finally:
            server.should_exit = True
            await task


class Syslog:
    """A server of RFC 5425: counts octets, keeps messages, and breaks connections when it is told to."""

    def __init__(self, breaks_after: int | None = None) -> None:
        self.messages: list[bytes] = []
        self.breaks_after = breaks_after
        self.breaks = asyncio.Event()
        """Set: at once; else it reads no more, and goes away only then."""
        self.breaks.set()

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int((await reader.readuntil(b" "))[:-1])
                self.messages.append(await reader.readexactly(length))
                if self.breaks_after is not None and len(self.messages) >= self.breaks_after:
                    await self.breaks.wait()
                    self.breaks_after = None
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def listening(server: Syslog, folder: Path, port: int = 0) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    """Its port, and what a client must trust; ``folder`` gets the certificates."""
    authority = Authority(folder)
    pair = authority.issue("127.0.0.1")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pair.certificate, pair.key)
    running = await asyncio.start_server(server.take, "127.0.0.1", port, ssl=serving)
    try:
        yield running.sockets[0].getsockname()[1], ssl.create_default_context(cafile=authority.file)
    finally:
        running.close()
        await running.wait_closed()


def records_in(messages: list[bytes]) -> list[dict[str, Any]]:
    """The records that messages hold."""
    return [json.loads(message.partition(b"\xef\xbb\xbf")[2]) for message in messages]


@dataclass
class S3Store:
    """A store at ``url`` with the bucket ``records``, looked at through a client of its own."""

    url: str
    client: Any

    def objects(self, bucket: str = "records") -> dict[str, bytes]:
        """What is there, by name, unpacked, in the order of the names."""
        listed = self.client.list_objects_v2(Bucket=bucket).get("Contents", [])
        return {each["Key"]: gzip.decompress(self.read(each["Key"], bucket)) for each in listed}

    def read(self, key: str, bucket: str = "records") -> bytes:
        """The bytes of an object."""
        found: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read()
        return found


@contextmanager
def s3_in_memory(keys: Mapping[str, Key], port: int = 0) -> Iterator[S3Store]:
    """A store by moto, which speaks S3 over HTTP and keeps all in memory, for those who sign with one of ``keys``."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = DomainDispatcherApplication(create_backend_app)
    # all stores of a process are one, with what an earlier test left there
    Client(moto).post("/moto-api/reset")
    own = checking(moto, {"looking": Key(secret="on")} | dict(keys))
    server = make_server("127.0.0.1", port, own, threaded=True, request_handler=MotoRequestHandler)
    serving = Thread(target=server.serve_forever)
    serving.start()
    try:
        host, own_port = server.server_address[:2]
        session = botocore.session.Session()
        session.set_credentials("looking", "on")
        client = session.create_client(
            "s3",
            region_name="us-east-1",
            endpoint_url=f"http://{host}:{own_port}",
            config=Config(s3={"addressing_style": "path"}, proxies={}),
        )
        client.create_bucket(Bucket="records")
        yield S3Store(f"http://{host}:{own_port}", client)
        client.close()
    finally:
        server.shutdown()
        serving.join()
        server.server_close()


@contextmanager
def kafka_in_memory() -> Iterator[str]:
    """A cluster of one broker by librdkafka itself: the protocol is real, the broker is a mock (host:port)."""
    quiet = logging.getLogger("tests.librdkafka")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    keeper = Producer({"bootstrap.servers": "127.0.0.1:1", "test.mock.num.brokers": 1}, logger=quiet)
    broker = next(iter(keeper.list_topics(timeout=20).brokers.values()))
    yield f"{broker.host}:{broker.port}"
    keeper.flush(0)


def consumed(broker: str, topic: str, least: int, **settings: Any) -> list[Any]:
    """All messages of a topic, once there are ``least``."""
    consumer = Consumer({"bootstrap.servers": broker, "group.id": "tests", "enable.auto.commit": False, **settings})
    # told where to read: a group would first wait for more members
    partitions = consumer.list_topics(topic, timeout=30).topics[topic].partitions
    consumer.assign([TopicPartition(topic, number, OFFSET_BEGINNING) for number in partitions])
    found: list[Any] = []
    end = time.monotonic() + 60
    try:
        while time.monotonic() < end and len(found) < least:
            found += [message for message in consumer.consume(1000, 0.2) if message.error() is None]
        return found
    finally:
        consumer.close()
