"""Seals are made of what has settled, and of nothing that could still go away in good order."""

import json
import shutil

import pytest

from extproc.core.audit.notes import open_note, read_checkpoint
from extproc.core.audit.steps import seal_step
from extproc.edges.journal.proving import prove
from extproc.edges.journal.seal_files import notes_in, seals_of
from stores import OTHER, SIGNER, Store, keys_of, written

EVENT = {"kind": "test", "at": 1}


def sizes(notes: list[str]) -> dict[str, int]:
    seals = [read_checkpoint(open_note(note, keys_of(SIGNER))) for note in notes]
    return {seal.origin.removeprefix("extproc/n/"): seal.size for seal in seals}


async def test_what_is_written_and_sealed_holds_up_to_the_last_seal(tmp_path):
    store = await written(tmp_path)
    verdict = prove(tmp_path, keys_of(SIGNER))
    assert verdict.holds
    reports = {report.journal: report for report in verdict.reports}
    assert reports.keys() == {"n-0", "n-1", "n-control"}
    assert reports["n-0"].sealed == reports["n-0"].events > 32
    assert reports["n-0"].segments > 1
    # its own last event tells of the last seals
    assert 0 < reports["n-control"].sealed < reports["n-control"].events
    assert [path.name for path in (tmp_path / "seals").glob("*.seals")]
    assert not store.sealer.broken


async def test_a_line_of_a_live_journal_is_sealed_once_it_stood_for_a_round(tmp_path):
    store = Store(tmp_path)
    writing = store.writer("n-0")
    writing.open()
    await writing.append(EVENT)
    assert sizes(store.sealer.seal()) == {}
    await writing.append(EVENT)
    assert sizes(store.sealer.seal()) == {"n-0": 2}
    assert sizes(store.sealer.seal()) == {"n-0": 3}
    assert store.sealer.seal() == []
    await writing.append(EVENT)
    await writing.close()
    assert sizes(store.sealer.seal()) == {"n-0": 4}


async def test_seals_alone_are_no_reason_for_a_seal(tmp_path):
    store = Store(tmp_path)
    await store.write("n-0", [EVENT])
    control = store.writer("n-control")
    control.open()
    while notes := store.sealer.seal():
        await control.append(seal_step(at=1, notes=notes, broken={}))
    assert store.sealer.seal() == []
    await store.write("n-0", [EVENT])
    assert sizes(store.sealer.seal()).keys() == {"n-0", "n-control"}
    await control.close()


@pytest.mark.parametrize("saved", ["as it was", "gone", "of another seal", "broken"])
async def test_a_new_sealer_goes_on_where_the_last_one_ended(tmp_path, saved):
    store = await written(tmp_path)
    before = read_checkpoint(open_note(notes_in(seals_of(tmp_path, "n-0"))[-1], keys_of(SIGNER))).size
    for tree in (tmp_path / "seals").glob("*.tree"):
        match saved:
            case "gone":
                tree.unlink()
            case "broken":
                tree.write_bytes(b'{"segment":')
            case "of another seal":
                tree.write_text(tree.read_text().replace("extproc/n/", "extproc/m/"))
    store.sealer = store.new_sealer()
    await store.write("n-0", [EVENT])
    assert sizes(await store.seal())["n-0"] == before + 2
    assert prove(tmp_path, keys_of(SIGNER)).holds


async def test_a_seal_that_a_crash_left_unfinished_is_cut_by_the_next_one(tmp_path):
    store = await written(tmp_path)
    path = seals_of(tmp_path, "n-0")
    path.write_bytes(path.read_bytes()[:-20])
    assert not prove(tmp_path, keys_of(SIGNER)).holds
    store.sealer = store.new_sealer()
    await store.write("n-0", [EVENT])
    assert "n-0" in sizes(await store.seal())
    assert len(notes_in(path)) == 4
    assert prove(tmp_path, keys_of(SIGNER)).holds


async def test_a_journal_that_was_changed_is_sealed_no_further_and_that_is_told(tmp_path):
    store = await written(tmp_path)
    await store.write("n-0", [EVENT, EVENT])
    last = max((tmp_path / "journal" / "n-0").glob("*.jsonl"))
    last.write_bytes(last.read_bytes().replace(b'"kind":"test"', b'"kind":"tset"', 1))
    sealed = sizes(await store.seal())["n-0"]
    assert f"event {sealed}: the line was changed" in store.sealer.broken["n-0"]
    await store.write("n-0", [EVENT])
    await store.write("n-1", [EVENT])
    assert sizes(await store.seal()).keys() == {"n-1", "n-control"}


async def test_there_is_nothing_to_seal_before_anything_was_written(tmp_path):
    assert Store(tmp_path).sealer.seal() == []


async def test_a_seal_of_another_key_or_of_another_journal_is_a_fault_at_its_line(tmp_path):
    await written(tmp_path)
    path = seals_of(tmp_path, "n-0")
    note = notes_in(path)[-1]
    text = open_note(note, keys_of(SIGNER))
    path.write_text(json.dumps(OTHER.sign(text)) + "\n")
    (fault,) = prove(tmp_path, keys_of(SIGNER)).faults
    assert (fault.file, fault.line, fault.broken) == ("seals/n-0.seals", 1, "unsigned")
    shutil.copy(seals_of(tmp_path, "n-1"), path)
    assert "another journal, extproc/n/n-1" in prove(tmp_path, keys_of(SIGNER)).faults[0].said


async def test_a_journal_that_is_gone_whole_was_sealed(tmp_path):
    await written(tmp_path)
    shutil.rmtree(tmp_path / "journal" / "n-1")
    (fault,) = prove(tmp_path, keys_of(SIGNER)).faults
    assert (fault.file, fault.broken) == ("n-1", "cut")
