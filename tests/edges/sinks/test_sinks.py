"""Every sink against a real counterpart: what it takes is whole and once after de-duplication, however often it fails."""

import asyncio
import gzip
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from attacks.certificates import Authority
from delivered import checked, everyone, everything, written
from extproc.edges.control import QuietServer
from extproc.edges.sinks.file import FileSink
from extproc.edges.sinks.http import HttpSink
from extproc.edges.sinks.syslog import SyslogSink, message_of
from extproc.edges.sinks.tls import tls_from
from extproc.ports import Record
from extproc.shipping import Shipper, statuses
from ports import free_ports
from stack.calls import until

NO_TLS = tls_from(None, None, None)

# --- a file -------------------------------------------------------------------------------------------------------


async def test_a_file_has_every_record_as_a_line(tmp_path):
    store = await written(tmp_path / "state")
    await everything(store.root, FileSink(tmp_path / "copy.jsonl"))
    lines = (tmp_path / "copy.jsonl").read_bytes().split(b"\n")[:-1]
    checked([json.loads(line) for line in lines])
    assert (tmp_path / "copy.jsonl").stat().st_mode & 0o077 == 0


async def test_a_file_that_could_not_be_written_gets_all_of_it_later(tmp_path):
    store = await written(tmp_path / "state")
    sink = FileSink(tmp_path / "folder" / "copy.jsonl")
    shipper = Shipper(store.root, "copy", sink)
    assert await shipper.deliver() is None
    (status,) = statuses(store.root, ["copy"])
    assert "cannot be written: No such file" in status.error
    waiting = len(everyone(store.root))
    assert status.behind == waiting
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "copy.jsonl").write_bytes(b'{"journal":"n-0","se')
    assert await shipper.deliver() == waiting
    (status,) = statuses(store.root, ["copy"])
    assert (status.error, status.behind, status.delivered) == (None, 0, waiting)
    first, *lines = (tmp_path / "folder" / "copy.jsonl").read_bytes().split(b"\n")[:-1]
    assert first == b'{"journal":"n-0","se'
    checked([json.loads(line) for line in lines])


# --- HTTP ---------------------------------------------------------------------------------------------------------


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


async def test_a_collector_that_fails_in_every_way_has_every_record_in_the_end(tmp_path):
    store = await written(tmp_path / "state")
    collector = Collector(503, 504, 401, 302, 200, 500, 504)
    (tmp_path / "token").write_text("t0ken\n")
    sink = HttpSink(collector.url, hec=False, token_file=tmp_path / "token", tls=NO_TLS, timeout=5)
    shipper = Shipper(store.root, "copy", sink)
    assert await shipper.deliver() is None  # it is not there at all
    (status,) = statuses(store.root, ["copy"])
    assert status.error == "the collector does not answer: ConnectError"
    async with collector.running():
        await everything(store.root, sink)
    checked([json.loads(line) for _, body in collector.batches for line in body.split(b"\n")[:-1]])
    headers = collector.batches[0][0]
    assert headers["authorization"] == "Bearer t0ken"
    assert headers["content-type"] == "application/x-ndjson"


async def test_splunk_gets_events_with_their_identity(tmp_path):
    store = await written(tmp_path / "state")
    (tmp_path / "token").write_text("hec")
    collector = Collector()
    async with collector.running():
        await everything(
            store.root, HttpSink(collector.url, hec=True, token_file=tmp_path / "token", tls=NO_TLS, timeout=5)
        )
    events = [json.loads(line) for _, body in collector.batches for line in body.split(b"\n")[:-1]]
    checked([{**event["fields"], "event": event["event"]} for event in events])
    assert collector.batches[0][0]["authorization"] == "Splunk hec"
    assert events[0]["sourcetype"] == "mcp-extproc:audit"


@pytest.mark.parametrize("raw", [None, b"", b"two\nlines", b"\xff", "t\u00f6ken".encode()])
async def test_a_token_that_is_none_is_an_error_of_the_sink(tmp_path, raw):
    store = await written(tmp_path / "state", 1)
    if raw is not None:
        (tmp_path / "token").write_bytes(raw)
    sink = HttpSink("http://127.0.0.1:1/", hec=False, token_file=tmp_path / "token", tls=NO_TLS, timeout=1)
    assert await Shipper(store.root, "copy", sink).deliver() is None
    assert "token" in statuses(store.root, ["copy"])[0].error
    await sink.close()


# --- syslog over TLS ----------------------------------------------------------------------------------------------


class Syslog:
    """A server of RFC 5425: counts octets, keeps messages, and breaks connections when it is told to."""

    def __init__(self, breaks_after: int | None = None) -> None:
        self.messages: list[bytes] = []
        self.breaks_after = breaks_after

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                length = int((await reader.readuntil(b" "))[:-1])
                self.messages.append(await reader.readexactly(length))
                if self.breaks_after is not None and len(self.messages) >= self.breaks_after:
                    self.breaks_after = None
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()


@asynccontextmanager
async def listening(server: Syslog, folder: Path) -> AsyncIterator[tuple[int, ssl.SSLContext]]:
    authority = Authority(folder)
    pair = authority.issue("127.0.0.1")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pair.certificate, pair.key)
    running = await asyncio.start_server(server.take, "127.0.0.1", 0, ssl=serving)
    try:
        yield running.sockets[0].getsockname()[1], ssl.create_default_context(cafile=authority.file)
    finally:
        running.close()
        await running.wait_closed()


def records_in(messages: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(message.partition(b"\xef\xbb\xbf")[2]) for message in messages]


@pytest.mark.parametrize("breaks_after", [None, 30])
async def test_a_syslog_server_over_tls_has_every_record_as_one_message(tmp_path, breaks_after):
    store = await written(tmp_path / "state")
    server = Syslog(breaks_after)
    async with listening(server, tmp_path / "authority") as (port, tls):
        sink = SyslogSink("127.0.0.1", port, tls=lambda: tls, timeout=5)
        await everything(store.root, sink, until=lambda: server.breaks_after is None)
        # syslog answers nothing, so the test waits for what is on its way
        wanted = everyone(store.root)
        await until(lambda: {(each["journal"], each["seq"]) for each in records_in(server.messages)} >= wanted)
    checked(records_in(server.messages))
    head = server.messages[1].partition(b"\xef\xbb\xbf")[0].decode("ascii")
    assert head.startswith("<110>1 1970-01-01T00:00:00.000000Z ")
    assert ' mcp-extproc n-0 decision [record@32473 seq="1" hash="' in head


async def test_a_syslog_server_that_nobody_vouches_for_gets_nothing(tmp_path):
    store = await written(tmp_path / "state", 1)
    server = Syslog()
    async with listening(server, tmp_path / "authority") as (port, _):
        sink = SyslogSink("127.0.0.1", port, tls=NO_TLS, timeout=5)
        assert await Shipper(store.root, "copy", sink).deliver() is None
    assert server.messages == []
    assert "SSLCertVerificationError" in statuses(store.root, ["copy"])[0].error


def test_a_refusal_is_a_warning_and_an_odd_time_is_the_beginning():
    event = {"kind": "deci sion]", "effect": "deny", "at": "x"}
    record = Record(journal="n", seq=0, hash="h", event=event, encoded=b"{}")
    assert message_of(record).startswith(b"<108>1 1970-01-01T00:00:00.000000Z")
    assert b" n decision [record" in message_of(record)
