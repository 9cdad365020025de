"""The desk where tickets are opened, answered and used: the ticket machine over a store, each step on the record.

Every step that gives a right is recorded before it counts (an answer as ``answering``, a use as ``used``): where it
cannot be recorded, ``StoreError`` leaves the ticket as it was. A step that loses against another one at the same
instant is recorded as ``superseded``, and its caller is told what the ticket is by then.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from extproc.core import approval
from extproc.core.approval import Refusal
from extproc.core.audit.steps import approval_step, loan_step
from extproc.core.model import Json
from extproc.core.shared_state import Elevation, SharedState
from extproc.core.tickets import ApprovalRule, Approver, Ask, AskKind, Ticket, TicketState, Vote
from extproc.ports import StoreError, TicketStore

__all__ = ["MAX_WAITING", "Desk"]

MAX_WAITING: Final = 10
"""Tickets that one requester may have waiting: an agent that asks for everything tires its approvers (threat A15)."""


class Desk:
    """``record`` stores an audit event or raises ``StoreError``; ``new_id`` makes an unguessable ticket id.

    ``lend`` puts a loan into the shared state. ``shared`` is its newest copy: an answer of
    somebody who is revoked does not count, nor does one that he gave before (threat A08).
    """

    def __init__(
        self,
        tickets: TicketStore,
        *,
        record: Callable[[Mapping[str, Json]], Awaitable[None]],
        clock: Callable[[], int],
        new_id: Callable[[], str],
        lend: Callable[[Elevation], Awaitable[None]],
        shared: Callable[[], SharedState],
    ) -> None:
        self._tickets = tickets
        self._record = record
        self._clock = clock
        self._new_id = new_id
        self._lend = lend
        self._shared = shared

    async def ask(self, ask: Ask, rule: ApprovalRule) -> Ticket | Refusal:
        """The ticket of this question: the one that is open or was denied lately, else a new one.

        Raises:
            StoreError: the question is not known to be asked; nothing may run.
        """
        before = await self.current(await self._tickets.find(approval.digest(ask)))
        if before is not None and self._still_answers(before):
            return before
        ticket = approval.open_ticket(ask, rule, id=self._new_id(), at=self._clock())
        added = await self._tickets.add(ticket, most=MAX_WAITING)
        if added is None:  # some of them may have expired, and nobody has written it down yet
            await self.sweep((ask.issuer, ask.subject))
            added = await self._tickets.add(ticket, most=MAX_WAITING)
        if added is None:
            return Refusal("too_many_waiting", f"{MAX_WAITING} of your requests wait for an answer already.")
        if added.id == ticket.id:  # else somebody asked the same at the same instant
            await self._record(approval_step(at=ticket.created_at, step="asked", ticket=ticket))
        return added

    def _still_answers(self, ticket: Ticket) -> bool:
        if ticket.state is TicketState.DENIED:  # remembered for as long as a question waits
            return self._clock() < ticket.expires_at
        return ticket.state in {TicketState.PENDING, TicketState.APPROVED}

    async def get(self, id: str) -> Ticket | None:  # noqa: A002 - the ticket's own word
        """The ticket as it is now."""
        return await self.current(await self._tickets.get(id))

    async def wait(self, ticket: Ticket, seconds: float) -> Ticket:
        """The ticket once it is no longer pending, or as it is after ``seconds``."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while ticket.state is TicketState.PENDING and (left := deadline - loop.time()) > 0:
            until_expiry = max((ticket.expires_at - self._clock()) / 1e9, 0)
            seen = await self._tickets.changed(ticket.id, after=ticket.revision, seconds=min(left, until_expiry))
            ticket = await self.current(seen) or ticket
        return ticket

    async def answer(
        self,
        id: str,  # noqa: A002 - the ticket's own word
        approver: Approver,
        *,
        approves: bool,
        reason: str,
        force: bool = False,
    ) -> Ticket | Refusal:
        """The ticket with this answer.

        Raises:
            StoreError: the answer is not known to count.
        """
        ticket = await self.get(id)
        if ticket is None:
            return Refusal("unknown", "There is no such request.")
        if self._is_out(approver):
            return Refusal("approver_revoked", "Your access was revoked, so your answer does not count.")
        at = self._clock()
        answered = approval.answer(ticket, approver, approves=approves, reason=reason, at=at, force=force)
        if isinstance(answered, Refusal):
            return answered
        vote = answered.votes[-1]
        await self._record(approval_step(at=at, step="answering", ticket=ticket, vote=vote))
        step = "counted" if answered.state is TicketState.PENDING else str(answered.state)
        if await self._exchange(ticket, answered, step, vote):
            return await self._lent(answered)
        return Refusal("superseded", "Somebody else was faster; look at the request again.")

    async def _lent(self, ticket: Ticket) -> Ticket:
        """The ticket after its role was lent, where it asks for one and is approved; each ticket lends once."""
        if ticket.ask.kind is not AskKind.ACCESS or ticket.state is not TicketState.APPROVED:
            return ticket
        if not self._stands(ticket):
            gone = await self.withdraw(ticket)
            return gone if isinstance(gone, Ticket) else ticket
        at = self._clock()
        used = approval.use(ticket, ticket.ask, at=at)
        if isinstance(used, Refusal) or not await self._exchange(ticket, used, "used", None):
            return ticket
        ask = ticket.ask
        loan = Elevation(
            id=ticket.id,
            issuer=ask.issuer,
            subject=ask.subject,
            role=ask.role,
            at=at,
            until=at + ask.seconds * 1_000_000_000,
            policy_digest=ask.policy_digest,
        )
        await self._record(loan_step(at=at, step="lent", loan=loan, by=ticket.votes[-1].subject))
        await self._lend(loan)
        return used

    async def use(self, id: str, ask: Ask, used: int | None = None) -> Ticket | Refusal:  # noqa: A002 - as above
        """Use the ticket up for exactly this question, or go on where ``used`` is its revision since then.

        Of any number of callers one gets it.

        Raises:
            StoreError: the ticket may be used up, and nothing may run.
        """
        ticket = await self.get(id)
        if ticket is None:
            return Refusal("unknown", "There is no such request.")
        goes_on = used is not None and ticket.state is TicketState.USED
        if (goes_on or ticket.state is TicketState.APPROVED) and not self._stands(ticket):
            await self.withdraw(ticket)
            return Refusal(
                "approver_revoked", "Who approved this call has been put out since. Make it again to ask anew."
            )
        at = self._clock()
        step = approval.use(ticket, ask, at=at) if used is None else approval.resume(ticket, ask, used, at=at)
        if isinstance(step, Refusal):
            return step
        if await self._tickets.exchange(ticket, step):
            await self._record(approval_step(at=at, step="used" if used is None else "resumed", ticket=step, ask=ask))
            return step
        return Refusal("used_elsewhere", "This approval was used by another call at the same time.")

    def _stands(self, ticket: Ticket) -> bool:
        return approval.stands(ticket, self._is_out)

    def _is_out(self, person: Approver | Vote) -> bool:
        shared, at = self._shared(), self._clock()
        if not shared.is_fresh(at):
            raise StoreError("it cannot be told right now who is revoked")
        return shared.is_out(person.issuer, person.subject, at)

    async def withdraw(self, ticket: Ticket) -> Ticket | Refusal:
        """Take a request back."""
        gone = approval.withdraw(ticket, at=self._clock())
        if isinstance(gone, Refusal):
            return gone
        if await self._exchange(ticket, gone, "withdrawn", None):
            return gone
        return Refusal("superseded", "Somebody else was faster; look at the request again.")

    async def sweep(self, requester: tuple[str, str] | None = None) -> None:
        """Write down what has expired meanwhile, and lend what was approved when the store did not answer.

        All of it, or what one (issuer, subject) has asked for.
        """
        for ticket in await self._tickets.due(self._clock(), requester):
            now = await self.current(ticket)
            if now is not None:
                await self._lent(now)

    async def current(self, ticket: Ticket | None) -> Ticket | None:
        """The ticket as it is now; an expiry that nobody has written down yet is written down."""
        if ticket is None:
            return None
        now = approval.settled(ticket, at=self._clock())
        if now is not ticket and not await self._exchange(ticket, now, str(now.state), None):
            return await self._tickets.get(ticket.id)
        return now

    async def _exchange(self, old: Ticket, new: Ticket, step: str, vote: Vote | None) -> bool:
        won = await self._tickets.exchange(old, new)
        if won or vote is not None:
            taken = step if won else "superseded"
            await self._record(approval_step(at=self._clock(), step=taken, ticket=new if won else old, vote=vote))
        return won
