"""Every sink against a real counterpart: what it takes is whole and once after de-duplication, however often it fails."""

import json

import pytest

from delivered import checked, everyone, everything, written
from extproc.edges.sinks.file import FileSink
from extproc.edges.sinks.http import HttpSink
from extproc.edges.sinks.syslog import SyslogSink, message_of
from extproc.edges.sinks.tls import tls_from
from extproc.ports import Record
from extproc.shipping import Shipper, statuses
from plain import PATIENCE
from receivers import Collector, Syslog, listening, records_in
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


async def test_a_collector_that_fails_in_every_way_has_every_record_in_the_end(tmp_path):
    store = await written(tmp_path / "state")
    collector = Collector(503, 504, 401, 302, 200, 500, 504)
    (tmp_path / "token").write_text("t0ken\n")
    sink = HttpSink(collector.url, hec=False, token_file=tmp_path / "token", tls=NO_TLS, timeout=PATIENCE)
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
            store.root, HttpSink(collector.url, hec=True, token_file=tmp_path / "token", tls=NO_TLS, timeout=PATIENCE)
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


@pytest.mark.parametrize("breaks_after", [None, 30])
async def test_a_syslog_server_over_tls_has_every_record_as_one_message(tmp_path, breaks_after):
    store = await written(tmp_path / "state")
    server = Syslog(breaks_after)
    async with listening(server, tmp_path / "authority") as (port, tls):
        sink = SyslogSink("127.0.0.1", port, tls=lambda: tls, timeout=PATIENCE)
        await everything(store.root, sink, until=lambda: server.breaks_after is None)
        if breaks_after is not None:
            # what was on its way to a server that was not reading any more goes before the next record
            await store.write("n-0", [{"kind": "started", "at": 1}])
            await everything(store.root, sink)
        # syslog answers nothing, so the test waits for what is on its way
        wanted = everyone(store.root)
        await until(lambda: {(each["journal"], each["seq"]) for each in records_in(server.messages)} >= wanted)
    checked(records_in(server.messages))
    head = server.messages[1].partition(b"\xef\xbb\xbf")[0].decode("ascii")
    assert head.startswith("<110>1 1970-01-01T00:00:00.000000Z ")
    assert ' mcp-extproc n-0 decision [record@32473 seq="1" hash="' in head


async def test_what_a_server_had_not_read_when_it_went_away_later_is_sent_again(tmp_path):
    store = await written(tmp_path / "state")
    server = Syslog(breaks_after=3)
    server.breaks.clear()
    async with listening(server, tmp_path / "authority") as (port, tls):
        sink = SyslogSink("127.0.0.1", port, tls=lambda: tls, timeout=PATIENCE)
        shipper = Shipper(store.root, "copy", sink)
        assert await shipper.deliver() == len(everyone(store.root))
        await until(lambda: len(server.messages) == 3)
        server.breaks.set()
        await until(lambda: server.breaks_after is None)
        await store.write("n-0", [{"kind": "started", "at": 1}])
        while statuses(store.root, ["copy"])[0].behind:
            await shipper.deliver()
        wanted = everyone(store.root)
        await until(lambda: {(each["journal"], each["seq"]) for each in records_in(server.messages)} >= wanted)
        await sink.close()
    checked(records_in(server.messages))


async def test_a_syslog_server_that_nobody_vouches_for_gets_nothing(tmp_path):
    store = await written(tmp_path / "state", 1)
    server = Syslog()
    async with listening(server, tmp_path / "authority") as (port, _):
        sink = SyslogSink("127.0.0.1", port, tls=NO_TLS, timeout=PATIENCE)
        assert await Shipper(store.root, "copy", sink).deliver() is None
    assert server.messages == []
    assert "SSLCertVerificationError" in statuses(store.root, ["copy"])[0].error


def test_a_refusal_is_a_warning_and_an_odd_time_is_the_beginning():
    event = {"kind": "deci sion]", "effect": "deny", "at": "x"}
    record = Record(journal="n", seq=0, hash="h", event=event, encoded=b"{}")
    assert message_of(record).startswith(b"<108>1 1970-01-01T00:00:00.000000Z")
    assert b" n decision [record" in message_of(record)
