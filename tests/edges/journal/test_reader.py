"""Every way to tamper with a journal is found and located, except those that no chain alone can show."""

import asyncio
import itertools
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from extproc.core import audit
from extproc.edges.journal.proving import verify
from extproc.edges.journal.reader import Damage, Entry, Position, journals, last_seq, read
from extproc.edges.journal.segments import MAX_LINE_BYTES, numbers, path_of
from extproc.edges.journal.writer import JournalWriter

EVENTS = 24
many = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def writer(directory: Path, **changes) -> JournalWriter:
    ticks = itertools.count(1)
    given_ = {"node": "n", "worker": "w", "durability": "process", "clock": lambda: next(ticks)}
    return JournalWriter(directory, **{**given_, **changes})


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("journal") / "w"

    async def write() -> None:
        journal = writer(directory, segment_bytes=2500)
        journal.open()
        for n in range(EVENTS):
            await journal.append({"kind": "test", "at": n, "n": n, "text": "x" * (n % 5)})
        await journal.append(audit.stopped(at=99, reason="test"))
        await journal.close()

    asyncio.run(write())
    assert len(numbers(directory)) >= 3
    return directory


@pytest.fixture
def copied(original, tmp_path):
    def copy() -> Path:
        shutil.rmtree(tmp_path / "copy", ignore_errors=True)
        return Path(shutil.copytree(original, tmp_path / "copy"))

    return copy


def lines_of(directory: Path) -> list[tuple[int, list[bytes]]]:
    return [
        (number, path_of(directory, number).read_bytes().splitlines(keepends=True)) for number in numbers(directory)
    ]


def write_lines(directory: Path, number: int, lines: list[bytes]) -> None:
    path_of(directory, number).write_bytes(b"".join(lines))


def place(draw, directory: Path, *, spare: int = 0) -> tuple[int, list[bytes], int, int]:
    """A segment, its lines, an index in it, and the sequence number there; ``spare`` lines follow in the segment."""
    segments = [(number, lines) for number, lines in lines_of(directory) if len(lines) > spare]
    number, lines = draw(st.sampled_from(segments))
    index = draw(st.integers(0, len(lines) - 1 - spare))
    before = sum(len(others) for other, others in lines_of(directory) if other < number)
    return number, lines, index, before + index


def located(directory: Path) -> tuple[str, int, int]:
    report = verify(directory)
    assert report.fault is not None
    assert report.events == report.fault.seq
    return report.fault.file, report.fault.line, report.fault.seq


def test_a_journal_that_nobody_touched_holds(original):
    report = verify(original)
    assert report.fault is None
    assert report.events == sum(len(lines) for _, lines in lines_of(original))
    assert (report.journal, report.first_at, report.last_at) == ("w", 1, 99)
    assert (report.last_kind, report.live) == ("stopped", False)
    assert lines_of(original)[-1][1][-1].endswith(b'"hash":"' + report.head.encode() + b'"}\n')


@many
@given(data=st.data())
def test_a_changed_bit_is_found_in_its_line(copied, data):
    directory = copied()
    number, lines, index, seq = place(data.draw, directory)
    line = bytearray(lines[index])
    # the line end too: then two lines become one
    line[data.draw(st.integers(0, len(line) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    write_lines(directory, number, [*lines[:index], bytes(line), *lines[index + 1 :]])
    assert located(directory) == (path_of(directory, number).name, index + 1, seq)


@many
@given(data=st.data())
def test_a_dropped_line_is_found_where_it_was(copied, data):
    directory = copied()
    number, lines, index, seq = place(data.draw, directory)
    write_lines(directory, number, lines[:index] + lines[index + 1 :])
    report = verify(directory)
    if number == numbers(directory)[-1] and index == len(lines) - 1:
        # the end of the whole journal: a chain cannot know that there was more
        assert (report.fault, report.events, report.last_kind) == (None, seq, "test")
        return
    assert report.fault is not None
    assert (report.fault.broken, report.fault.seq) == (audit.Broken.MISSING, seq)
    at_end = index == len(lines) - 1
    expected = (number + 1, 1) if at_end else (number, index + 1)
    assert (report.fault.file, report.fault.line) == (path_of(directory, expected[0]).name, expected[1])


@many
@given(data=st.data())
def test_swapped_lines_are_found(copied, data):
    directory = copied()
    number, lines, index, seq = place(data.draw, directory, spare=1)
    other = data.draw(st.integers(index + 1, len(lines) - 1))
    lines[index], lines[other] = lines[other], lines[index]
    write_lines(directory, number, lines)
    assert located(directory) == (path_of(directory, number).name, index + 1, seq)


@many
@given(data=st.data())
def test_a_repeated_line_is_found(copied, data):
    directory = copied()
    number, lines, index, seq = place(data.draw, directory)
    write_lines(directory, number, [*lines[: index + 1], lines[index], *lines[index + 1 :]])
    assert located(directory) == (path_of(directory, number).name, index + 2, seq + 1)


@many
@given(data=st.data())
def test_an_inserted_line_with_a_right_hash_is_found_by_the_line_behind_it(copied, data):
    directory = copied()
    number, lines, index, seq = place(data.draw, directory)
    held = audit.check(lines[index][:-1], seq=None, prev=None)
    assert isinstance(held, audit.Linked)
    forged = audit.link(seq + 1, held.hash, audit.encode({"kind": "forged"})).raw
    write_lines(directory, number, [*lines[: index + 1], forged, *lines[index + 1 :]])
    report = verify(directory)
    if number == numbers(directory)[-1] and index == len(lines) - 1:
        # at the end of the journal it is an append: only a seal tells who wrote it
        assert report.fault is None
        return
    assert report.fault is not None
    assert (report.fault.broken, report.fault.seq) == (audit.Broken.REPEATED, seq + 2)


@many
@given(data=st.data())
def test_a_tail_cut_inside_of_a_line_is_found_and_at_a_line_is_bounded_by_the_head(copied, original, data):
    directory = copied()
    last, lines = lines_of(directory)[-1]
    content = b"".join(lines)
    size = data.draw(st.integers(0, len(content) - 1))
    path_of(directory, last).write_bytes(content[:size])
    report = verify(directory)
    kept = content[:size].count(b"\n")
    if size and not content[:size].endswith(b"\n"):
        assert report.fault is not None
        assert (report.fault.broken, report.fault.line) == (audit.Broken.UNFINISHED, kept + 1)
    else:
        assert report.fault is None
        assert report.head != verify(original).head
        assert report.last_kind != "stopped"


def test_each_missing_segment_but_the_last_is_found(copied):
    for number in numbers(copied())[:-1]:
        directory = copied()
        path_of(directory, number).unlink()
        report = verify(directory)
        assert report.fault is not None
        assert report.fault.broken is audit.Broken.MISSING
        assert report.fault.file == path_of(directory, number + 1).name
        assert path_of(directory, number).name in report.fault.said


def test_segments_under_each_others_names_are_found(copied):
    directory = copied()
    first, second = path_of(directory, 1), path_of(directory, 2)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    assert located(directory)[:2] == ("00000001.jsonl", 1)


def test_an_emptied_segment_is_found(copied):
    directory = copied()
    path_of(directory, 2).write_bytes(b"")
    assert located(directory)[:2] == ("00000003.jsonl", 1)


def test_a_journal_without_segments_is_a_fault(tmp_path):
    (tmp_path / "lock").touch()
    report = verify(tmp_path)
    assert report.fault is not None
    assert report.fault.said == "no segment is there"
    assert (report.events, report.first_at, report.last_at, report.last_kind) == (0, None, None, "")


def test_a_line_longer_than_any_is_a_fault_also_while_the_journal_is_written(tmp_path):
    async def write() -> None:
        journal = writer(tmp_path)
        journal.open()
        with path_of(tmp_path, 1).open("ab") as file:
            file.write(b"x" * (MAX_LINE_BYTES + 1))
        assert located(tmp_path) == ("00000001.jsonl", 2, 1)
        await journal.close()

    asyncio.run(write())


async def test_an_unfinished_last_line_of_a_live_journal_is_not_yet_there(tmp_path):
    journal = writer(tmp_path)
    journal.open()
    await journal.append({"kind": "test", "n": 1})
    path = path_of(tmp_path, 1)
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"event":{"at"')
    report = verify(tmp_path)
    assert (report.fault, report.live, report.events) == (None, True, 2)
    assert len([item for item in read(tmp_path) if isinstance(item, Entry)]) == 2
    path.write_bytes(whole)
    await journal.close()
    path.write_bytes(whole + b'{"event":{"at"')
    assert verify(tmp_path).fault is not None


async def test_bytes_behind_a_segment_that_was_left_are_a_fault_also_while_the_journal_is_written(tmp_path):
    journal = writer(tmp_path, segment_bytes=300)
    journal.open()
    for n in range(3):
        await journal.append({"kind": "test", "n": n})
    with path_of(tmp_path, 1).open("ab") as file:
        file.write(b'{"event":{"at"')
    report = verify(tmp_path)
    assert report.segments > 1
    assert report.fault is not None
    assert (report.fault.file, report.fault.broken) == ("00000001.jsonl", audit.Broken.UNFINISHED)
    await journal.close()


def test_reading_goes_on_from_any_position(original):
    whole = [item for item in read(original) if isinstance(item, Entry)]
    assert [item.seq for item in whole] == list(range(len(whole)))
    for index, item in enumerate(whole):
        assert list(read(original, item.after)) == whole[index + 1 :]
    assert list(read(original, Position())) == whole


def test_a_line_that_does_not_hold_comes_out_as_damage_and_the_rest_is_read(copied):
    directory = copied()
    lines = lines_of(directory)[0][1]
    no_object = audit.link(2, "0" * 64, b"{1}").raw
    write_lines(directory, 1, [lines[0], b"garbage\n", no_object, *lines[3:]])
    items = list(read(directory))
    assert [(item.line, item.said) for item in items if isinstance(item, Damage)] == [
        (2, "this is not a line of a journal"),
        (3, "its event cannot be read"),
    ]
    assert [item.seq for item in items if isinstance(item, Entry)][:2] == [0, 3]


def test_the_journals_of_a_state_directory_are_found_in_order(tmp_path):
    for name in ("worker-1", "worker-0"):
        (tmp_path / "journal" / name).mkdir(parents=True)
    (tmp_path / "journal" / "note.txt").touch()
    assert [path.name for path in journals(tmp_path)] == ["worker-0", "worker-1"]
    with pytest.raises(OSError, match="nowhere"):
        journals(tmp_path / "nowhere")


def test_a_segment_that_cannot_be_read_is_an_error_not_a_verdict(copied):
    directory = copied()
    path_of(directory, 2).unlink()
    path_of(directory, 2).mkdir()
    with pytest.raises(OSError, match="directory"):
        verify(directory)


@pytest.mark.parametrize("size", [10, 100_000, 1_000_000])
async def test_the_last_number_of_a_journal_is_found_however_long_its_line_is(tmp_path, size):
    writing = writer(tmp_path / "n-0")
    writing.open()
    await writing.append({"kind": "decision", "at": 1})
    await writing.append({"kind": "decision", "at": 2, "text": "x" * size})
    await writing.close()
    (last,) = [entry for entry in read(tmp_path / "n-0") if isinstance(entry, Entry) and entry.event.get("text")]
    assert last_seq(tmp_path / "n-0") == last.seq
    with path_of(tmp_path / "n-0", 1).open("ab") as file:
        file.write(b'{"event":{"kind":' + b"y" * size)
    assert last_seq(tmp_path / "n-0") == last.seq
