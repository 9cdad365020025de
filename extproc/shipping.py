"""Ship copies of all records to the sinks: at least once, in the order of each journal, each sink at its own pace.

What was delivered is kept in ``<state_dir>/sinks/<name>.json``, so a restart goes on there. A sink that is away, slow
or broken is asked again with growing pauses; it holds up nobody, and nothing is left out: the journals keep it all.
A record that a sink refuses for ever is left out only where somebody says so (``skips``), and that is on record first.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import structlog

from extproc.core.audit import damaged, encode
from extproc.core.audit.steps import Skipped, sink_step
from extproc.core.model import Json
from extproc.edges.journal.reader import Damage, Position, journals, last_seq, read
from extproc.ports import Record, RecordsRefusedError, Sink, SinkError, SinkStatus, StoreError
from extproc.skips import SINKS, Skip, asked, done

__all__ = ["Batches", "Shipper", "first_needed", "statuses"]

LONGEST_PAUSE: Final = 60.0
LOOK_SECONDS: Final = 0.5
"""How soon a wish is seen, however long the pause is."""

log: Final = structlog.get_logger("extproc.sinks")


Recorder: TypeAlias = Callable[[Mapping[str, Json]], Awaitable[None]]


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where one journal was delivered: the byte behind the last record, and the number of the next one."""

    segment: int = 1
    offset: int = 0
    seq: int = 0


class Kept(msgspec.Struct, kw_only=True):
    """What a sink's file holds; times in nanoseconds since the epoch."""

    places: dict[str, Place] = msgspec.field(default_factory=dict)
    delivered: int = 0
    delivered_at: int | None = None
    error: str | None = None
    error_at: int | None = None
    skipped: int = 0
    last_skipped: tuple[str, int] | None = None


class Batches(msgspec.Struct, frozen=True, kw_only=True):
    """How a sink is given records: ``every`` so many seconds at least, and at once where a batch is full."""

    every: float = 0.5
    records: int = 500
    bytes: int = 1 << 20


USUAL: Final = Batches()


class Shipper:
    """Follows every journal below ``state_dir`` and gives its records to ``sink``.

    A batch that was not taken is given again as it was, however much more waits by then: a sink that has stored it all
    the same sees nothing new.
    """

    def __init__(
        self,
        state_dir: Path,
        name: str,
        sink: Sink,
        *,
        batches: Batches = USUAL,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._state_dir = state_dir
        self._name = name
        self._sink = sink
        self._batches = batches
        self._clock = clock
        self._path = _path(state_dir, name)
        self._kept = _read(self._path)
        self._failures = 0
        self._tried: dict[str, int] = {}
        self._more = False

    async def run(self, record: Recorder | None = None) -> None:
        """Deliver until cancelled; ``record`` stores an event where the sink fails, and where it has recovered."""
        fails = False
        while True:
            skip = await asyncio.to_thread(asked, self._state_dir, self._name) if record is not None else None
            if skip is not None and record is not None:
                await self._skip(skip, record)
            delivered = await self.deliver()
            if fails is not (delivered is None):
                fails = delivered is None
                if record is not None:
                    await self._put_on_record(record, "failed" if fails else "recovered")
            if delivered is None:
                # apart from each other, so that sinks that failed together do not come back together
                pause = min(2.0 ** min(self._failures, 10), LONGEST_PAUSE)
                await self._rest(pause * random.uniform(0.5, 1.0))  # noqa: S311 - no secret
            elif not self._more:
                await asyncio.sleep(self._batches.every)

    async def _rest(self, seconds: float) -> None:
        """Wait, but not where somebody asks for something meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(left, LOOK_SECONDS))
            if await asyncio.to_thread(asked, self._state_dir, self._name) is not None:
                return

    async def _skip(self, skip: Skip, record: Recorder) -> None:
        """Give what waits one by one as far as the first record that is refused, and go on behind it.

        A sink that does not answer refuses nothing: then the wish stays, and so it does where it cannot be recorded.
        """
        try:
            for directory in await asyncio.to_thread(_present, self._state_dir):
                if await self._skip_in(directory, skip, record):
                    break
            await asyncio.to_thread(done, self._state_dir, self._name)
        except (SinkError, StoreError, OSError) as failure:
            log.error("nothing is skipped yet", sink=self._name, problem=str(failure))
        except Exception as failure:  # noqa: BLE001 - as in `deliver`
            log.error("nothing is skipped yet", sink=self._name, problem=type(failure).__name__)

    async def _skip_in(self, directory: Path, skip: Skip, record: Recorder) -> bool:
        """Whether a record of this journal was refused; it is left out by now."""
        batch, _ = await asyncio.to_thread(self._next, directory)
        for _ in batch:
            (one,), place = await asyncio.to_thread(self._next, directory, 1)
            try:
                await self._sink.deliver([one])
            except RecordsRefusedError as refusal:
                step = sink_step(
                    at=self._clock(),
                    step="skipped",
                    sink=self._name,
                    reason=skip.reason,
                    skipped=Skipped(journal=one.journal, seq=one.seq, hash=one.hash, said=str(refusal), by=skip.by),
                )
                await record(step)
                self._kept.skipped += 1
                self._kept.last_skipped = (one.journal, one.seq)
                self._tried.pop(directory.name, None)
                await asyncio.to_thread(self._note, directory.name, place, 0)
                log.warning("a sink goes on without a record", sink=self._name, journal=one.journal, seq=one.seq)
                return True
            self._tried.pop(directory.name, None)
            await asyncio.to_thread(self._note, directory.name, place, 1)
        return False

    async def _put_on_record(self, record: Recorder, step: str) -> None:
        try:
            await record(sink_step(at=self._clock(), step=step, sink=self._name, reason=self._kept.error))
        except StoreError as failure:
            log.error("what happens to a sink could not be put on record", sink=self._name, problem=str(failure))

    async def finish(self, seconds: float) -> None:
        """Deliver what is there, for at most ``seconds``, and let go of the sink."""
        try:
            async with asyncio.timeout(seconds):
                while await self.deliver():
                    pass
        except TimeoutError:
            log.warning("a sink did not get the last records yet; it gets them after the next start", sink=self._name)
        finally:
            await self._sink.close()

    async def deliver(self) -> int | None:
        """Deliver the next batch of each journal once: how many records that were; None if the sink failed."""
        total, self._more = 0, False
        try:
            for directory in await asyncio.to_thread(_present, self._state_dir):
                records, place = await asyncio.to_thread(self._next, directory)
                if records:
                    self._tried[directory.name] = len(records)
                    await self._sink.deliver(records)
                    await asyncio.to_thread(self._note, directory.name, place, len(records))
                    del self._tried[directory.name]
                    total += len(records)
        except (SinkError, OSError) as failure:
            await self._failed(str(failure))
            return None
        except Exception as failure:  # noqa: BLE001 - whatever a client library raises: the record is not delivered
            await self._failed(type(failure).__name__)
            return None
        return total

    def _next(self, directory: Path, at_most: int | None = None) -> tuple[list[Record], Place]:
        place = self._kept.places.get(directory.name, Place())
        records: list[Record] = []
        size = 0
        most = at_most or self._tried.get(directory.name, self._batches.records)
        for record, after in islice(_records(directory, place), most):
            records.append(record)
            place = after
            size += len(record.encoded)
            if size >= self._batches.bytes:
                break
        self._more = self._more or len(records) >= most or size >= self._batches.bytes
        return records, place

    def _note(self, journal: str, place: Place, count: int) -> None:
        self._kept.places[journal] = place
        self._kept.delivered += count
        self._kept.delivered_at = self._clock()
        if self._failures:
            log.info("a sink takes records again", sink=self._name)
        self._failures, self._kept.error, self._kept.error_at = 0, None, None
        _write(self._path, self._kept)

    async def _failed(self, why: str) -> None:
        self._failures += 1
        if self._failures == 1:
            log.error("a sink does not take records; they wait in the journals", sink=self._name, problem=why)
        self._kept.error, self._kept.error_at = why, self._clock()
        try:
            await asyncio.to_thread(_write, self._path, self._kept)
        except OSError as error:
            log.error("the position of a sink cannot be kept", sink=self._name, problem=error.strerror)


def statuses(state_dir: Path, names: Sequence[str]) -> list[SinkStatus]:
    """How the sinks of these names are.

    Raises:
        OSError: the journals cannot be read.
    """
    ends = {directory.name: last_seq(directory) + 1 for directory in _present(state_dir)}
    return [_status(name, _read(_path(state_dir, name)), ends) for name in names]


def first_needed(state_dir: Path, names: Sequence[str]) -> dict[str, list[int]]:
    """For each journal the segments that the sinks of these names go on in."""
    kept = [_read(_path(state_dir, name)) for name in names]
    return {
        directory.name: [each.places.get(directory.name, Place()).segment for each in kept]
        for directory in _present(state_dir)
    }


def _status(name: str, kept: Kept, ends: Mapping[str, int]) -> SinkStatus:
    behind = sum(max(end - kept.places.get(journal, Place()).seq, 0) for journal, end in ends.items())
    return SinkStatus(
        name=name,
        positions={journal: place.seq for journal, place in sorted(kept.places.items())},
        delivered=kept.delivered,
        delivered_at=kept.delivered_at,
        behind=behind,
        error=kept.error,
        error_at=kept.error_at,
        skipped=kept.skipped,
        last_skipped=kept.last_skipped,
    )


def _records(directory: Path, place: Place) -> Iterator[tuple[Record, Place]]:
    """The records behind ``place``; a line that does not hold is a record too, which says so."""
    seq = place.seq
    for item in read(directory, Position(segment=place.segment, offset=place.offset)):
        if isinstance(item, Damage):
            event = damaged(file=item.file, said=item.said)
            record = Record(journal=directory.name, seq=seq, hash="", event=event, encoded=encode(event))
        else:
            record = Record(
                journal=directory.name, seq=item.seq, hash=item.hash, event=item.event, encoded=item.encoded
            )
            seq = item.seq + 1
        yield record, Place(segment=item.after.segment, offset=item.after.offset, seq=seq)


def _present(state_dir: Path) -> list[Path]:
    try:
        return journals(state_dir)
    except FileNotFoundError:
        return []


def _path(state_dir: Path, name: str) -> Path:
    return state_dir / SINKS / f"{name}.json"


def _read(path: Path) -> Kept:
    """What was kept; a file that cannot be read is as none: records are given again, and none is left out."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError):
        return Kept()


def _write(path: Path, kept: Kept) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".draft")
    with draft.open("wb") as file:
        file.write(msgspec.json.encode(kept))
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
