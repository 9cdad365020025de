"""Counters: exact over processes, in every window, and an error rather than a guess."""

import asyncio
import itertools
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.edges.store import counters
from extproc.edges.store.counters import SLICES, SqliteCounters, discard_if_broken
from extproc.ports import StoreError

NOW = 1_700_000_000.0

RACER = """
import asyncio, sys
from pathlib import Path
from extproc.edges.store.counters import SqliteCounters

async def main():
    counters = SqliteCounters(Path(sys.argv[1]))
    print("ready", flush=True)
    sys.stdin.readline()
    taken = [await counters.take("k", calls=40, seconds=60, now=1.7e9) for _ in range(60)]
    before = [await counters.count("s", seconds=60, now=1.7e9) for _ in range(60)]
    print(sum(taken), *before, flush=True)

asyncio.run(main())
"""


@pytest.fixture
def store(tmp_path):
    opened = SqliteCounters(tmp_path / "counters.db")
    yield opened
    opened.close()


async def test_a_limit_is_used_up_and_comes_back(store):
    taken = [await store.take("k", calls=3, seconds=60, now=NOW) for _ in range(4)]
    assert taken == [True, True, True, False]
    assert not await store.take("k", calls=3, seconds=60, now=NOW + 59)
    assert await store.take("k", calls=3, seconds=60, now=NOW + 60 + 60 / SLICES)


async def test_a_refused_call_uses_nothing_up(store):
    assert await store.take("k", calls=1, seconds=60, now=NOW)
    for second in range(60):
        assert not await store.take("k", calls=1, seconds=60, now=NOW + second)
    assert await store.take("k", calls=1, seconds=60, now=NOW + 61)


async def test_a_limit_of_none_lets_nothing_through(store):
    assert not await store.take("k", calls=0, seconds=60, now=NOW)


async def test_keys_and_windows_are_counted_apart(store):
    assert await store.take("a", calls=1, seconds=60, now=NOW)
    assert await store.take("b", calls=1, seconds=60, now=NOW)
    assert await store.take("a", calls=1, seconds=3600, now=NOW)
    assert not await store.take("a", calls=1, seconds=60, now=NOW)


async def test_windows_of_nearly_one_length_do_not_share_their_slices(store):
    assert await store.take("k", calls=1, seconds=86_400, now=NOW)
    assert await store.take("k", calls=1, seconds=86_401, now=NOW)


async def test_a_call_late_in_its_slice_still_counts_a_whole_window_later(store):
    assert await store.take("k", calls=1, seconds=60, now=NOW + 0.9)
    assert not await store.take("k", calls=1, seconds=60, now=NOW + 60.5)


async def test_a_clock_set_back_neither_frees_a_call_nor_blocks_for_ever(store):
    assert await store.take("k", calls=1, seconds=60, now=NOW + 30)
    assert not await store.take("k", calls=1, seconds=60, now=NOW)
    assert await store.take("far", calls=1, seconds=60, now=NOW + 10**8)
    assert await store.take("far", calls=1, seconds=60, now=NOW)


@given(
    calls=st.integers(1, 5),
    seconds=st.sampled_from([1, 7, 60]),
    steps=st.lists(st.floats(0, 30, allow_nan=False), min_size=1, max_size=40),
)
def test_no_stretch_of_the_window_s_length_holds_more_than_allowed(calls, seconds, steps):
    async def run():
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteCounters(Path(folder) / "c.db")
            times = list(itertools.accumulate(steps, initial=NOW))
            allowed = []
            for now in times:
                recent = [at for at in allowed if at > now - seconds - seconds / SLICES]
                if await store.take("k", calls=calls, seconds=seconds, now=now):
                    allowed.append(now)
                else:
                    # a refusal needs a reason: the window, one slice longer, was full
                    assert len(recent) >= calls
            store.close()
        for last in allowed:
            assert sum(1 for at in allowed if last - seconds < at <= last) <= calls

    asyncio.run(run())


async def test_count_tells_how_many_came_before_and_forgets_after_silence(store):
    before = [await store.count("s", seconds=60, now=NOW + step) for step in (0, 50, 100, 161, 162)]
    assert before == [0, 1, 2, 0, 1]


def test_processes_together_never_take_more_than_allowed(tmp_path):
    path = tmp_path / "counters.db"
    SqliteCounters(path).close()
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        racer.stdin.write("\n")
        racer.stdin.flush()
    lines = [racer.communicate()[0].split() for racer in racers]
    assert sum(int(line[0]) for line in lines) == 40
    assert sorted(int(number) for line in lines for number in line[1:]) == list(range(240))


async def test_a_lock_that_stays_is_an_error_and_does_not_hold_the_loop(store, tmp_path, monkeypatch):
    monkeypatch.setattr(counters, "PATIENCE_SECONDS", 0.02)
    other = sqlite3.connect(tmp_path / "counters.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    turns = 0

    async def turn():
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    with pytest.raises(StoreError, match="locked by another process"):
        await store.take("k", calls=1, seconds=60, now=NOW)
    turning.cancel()
    assert turns > 2
    other.execute("ROLLBACK")
    other.close()
    assert await store.take("k", calls=1, seconds=60, now=NOW)


async def test_a_lock_that_is_freed_is_waited_for(store, tmp_path):
    other = sqlite3.connect(tmp_path / "counters.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    taking = asyncio.create_task(store.take("k", calls=1, seconds=60, now=NOW))
    await asyncio.sleep(0)
    other.execute("ROLLBACK")
    assert await taking
    other.close()


async def test_a_broken_store_is_an_error(store, tmp_path):
    with sqlite3.connect(tmp_path / "counters.db") as other:
        other.execute("DROP TABLE taken")
        other.execute("DROP TABLE counted")
    other.close()
    with pytest.raises(StoreError, match="no such table"):
        await store.take("k", calls=1, seconds=60, now=NOW)
    with pytest.raises(StoreError, match="no such table"):
        await store.count("k", seconds=60, now=NOW)
    store.close()
    with pytest.raises(StoreError, match="closed"):
        await store.take("k", calls=1, seconds=60, now=NOW)


def test_a_file_that_is_no_database_is_refused_with_the_fix(tmp_path):
    path = tmp_path / "counters.db"
    path.write_bytes(b"not a database, but long enough to be looked at " * 40)
    with pytest.raises(StoreError, match="counters may be deleted"):
        SqliteCounters(path)
    assert discard_if_broken(path)
    assert not path.exists()
    assert not discard_if_broken(path)
    SqliteCounters(path).close()
    assert not discard_if_broken(path)


async def test_what_has_passed_is_purged(store, tmp_path):
    for number in range(600):
        await store.take(f"k{number}", calls=1, seconds=1, now=NOW)
        await store.count(f"k{number}", seconds=1, now=NOW)
    for number in range(20 * counters.PURGE_EVERY):
        await store.take("later", calls=10**9, seconds=60, now=NOW + 100 + number / 1000)
    with sqlite3.connect(tmp_path / "counters.db") as other:
        left = other.execute("SELECT count(*) FROM taken WHERE expires <= ?", (NOW + 100,)).fetchone()[0]
        counted = other.execute("SELECT count(*) FROM counted").fetchone()[0]
    other.close()
    assert (left, counted) == (0, 0)


async def test_no_key_stands_in_the_file(store, tmp_path):
    await store.take("alice@example.com", calls=1, seconds=60, now=NOW)
    await store.count("session-4711", seconds=60, now=NOW)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"alice" not in kept
    assert b"4711" not in kept


async def test_a_key_of_any_characters_is_counted(store):
    assert await store.take("\ud800\x00", calls=1, seconds=60, now=NOW)


STARTING = """
import multiprocessing, sys
from pathlib import Path
from extproc.edges.store.counters import SqliteCounters

def start(path, barrier):
    barrier.wait()
    SqliteCounters(path).close()

processes = multiprocessing.get_context("fork")
failed = 0
for number in range(40):
    barrier = processes.Barrier(4)
    path = Path(sys.argv[1], f"{number}.db")
    workers = [processes.Process(target=start, args=(path, barrier)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    failed += sum(worker.exitcode != 0 for worker in workers)
sys.exit(failed)
"""


def test_workers_that_start_at_once_all_get_the_file(tmp_path):
    done = subprocess.run([sys.executable, "-c", STARTING, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
