"""What an append promises: stored whole, in order, once; or refused with nothing left behind."""

import asyncio
import errno
import itertools
import json
import os
import resource
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from extproc.edges.journal.proving import verify
from extproc.edges.journal.reader import Entry, read
from extproc.edges.journal.segments import path_of
from extproc.edges.journal.writer import JournalWriter, SystemCalls
from extproc.ports import StoreError

DURABILITIES = ["process", "disk"]


def writer(directory: Path, **changes) -> JournalWriter:
    ticks = itertools.count(1)
    given = {"node": "n", "worker": "w", "durability": "process", "clock": lambda: next(ticks)}
    return JournalWriter(directory, **{**given, **changes})


def events_of(directory: Path) -> list[dict]:
    items = list(read(directory))
    assert all(isinstance(item, Entry) for item in items)
    return [item.event for item in items]


def numbers_of(directory: Path) -> list[int]:
    return [event["n"] for event in events_of(directory) if event["kind"] == "test"]


def event(n: int) -> dict:
    return {"kind": "test", "n": n}


def assert_holds(directory: Path) -> None:
    assert verify(directory).fault is None


class Disk:
    """A disk whose calls fail on demand, at the very last layer."""

    def __init__(self) -> None:
        self.fail: dict[str, int] = {}
        self.short = 0
        self.calls = SystemCalls(write=self.write, sync=self.sync, truncate=self.truncate)

    def _maybe(self, call: str) -> None:
        if call in self.fail:
            raise OSError(self.fail[call], os.strerror(self.fail[call]))

    def write(self, fd: int, rest: memoryview, offset: int) -> int:
        if self.short:
            # some bytes land before the error, as on a disk that fills up
            os.pwrite(fd, rest[: self.short], offset)
        self._maybe("write")
        return os.pwrite(fd, rest, offset)

    def sync(self, fd: int) -> None:
        self._maybe("sync")
        os.fsync(fd)

    def truncate(self, fd: int, size: int) -> None:
        self._maybe("truncate")
        os.ftruncate(fd, size)


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_appended_events_are_there_in_order_and_the_chain_holds(tmp_path, durability):
    journal = writer(tmp_path, durability=durability)
    journal.open()
    for n in range(20):
        await journal.append(event(n))
        assert numbers_of(tmp_path)[-1] == n
    await journal.close()
    assert numbers_of(tmp_path) == list(range(20))
    assert_holds(tmp_path)


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_concurrent_appends_keep_the_order_in_which_they_were_made(tmp_path, durability):
    journal = writer(tmp_path, durability=durability)
    journal.open()
    await asyncio.gather(*(journal.append(event(n)) for n in range(500)))
    await journal.close()
    assert numbers_of(tmp_path) == list(range(500))
    assert_holds(tmp_path)


async def test_concurrent_appends_share_one_write(tmp_path):
    writes = []

    def counted(fd, rest, offset):
        writes.append(len(rest))
        return os.pwrite(fd, rest, offset)

    journal = writer(tmp_path, calls=SystemCalls(write=counted))
    journal.open()
    writes.clear()
    await asyncio.gather(*(journal.append(event(n)) for n in range(100)))
    assert len(writes) == 1
    await journal.close()


async def test_on_disk_an_append_returns_only_after_a_sync_that_followed_its_write(tmp_path):
    steps = []
    calls = SystemCalls(
        write=lambda fd, rest, offset: steps.append("write") or os.pwrite(fd, rest, offset),
        sync=lambda fd: steps.append("sync") or os.fsync(fd),
    )
    journal = writer(tmp_path, durability="disk", calls=calls)
    journal.open()
    steps.clear()
    await journal.append(event(1))
    assert steps == ["write", "sync"]
    await journal.close()


async def test_the_disk_confirms_soon_after_without_being_asked(tmp_path):
    confirmed = asyncio.Event()
    loop = asyncio.get_running_loop()
    journal = writer(tmp_path, calls=SystemCalls(sync=lambda _: loop.call_soon_threadsafe(confirmed.set)))
    journal.open()
    await asyncio.sleep(0)
    confirmed.clear()
    await journal.append(event(1))
    await asyncio.wait_for(confirmed.wait(), 30)
    await journal.close()


async def test_segments_follow_each_other_by_size_and_the_chain_goes_on(tmp_path):
    journal = writer(tmp_path, segment_bytes=2000)
    journal.open()
    for n in range(50):
        await journal.append(event(n))
    await journal.append({"kind": "test", "n": 50, "big": "x" * 5000})
    await journal.close()
    report = verify(tmp_path)
    assert report.fault is None
    assert report.segments > 3
    assert numbers_of(tmp_path) == list(range(51))
    for number in range(1, report.segments + 1):
        first = json.loads(path_of(tmp_path, number).read_bytes().split(b"\n")[0])
        assert first["event"]["kind"] == "opened"
        assert first["event"]["segment"] == number
        assert first["event"]["previous"] == first["prev"]


async def test_a_day_later_a_new_segment_is_begun_also_after_a_restart(tmp_path):
    day = 24 * 3600 * 1_000_000_000
    now = day

    async def write(*, restarts: bool = False, at: int) -> int:
        nonlocal now, journal
        now = at
        if restarts:
            await journal.close()
            journal = writer(tmp_path, clock=lambda: now)
            journal.open()
        await journal.append({**event(1), "at": now})
        return verify(tmp_path).segments

    journal = writer(tmp_path, clock=lambda: now)
    journal.open()
    assert await write(at=2 * day) == 1
    assert await write(at=2 * day + 1) == 2
    assert await write(at=3 * day, restarts=True) == 2
    assert await write(at=3 * day + 2, restarts=True) == 3
    assert await write(at=3 * day + 3) == 3
    await journal.close()
    assert_holds(tmp_path)


async def test_a_restart_goes_on_where_the_chain_ended(tmp_path):
    for n in range(3):
        journal = writer(tmp_path)
        journal.open()
        await journal.append(event(n))
        await journal.close()
    assert [entry["kind"] for entry in events_of(tmp_path)] == ["opened", "test"] * 3
    assert numbers_of(tmp_path) == [0, 1, 2]
    assert_holds(tmp_path)


async def test_a_full_segment_is_left_at_a_restart(tmp_path):
    for n in range(2):
        journal = writer(tmp_path, segment_bytes=100)
        journal.open()
        await journal.append(event(n))
        await journal.close()
    assert verify(tmp_path).segments > 1
    assert_holds(tmp_path)


async def test_a_second_writer_is_refused_and_the_first_goes_on(tmp_path):
    first = writer(tmp_path)
    first.open()
    with pytest.raises(StoreError, match="another process writes the journal"):
        writer(tmp_path).open()
    await first.append(event(1))
    await first.close()
    second = writer(tmp_path)
    second.open()
    await second.close()
    assert_holds(tmp_path)


async def test_a_verifier_that_looks_does_not_keep_a_writer_out(tmp_path):
    with ThreadPoolExecutor(1) as pool:
        looking = True

        def look() -> None:
            while looking:
                if (tmp_path / "lock").exists():
                    verify(tmp_path)

        task = pool.submit(look)
        for n in range(10):
            journal = writer(tmp_path)
            journal.open()
            await journal.append(event(n))
            await journal.close()
        looking = False
        task.result()
    assert numbers_of(tmp_path) == list(range(10))


def test_a_directory_that_cannot_be_made_is_one_clear_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot be opened: Not a directory"):
        writer(tmp_path / "file" / "w").open()


def test_a_segment_that_is_a_link_is_refused(tmp_path):
    (tmp_path / "elsewhere").write_text("", encoding="utf-8")
    path_of(tmp_path, 1).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError):
        writer(tmp_path).open()
    assert (tmp_path / "elsewhere").read_text(encoding="utf-8") == ""


async def test_nobody_else_may_read_a_journal(tmp_path):
    journal = writer(tmp_path / "w")
    journal.open()
    await journal.close()
    assert (tmp_path / "w").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "w").iterdir())


async def test_a_closed_journal_refuses(tmp_path):
    journal = writer(tmp_path)
    with pytest.raises(StoreError, match="closed"):
        await journal.append(event(1))
    journal.open()
    await journal.close()
    await journal.close()
    with pytest.raises(StoreError, match="closed"):
        await journal.append(event(1))


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_what_waits_is_stored_when_the_journal_closes(tmp_path, durability):
    journal = writer(tmp_path, durability=durability)
    journal.open()
    waiting = [asyncio.ensure_future(journal.append(event(n))) for n in range(5)]
    await asyncio.sleep(0)
    await journal.close()
    await asyncio.gather(*waiting)
    assert numbers_of(tmp_path) == list(range(5))


@pytest.mark.parametrize("durability", DURABILITIES)
async def test_a_cancelled_append_stores_its_event_whole_or_not_and_harms_no_other(tmp_path, durability):
    journal = writer(tmp_path, durability=durability)
    journal.open()
    tasks = [asyncio.ensure_future(journal.append(event(n))) for n in range(9)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [type(result) for result in results[1::2]] == [type(None)] * 4
    await journal.close()
    assert set(numbers_of(tmp_path)) >= {1, 3, 5, 7}
    assert_holds(tmp_path)


async def test_an_event_counts_as_it_was_when_it_was_appended(tmp_path):
    journal = writer(tmp_path)
    journal.open()
    changing = event(1)
    task = asyncio.ensure_future(journal.append(changing))
    await asyncio.sleep(0)
    changing["n"] = 2
    await task
    await journal.close()
    assert numbers_of(tmp_path) == [1]


async def test_no_token_reaches_the_file_wherever_in_an_event_it_stands(tmp_path):
    token = "ghp_" + "a1B2" * 9
    journal = writer(tmp_path)
    journal.open()
    await journal.append(
        {
            "kind": "decision",
            "id": token,
            "targets": [{"kind": "resource", "name": f"https://x/{token}"}],
            "client": {"name": f"agent {token}", "version": "1"},
        }
    )
    await journal.close()
    assert token.encode() not in path_of(tmp_path, 1).read_bytes()
    assert events_of(tmp_path)[1]["targets"] == [{"kind": "resource", "name": "https://x/[masked:github]"}]


async def test_the_counts_of_what_was_masked_stay_counts_though_their_names_tell(tmp_path):
    journal = writer(tmp_path)
    journal.open()
    await journal.append({"kind": "outcome", "masked": {"secrets": 2}, "payload": {"secrets": "x" * 9}})
    await journal.close()
    event = events_of(tmp_path)[1]
    assert (event["masked"], event["payload"]) == ({"secrets": 2}, {"secrets": "[masked:secret]"})


@pytest.mark.parametrize("durability", DURABILITIES)
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("short", [0, 1, 40])
async def test_a_failed_write_refuses_leaves_nothing_and_heals(tmp_path, durability, error, short):
    disk = Disk()
    journal = writer(tmp_path, durability=durability, calls=disk.calls)
    journal.open()
    await journal.append(event(1))
    before = path_of(tmp_path, 1).read_bytes()
    disk.fail, disk.short = {"write": error}, short
    results = await asyncio.gather(journal.append(event(2)), journal.append(event(3)), return_exceptions=True)
    assert [str(result) for result in results] == [f"the journal of w cannot be written: {os.strerror(error)}"] * 2
    assert all(isinstance(result, StoreError) for result in results)
    assert path_of(tmp_path, 1).read_bytes() == before
    disk.fail, disk.short = {}, 0
    await journal.append(event(4))
    await journal.close()
    assert numbers_of(tmp_path) == [1, 4]
    assert_holds(tmp_path)


async def test_while_half_a_line_cannot_be_cut_nothing_more_is_written(tmp_path):
    disk = Disk()
    journal = writer(tmp_path, calls=disk.calls)
    journal.open()
    await journal.append(event(1))
    disk.fail, disk.short = {"write": errno.EIO, "truncate": errno.EIO}, 30
    with pytest.raises(StoreError):
        await journal.append(event(2))
    disk.fail, disk.short = {"truncate": errno.EIO}, 0
    with pytest.raises(StoreError):
        await journal.append(event(3))
    assert numbers_of(tmp_path) == [1]
    disk.fail = {}
    await journal.append(event(4))
    await journal.close()
    assert numbers_of(tmp_path) == [1, 4]
    assert_holds(tmp_path)


async def test_short_writes_are_finished(tmp_path):
    journal = writer(tmp_path, calls=SystemCalls(write=lambda fd, rest, offset: os.pwrite(fd, rest[:7], offset)))
    journal.open()
    await asyncio.gather(*(journal.append(event(n)) for n in range(5)))
    await journal.close()
    assert numbers_of(tmp_path) == list(range(5))
    assert_holds(tmp_path)


async def test_a_disk_that_takes_no_byte_is_refused_not_waited_for(tmp_path):
    disk = Disk()
    journal = writer(
        tmp_path, calls=SystemCalls(write=lambda fd, rest, offset: 0 if disk.fail else os.pwrite(fd, rest, offset))
    )
    journal.open()
    disk.fail = {"write": 1}
    with pytest.raises(StoreError):
        await journal.append(event(1))
    disk.fail = {}
    await journal.append(event(2))
    await journal.close()
    assert numbers_of(tmp_path) == [2]


async def test_a_new_segment_that_cannot_be_begun_refuses_and_heals(tmp_path):
    disk = Disk()
    journal = writer(tmp_path, segment_bytes=600, calls=disk.calls)
    journal.open()
    await journal.append(event(1))
    disk.fail, disk.short = {"write": errno.ENOSPC}, 20
    with pytest.raises(StoreError):
        await journal.append({"kind": "test", "n": 2, "big": "x" * 600})
    assert not path_of(tmp_path, 2).exists()
    disk.fail, disk.short = {}, 0
    await journal.append({"kind": "test", "n": 3, "big": "x" * 600})
    await journal.close()
    assert numbers_of(tmp_path) == [1, 3]
    assert verify(tmp_path).segments == 2
    assert_holds(tmp_path)


async def test_on_disk_an_unconfirmed_append_is_refused_and_taken_back(tmp_path):
    disk = Disk()
    journal = writer(tmp_path, durability="disk", calls=disk.calls)
    journal.open()
    await journal.append(event(1))
    disk.fail = {"sync": errno.EIO}
    for n in (2, 3):
        with pytest.raises(StoreError, match="Input/output error"):
            await journal.append(event(n))
        assert numbers_of(tmp_path) == [1]
    disk.fail = {}
    await journal.append(event(4))
    await journal.close()
    assert numbers_of(tmp_path) == [1, 4]
    assert verify(tmp_path).segments == 2
    assert_holds(tmp_path)


async def test_a_late_refusal_of_the_disk_is_recorded_and_stops_appends_until_it_confirms_again(tmp_path):
    disk = Disk()
    failed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def sync(fd: int) -> None:
        try:
            disk.sync(fd)
        except OSError:
            loop.call_soon_threadsafe(failed.set)
            raise

    journal = writer(tmp_path, calls=SystemCalls(sync=sync))
    journal.open()
    disk.fail = {"sync": errno.ENOSPC}
    await journal.append(event(1))
    await asyncio.wait_for(failed.wait(), 30)
    while not journal._unconfirmed:  # noqa: ASYNC110 - the journal tells nobody
        await asyncio.sleep(0)
    with pytest.raises(StoreError, match="No space left"):
        await journal.append(event(2))
    assert not path_of(tmp_path, 2).exists()
    disk.fail = {}
    await journal.append(event(3))
    await journal.close()
    assert numbers_of(tmp_path) == [1, 3]
    doubt = [item for item in events_of(tmp_path) if item["kind"] == "unsynced"]
    assert [(item["segment"], item["first"], item["last"]) for item in doubt] == [(1, 1, 1)]
    assert_holds(tmp_path)


async def test_while_the_disk_hangs_in_a_sync_nothing_more_is_taken_than_its_time_allows(tmp_path):
    began, goes_on = threading.Event(), threading.Event()

    def sync(fd: int) -> None:
        began.set()
        goes_on.wait()
        os.fsync(fd)

    calls = SystemCalls(sync=sync)
    goes_on.set()
    journal = writer(tmp_path, calls=calls, slowest_sync=0)
    journal.open()
    began.clear()
    goes_on.clear()
    await journal.append(event(1))
    await asyncio.to_thread(began.wait)
    with pytest.raises(StoreError, match="has not confirmed"):
        await journal.append(event(2))
    goes_on.set()
    while True:
        try:
            await journal.append(event(3))
        except StoreError:  # the thread is about to say that it is done
            await asyncio.sleep(0)
        else:
            break
    await journal.close()
    assert numbers_of(tmp_path) == [1, 3]
    assert_holds(tmp_path)


async def test_a_segment_deleted_under_the_writer_is_noticed(tmp_path):
    journal = writer(tmp_path, durability="disk")
    journal.open()
    path_of(tmp_path, 1).unlink()
    with pytest.raises(StoreError, match="deleted"):
        await journal.append(event(1))
    await journal.append(event(2))
    await journal.close()
    assert numbers_of(tmp_path) == [2]
    fault = verify(tmp_path).fault
    assert fault is not None
    assert "00000001.jsonl is missing" in fault.said


async def test_a_close_that_the_disk_does_not_confirm_says_so(tmp_path):
    disk = Disk()
    journal = writer(tmp_path, calls=disk.calls)
    journal.open()
    await journal.append(event(1))
    disk.fail = {"sync": errno.EIO}
    with pytest.raises(StoreError):
        await journal.close()
    again = writer(tmp_path)
    again.open()
    await again.close()


def test_a_journal_that_the_disk_does_not_confirm_is_not_opened(tmp_path):
    disk = Disk()
    disk.fail = {"sync": errno.EIO}
    with pytest.raises(StoreError):
        writer(tmp_path, calls=disk.calls).open()


FILL = """
import asyncio, itertools, resource, sys
from pathlib import Path
from extproc.edges.journal.writer import JournalWriter
from extproc.ports import StoreError

async def main():
    journal = JournalWriter(Path(sys.argv[1]), node="n", worker="w", durability="process", clock=lambda: 1)
    journal.open()
    if len(sys.argv) > 2:
        resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
    stored = 0
    try:
        for n in itertools.count():
            await journal.append({"kind": "test", "n": n, "text": "x" * 300})
            stored += 1
    except StoreError as error:
        print(stored, error)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for path in Path(sys.argv[1]).glob("ballast"):
        path.unlink()
    await journal.append({"kind": "test", "n": stored})
    await journal.close()

asyncio.run(main())
"""


def test_a_real_file_size_limit_refuses_in_the_middle_of_a_line_and_heals(tmp_path):
    if resource.getrlimit(resource.RLIMIT_FSIZE)[1] != resource.RLIM_INFINITY:
        pytest.skip("the file size limit of this process is fixed, so it cannot be raised again")
    ran = subprocess.run([sys.executable, "-c", FILL, tmp_path, "10007"], capture_output=True, text=True, check=True)
    stored = int(ran.stdout.split()[0])
    assert "File too large" in ran.stdout
    assert numbers_of(tmp_path) == list(range(stored + 1))
    assert_holds(tmp_path)


def test_a_really_full_disk_refuses_and_heals(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", disk], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk can be mounted here: {mounted.stderr.strip()}")
    try:
        (disk / "ballast").write_bytes(b"x" * 65536)
        ran = subprocess.run([sys.executable, "-c", FILL, disk], capture_output=True, text=True, check=True)
        stored = int(ran.stdout.split()[0])
        assert "No space left" in ran.stdout
        assert numbers_of(disk) == list(range(stored + 1))
        assert_holds(disk)
    finally:
        subprocess.run(["umount", disk], check=True)
