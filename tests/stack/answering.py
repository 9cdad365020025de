"""Humans who answer: a desk of their own at the store of a gateway, as a console on another node would have it."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from extproc.core.shared_state import NOTHING_SHARED, Elevation
from extproc.core.tickets import Approver, Ticket, TicketState
from extproc.desk import Desk
from extproc.edges.store.database import open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.edges.store.tickets import DatabaseTickets
from extproc.office import new_id
from stack.calls import until

__all__ = ["DAN", "Humans", "humans"]

DAN: Final = Approver(issuer="https://people.example.com", subject="dan", groups=frozenset({"dba"}), name="dan")


class Humans:
    """Dan of the group ``dba``, and what he sees."""

    def __init__(self, tickets: DatabaseTickets, shared: DatabaseSharedState) -> None:
        self.tickets = tickets
        self.shared = shared
        self.desk = Desk(
            tickets,
            record=_nowhere,
            clock=time.time_ns,
            new_id=new_id,
            lend=shared.lend,
            shared=lambda: NOTHING_SHARED,
        )

    async def waiting(self, arguments: str | None = None) -> list[Ticket]:
        """The pending tickets; those for exactly these arguments, where given."""
        found = [each for each in await self.tickets.waiting() if each.state is TicketState.PENDING]
        return [each for each in found if arguments is None or each.ask.arguments == arguments]

    async def one(self, arguments: str) -> Ticket:
        """The ticket for these arguments, once it waits."""
        (found,) = await until(lambda: self.waiting(arguments))
        return found

    async def says(self, ticket: Ticket, *, approves: bool, reason: str = "seen") -> Ticket:
        """The answer, which must count."""
        answered = await self.desk.answer(ticket.id, DAN, approves=approves, reason=reason)
        assert isinstance(answered, Ticket), answered
        return answered

    async def lend(self, issuer: str, subject: str, role: str) -> Elevation:
        """Lend a role for an hour."""
        at = time.time_ns()
        loan = Elevation(id=new_id(), issuer=issuer, subject=subject, role=role, at=at, until=at + 3_600_000_000_000)
        await self.shared.lend(loan)
        return loan


async def _nowhere(_: Any) -> None:
    """What this desk does is no record of the gateway's."""


@asynccontextmanager
async def humans(place: Path | str) -> AsyncIterator[Humans]:
    """At the SQLite file, or the PostgreSQL URL, of a gateway that has been started."""
    database = open_database(place)
    await database.open()
    tickets = DatabaseTickets(database)
    try:
        yield Humans(tickets, DatabaseSharedState(database, news=tickets.news))
    finally:
        await database.close()
