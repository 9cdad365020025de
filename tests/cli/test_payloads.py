"""Encrypted payloads on the command line: made, shown without a key and with it, exported and proved either way."""

import base64
import json
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from cli.test_recordings import call, outcome, said
from extproc.cli import app
from extproc.core.handles import digests_of
from extproc.edges.journal.writer import JournalWriter
from extproc.edges.keys.payload_keys import RECIPIENTS, PayloadLock
from extproc.edges.keys.seal_keys import load_signer
from extproc.edges.keys.session_keys import load_session_keys
from policies import GOOD
from stores import Store

SECRET = "a-salary-of-123456"


def run(*arguments: object, code: int = 0):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result


class Encrypted(Store):
    """A store whose writers encrypt."""

    def writer(self, journal: str) -> JournalWriter:
        writing = super().writer(journal)
        writing._protect = PayloadLock(self.root.parent / "auditor.pem.pub", told=lambda *_: None)
        return writing


@pytest.fixture
async def state(tmp_path) -> Path:
    """One session of two calls, one with a streamed answer, encrypted for the auditor, and sealed."""
    made = CliRunner().invoke(app, ["payloads", "keygen", str(tmp_path / "auditor.pem")])
    assert made.exit_code == 0, made.output
    store = Encrypted(tmp_path / "state", signer=load_signer(tmp_path / "state", name="extproc/n"))
    hidden = {"payload": {"content": [SECRET]}, "digest": "ab" * 32}
    await store.write(
        "n-0",
        [
            call("a", 0, arguments={"sql": SECRET}, arguments_digest="cd" * 32),
            outcome("a", 5) | hidden,
            call("b", 10, arguments={"sql": SECRET}, arguments_digest="cd" * 32),
            said("b", 0, 12, payload={"data": SECRET}),
            outcome("b", 20),
        ],
    )
    await store.seal()
    return store.root


def session_of(state: Path) -> str:
    return json.loads(run("sessions", "--state", state, "--json").stdout)[0]["id"]


def test_keys_are_made_once_for_the_auditor_alone_and_named_by_their_id(tmp_path):
    made = run("payloads", "keygen", tmp_path / "me.pem")
    assert (tmp_path / "me.pem").stat().st_mode & 0o077 == 0
    name = run("payloads", "recipients", tmp_path / "me.pem.pub").stdout.strip()
    assert name in made.stdout
    (tmp_path / "nowhere").symlink_to(tmp_path / "not-there")
    for command in (
        ("keygen", tmp_path / "me.pem"),
        ("recipients", tmp_path / "me.pem"),
        ("recipients", tmp_path / "x"),
        ("keygen", tmp_path / "nowhere"),
        ("keygen", ""),
    ):
        assert len(run("payloads", *command, code=2).output.splitlines()) == 1


def test_without_a_key_who_and_what_is_seen_and_that_something_is_not(state):
    shown = run("sessions", "show", session_of(state), "--state", state)
    assert "(encrypted)" in shown.stdout
    assert "role:analyst#1" in shown.stdout
    assert SECRET not in shown.output
    assert "4 records are encrypted; --key FILE opens them" in shown.stderr
    assert "(encrypted)" in run("replay", session_of(state), "--state", state).stdout
    for file in state.rglob("*"):
        assert not file.is_file() or (SECRET.encode() not in file.read_bytes() and b"abab" not in file.read_bytes())


def test_who_looks_for_a_text_is_told_that_arguments_are_encrypted(state):
    asking = ("sessions", "--state", state, "--text", SECRET)
    assert "encrypted" not in run(*asking).output
    (state / RECIPIENTS).write_bytes((state.parent / "auditor.pem.pub").read_bytes())
    assert "arguments are encrypted here" in run(*asking).output
    assert "encrypted" not in run(*asking[:3]).output


def test_with_the_key_all_is_read_and_that_is_on_record(state, tmp_path):
    key = ("--key", tmp_path / "auditor.pem")
    shown = run("sessions", "show", session_of(state), "--state", state, *key)
    assert shown.stdout.count(SECRET) == 3
    assert "encrypted" not in shown.output
    whole = json.loads(run("sessions", "show", session_of(state), "--state", state, "--json", *key).stdout)
    assert whole["calls"][0]["payload"] == {"content": [SECRET]}
    assert whole["calls"][1]["messages"][0]["payload"] == {"data": SECRET}
    assert run("replay", session_of(state), "--state", state, *key).stdout.count(SECRET) == 4
    lines = [line for file in state.rglob("*-cli/*.jsonl") for line in file.read_text().splitlines()]
    reads = [event for line in lines if (event := json.loads(line)["event"])["kind"] == "read"]
    assert len(reads) == 3
    assert reads[0]["recipient"] == run("payloads", "recipients", tmp_path / "auditor.pem.pub").stdout.strip()
    assert (reads[0]["session"], reads[0]["calls"]) == (session_of(state), 2)


def test_who_cannot_be_put_on_record_reads_nothing(state, tmp_path):
    (state / "payload_keys.pem").write_text("no key, so that no writer begins")
    refused = run("sessions", "show", session_of(state), "--state", state, "--key", tmp_path / "auditor.pem", code=2)
    assert SECRET not in refused.output
    assert len(refused.output.splitlines()) == 1


def test_another_key_opens_nothing_and_1(state, tmp_path):
    run("payloads", "keygen", tmp_path / "other.pem")
    refused = run("sessions", "show", session_of(state), "--state", state, "--key", tmp_path / "other.pem", code=1)
    assert len(refused.output.splitlines()) == 1
    for wrong in (tmp_path / "none.pem", tmp_path / "auditor.pem.pub"):
        assert len(run("replay", "x", "--state", state, "--key", wrong, code=2).output.splitlines()) == 1


def test_evidence_is_proved_encrypted_as_it_is_and_read_where_a_key_was_given(state, tmp_path):
    key = run("seal", "key", "--state", state).stdout.strip()
    session = session_of(state)
    run("export", session, "--state", state, "--output", tmp_path / "shut.zip")
    run("replay", session, "--state", state, "--export", tmp_path / "open.zip", "--key", tmp_path / "auditor.pem")
    for name, readable in (("shut", False), ("open", True)):
        assert ": holds" in run("verify", tmp_path / f"{name}.zip", "--key", key).stdout
        with zipfile.ZipFile(tmp_path / f"{name}.zip") as bundle:
            assert {"report.html", "session.json", "schema.json", "README.txt", "seals/key.pub"} <= set(
                bundle.namelist()
            )
            in_it = {each for each in bundle.namelist() if SECRET.encode() in bundle.read(each)}
            assert in_it == ({"report.html", "session.json"} if readable else set())
            assert (b"(encrypted)" in bundle.read("report.html")) is not readable


def test_another_policy_is_asked_of_what_a_key_opens(state, tmp_path):
    (tmp_path / "policy.yaml").write_text(GOOD)
    asked = ("replay", session_of(state), "--state", state, "--policy", tmp_path / "policy.yaml")
    shut = CliRunner().invoke(app, [str(each) for each in asked])
    opened = CliRunner().invoke(app, [str(each) for each in (*asked, "--key", tmp_path / "auditor.pem")])
    assert "of 2 the record does not hold all arguments" in shut.output
    assert "its arguments are encrypted" in shut.output
    assert "its arguments are encrypted" not in opened.output


def test_a_digest_on_record_is_checked_with_the_state_or_the_keys_of_it_under_every_key_that_was_in_use(tmp_path):
    load_session_keys(tmp_path)
    keys = tmp_path / "session.keys"
    old = digests_of(load_session_keys(tmp_path)[0])
    keys.write_bytes(base64.b64encode(b"n" * 64) + b"\n" + keys.read_bytes())
    (tmp_path / "call.json").write_text('{"b": 1, "a": "x"}')
    arguments = {"a": "x", "b": 1}
    new = digests_of(b"n" * 64)
    found = run("payloads", "digest", tmp_path / "call.json", "--state", tmp_path).stdout.split()
    assert found == [new.of(arguments), old.of(arguments)]
    raw = run("payloads", "digest", tmp_path / "call.json", "--bytes", "--state", tmp_path).stdout.split()
    assert raw[0] == new.of_bytes(b'{"b": 1, "a": "x"}')
    handed = tmp_path / "digest.keys"
    handed.write_text(run("payloads", "digest-keys", "--state", tmp_path).stdout)
    handed.chmod(0o600)
    assert run("payloads", "digest", tmp_path / "call.json", "--keys", handed).stdout.split() == found
    assert base64.b64encode(b"n" * 64).decode() not in handed.read_text()


def test_what_no_digest_can_be_made_of_is_one_line(tmp_path):
    (tmp_path / "call.json").write_text("{}")
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "bad.keys").write_text("hmac-sha256:00000000:AAAA")
    for command, what in (
        (("digest", tmp_path / "call.json", "--state", tmp_path / "none"), "no keys in"),
        (("digest-keys", "--state", tmp_path / "none"), "no keys in"),
        (("digest", tmp_path / "no.json", "--state", tmp_path), "cannot be read"),
        (("digest", tmp_path / "bad.json", "--state", tmp_path), "is no JSON"),
        (("digest", tmp_path / "call.json", "--keys", tmp_path / "bad.keys"), "open to other users"),
    ):
        output = run("payloads", *command, code=2).output
        assert what in output
        assert len(output.splitlines()) == 1
    (tmp_path / "bad.keys").chmod(0o600)
    assert (
        "holds no keys"
        in run("payloads", "digest", tmp_path / "call.json", "--keys", tmp_path / "bad.keys", code=2).output
    )
    assert not (tmp_path / "none").exists()
