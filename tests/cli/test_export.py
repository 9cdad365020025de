"""``extproc export``: evidence of one session in one file, proved by the public key, with nothing of anybody else in it."""

import hashlib
import json
import random
import re
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extproc.cli import app
from extproc.core.audit import read_event
from extproc.edges.journal.segments import path_of
from extproc.edges.keys.seal_keys import load_signer
from stores import SIGNER, Store

START = 1_800_000_000 * 1_000_000_000
HOSTILE = "</td><script>alert(1)</script>\u202e\x1b[2J"


def extproc(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def call(subject: str, number: int, **changes) -> dict:
    return {
        "kind": "decision",
        "at": START + number,
        "decision": f"{subject}-{number}",
        "server": "sales-db",
        "principal": {"issuer": "https://idp", "subject": subject},
        "client": {"name": "agent", "version": "1"},
        "method": "tools/call",
        "targets": [{"kind": "tool", "name": "query"}],
        "verb": "query",
        "effect": "allow",
        "rule": "role:analyst#1",
        "reason": "granted",
        "arguments": {"sql": f"secret of {subject} {number}"},
        **changes,
    }


@pytest.fixture
async def store(tmp_path) -> Store:
    """Two workers with the calls of two people among each other, sealed now and then."""
    store = Store(tmp_path / "state", signer=load_signer(tmp_path / "state", name="extproc/n"), segment_bytes=6000)
    chance = random.Random(7)  # noqa: S311 - the same mixture each time
    number = 0
    for turn in range(6):
        for journal in ("n-0", "n-1"):
            events = []
            for _ in range(chance.randrange(3, 9)):
                number += 1
                subject = chance.choice(["ana", "bob"])
                ticket = {"ticket": "t1", "reason": HOSTILE} if number == 5 else {}
                events.append(call(subject, number, **ticket))
            await store.write(journal, events)
        if turn < 5:
            await store.seal()
    steps = [{"kind": "approval", "at": START, "ticket": ticket, "step": "used"} for ticket in ("t1", ["t1"])]
    await store.write("n-control", steps)
    return store


def exported(store: Store, folder: Path, subject: str = "ana") -> Path:
    (session,) = json.loads(extproc("sessions", "--state", store.root, "--json", "--principal", subject))
    target = folder / f"{subject}.zip"
    output = extproc("export", session["id"], "--state", store.root, "--output", target)
    assert f"{session['calls']} calls of {subject}" in output
    return target


def key_of(store: Store) -> str:
    return extproc("seal", "key", "--state", store.root).strip()


def test_what_was_exported_is_proved_with_the_key_alone(store, tmp_path):
    output = extproc("verify", exported(store, tmp_path), "--key", key_of(store))
    assert "n-0: holds" in output
    assert "n-1: holds" in output
    assert "sealed up to event" in output
    assert "left out" in output
    assert json.loads(extproc("verify", exported(store, tmp_path, "bob"), "--key", key_of(store), "--json"))["holds"]


def test_nothing_of_anybody_else_is_in_it(store, tmp_path):
    with zipfile.ZipFile(exported(store, tmp_path)) as bundle:
        every = b"".join(bundle.read(name) for name in bundle.namelist())
        assert set(bundle.namelist()) >= {"report.html", "session.json", "README.txt", "seals/key.pub"}
        session = json.loads(bundle.read("session.json"))
    assert b"secret of ana" in every
    # as a word: a key or a signature in base64 may hold any three letters
    assert not re.search(rb"(?<![A-Za-z0-9+/=_-])bob(?![A-Za-z0-9+/=_-])", every)
    assert all(f'"decision":"{row["decision"]}"'.encode() in every for row in session["calls"])


def test_the_page_for_people_shows_hostile_texts_as_text(store, tmp_path):
    found = [
        zipfile.ZipFile(exported(store, tmp_path, subject)).read("report.html").decode() for subject in ("ana", "bob")
    ]
    page = next(page for page in found if "alert(1)" in page)
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "\\u202e\\u001b" in page


def test_the_export_is_on_record_before_the_file_is(store, tmp_path):
    target = exported(store, tmp_path)
    (journal,) = (store.root / "journal").glob("*-cli")
    lines = path_of(journal, 1).read_bytes().splitlines()
    events = [read_event(line[len(b'{"event":') : line.rindex(b',"prev":')]) for line in lines]
    (event,) = [event for event in events if event["kind"] == "exported"]
    assert event["calls"] > 0
    assert "@" in event["by"]
    assert len(event["digest"]) == 64
    assert target.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("edit", ["argument", "dropped", "hash", "seal", "key"])
def test_an_edit_of_the_evidence_is_found(store, tmp_path, edit):
    original = exported(store, tmp_path)
    edited = tmp_path / "edited.zip"
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(edited, "w") as after:
        for name in before.namelist():
            raw = before.read(name)
            lines = raw.splitlines(keepends=True)
            if name == "journal/n-0/00000001.jsonl" and edit == "argument":
                raw = raw.replace(b"secret of ana", b"nothing of ana", 1)
            elif name == "journal/n-0/00000001.jsonl" and edit == "dropped":
                raw = b"".join(lines[:3] + lines[4:])
            elif name == "journal/n-0/00000001.jsonl" and edit == "hash":
                at = raw.index(b'{"pruned":["') + 12
                raw = raw[:at] + (b"0" if raw[at : at + 1] != b"0" else b"1") + raw[at + 1 :]
            elif name == "seals/n-0.seals" and edit == "seal":
                raw = lines[0].replace(b"extproc/n/n-0", b"extproc/n/n-1") + b"".join(lines[1:])
            after.writestr(name, raw)
    key = SIGNER.public if edit == "key" else key_of(store)
    assert "FAULT" in extproc("verify", edited, "--key", key, code=1)


@pytest.mark.parametrize("raw", [b"", b"no zip", None])
def test_what_is_no_evidence_is_one_line_and_2(tmp_path, raw):
    path = tmp_path / "x.zip"
    if raw is not None:
        path.write_bytes(raw)
    assert extproc("verify", path, code=2).count("\n") == 1


def test_damage_in_the_packing_is_one_line_and_2(store, tmp_path):
    raw = bytearray(exported(store, tmp_path).read_bytes())
    at = raw.index(b"journal/n-0/00000001.jsonl") + len("journal/n-0/00000001.jsonl")
    raw[at : at + 8] = b"\xff" * 8
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(raw)
    output = extproc("verify", damaged, code=2)
    assert output == f"{damaged} cannot be read: it is no file that `extproc export` made\n"


def test_a_page_that_was_edited_is_not_said_to_be_proved(store, tmp_path):
    original = exported(store, tmp_path)
    edited = tmp_path / "edited.zip"
    with zipfile.ZipFile(original) as before, zipfile.ZipFile(edited, "w") as after:
        for name in before.namelist():
            raw = before.read(name)
            after.writestr(name, raw.replace(b"secret of ana", b"nothing of ana") if name == "report.html" else raw)
    output = extproc("verify", edited, "--key", key_of(store))
    assert "report.html and session.json are not proved by this" in output
    assert hashlib.sha256(edited.read_bytes()).hexdigest() in output


def test_a_file_that_leads_elsewhere_is_not_unpacked(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as bundle:
        for name in ("../evil", "/evil", "journal/../../evil", "journal/n-0/../../../evil.jsonl", "journal/x/y.jsonl"):
            bundle.writestr(name, "x")
    assert "no recording" in extproc("verify", path, code=2)
    assert not list(tmp_path.rglob("evil*"))


def test_nothing_is_exported_over_a_file_or_from_a_recording_that_was_changed(store, tmp_path):
    target = exported(store, tmp_path)
    (session,) = json.loads(extproc("sessions", "--state", store.root, "--json", "--principal", "ana"))
    assert "exists already" in extproc("export", session["id"], "--state", store.root, "-o", target, code=2)
    path = path_of(store.root / "journal" / "n-0", 1)
    path.write_bytes(path.read_bytes().replace(b"secret of bob", b"nothing of bob", 1))
    output = extproc("export", session["id"], "--state", store.root, "-o", tmp_path / "new.zip", code=1)
    assert "nothing was exported" in output
    assert not (tmp_path / "new.zip").exists()
    assert "no session nope" in extproc("export", "nope", "--state", store.root, code=1)
    (tmp_path / "folder").write_text("")
    missing = tmp_path / "folder" / "x.zip"
    path.write_bytes(path.read_bytes().replace(b"nothing of bob", b"secret of bob", 1))
    assert "cannot be written" in extproc("export", session["id"], "--state", store.root, "-o", missing, code=2)
