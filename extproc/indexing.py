"""Keep the index up to date: every journal of this node is followed into it, exactly once and in its order.

The index may be away or far behind; calls go on, nothing is left out, and it catches up by itself.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import structlog

from extproc.edges.journal.reader import Damage, Entry, Position, journals, last_seq, read
from extproc.edges.journal.segments import path_of
from extproc.edges.store.index.files import current
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.places import Batch, Place, Read, Standing
from extproc.office import OfficeError, secret_in
from extproc.ports import Record, StoreError

__all__ = ["Indexing", "behind", "catch_up", "place_of_index"]

BATCH_RECORDS: Final = 2000
BATCH_BYTES: Final = 4 << 20
IDLE_SECONDS: Final = 0.5
LONGEST_PAUSE: Final = 60.0

log: Final = structlog.get_logger("extproc.index")


class Indexing:
    """Follows the journals below ``state_dir``; ``url_file`` names the PostgreSQL, where it is not SQLite."""

    def __init__(self, state_dir: Path, url_file: Path | None) -> None:
        self._state_dir = state_dir
        self._url_file = url_file
        self._place: Path | str | None = None
        self._index: Index | None = None

    async def run(self) -> None:
        """Follow until cancelled."""
        failures = 0
        while True:
            try:
                began = time.monotonic()
                done = await self._advance()
            except (StoreError, OSError, OfficeError) as failure:
                await self.close()
                failures += 1
                if failures == 1:
                    log.error("the index is not kept up; records wait in the journals", problem=str(failure))
                pause = min(2.0 ** min(failures, 10), LONGEST_PAUSE)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                continue
            if failures:
                log.info("the index is kept up again")
            failures = 0
            # with much to catch up, at least half of the time is left to the traffic
            await asyncio.sleep(min(time.monotonic() - began, IDLE_SECONDS) if done else IDLE_SECONDS)

    async def close(self) -> None:
        """Let go of the database."""
        if self._index is not None:
            await self._index.close()
        self._index = self._place = None

    async def _advance(self) -> int:
        """One batch of each journal; how many records those were."""
        place = await asyncio.to_thread(place_of_index, self._state_dir, self._url_file)
        if place != self._place:  # built anew by somebody
            await self.close()
        if self._index is None:
            self._index = Index(place)
            await self._index.open()
            self._place = place
        return await _round(self._index, self._state_dir)


def place_of_index(state_dir: Path, url_file: Path | None) -> Path | str:
    """Where the index is: a SQLite file, or a PostgreSQL URL.

    Raises:
        OfficeError, StoreError: it cannot be told, or made.
    """
    if url_file is None:
        return current(state_dir)
    url = secret_in(url_file)
    if not url.startswith(("postgresql://", "postgres://")):
        raise OfficeError(f"{url_file}: must hold a URL that starts with postgresql://")
    return url


async def catch_up(index: Index, state_dir: Path, told: Callable[[int], None]) -> None:
    """Bring the index to where the journals of this node are now; ``told`` hears after each round of its records.

    Raises:
        StoreError, OSError: it is not there.
    """
    while done := await _round(index, state_dir):
        told(done)


def behind(state_dir: Path, standings: dict[str, Standing]) -> dict[str, int]:
    """How many records of each journal of this node are not in the index yet.

    Raises:
        OSError: the journals cannot be read.
    """
    nothing = Standing(place=Place(), at=None, damaged=0)
    return {
        directory.name: max(last_seq(directory) + 1 - standings.get(directory.name, nothing).place.seq, 0)
        for directory in journals(state_dir)
    }


async def _round(index: Index, state_dir: Path) -> int:
    done = 0
    standings = await index.standings()
    for directory in await asyncio.to_thread(_present, state_dir):
        known = standings.get(directory.name)
        batch = await asyncio.to_thread(_next, directory, Place() if known is None else known.place)
        if batch is not None and await index.write(batch):
            done += len(batch.records) + batch.damaged
    return done


def _next(directory: Path, place: Place) -> Batch | None:
    """What comes next in a journal; None where nothing does."""
    items = _ahead(directory, place)
    records: list[Read] = []
    damaged = size = 0
    end = place
    for item in islice(items, BATCH_RECORDS):
        if isinstance(item, Damage):
            damaged += 1
            seq = end.seq
        else:
            record = Record(
                journal=directory.name, seq=item.seq, hash=item.hash, event=item.event, encoded=item.encoded
            )
            records.append((record, item.after.segment, item.begins))
            size += len(item.encoded)
            seq = item.seq + 1
        end = Place(segment=item.after.segment, offset=item.after.offset, seq=seq)
        if size >= BATCH_BYTES:
            break
    if end == place:
        return None
    return Batch(journal=directory.name, start=place, end=end, records=records, damaged=damaged)


def _ahead(directory: Path, place: Place) -> Iterator[Entry | Damage]:
    """The lines behind a place; in a segment that was written anew since, those behind the place's number."""
    first = next(read(directory, Position(segment=place.segment, offset=place.offset)), None)
    if isinstance(first, Entry) and first.seq == place.seq:
        return read(directory, Position(segment=place.segment, offset=place.offset))
    path = path_of(directory, place.segment)
    if first is None and (not path.exists() or path.stat().st_size >= place.offset):
        return iter(())
    return (
        item
        for item in read(directory, Position(segment=place.segment))
        if (item.seq >= place.seq if isinstance(item, Entry) else item.after.offset > place.offset)
    )


def _present(state_dir: Path) -> list[Path]:
    try:
        return journals(state_dir)
    except FileNotFoundError:
        return []
