"""The index as the rest of the program sees it, on either database."""

from collections.abc import Collection, Sequence
from pathlib import Path

from extproc.core.audit.filters import Filter
from extproc.edges.store.database import open_database
from extproc.edges.store.index.pages import Cursor, Page, SessionRow, page
from extproc.edges.store.index.places import Batch, Standing, standings
from extproc.edges.store.index.sessions import Spot, begins_so, kept_events, spots_of, steps_of
from extproc.edges.store.index.tables import INDEX
from extproc.edges.store.index.writing import Writing
from extproc.edges.store.tables import Tables

__all__ = ["Index"]


class Index:
    """The index in a SQLite file, or in the PostgreSQL at a URL. Everything raises ``StoreError`` where it is away."""

    def __init__(self, place: Path | str, tables: Tables = INDEX) -> None:
        self.place = place
        self.database = open_database(place, tables)
        self.shared = isinstance(place, str)
        self._writing = Writing(keeps_events=self.shared)

    async def open(self) -> None:
        """Connect, and make the tables that are missing."""
        await self.database.open()

    async def close(self) -> None:
        """Let go of the connection."""
        await self.database.close()

    async def write(self, batches: Sequence[Batch]) -> int:
        """Take in batches of several journals, all at once; how many lines that were.

        One that does not begin where the index is in its journal is passed over.
        """
        return await self.database.transact(lambda transaction: self._writing.write(transaction, batches), writes=True)

    async def standings(self) -> dict[str, Standing]:
        """How each journal stands in it."""
        return await self.database.transact(standings)

    async def page(self, wanted: Filter, *, after: Cursor | None, limit: int) -> Page:
        """The next sessions behind ``after``, the newest first."""
        return await self.database.transact(lambda transaction: page(transaction, wanted, after=after, limit=limit))

    async def begins_so(self, start: str) -> list[SessionRow]:
        """A few of the sessions whose id begins so."""
        return await self.database.transact(lambda transaction: begins_so(transaction, start))

    async def spots_of(self, key: int) -> list[Spot]:
        """Where the events of a session stand."""
        return await self.database.transact(lambda transaction: spots_of(transaction, key))

    async def steps_of(self, tickets: Collection[str]) -> set[str]:
        """The journals in which steps of these approvals stand."""
        return await self.database.transact(lambda transaction: steps_of(transaction, tickets))

    async def kept_events(self, spots: Sequence[Spot]) -> dict[tuple[str, int], bytes]:
        """Those of the events that are kept in the index itself, by journal and number."""
        return await self.database.transact(lambda transaction: kept_events(transaction, spots))
