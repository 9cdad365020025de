"""Take out of this node's journals, every few minutes, the records whose time is over by the policy.

Each purge is on record before it is done. What is still being written, not yet sealed, or not yet delivered to each
sink stays until it is; so does a segment in which something does not hold, as evidence. What humans were asked and have
answered goes out of the shared state, too; what is on record of it stays as long as any record.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import structlog

from extproc.core.approval import kept_until
from extproc.core.audit.steps import purge_step
from extproc.core.retention import Retention
from extproc.edges.journal.purging import Draft, draft, replace
from extproc.edges.journal.reader import journals
from extproc.edges.journal.sealer import sealed_up_to
from extproc.edges.journal.segments import numbers
from extproc.edges.names.presidio import installed
from extproc.edges.policy_files import PolicyError, read_policy
from extproc.office import Office
from extproc.ports import StoreError
from extproc.settings import Settings
from extproc.shipping import first_needed

__all__ = ["Purging"]

log: Final = structlog.get_logger("extproc.retention")


class Purging:
    """Purges the journals below the state directory of ``settings``; ``sinks`` are the names of those that are used."""

    def __init__(self, settings: Settings, sinks: Sequence[str], *, clock: Callable[[], int] = time.time_ns) -> None:
        self._settings = settings
        self._sinks = sinks
        self._clock = clock
        self._retention = Retention()
        self._due: dict[tuple[str, int], int | None] = {}
        self._told: set[str] = set()

    async def run(self, office: Office) -> None:
        """Purge until cancelled."""
        while True:
            try:
                await self.purge(office)
            except StoreError as failure:
                log.error("nothing is purged: that could not be put on record", problem=str(failure))
            except OSError as error:
                log.error("records could not be purged", problem=error.strerror, file=error.filename)
            try:
                await self.forget(office)
            except StoreError as failure:
                log.error("what was asked and answered stays in the shared state", problem=str(failure))
            await asyncio.sleep(self._settings.purge_seconds)

    async def forget(self, office: Office) -> int:
        """Take what is answered, and over by the policy as it was last read, out of the shared state; how many.

        Raises:
            StoreError: the store does not answer.
        """
        now, retention = self._clock(), self._retention
        forgotten = await office.tickets.forget(lambda ticket: kept_until(ticket, retention) <= now)
        if forgotten:
            log.info("answered requests were taken out of the shared state", requests=forgotten)
        return forgotten

    async def purge(self, office: Office) -> int:
        """Take out once what is over; how many events.

        Raises:
            StoreError: a purge could not be put on record, so it was not done.
            OSError: a journal cannot be read or written.
        """
        try:
            policy = await asyncio.to_thread(read_policy, self._settings.policy, recogniser=installed())
        except PolicyError:
            return 0  # the workers tell of it; the last good one is theirs alone, and nothing is lost by waiting
        if policy.retention != self._retention:
            self._retention = policy.retention
            self._due.clear()
        events = 0
        for directory, number, sealed in await asyncio.to_thread(self._open_segments):
            made = await asyncio.to_thread(self._draft, directory, number, sealed)
            if made is None:
                continue
            if made.events:
                await office.record(
                    purge_step(
                        at=self._clock(),
                        journal=directory.name,
                        ranges=made.ranges,
                        events=made.events,
                        policy=policy.digest,
                    )
                )
                await asyncio.to_thread(replace, made)
                log.info("records were purged", journal=directory.name, segment=number, events=made.events)
                events += made.events
            else:
                await asyncio.to_thread(partial(made.path.unlink, missing_ok=True))
            self._due[directory.name, number] = made.due
        return events

    def _open_segments(self) -> list[tuple[Path, int, int]]:
        """The segments that may hold something that is over: directory, number, size of the journal's last seal."""
        if not self._retention.ends:
            return []
        found: list[tuple[Path, int, int]] = []
        needed = first_needed(self._settings.state_dir, self._sinks)
        now = self._clock()
        for directory in journals(self._settings.state_dir):
            sealed = sealed_up_to(self._settings.state_dir, directory.name)
            if sealed is None and self._settings.seal_seconds:
                continue
            segment, size = sealed or (None, 0)
            present = numbers(directory)
            ends = [*present[-1:], *needed.get(directory.name, ()), *([] if segment is None else [segment])]
            for number in present:
                due = self._due.get((directory.name, number), 0)
                if number < min(ends) and due is not None and due <= now:
                    found.append((directory, number, size))
        return found

    def _draft(self, directory: Path, number: int, sealed: int) -> Draft | None:
        try:
            return draft(directory, number, until=self._retention.until, now=self._clock(), sealed=sealed)
        except StoreError as failure:
            if str(failure) not in self._told:
                self._told.add(str(failure))
                log.error("a damaged segment is not purged; `extproc verify` says more", problem=str(failure))
            return None
