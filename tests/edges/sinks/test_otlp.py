"""The sink of OpenTelemetry against a collector built from OpenTelemetry's own protos."""

import json
import logging

import pytest
from starlette.responses import HTMLResponse

from delivered import checked, everything, written
from extproc.core.audit import encode
from extproc.edges.sinks.otlp import OtlpSink, request_of
from extproc.edges.sinks.tls import tls_from
from extproc.ports import Record
from extproc.shipping import Shipper, statuses
from plain import PATIENCE
from receivers import OtlpReceiver

BEARER = ("authorization", "Bearer ")


def sink_for(receiver, token_file=None, token=BEARER):
    return OtlpSink(receiver.url, token_file=token_file, token=token, tls=tls_from(None, None, None), timeout=PATIENCE)


def record_of(event, seq=7):
    return Record(journal="node-a-1", seq=seq, hash="f" * 64, event=event, encoded=encode(event))


def log_of(event):
    (logs,) = request_of([record_of(event)]).resource_logs
    (log,) = logs.scope_logs[0].log_records
    return log


def attributes_of(log):
    return {each.key: each.value.string_value for each in log.attributes}


async def test_a_collector_that_fails_in_every_way_has_every_record_in_the_end(tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    store = await written(tmp_path / "state")
    # away, busy, lost answers, refusals of some that were not kept and of some that were
    receiver = OtlpReceiver(answers=[503, 504, 429, 400, 3, -2, 302, 200, 504])
    (tmp_path / "token").write_text("t0ken\n")
    sink = sink_for(receiver, tmp_path / "token")
    shipper = Shipper(store.root, "copy", sink)
    assert await shipper.deliver() is None
    assert statuses(store.root, ["copy"])[0].error == "the collector does not answer: ConnectError"
    async with receiver.running():
        await everything(store.root, sink)
    logs = receiver.log_records
    bodies = [json.loads(log.body.string_value) for _, log in logs]
    checked(bodies)
    # what a backend leaves out what came twice by is the record's identity
    assert [attributes_of(log)["log.record.uid"] for _, log in logs] == [
        f"{body['journal']}/{body['seq']}" for body in bodies
    ]
    assert {(resource["extproc.node"], resource["extproc.worker"]) for resource, _ in logs} == {("n", "0"), ("n", "1")}
    assert receiver.headers[0]["authorization"] == "Bearer t0ken"
    assert "t0ken" not in caplog.text
    assert receiver.headers[0]["content-type"] == "application/x-protobuf"


async def test_what_a_collector_refuses_waits_and_is_counted_without_its_words(tmp_path):
    store = await written(tmp_path / "state", 3)
    receiver = OtlpReceiver(answers=[2])
    async with receiver.running():
        sink = sink_for(receiver)
        assert await Shipper(store.root, "copy", sink).deliver() is None
        (status,) = statuses(store.root, ["copy"])
        assert status.error == "the collector refuses 2 of 4 records"
        assert status.behind == 8
        await sink.close()


async def test_an_answer_that_is_no_otlp_is_no_delivery(tmp_path):
    store = await written(tmp_path / "state", 1)
    receiver = Page()
    async with receiver.running():
        sink = sink_for(receiver)
        assert await Shipper(store.root, "copy", sink).deliver() is None
        assert "is this the address of /v1/logs?" in statuses(store.root, ["copy"])[0].error
        await sink.close()


class Page(OtlpReceiver):
    """Another page of a collector: takes anything."""

    async def take(self, request):
        await request.body()
        return HTMLResponse("<html>welcome</html>")


async def test_a_token_in_a_header_of_the_vendor_s_own(tmp_path):
    store = await written(tmp_path / "state", 1)
    receiver = OtlpReceiver()
    (tmp_path / "token").write_text("k3y")
    async with receiver.running():
        await everything(store.root, sink_for(receiver, tmp_path / "token", ("api-key", "")))
    assert receiver.headers[0]["api-key"] == "k3y"
    assert "authorization" not in receiver.headers[0]


def test_a_log_record_has_time_severity_trace_and_what_people_search_by():
    event = {
        "kind": "decision",
        "at": 1_800_000_000_123_456_789,
        "decision": "d1",
        "server": "sales-db",
        "method": "tools/call",
        "effect": "deny",
        "verb": "admin",
        "rule": "no-drops",
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "principal": {"subject": "ann"},
        "targets": [{"kind": "tool", "name": "drop_table"}],
    }
    log = log_of(event)
    assert log.time_unix_nano == log.observed_time_unix_nano == event["at"]
    assert (log.severity_number, log.severity_text, log.event_name) == (13, "WARN", "extproc.decision")
    assert log.trace_id.hex() == event["trace"]
    assert attributes_of(log) == {
        "log.record.uid": "node-a-1/7",
        "extproc.journal": "node-a-1",
        "extproc.seq": "7",
        "extproc.hash": "f" * 64,
        "extproc.kind": "decision",
        "extproc.decision": "d1",
        "extproc.server": "sales-db",
        "extproc.effect": "deny",
        "extproc.verb": "admin",
        "extproc.rule": "no-drops",
        "extproc.target": "drop_table",
        "mcp.method.name": "tools/call",
        "user.id": "ann",
    }


@pytest.mark.parametrize(
    ("event", "severity"),
    [({"kind": "damaged"}, "ERROR"), ({"kind": "unsynced"}, "ERROR"), ({"kind": "started"}, "INFO"), ({}, "INFO")],
)
def test_severity_follows_the_kind_where_nothing_was_judged(event, severity):
    assert log_of(event).severity_text == severity


@pytest.mark.parametrize(
    "odd", [None, 7, -1, 2**80, "x", "0" * 32, "z" * 32, "\ud800" * 32, [1], {"a": 1}, True, "long" * 1000]
)
def test_whatever_stands_in_an_event_there_is_a_log_record(odd):
    names = ("at", "kind", "effect", "server", "trace", "principal", "targets", "decision")
    log = log_of(dict.fromkeys(names, odd))
    assert log.trace_id == b""
    assert json.loads(log.body.string_value)["seq"] == 7
    assert all(len(value) <= 1024 for value in attributes_of(log).values())
    assert log_of({"targets": [odd], "principal": {"subject": odd}}).body.string_value
