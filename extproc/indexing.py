"""Keep the index up to date: every journal of this node is followed into it, exactly once and in its order.

The index may be away or far behind; calls go on, nothing is left out, and it catches up by itself.
"""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

import msgspec
import structlog

from extproc.core.audit.members import number_in
from extproc.edges.journal.reader import Damage, Entry, Position, journals, last_seq, read
from extproc.edges.journal.segments import path_of
from extproc.edges.store.index.files import current
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.places import Batch, Place, Read, Standing
from extproc.lag import Indexed, read_indexed, write_indexed
from extproc.office import OfficeError, secret_in
from extproc.ports import Record, StoreError

__all__ = ["Indexing", "behind", "catch_up", "place_of_index"]

BATCH_RECORDS: Final = 4000
LEAST_RECORDS: Final = 100
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
        before = read_indexed(state_dir)
        self._standings = before.journals if before is not None else {}

    async def run(self) -> None:
        """Follow until cancelled."""
        failures = 0
        kept = False
        while True:
            try:
                began = time.monotonic()
                done = await self._advance()
                if done or failures or not kept:
                    await self._keep(None)
                    kept = True
            except (StoreError, OSError, OfficeError) as failure:
                await self.close()
                failures += 1
                if failures == 1:
                    log.error("the index is not kept up; records wait in the journals", problem=str(failure))
                    await self._keep(str(failure))
                pause = min(2.0 ** min(failures, 10), LONGEST_PAUSE)
                await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
                continue
            if failures:
                log.info("the index is kept up again")
            failures = 0
            # with much to catch up, at least half of the time is left to the traffic
            await asyncio.sleep(min(time.monotonic() - began, IDLE_SECONDS) if done else IDLE_SECONDS)

    async def _keep(self, error: str | None) -> None:
        """Write down how far the index is, for the metrics; where that fails it looks further behind than it is."""
        if self._index is not None:
            here = await asyncio.to_thread(_present, self._state_dir)
            found = await self._index.standings()
            self._standings = {
                each.name: (found[each.name].place.seq, found[each.name].at) for each in here if each.name in found
            }
        indexed = Indexed(journals=self._standings, error=error)
        try:
            await asyncio.to_thread(write_indexed, self._state_dir, indexed)
        except OSError as failure:
            log.error("how far the index is cannot be kept", problem=failure.strerror)

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
    """Take in what comes next in all journals; how many lines that were."""
    standings = await index.standings()
    batches = await asyncio.to_thread(_next, state_dir, standings)
    return await index.write(batches) if batches else 0


class _Ahead(msgspec.Struct):
    """What comes next in a journal: its lines, each with the place behind it, and None for one that is damaged.

    ``more`` if there is more than that.
    """

    journal: str
    start: Place
    reads: list[Read | None] = []
    ends: list[Place] = []
    more: bool = False

    @property
    def last_at(self) -> int:
        return max((_time(read) for read in self.reads), default=0)

    def batch(self, until: int | None) -> Batch | None:
        """As far as the records of ``until``: calls that come in their order are taken in much faster."""
        count = len(self.ends)
        if until is not None and self.last_at > until:
            late = (number for number, read in enumerate(self.reads) if read is not None and _time(read) > until)
            count = next(late)
        if not count:
            return None
        reads = [read for read in self.reads[:count] if read is not None]
        damaged = count - len(reads)
        return Batch(journal=self.journal, start=self.start, end=self.ends[count - 1], records=reads, damaged=damaged)


def _next(state_dir: Path, standings: Mapping[str, Standing]) -> list[Batch]:
    present = _present(state_dir)
    each = max(BATCH_RECORDS // max(len(present), 1), LEAST_RECORDS)
    found = [
        _read(directory, standings[directory.name].place if directory.name in standings else Place(), each)
        for directory in present
    ]
    until = min((ahead.last_at for ahead in found if ahead.more), default=None)
    return [batch for ahead in found if (batch := ahead.batch(until)) is not None]


def _read(directory: Path, place: Place, count: int) -> _Ahead:
    """At most so many of the next lines of a journal."""
    ahead = _Ahead(journal=directory.name, start=place)
    size, seq = 0, place.seq
    for item in _lines(directory, place):
        if len(ahead.ends) == count or size >= BATCH_BYTES:
            ahead.more = True
            break
        if isinstance(item, Damage):
            ahead.reads.append(None)
        else:
            record = Record(
                journal=directory.name, seq=item.seq, hash=item.hash, event=item.event, encoded=item.encoded
            )
            ahead.reads.append((record, item.after.segment, item.begins))
            size += len(item.encoded)
            seq = item.seq + 1
        ahead.ends.append(Place(segment=item.after.segment, offset=item.after.offset, seq=seq))
    return ahead


def _time(read: Read | None) -> int:
    return 0 if read is None else number_in(read[0].event.get("at"))


def _lines(directory: Path, place: Place) -> Iterator[Entry | Damage]:
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
