"""The index follows the journals of its node: exactly once, through outages, purges, damage, and its own rebuilding."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from edges.store.index.events import call, outcome
from extproc import indexing
from extproc.core.audit import Session, sessions
from extproc.core.audit.filters import EVERYTHING
from extproc.edges.journal.reader import Damage, journals, read
from extproc.edges.journal.segments import path_of
from extproc.edges.store.index.files import draft
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.swapping import begin
from extproc.indexing import Indexing, behind, catch_up, place_of_index
from extproc.lag import index_status
from extproc.office import opened_office
from extproc.ports import StoreError
from extproc.purging import Purging
from extproc.reindexing import rebuild
from plain import PATIENCE
from postgres import postgres_server
from stores import Store, written
from test_purging import settings


@pytest.fixture
def url_file(place, tmp_path) -> Path | None:
    """Where the settings say that the index is: nowhere, so in SQLite, or in a file with a URL."""
    if isinstance(place, Path):
        return None
    path = tmp_path / "index-url"
    path.write_text(f"{place}\n")
    return path


@pytest.fixture
def state(tmp_path) -> Path:
    return tmp_path / "state"


def recorded(*states: Path) -> tuple[Session, ...]:
    """The sessions that a reading of all journals finds."""
    items = [item for state in states for directory in journals(state) for item in read(directory)]
    return sessions(item.event for item in items if not isinstance(item, Damage))


async def found(index: Index) -> set[tuple[str, int, int, int]]:
    page = await index.page(EVERYTHING, after=None, limit=1000)
    assert page.after is None
    return {(row.id, row.first_at, row.last_at, row.calls) for row in page.sessions}


def summary(*states: Path) -> set[tuple[str, int, int, int]]:
    return {(each.id, each.first_at, each.last_at, len(each.calls)) for each in recorded(*states)}


@contextlib.asynccontextmanager
async def opened(state: Path, url_file: Path | None):
    index = Index(place_of_index(state, url_file))
    try:
        yield index
    finally:
        await index.close()


@contextlib.asynccontextmanager
async def followed(state: Path, url_file: Path | None):
    """The control process's part, at work."""
    following = Indexing(state, url_file)
    task = asyncio.create_task(following.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await following.close()


async def is_there(state: Path, url_file: Path | None, *states: Path) -> None:
    """Wait until the index says what the journals say."""

    async def same() -> bool:
        with contextlib.suppress(StoreError):
            async with opened(state, url_file) as index:
                return await found(index) == summary(*(states or (state,)))
        return False

    async with asyncio.timeout(PATIENCE):
        while not await same():  # noqa: ASYNC110 - it may be another process that makes it so
            await asyncio.sleep(0.05)


def calls(name: str, count: int, first: int = 0) -> list[dict]:
    """Calls of one worker with their answers, twenty minutes apart: one session, and every third has its own."""
    made = []
    for number in range(count):
        minute = (first + number) * 20
        server = "files" if number % 3 else "sales-db"
        made += [call(f"{name}{number}", minute, server=server), outcome(f"{name}{number}", minute + 1)]
    return made


async def test_what_the_workers_write_is_followed_from_where_it_was(state, url_file, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH_RECORDS", 7)
    monkeypatch.setattr(indexing, "LEAST_RECORDS", 3)
    store = Store(state)
    for turn in range(3):
        for name in ("n-0", "n-1"):
            await store.write(name, calls(f"{name}.{turn}.", 20, turn * 20))
        async with opened(state, url_file) as index:
            assert sum(behind(state, await index.standings()).values()) > 80
            heard: list[int] = []
            await catch_up(index, state, heard.append)
            assert await found(index) == summary(state)
            assert set(behind(state, await index.standings()).values()) == {0}
            assert max(heard) <= 7 + 3


async def test_records_that_are_purged_before_or_after_they_are_indexed_are_not_in_it(state, url_file, monkeypatch):
    monkeypatch.setattr(indexing, "BATCH_RECORDS", 10)
    monkeypatch.setattr(indexing, "LEAST_RECORDS", 5)
    state.mkdir()
    store = await written(state, rounds=6)
    async with opened(state, url_file) as index:
        # in the middle of a segment, so that the rest of it is another one when it goes on
        await index.write(await asyncio.to_thread(indexing._next, state, {}))
        before = await found(index)
        assert before
        async with opened_office(
            state_dir=state, node="n", store_url=None, name="purger", durability="process"
        ) as office:
            assert await Purging(settings(state), []).purge(office) > 0
        await catch_up(index, state, lambda _: None)
        assert await found(index) == summary(state)
        await store.write("n-0", calls("later", 5))
        await catch_up(index, state, lambda _: None)
        assert await found(index) == summary(state)


async def test_a_damaged_line_is_counted_and_passed_over(state, url_file):
    store = Store(state, segment_bytes=1 << 20)
    await store.write("n-0", calls("a", 9))
    path = path_of(state / "journal" / "n-0", 1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:4], b"nonsense\n", *lines[5:]]))
    async with opened(state, url_file) as index:
        await catch_up(index, state, lambda _: None)
        await catch_up(index, state, lambda _: None)
        assert await found(index) == summary(state)
        assert (await index.standings())["n-0"].damaged == 1


async def test_an_index_that_is_away_holds_up_nothing_and_lacks_nothing_afterwards(tmp_path, state, monkeypatch):
    monkeypatch.setattr(indexing, "LONGEST_PAUSE", 0.2)
    store = Store(state)
    await store.write("n-0", calls("a", 3))
    with postgres_server() as server:
        url_file = tmp_path / "url"
        url_file.write_text(server.database())
        async with followed(state, url_file):
            await is_there(state, url_file)
            server.kill()
            await store.write("n-0", calls("b", 30))
            with pytest.raises(StoreError):
                async with opened(state, url_file) as index:
                    await index.standings()
            server.start()
            await is_there(state, url_file)


async def test_how_far_it_is_is_told_without_the_database_also_while_it_is_away(state, monkeypatch):
    monkeypatch.setattr(indexing, "IDLE_SECONDS", 0.01)
    store = Store(state)
    assert index_status(state, LATER) is None
    await store.write("n-0", calls("a", 3))
    async with followed(state, None):
        await told(state, [("n-0", 0)], failing=False)
    await store.write("n-0", calls("b", 2))
    await store.write("n-1", calls("c", 1))
    status = index_status(state, LATER)
    assert [(lag.journal, lag.records) for lag in status.lags] == [("n-0", 6), ("n-1", 3)]
    assert [lag.seconds > 0 for lag in status.lags] == [True, False], "of a journal that it knows nothing of, no time"
    (state / "index").rename(state / "aside")
    (state / "index").write_text("in the way")
    async with followed(state, None):
        await told(state, [("n-0", 6), ("n-1", 3)], failing=True)
        (state / "index").unlink()
        (state / "aside").rename(state / "index")
        await told(state, [("n-0", 0), ("n-1", 0)], failing=False)


LATER = 2_000_000_000 * 1_000_000_000


async def told(state: Path, lags: list[tuple[str, int]], *, failing: bool) -> None:
    """Wait until the metrics would say so."""
    async with asyncio.timeout(PATIENCE):
        while True:
            status = index_status(state, LATER)
            if status and status.failing is failing and [(lag.journal, lag.records) for lag in status.lags] == lags:
                return
            await asyncio.sleep(0.01)


async def test_a_folder_that_cannot_be_written_to_is_tried_again(state, monkeypatch):
    monkeypatch.setattr(indexing, "LONGEST_PAUSE", 0.05)
    await Store(state).write("n-0", calls("a", 3))
    (state / "index").write_text("in the way")
    with pytest.raises(StoreError):
        place_of_index(state, None)
    async with followed(state, None):
        (state / "index").unlink()
        await is_there(state, None)


async def test_an_index_is_built_anew_beside_the_one_that_is_followed_into(state, url_file):
    store = Store(state)
    await store.write("n-0", calls("a", 30))
    async with followed(state, url_file):
        await is_there(state, url_file)
        async with opened(state, url_file) as index:
            await index.database.transact(lambda each: each.change("DELETE FROM sessions"), writes=True)
        heard: list[int] = []
        await rebuild(state, url_file, heard.append)
        assert sum(heard) == sum(behind(state, {}).values()) > 60
        await is_there(state, url_file)
        await store.write("n-0", calls("b", 30, 30))
        await is_there(state, url_file)
    assert len(list((state / "index").glob("*"))) <= 4 if url_file is None else not (state / "index").exists()


async def test_nobody_builds_beside_another_builder(state, url_file):
    await Store(state).write("n-0", calls("a", 3))
    refused: list[str] = []
    for builder in (Index(place_of_index(state, url_file)), None):
        if builder is not None and url_file is not None:
            await builder.database.transact(begin)
        with draft(state) if url_file is None and builder is not None else contextlib.nullcontext():
            try:
                await rebuild(state, url_file, lambda _: None)
            except StoreError as failure:
                refused.append(str(failure))
        if builder is not None:
            await builder.close()
    assert ["another `extproc index rebuild` is at work" in each for each in refused] == [True]
    await is_there(state, url_file)


async def test_several_nodes_share_an_index_and_each_builds_it_anew_without_loss(tmp_path, server):
    url_file = tmp_path / "url"
    url_file.write_text(server.database())
    states = [tmp_path / "one", tmp_path / "two"]
    for number, state in enumerate(states):
        await Store(state).write(f"{number}-0", calls(f"n{number}.", 20, 40 * number))
    async with followed(states[0], url_file), followed(states[1], url_file):
        await is_there(states[0], url_file, *states)
        await rebuild(states[0], url_file, lambda _: None)
        await is_there(states[0], url_file, *states)
        await Store(states[1]).write("1-0", calls("later", 20, 10))
        await is_there(states[0], url_file, *states)
