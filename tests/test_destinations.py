"""The file of sinks becomes sinks: each type with what it was told, and a line of words where something is missing."""

import ssl

import pytest

from attacks.certificates import Authority
from delivered import everyone, written
from extproc.destinations import shipper_of, sink_of
from extproc.edges.sinks.file import FileSink
from extproc.edges.sinks.http import HttpSink
from extproc.edges.sinks.kafka import KafkaSink
from extproc.edges.sinks.lines import LINES
from extproc.edges.sinks.otlp import OtlpSink
from extproc.edges.sinks.s3 import Bucket, S3Sink
from extproc.edges.sinks.syslog import SyslogSink
from extproc.edges.sinks.tls import tls_from
from extproc.ports import SinkError
from extproc.settings import sinks as settings_of_sinks
from extproc.settings.sinks import missing_libraries, read_sinks
from extproc.shipping import statuses

FILE = """\
sinks:
  - {name: copy, type: file, path: copy.jsonl, form: ocsf}
  - {name: siem, type: http, url: "https://siem.example.com/c", form: hec-ocsf, token_file: t}
  - {name: logs, type: syslog, address: "logs.example.com:6514"}
  - {name: otel, type: otlp, url: "https://otel.example.com/v1/logs", token_file: t, token_header: api-key}
  - {name: archive, type: s3, bucket: audit, prefix: a/, region: eu-central-1, credentials_file: c, every: 5,
     encryption: "aws:kms", kms_key: k, retention: {mode: compliance, days: 7}}
  - {name: stream, type: kafka, brokers: ["k1:9093", "k2:9093"], topic: audit, ca_file: ca.pem,
     sasl: {mechanism: scram-sha-512, user: ann, password_file: p}}
"""


@pytest.fixture
def targets(tmp_path):
    (tmp_path / "sinks.yaml").write_text(FILE)
    return {target.name: target for target in read_sinks(tmp_path / "sinks.yaml")}


async def test_each_type_is_a_sink_of_its_own(targets):
    found = {name: sink_of(target) for name, target in targets.items()}
    kinds = [FileSink, HttpSink, SyslogSink, OtlpSink, S3Sink, KafkaSink]
    assert [type(sink) for sink in found.values()] == kinds
    for sink in found.values():
        await sink.close()


def test_what_the_file_says_reaches_the_sink(tmp_path, targets):
    archive, stream, siem, otel = (sink_of(targets[name]) for name in ("archive", "stream", "siem", "otel"))
    assert archive._bucket == Bucket(
        name="audit",
        prefix="a/",
        region="eu-central-1",
        credentials_file=tmp_path / "c",
        encryption="aws:kms",
        kms_key="k",
        retain=("COMPLIANCE", 7),
    )
    assert stream._brokers == ["k1:9093", "k2:9093"]
    assert stream._tls == (tmp_path / "ca.pem", None, None)
    assert stream._sasl == ("SCRAM-SHA-512", "ann", tmp_path / "p")
    assert siem._line is LINES["ocsf"]
    assert siem._poster._token == ("authorization", "Splunk ")
    assert otel._poster._token == ("api-key", "")


async def test_the_form_of_the_file_is_the_form_of_the_lines(tmp_path, targets):
    store = await written(tmp_path / "state", 2)
    shipper = shipper_of(store.root, targets["copy"])
    while await shipper.deliver():
        pass
    lines = (tmp_path / "copy.jsonl").read_bytes().splitlines()
    assert all(b'"class_uid":' in line and b'"unmapped":' in line for line in lines)
    assert len(lines) == len(everyone(store.root))


async def test_files_of_tls_that_are_none_are_an_error_of_the_sink_until_they_are_some(tmp_path):
    store = await written(tmp_path / "state", 1)
    (tmp_path / "sinks.yaml").write_text(
        'sinks: [{name: copy, type: http, url: "https://127.0.0.1:1/", ca_file: ca.pem, timeout: 1}]'
    )
    (target,) = read_sinks(tmp_path / "sinks.yaml")
    shipper = shipper_of(store.root, target)
    assert await shipper.deliver() is None
    assert "ca.pem is no PEM file of certificates that can be read: No such file" in error_of(store.root)
    (tmp_path / "ca.pem").write_bytes(Authority(tmp_path / "authority").file.read_bytes())
    assert await shipper.deliver() is None
    assert error_of(store.root) == "the collector does not answer: ConnectError"


def error_of(root):
    return statuses(root, ["copy"])[0].error


def test_a_certificate_without_its_key_or_with_a_password_is_said_in_a_line(tmp_path):
    pair = Authority(tmp_path / "authority").issue("127.0.0.1")
    assert isinstance(tls_from(None, pair.certificate, pair.key)(), ssl.SSLContext)
    with pytest.raises(SinkError, match="are no PEM pair that can be read"):
        tls_from(None, pair.certificate, tmp_path / "none")()
    with pytest.raises(SinkError, match="are no PEM pair that can be read"):
        tls_from(None, pair.key, pair.certificate)()


def test_a_library_that_is_not_installed_is_named_with_what_brings_it(targets, monkeypatch):
    assert missing_libraries([*targets.values()]) == []
    monkeypatch.setattr(settings_of_sinks, "_LIBRARIES", {"kafka": "no_such_module", "otlp": "no_such.module"})
    assert missing_libraries([*targets.values()]) == [
        "type: otlp needs no_such.module; install it with: pip install 'mcp-extproc[otlp]'",
        "type: kafka needs no_such_module; install it with: pip install 'mcp-extproc[kafka]'",
    ]
    assert missing_libraries([targets["copy"]]) == []


async def test_an_object_store_is_given_slices_of_time_and_all_others_what_comes(tmp_path, targets):
    store = await written(tmp_path / "state", 1)
    assert shipper_of(store.root, targets["archive"])._batches.every == 5
    assert shipper_of(store.root, targets["copy"])._batches.every < 1
