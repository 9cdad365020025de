"""``extproc seal`` and ``extproc verify`` with a key: what an auditor types, and what he is told."""

import asyncio
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from extproc.cli import app
from extproc.edges.journal.segments import path_of
from extproc.edges.keys.seal_keys import load_signer
from extproc.edges.keys.session_keys import load_session_keys
from stores import SIGNER, Store, written


def extproc(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
async def store(tmp_path) -> Store:
    """A sealed recording of a node with its own key."""
    store = Store(tmp_path / "state", signer=load_signer(tmp_path / "state", name="extproc/n"))
    await store.write("n-0", [{"kind": "decision", "at": n} for n in range(5)])
    await store.seal()
    return store


def test_what_is_sealed_is_said_with_the_key_that_was_given(store, tmp_path):
    key = extproc("seal", "key", "--state", store.root).strip()
    output = extproc("verify", "--state", store.root, "--key", key)
    assert "n-0: holds, 6 events" in output
    assert "sealed up to event 6 at 2027-01-15" in output
    assert "The key came with the recording" not in output
    (tmp_path / "key").write_text(key + "\n")
    assert extproc("verify", "--state", store.root, "--key", tmp_path / "key") == output
    assert "The key came with the recording" in extproc("verify", "--state", store.root)
    assert json.loads(extproc("verify", "--state", store.root, "--json"))["holds"] is True


def test_the_wrong_key_proves_nothing_and_1(store):
    output = extproc("verify", "--state", store.root, "--key", SIGNER.public, code=1)
    assert "FAULT seals/n-0.seals line 1 (event 0): no trusted key signed this seal" in output


@pytest.mark.parametrize("key", ["a+b", "no-such-file"])
def test_what_is_no_key_is_one_line_and_2(store, key):
    output = extproc("verify", "--state", store.root, "--key", key, code=2)
    assert key in output
    assert output.count("\n") == 1


def test_a_rotation_is_on_record(store):
    said = extproc("seal", "rotate", "--state", store.root)
    (line,) = [
        line for file in store.root.rglob("*-cli/*.jsonl") for line in file.read_text().splitlines() if '"key"' in line
    ]
    event = json.loads(line)["event"]
    assert (event["kind"], event["step"], event["of"]) == ("key", "rotated", "seals")
    assert event["keys"][0] in said
    assert "@" in event["by"]


async def test_after_a_rotation_the_first_key_still_proves_all(store):
    key = extproc("seal", "key", "--state", store.root).strip()
    # on a thread: the command has a loop of its own
    said = await asyncio.to_thread(extproc, "seal", "rotate", "--state", store.root)
    assert "signs from now on: extproc/n+" in said
    assert key not in said
    assert extproc("seal", "key", "--state", store.root).strip() == key
    store.signer = load_signer(store.root, name="")
    store.sealer = store.new_sealer()
    await store.write("n-0", [{"kind": "decision", "at": 9}])
    assert await store.seal()
    assert "sealed up to event 8" in extproc("verify", "--state", store.root, "--key", key)
    (store.root / "seals" / "keys.notes").unlink()
    assert "no trusted key signed" in extproc("verify", "--state", store.root, "--key", key, code=1)


def test_without_a_key_there_is_none_to_print_or_to_rotate(tmp_path):
    assert "no key in" in extproc("seal", "key", "--state", tmp_path, code=2)
    assert "no key to take over from" in extproc("seal", "rotate", "--state", tmp_path, code=2)


def test_a_key_that_is_open_to_others_is_not_rotated(store):
    (store.root / "seal.key").chmod(0o644)
    assert "chmod 600" in extproc("seal", "rotate", "--state", store.root, code=2)
    (store.root / "seal.key").write_text("no key")
    (store.root / "seal.key").chmod(0o600)
    assert "holds no key" in extproc("seal", "rotate", "--state", store.root, code=2)


async def test_seals_from_elsewhere_show_an_older_copy(tmp_path):
    store = await written(tmp_path / "state", rounds=1)
    (tmp_path / "key").write_text(SIGNER.public)
    shutil.copytree(store.root, tmp_path / "before")
    await store.write("n-0", [{"kind": "decision", "at": 9}])
    kept = tmp_path / "kept.jsonl"
    kept.write_text("".join(json.dumps(note) + "\n" for note in await store.seal()))
    key = ("--key", tmp_path / "key")
    assert "an older copy, only seals kept elsewhere" in extproc("verify", "--state", tmp_path / "before", *key)
    output = extproc("verify", "--state", tmp_path / "before", *key, "--anchor", kept, code=1)
    assert "2 sealed events are gone" in output
    assert "older copy, only" not in extproc("verify", "--state", store.root, *key, "--anchor", kept)
    missing = extproc("verify", "--state", store.root, *key, "--anchor", tmp_path / "none", code=2)
    assert "No such file" in missing
    kept.write_text("{}\n")
    assert "nothing was compared" in extproc("verify", "--state", store.root, *key, "--anchor", kept, code=1)


def test_lines_that_nobody_accounts_for_are_a_fault(store):
    path = path_of(store.root / "journal" / "n-0", 1)
    lines = path.read_bytes().splitlines(keepends=True)
    own = lines[1][-67:-3].decode()
    lines[1] = f'{{"pruned":["{"0" * 64}"],"count":1,"seq":1,"hash":"{own}"}}\n'.encode()
    path.write_bytes(b"".join(lines))
    assert "line 2 (event 2): events 1 to 1 were taken out, and no record says so" in extproc(
        "verify", "--state", store.root, code=1
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act for another user")
def test_what_root_does_the_service_can_read(store):
    service = 65534
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the service must get there
        state = shutil.copytree(store.root, Path(folder) / "state")
        load_session_keys(state)
        for each in (state, *state.rglob("*")):
            os.chown(each, service, service)
        extproc("payloads", "digest-keys", "--state", state)
        extproc("revoke", "--subject", "mallory", "--state", state)
        extproc("approvers", "add", "dan", "--group", "dba", "--state", state)
        extproc("seal", "rotate", "--state", state)
        assert [each for each in state.rglob("*") if each.stat().st_uid != service] == []
    assert os.geteuid() == 0
