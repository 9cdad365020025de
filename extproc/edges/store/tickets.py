"""Tickets in the shared database: one open ticket per question, each revision taken by exactly one."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

import msgspec

from extproc.core.tickets import AskKind, Ticket, TicketState
from extproc.edges.store.database import Database, Transaction

__all__ = ["DatabaseTickets"]

_OPEN = "state IN ('pending', 'approved')"
_PAGE = 32
_decode = msgspec.json.Decoder(Ticket).decode


def _encoded(ticket: Ticket) -> str:
    return msgspec.json.encode(ticket).decode()


def _is_due(ticket: Ticket, at: int) -> bool:
    lends = ticket.state is TicketState.APPROVED and ticket.ask.kind is AskKind.ACCESS
    return lends or ticket.expires_at <= at


def _tickets(rows: Iterable[tuple[str]]) -> list[Ticket]:
    return [_decode(row[0]) for row in rows]


class DatabaseTickets:
    """Implements ``ports.TicketStore``; ``news`` is what a watcher of the database calls for those who wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: defaultdict[str, set[asyncio.Event]] = defaultdict(set)

    async def add(self, ticket: Ticket, *, most: int | None = None) -> Ticket | None:
        """Store a new ticket, or give back the open one of the same digest; None where ``most`` wait already."""
        ask = ticket.ask
        same = f"SELECT body FROM tickets WHERE digest = ? AND {_OPEN}"  # noqa: S608 - a constant
        waiting = "SELECT count(*) FROM tickets WHERE issuer = ? AND subject = ? AND state = ?"

        def work(transaction: Transaction) -> Ticket | None:
            version = transaction.next_version()  # from here on nobody else adds any: who counts, counts all
            if open_ones := _tickets(transaction.rows(same, ticket.digest)):
                return open_ones[0]
            count = transaction.rows(waiting, ask.issuer, ask.subject, str(TicketState.PENDING))[0][0]
            if most is not None and count >= most:
                return None
            transaction.change(
                "INSERT INTO tickets(id, digest, state, issuer, subject, created_at, revision, version, body) "
                "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(ticket.id, ticket.digest, str(ticket.state), ask.issuer, ask.subject),
                *(ticket.created_at, ticket.revision, version, _encoded(ticket)),
            )
            return ticket

        return await self._database.transact(work, writes=True)

    async def get(self, id: str) -> Ticket | None:  # noqa: A002 - the ticket's own word
        """The ticket as it was last stored."""
        found = await self._rows("SELECT body FROM tickets WHERE id = ?", id)
        return found[0] if found else None

    async def find(self, digest: str) -> Ticket | None:
        """The newest ticket of a digest."""
        statement = "SELECT body FROM tickets WHERE digest = ? ORDER BY created_at DESC, version DESC LIMIT 1"
        found = await self._rows(statement, digest)
        return found[0] if found else None

    async def exchange(self, old: Ticket, new: Ticket) -> bool:
        """Put ``new`` in the place of exactly ``old``."""

        def work(transaction: Transaction) -> bool:
            # who is late changes nothing, and so has no disk to wait for and nobody to wake
            there = "SELECT 1 FROM tickets WHERE id = ? AND revision = ?"
            if not transaction.rows(there, old.id, old.revision):
                return False
            version = transaction.next_version()
            statement = (
                "UPDATE tickets SET state = ?, revision = ?, version = ?, body = ? WHERE id = ? AND revision = ?"
            )
            values = (str(new.state), new.revision, version, _encoded(new), old.id, old.revision)
            return transaction.change(statement, *values) == 1

        done = await self._database.transact(work, writes=True)
        if done:
            self._wake([old.id])
        return done

    async def waiting(self) -> Sequence[Ticket]:
        """All tickets that are pending or approved, the oldest first."""
        return await self._rows(f"SELECT body FROM tickets WHERE {_OPEN} ORDER BY created_at")  # noqa: S608 - a constant

    async def due(self, at: int, requester: tuple[str, str] | None = None) -> Sequence[Ticket]:
        """The open tickets that somebody has to do something about, read page by page."""
        which, values = (_OPEN, ()) if requester is None else (f"{_OPEN} AND issuer = ? AND subject = ?", requester)
        return await self._among(which, values, lambda ticket: _is_due(ticket, at))

    async def forget(self, is_over: Callable[[Ticket], bool]) -> int:
        """Delete those that are no longer open and over."""
        over = [each.id for each in await self._among(f"NOT ({_OPEN})", (), is_over)]
        if not over:
            return 0
        statement = f"DELETE FROM tickets WHERE id = ? AND NOT ({_OPEN})"  # noqa: S608 - a constant
        return await self._database.transact(
            lambda transaction: sum(transaction.change(statement, each) for each in over), writes=True
        )

    async def _among(self, which: str, values: Sequence[str], wanted: Callable[[Ticket], bool]) -> list[Ticket]:
        """The wanted ones, read page by page."""
        statement = f"SELECT id, body FROM tickets WHERE {which} AND id > ? ORDER BY id LIMIT {_PAGE}"  # noqa: S608 - constants
        found: list[Ticket] = []

        def page(transaction: Transaction, after: str) -> str | None:
            rows = transaction.rows(statement, *values, after)
            found.extend(ticket for _, body in rows if wanted(ticket := _decode(body)))
            return rows[-1][0] if len(rows) == _PAGE else None

        last: str | None = ""
        while last is not None:  # a transaction each: calls that are held want their turn
            last = await self._database.transact(lambda transaction, after=last: page(transaction, after))  # type: ignore[misc]
        return found

    async def pending(self) -> Sequence[str]:
        """The ids of all pending tickets, the oldest first."""
        statement = "SELECT id FROM tickets WHERE state = ? ORDER BY created_at"
        state = str(TicketState.PENDING)
        rows = await self._database.transact(lambda transaction: transaction.rows(statement, state))
        return [row[0] for row in rows]

    async def latest(self, *, limit: int, before: int | None = None) -> Sequence[Ticket]:
        """The newest tickets of any state."""
        if before is None:
            return await self._rows("SELECT body FROM tickets ORDER BY created_at DESC LIMIT ?", limit)
        statement = "SELECT body FROM tickets WHERE created_at < ? ORDER BY created_at DESC LIMIT ?"
        return await self._rows(statement, before, limit)

    async def changed(self, id: str, *, after: int, seconds: float) -> Ticket | None:  # noqa: A002
        """The ticket once its revision is higher than ``after``, or as it is after ``seconds``."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        news = asyncio.Event()
        self._waiting[id].add(news)
        try:
            while True:
                news.clear()  # before looking: what comes after the look is news
                # only the number: a ticket holds all the arguments, and thousands may wait
                revision = await self._revision(id)
                left = deadline - loop.time()
                if revision is None or revision > after or left <= 0:
                    return await self.get(id)
                try:
                    await asyncio.wait_for(news.wait(), left)
                except TimeoutError:
                    continue
        finally:
            self._waiting[id].discard(news)
            if not self._waiting[id]:
                del self._waiting[id]

    async def _revision(self, id: str) -> int | None:  # noqa: A002
        statement = "SELECT revision FROM tickets WHERE id = ?"
        rows = await self._database.transact(lambda transaction: transaction.rows(statement, id))
        return int(rows[0][0]) if rows else None

    async def news(self, since: int) -> None:
        """Wake those who wait for a ticket that changed after version ``since``."""
        if self._waiting:
            rows = await self._database.transact(
                lambda transaction: transaction.rows("SELECT id FROM tickets WHERE version > ?", since)
            )
            self._wake(row[0] for row in rows)

    def _wake(self, ids: Iterable[str]) -> None:
        for each in ids:
            for news in self._waiting.get(each, ()):
                news.set()

    async def _rows(self, statement: str, *values: object) -> list[Ticket]:
        return await self._database.transact(lambda transaction: _tickets(transaction.rows(statement, *values)))
