"""Revocations, elevations and pins in the shared database, with the copy that the data path reads.

``watch`` keeps the copy: it looks for a new version several times a second (PostgreSQL also tells), and stamps the
copy with the instant before the look, so that ``as_of`` is a time at which it was true. While the database does not
answer, the copy grows old, and the data path refuses once it is too old.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import MappingProxyType
from typing import Final, TypeVar

import msgspec
import structlog

from extproc.core.shared_state import Elevation, Pin, Revocation, SharedState
from extproc.edges.store.database import Database, Transaction
from extproc.ports import StoreError

__all__ = ["DatabaseSharedState"]

T = TypeVar("T")

LOOK_SECONDS: Final = 0.25

log: Final = structlog.get_logger("extproc.store")

_revocation = msgspec.json.Decoder(Revocation).decode
_elevation = msgspec.json.Decoder(Elevation).decode
_pin = msgspec.json.Decoder(Pin).decode


class DatabaseSharedState:
    """Implements ``ports.SharedStore``.

    ``news`` is awaited with the last known version whenever anything in the database has changed.
    """

    def __init__(
        self,
        database: Database,
        *,
        news: Callable[[int], Awaitable[None]] | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._database = database
        self._news = news
        self._clock = clock
        self._told: list[Callable[[SharedState], None]] = []
        self._version = 0
        self._current = SharedState(as_of=0)
        self._watching = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-news")

    @property
    def current(self) -> SharedState:
        """The copy, as of the last instant at which the database confirmed it."""
        return self._current

    def on_change(self, told: Callable[[SharedState], None]) -> None:
        """Have ``told`` called after every change of the copy."""
        self._told.append(told)

    async def refresh(self) -> None:
        """Look for changes now.

        Raises:
            StoreError: the database does not answer; the copy stays as it was and as old.
        """
        at, seen = self._clock(), self._current

        def work(transaction: Transaction) -> tuple[int, SharedState | None]:
            number, shared = transaction.rows("SELECT number, shared FROM version WHERE one = 1")[0]
            return number, _read(transaction, at, shared) if shared != seen.version else None

        number, fresh = await self._database.transact(work)
        if fresh is None:
            self._current = replace(self._current, as_of=at) if self._current is seen else self._current
        elif fresh.version > self._current.version:  # a look that began earlier may end later
            self._current = fresh
            for told in self._told:
                told(fresh)
        if number != self._version:
            before, self._version = self._version, number
            if self._news is not None:
                await self._news(before)

    async def watch(self) -> None:
        """Keep the copy until cancelled."""
        loop = asyncio.get_running_loop()
        failing = False
        try:
            while True:
                await loop.run_in_executor(self._watching, self._database.wait, LOOK_SECONDS)
                try:
                    await self.refresh()
                except StoreError as failure:
                    if not failing:
                        log.error("the shared state cannot be read; calls are refused soon", problem=str(failure))
                    failing = True
                else:
                    if failing:
                        log.info("the shared state is read again")
                    failing = False
        finally:
            self._watching.shutdown(wait=False)

    async def revoke(self, revocation: Revocation) -> None:
        """Add a revocation; in force here when it returns."""
        await self._put("revocations", revocation.id, revocation.until, revocation)

    async def lend(self, elevation: Elevation) -> None:
        """Add an elevation; in force here when it returns."""
        await self._put("elevations", elevation.id, elevation.until, elevation)

    async def lift(self, id: str) -> bool:  # noqa: A002 - the revocation's own word
        """End a revocation; False where there is none of this id."""
        return await self._remove("revocations", id)

    async def end_loan(self, id: str) -> bool:  # noqa: A002 - as above
        """End an elevation before its time; False where there is none of this id."""
        return await self._remove("elevations", id)

    async def note(self, seen: Pin, *, pins_first: bool) -> str | None:
        """Keep a definition that was seen.

        Says what it is: ``pinned`` (the first, approved by that), ``found`` (the first, to be approved), ``changed``,
        ``restored`` (the approved one again), None where that is known already.
        """
        key = (seen.server, seen.tool)

        def work(transaction: Transaction) -> str | None:
            approved = transaction.rows("SELECT body FROM pins WHERE server = ? AND tool = ?", *key)
            waiting = transaction.rows("SELECT body FROM candidates WHERE server = ? AND tool = ?", *key)
            if approved and _pin(approved[0][0]).digest == seen.digest:
                if waiting:
                    _forget(transaction, "candidates", key)
                return "restored" if waiting else None
            if waiting and _pin(waiting[0][0]).digest == seen.digest:
                return None
            first = not approved
            _keep(transaction, "pins" if first and pins_first else "candidates", seen)
            return ("pinned" if pins_first else "found") if first else "changed"

        return await self._shared_change(work)

    async def approve(self, pin: Pin) -> bool:
        """Approve exactly this definition, by hand; False where it is no longer the one that waits."""
        key = (pin.server, pin.tool)

        def work(transaction: Transaction) -> bool:
            waiting = transaction.rows("SELECT body FROM candidates WHERE server = ? AND tool = ?", *key)
            if not waiting or _pin(waiting[0][0]).digest != pin.digest:
                return False
            _forget(transaction, "candidates", key)
            _keep(transaction, "pins", pin)
            return True

        return await self._shared_change(work)

    async def _put(self, table: str, key: str, until: int | None, value: Revocation | Elevation) -> None:
        statement = f"INSERT INTO {table}(id, until, body) VALUES(?, ?, ?)"
        await self._change(statement, key, until, msgspec.json.encode(value).decode())

    async def _remove(self, table: str, key: str) -> bool:
        return await self._change(f"DELETE FROM {table} WHERE id = ?", key) == 1  # noqa: S608 - two constants

    async def _change(self, statement: str, *values: object) -> int:
        return await self._shared_change(lambda transaction: transaction.change(statement, *values))

    async def _shared_change(self, work: Callable[[Transaction], T]) -> T:
        at = self._clock()

        def whole(transaction: Transaction) -> T:
            transaction.next_version(shared=True)
            for table in ("revocations", "elevations"):
                transaction.change(f"DELETE FROM {table} WHERE until <= ?", at)  # noqa: S608 - two constants
            return work(transaction)

        changed = await self._database.transact(whole, writes=True)
        await self.refresh()
        return changed


def _keep(transaction: Transaction, table: str, pin: Pin) -> None:
    body = msgspec.json.encode(pin).decode()
    statement = f"INSERT INTO {table}(server, tool, body) VALUES(?, ?, ?) "
    conflict = "ON CONFLICT(server, tool) DO UPDATE SET body = excluded.body"
    transaction.change(statement + conflict, pin.server, pin.tool, body)


def _forget(transaction: Transaction, table: str, key: tuple[str, str]) -> None:
    transaction.change(f"DELETE FROM {table} WHERE server = ? AND tool = ?", *key)  # noqa: S608 - two constants


def _pins(transaction: Transaction, table: str) -> Mapping[tuple[str, str], Pin]:
    rows = transaction.rows(f"SELECT body FROM {table}")  # noqa: S608 - two constants
    return MappingProxyType({(pin.server, pin.tool): pin for pin in (_pin(row[0]) for row in rows)})


def _read(transaction: Transaction, at: int, version: int) -> SharedState:
    return SharedState(
        as_of=at,
        version=version,
        revocations=tuple(_revocation(row[0]) for row in transaction.rows("SELECT body FROM revocations ORDER BY id")),
        elevations=tuple(_elevation(row[0]) for row in transaction.rows("SELECT body FROM elevations ORDER BY id")),
        pins=_pins(transaction, "pins"),
        candidates=_pins(transaction, "candidates"),
    )
