"""After a crash: what was acknowledged is there, the torn tail is cut, the cut is recorded, damage stays as evidence."""

import asyncio
import hashlib
import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from extproc.edges.journal.proving import verify
from extproc.edges.journal.reader import Damage, Entry, read
from extproc.edges.journal.recovery import survey
from extproc.edges.journal.segments import MAX_LINE_BYTES, path_of
from extproc.edges.journal.writer import JournalWriter, SystemCalls
from extproc.ports import StoreError


def run(directory: Path, first: int = 0, count: int = 3, **changes) -> None:
    async def write() -> None:
        ticks = itertools.count(1)
        given = {"node": "n", "worker": "w", "durability": "process", "clock": lambda: next(ticks)}
        journal = JournalWriter(directory, **{**given, **changes})
        journal.open()
        for n in range(first, first + count):
            await journal.append({"kind": "test", "n": n})
        await journal.close()

    asyncio.run(write())


def events_of(directory: Path) -> list[dict]:
    return [item.event for item in read(directory) if isinstance(item, Entry)]


def numbers_of(directory: Path) -> list[int]:
    return [event["n"] for event in events_of(directory) if event["kind"] == "test"]


def recoveries(directory: Path) -> list[dict]:
    return [event for event in events_of(directory) if event["kind"] == "recovered"]


def test_a_journal_that_is_not_there_begins_at_the_beginning(tmp_path):
    assert survey(tmp_path).segment == 0
    run(tmp_path)
    assert recoveries(tmp_path) == []


def test_a_tail_torn_anywhere_is_cut_and_the_cut_is_recorded(tmp_path):
    run(tmp_path / "whole")
    whole = path_of(tmp_path / "whole", 1).read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for size in range(start, len(whole)):
        torn = tmp_path / str(size)
        torn.mkdir()
        path_of(torn, 1).write_bytes(whole[:size])
        run(torn, first=9, count=1)
        assert numbers_of(torn) == [0, 1, 9]
        assert verify(torn).fault is None
        left = whole[start:size]
        expected = [(1, len(left), hashlib.sha256(left).hexdigest(), None)] if left else []
        assert [
            (cut["segment"], cut["cut_bytes"], cut["cut_digest"], cut["fault"]) for cut in recoveries(torn)
        ] == expected


@pytest.mark.parametrize("tail", [b"\x00" * 5000, b"\n", b"garbage\n\n" * 9, b"{}\n", b"x" * (MAX_LINE_BYTES + 10)])
def test_a_tail_of_anything_but_lines_is_cut(tmp_path, tail):
    run(tmp_path)
    with path_of(tmp_path, 1).open("ab") as file:
        file.write(tail)
    run(tmp_path, first=3)
    assert numbers_of(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert [cut["cut_bytes"] for cut in recoveries(tmp_path)] == [len(tail)]
    assert verify(tmp_path).fault is None


def test_a_segment_that_was_only_created_is_used(tmp_path):
    run(tmp_path)
    path_of(tmp_path, 2).touch()
    run(tmp_path, first=3)
    assert numbers_of(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert verify(tmp_path).segments == 2
    assert verify(tmp_path).fault is None


def test_a_segment_torn_in_its_first_line_goes_on_from_the_segment_before(tmp_path):
    run(tmp_path)
    path_of(tmp_path, 2).write_bytes(b'{"event":{"at"')
    run(tmp_path, first=3)
    assert numbers_of(tmp_path) == [0, 1, 2, 3, 4, 5]
    assert [cut["segment"] for cut in recoveries(tmp_path)] == [2]
    assert verify(tmp_path).fault is None


def test_the_very_first_line_torn_leaves_a_journal_that_begins_anew(tmp_path):
    path_of(tmp_path, 1).write_bytes(b'{"event":{"at"')
    run(tmp_path)
    assert numbers_of(tmp_path) == [0, 1, 2]
    assert verify(tmp_path).fault is None


def test_damage_with_whole_lines_behind_it_is_evidence_and_stays(tmp_path):
    run(tmp_path, count=9)
    path = path_of(tmp_path, 1)
    damaged = path.read_bytes().replace(b'"n":4', b'"n":5')
    path.write_bytes(damaged)
    run(tmp_path, first=9)
    assert path.read_bytes().startswith(damaged)
    assert [cut["cut_bytes"] for cut in recoveries(tmp_path)] == [0]
    assert recoveries(tmp_path)[0]["fault"].startswith("line 6: the line was changed")
    fault = verify(tmp_path).fault
    assert fault is not None
    assert (fault.file, fault.line, fault.seq) == ("00000001.jsonl", 6, 5)
    assert [item.line for item in read(tmp_path) if isinstance(item, Damage)] == [6]


def test_a_crash_between_recording_a_cut_and_cutting_hides_nothing(tmp_path):
    run(tmp_path)
    torn = b'{"event":' + b"x" * 3000
    with path_of(tmp_path, 1).open("ab") as file:
        file.write(torn)

    def refused(_fd: int, _size: int) -> None:
        raise OSError(5, "Input/output error")

    with pytest.raises(StoreError):
        run(tmp_path, calls=SystemCalls(truncate=refused))
    run(tmp_path, first=3)
    assert numbers_of(tmp_path) == [0, 1, 2, 3, 4, 5]
    cuts = [cut["cut_bytes"] for cut in recoveries(tmp_path)]
    assert cuts[0] == len(torn)
    assert len(cuts) == 2
    assert 0 < cuts[1] < len(torn)
    assert verify(tmp_path).fault is None


KILLED = """
import asyncio, json, os, random, signal, sys
from pathlib import Path
from extproc.edges.journal.segments import numbers, path_of
from extproc.edges.journal.writer import JournalWriter, SystemCalls

directory, seed, rounds = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
chance = random.Random(seed)

async def write(first, told, crumbs, durability):
    # crumbs: the kernel finishes a write that a kill meets, so a torn line needs a line in many writes
    calls = SystemCalls(write=lambda fd, rest, at: os.pwrite(fd, rest[:16], at)) if crumbs else SystemCalls()
    journal = JournalWriter(directory, node="n", worker="w", durability=durability, clock=lambda: 1,
                            segment_bytes=20000, calls=calls)
    journal.open()
    async def one(n):
        await journal.append({"kind": "test", "n": n, "text": "x" * (n % 700)})
        os.write(told, b"%d\\n" % n)
    n = first
    while True:
        await asyncio.gather(*(one(n + k) for k in range(5)))
        n += 5

acknowledged, torn = [], 0
for round in range(rounds):
    out, told = os.pipe()
    crumbs, durability, patience = round % 2, chance.choice(["process", "process", "disk"]), chance.randrange(60)
    child = os.fork()
    if child == 0:
        os.close(out)
        asyncio.run(write(round * 1_000_000, told, crumbs, durability))
    os.close(told)
    with os.fdopen(out) as lines:
        seen = [int(next(lines)) for _ in range(patience)]
        for _ in range(chance.randrange(20000)):
            pass
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        seen += [int(line) for line in lines if line.endswith("\\n")]
    acknowledged += seen
    present = numbers(directory) if directory.exists() else []
    last = path_of(directory, present[-1]).read_bytes() if present else b""
    torn += bool(last) and not last.endswith(b"\\n")
print(json.dumps({"acknowledged": acknowledged, "torn": torn}))
"""


@pytest.mark.parametrize("seed", [1, 2])
def test_after_every_one_of_many_kills_all_that_was_acknowledged_is_there(tmp_path, seed):
    journal = tmp_path / "w"
    ran = subprocess.run(
        [sys.executable, "-c", KILLED, journal, str(seed), "40"], capture_output=True, text=True, check=True
    )
    told = json.loads(ran.stdout)
    run(journal, first=-1, count=1)
    stored = numbers_of(journal)
    assert told["acknowledged"]
    assert set(told["acknowledged"]) <= set(stored)
    assert len(set(stored)) == len(stored)
    assert verify(journal).fault is None
    assert len(recoveries(journal)) == told["torn"]


def test_the_lock_dies_with_its_holder(tmp_path):
    hold = (
        "import sys; from pathlib import Path; from extproc.edges.journal.writer import JournalWriter;"
        "JournalWriter(Path(sys.argv[1]), node='n', worker='w', durability='process', clock=lambda: 1).open();"
        "print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen([sys.executable, "-c", hold, tmp_path], stdin=-1, stdout=-1, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(StoreError):
            run(tmp_path)
        os.kill(holder.pid, 9)
    run(tmp_path)
    assert numbers_of(tmp_path) == [0, 1, 2]
