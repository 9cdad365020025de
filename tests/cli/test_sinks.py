"""The file of sinks and ``extproc sinks``: every mistake with its line, and how each sink is."""

import asyncio
import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extproc.cli import app, sinks
from extproc.edges.sinks.file import FileSink
from extproc.ports import RecordsRefusedError
from extproc.settings.sinks import SinksError, read_sinks
from extproc.settings.targets import FileTarget, HttpTarget, SyslogTarget
from extproc.shipping import Shipper
from extproc.skips import asked
from stores import Store

GOOD = """\
sinks:
  - {name: copy, type: file, path: audit.jsonl}
  - {name: siem, type: http, url: "https://siem.example.com/collector", form: hec, token_file: hec.token}
  - {name: logs, type: syslog, address: "logs.example.com:6514", ca_file: /etc/ca.pem}
  - {name: otel, type: otlp, url: "https://otel.example.com:4318/v1/logs"}
  - {name: archive, type: s3, bucket: mcp-audit, encryption: "aws:kms", kms_key: k, retention: {mode: governance, days: 9}}
  - {name: stream, type: kafka, brokers: ["k.example.com:9093"], topic: audit, sasl: {mechanism: plain, user: u, password_file: p}}
"""


def extproc(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_a_good_file_names_its_sinks_with_paths_from_its_own_folder(tmp_path):
    (tmp_path / "sinks.yaml").write_text(GOOD)
    copy, siem, logs, _, archive, stream = read_sinks(tmp_path / "sinks.yaml")
    assert isinstance(copy, FileTarget)
    assert isinstance(siem, HttpTarget)
    assert isinstance(logs, SyslogTarget)
    assert copy.path == tmp_path / "audit.jsonl"
    assert siem.token_file == tmp_path / "hec.token"
    assert str(logs.ca_file) == "/etc/ca.pem"
    assert logs.host_and_port == ("logs.example.com", 6514)
    assert (archive.type, archive.every, archive.retention.days) == ("s3", 60, 9)
    assert stream.sasl.password_file == tmp_path / "p"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("name: copy, ", "", ":2:5: name: Field required"),
        ("type: file", "type: fiel", ":2:18: type:"),
        ("path: audit.jsonl", "pth: x", ":2:"),
        ("name: copy", "name: ../copy", ":2:6: name:"),
        ("https://siem", "http://siem", "would send records in the clear"),
        ("https://siem", "https://u:p@siem", "without a user"),
        ("form: hec", "form: csv", ":3:"),
        ("logs.example.com:6514", "logs.example.com", "write host:port"),
        ("ca_file: /etc/ca.pem", "plaintext: true", "is for an address of this machine alone"),
        ("https://otel", "http://otel", ":5:30: url: http:// would send records in the clear"),
        ("bucket: mcp-audit", "bucket: No", ":6:31: bucket:"),
        ("bucket: mcp-audit", "bucket: mcp-audit, endpoint: minio", "write a URL without a user"),
        ("bucket: mcp-audit", "bucket: mcp-audit, endpoint: 'http://minio:9000'", "in the clear"),
        ("bucket: mcp-audit", "bucket: mcp-audit, every: 0", ":6:50: every:"),
        ('encryption: "aws:kms", kms_key', "kms_key", "kms_key: is for `encryption: aws:kms`"),
        ("days: 9", "days: 0", ":6:"),
        ("mode: governance", "mode: none", ":6:"),
        ("k.example.com:9093", "k.example.com", "brokers: write host:port"),
        ("k.example.com:9093", "a:1,b:2", "brokers: write host:port"),
        ("topic: audit", "topic: 'a b'", ":7:"),
        ("topic: audit", "topic: audit, plaintext: true", "is for an address of this machine alone"),
        ("topic: audit", "topic: audit, cert_file: c", "cert_file and key_file go together"),
        ("mechanism: plain", "mechanism: gssapi", ":7:"),
        ("user: u, password_file: p", "user: u, password: very-secret", ":7:"),
        ("name: logs", "name: copy", "two sinks are called copy"),
        ("sinks:", "sink:", "must be `sinks:` with a list"),
        ("sinks:\n", "sinks: [3]\n#", "must be `sinks:` with a list"),
        ("sinks:", "sinks: {", "is not YAML"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path, old, new, what):
    path = tmp_path / "sinks.yaml"
    path.write_text(GOOD.replace(old, new, 1) if "[3]" not in new else "sinks: [3]\n")
    with pytest.raises(SinksError) as error:
        read_sinks(path)
    assert str(path) in str(error.value)
    assert what in str(error.value)
    assert "u:p" not in str(error.value)
    assert "very-secret" not in str(error.value)


def test_a_file_that_is_not_there_is_one_line(tmp_path):
    output = extproc("sinks", "--sinks", tmp_path / "none.yaml", "--state", tmp_path, code=2)
    assert "cannot be read" in output
    assert output.count("\n") == 1


@pytest.mark.parametrize("text", ["[" * 20_000, "9" * 5_000])
def test_a_file_that_no_reader_of_yaml_takes_is_one_line(tmp_path, text):
    (tmp_path / "sinks.yaml").write_text(text)
    output = extproc("sinks", "--sinks", tmp_path / "sinks.yaml", "--state", tmp_path, code=2)
    assert output == f"{tmp_path / 'sinks.yaml'}: is not YAML\n"


async def test_how_each_sink_is(tmp_path):
    (tmp_path / "sinks.yaml").write_text(GOOD)
    store = Store(tmp_path / "state")
    await store.write("n-0", [{"kind": "test", "at": 1}])
    await Shipper(store.root, "copy", FileSink(tmp_path / "audit.jsonl")).deliver()
    output = extproc("sinks", "--sinks", tmp_path / "sinks.yaml", "--state", store.root)
    assert [line.split()[:3] for line in output.splitlines()[1:]] == [
        ["copy", "file", "2"],
        ["siem", "http", "0"],
        ["logs", "syslog", "0"],
        ["otel", "otlp", "0"],
        ["archive", "s3", "0"],
        ["stream", "kafka", "0"],
    ]
    await Shipper(store.root, "siem", FileSink(tmp_path / "no" / "x")).deliver()
    rows = json.loads(extproc("sinks", "--sinks", tmp_path / "sinks.yaml", "--state", store.root, "--json", code=1))
    assert [(row["behind"], row["error"] is None) for row in rows[:3]] == [(0, True), (2, False), (2, True)]
    assert [row["positions"] for row in rows[:2]] == [{"n-0": 2}, {}]


def test_the_file_in_the_readme_is_one(tmp_path):
    readme = (Path(__file__).parents[2] / "README.md").read_text("utf-8")
    (block,) = [each for each in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if each.startswith("sinks:")]
    (tmp_path / "sinks.yaml").write_text(block)
    assert [target.type for target in read_sinks(tmp_path / "sinks.yaml")] == [
        "file",
        "http",
        "syslog",
        "otlp",
        "s3",
        "kafka",
    ]


class Picky:
    """A sink that never takes the record with this number."""

    async def deliver(self, records):
        if any(record.seq == 1 for record in records):
            raise RecordsRefusedError("the collector answers 413")

    async def close(self):
        """Nothing to let go of."""


@pytest.fixture
async def refused(tmp_path) -> tuple[object, ...]:
    """A sink that refuses a record, and how the command line finds it."""
    (tmp_path / "sinks.yaml").write_text(GOOD)
    store = Store(tmp_path / "state")
    await store.write("n-0", [{"kind": "test", "at": 1}] * 2)
    await Shipper(store.root, "siem", Picky()).deliver()
    return "sinks", "--sinks", tmp_path / "sinks.yaml", "--state", store.root


async def test_a_record_that_is_refused_is_skipped_by_the_service_on_the_word_of_somebody(tmp_path, refused):
    async def keep(_event) -> None:
        """Stored."""

    shipping = asyncio.create_task(Shipper(tmp_path / "state", "siem", Picky()).run(keep))
    said = await asyncio.to_thread(extproc, *refused, "skip", "siem", "--reason", "too large")
    shipping.cancel()
    assert "siem goes on without record 1 of n-0" in said
    (row,) = [row for row in json.loads(extproc(*refused, "--json")) if row["name"] == "siem"]
    assert (row["skipped"], row["error"]) == (1, None)
    assert "siem went on without records (1)" in extproc(*refused)


@pytest.mark.parametrize(
    ("more", "code", "what"),
    [
        (("copy", "--reason", "r"), 1, "copy takes records: there is nothing to skip"),
        (("siem", "--reason", "r", "--sinks", "none.yaml"), 2, "cannot be read"),
        (("nobody", "--reason", "r"), 2, "there is no such sink; there are copy, siem"),
        (("siem", "--reason", " "), 2, "say why"),
        (("siem", "--reason", "r"), 1, "the service does not run"),
    ],
)
def test_where_nothing_can_be_skipped_that_is_said_and_nothing_is_left_behind(refused, monkeypatch, more, code, what):
    monkeypatch.setattr(sinks, "PATIENCE_SECONDS", 0)
    assert what in extproc(*refused, "skip", *more, code=code)
    assert asked(refused[-1], "siem") is None


def test_whoever_names_no_file_of_sinks_is_told_how():
    for command in (("sinks",), ("sinks", "skip", "siem", "--reason", "r")):
        assert "with --sinks, or in EXTPROC_SINKS" in extproc(*command, code=2)
