"""What a sink stored is an anchor for ``extproc verify``: it shows a whole store that was replaced by an older copy.

For each kind of place by the way that the README of the sinks names, in both forms.
"""

import gzip
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from google.protobuf.json_format import MessageToJson
from typer.testing import CliRunner

from delivered import everyone, everything
from extproc.cli import app
from extproc.edges.sinks.file import FileSink
from extproc.edges.sinks.kafka import KafkaSink
from extproc.edges.sinks.lines import LINES
from extproc.edges.sinks.otlp import OtlpSink
from extproc.edges.sinks.s3 import Bucket, S3Sink
from extproc.edges.sinks.syslog import message_of
from extproc.edges.sinks.tls import tls_from
from extproc.shipping import Shipper
from receivers import OtlpReceiver, consumed, kafka_in_memory, s3_in_memory
from sigv4 import Key
from stores import SIGNER, written

Kept = Callable[[Path, str], Awaitable[Path]]


async def in_a_file(root: Path, form: str) -> Path:
    await everything(root, FileSink(root.parent / "copy.jsonl", line=LINES[form]))
    return root.parent / "copy.jsonl"


async def in_a_bucket(root: Path, form: str) -> Path:
    (root.parent / "credentials").write_text("[default]\naws_access_key_id = a\naws_secret_access_key = b\n")
    with s3_in_memory({"a": Key(secret="b")}) as store:
        bucket = Bucket(
            name="records",
            region="us-east-1",
            endpoint=store.url,
            addressing="path",
            credentials_file=root.parent / "credentials",
        )
        await everything(root, S3Sink(bucket, timeout=20, line=LINES[form]))
        # cat mcp-audit/*/*.jsonl.gz > anchor.gz
        (root.parent / "anchor.gz").write_bytes(b"".join(store.read(key) for key in store.objects()))
    return root.parent / "anchor.gz"


async def in_a_topic(root: Path, form: str) -> Path:
    with kafka_in_memory() as broker:
        await everything(root, KafkaSink([broker], "audit", tls=None, sasl=None, timeout=20, line=LINES[form]))
        # kafka-console-consumer.sh --from-beginning ... > anchor
        messages = consumed(broker, "audit", len(everyone(root)))
    (root.parent / "anchor").write_bytes(b"".join(message.value() + b"\n" for message in messages))
    return root.parent / "anchor"


async def at_a_collector(root: Path, form: str) -> Path:
    receiver = OtlpReceiver()
    async with receiver.running():
        sink = OtlpSink(
            receiver.url,
            token_file=None,
            token=("authorization", "Bearer "),
            tls=tls_from(None, None, None),
            timeout=20,
            line=LINES[form],
        )
        await everything(root, sink)
    # what the collector's exporter to a file writes: a request as JSON on each line
    lines = [MessageToJson(request, indent=None) for request in receiver.requests]
    (root.parent / "anchor").write_text("\n".join(lines), "utf-8")
    return root.parent / "anchor"


async def in_a_syslog(root: Path, form: str) -> Path:
    class Log:
        async def deliver(self, records):
            kept.extend(message_of(record, LINES[form]) for record in records)

        async def close(self):
            pass

    kept: list[bytes] = []
    await everything(root, Log())
    (root.parent / "anchor").write_bytes(b"\n".join(kept))
    return root.parent / "anchor"


def extproc(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize("form", ["lines", "ocsf"])
@pytest.mark.parametrize("kept", [in_a_file, in_a_bucket, in_a_topic, at_a_collector, in_a_syslog])
async def test_what_a_sink_kept_shows_a_store_that_was_replaced_by_an_older_copy(tmp_path, kept: Kept, form: str):
    store = await written(tmp_path / "state", rounds=2)
    shutil.copytree(store.root, tmp_path / "older")
    await store.write("n-0", [{"kind": "decision", "at": 9}])
    await store.seal()
    anchor = await kept(store.root, form)
    given = ("--key", SIGNER.public, "--anchor", anchor)
    assert "holds" in extproc("verify", "--state", store.root, *given)
    extproc("verify", "--state", tmp_path / "older", "--key", SIGNER.public)
    assert "FAULT" in extproc("verify", "--state", tmp_path / "older", *given, code=1)


async def test_an_object_that_was_cut_is_told_as_that(tmp_path):
    store = await written(tmp_path / "state", rounds=1)
    await Shipper(store.root, "copy", FileSink(tmp_path / "copy.jsonl")).deliver()
    (tmp_path / "cut.gz").write_bytes(gzip.compress((tmp_path / "copy.jsonl").read_bytes())[:-20])
    said = extproc("verify", "--state", store.root, "--key", SIGNER.public, "--anchor", tmp_path / "cut.gz", code=2)
    assert "cut.gz: it is a gzip file that was cut or changed" in said
    assert said.count("\n") == 1
