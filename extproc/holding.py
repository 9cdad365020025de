"""Between the data path and the desk: a held call waits here, within caps, and uses its approval here.

A worker that holds too many calls answers at once instead of waiting: the ticket is open all the same, and the
identical later call finds it. Nothing here decides; what the corridor is told is decided again there.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

from extproc.core.approval import Refusal
from extproc.core.exchange import ApprovalAnswered, ApprovalRefused, ApprovalUsed, AskApproval, Snapshot, UseApproval
from extproc.core.tickets import Ticket, TicketState
from extproc.desk import Desk

__all__ = ["MAX_HELD", "MAX_HELD_EACH", "Holding"]

MAX_HELD: Final = 2000
"""Calls that one worker holds open."""
MAX_HELD_EACH: Final = 20
"""Calls that one worker holds open for one requester."""


class Holding:
    """Implements ``ports.Approvals``; ``snapshot`` is what is true now."""

    def __init__(self, desk: Desk, *, snapshot: Callable[[], Snapshot], clock: Callable[[], int]) -> None:
        self._desk = desk
        self._snapshot = snapshot
        self._clock = clock
        self._held: Counter[tuple[str, str]] = Counter()
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Have every held call decided anew: somebody was revoked, or the policy is another one."""
        self._woken.set()
        self._woken = asyncio.Event()

    async def ask(self, command: AskApproval) -> ApprovalAnswered | ApprovalRefused:
        """The ticket once it is answered, or as it is when the hold is over."""
        ticket = await self._desk.ask(command.ask, command.rule)
        if isinstance(ticket, Refusal):
            return ApprovalRefused(at=self._clock(), reason=ticket.reason, words=ticket.words)
        if ticket.state is TicketState.PENDING and command.seconds > 0:
            ticket = await self._wait(ticket, command.seconds)
        return ApprovalAnswered(at=self._clock(), ticket=ticket, snapshot=self._snapshot())

    async def _wait(self, ticket: Ticket, seconds: float) -> Ticket:
        requester = (ticket.ask.issuer, ticket.ask.subject)
        if self._held.total() >= MAX_HELD or self._held[requester] >= MAX_HELD_EACH:
            return ticket
        self._held[requester] += 1
        waiting = asyncio.ensure_future(self._desk.wait(ticket, seconds))
        woken = asyncio.ensure_future(self._woken.wait())
        try:
            await asyncio.wait({waiting, woken}, return_when=asyncio.FIRST_COMPLETED)
            return waiting.result() if waiting.done() else ticket
        finally:
            waiting.cancel()
            woken.cancel()
            self._held[requester] -= 1
            if not self._held[requester]:
                del self._held[requester]

    async def use(self, command: UseApproval) -> ApprovalUsed | ApprovalRefused:
        """The ticket used up for exactly this call, or why not."""
        used = await self._desk.use(command.ticket, command.ask, command.used)
        if isinstance(used, Refusal):
            return ApprovalRefused(at=self._clock(), reason=f"approval_{used.reason}", words=used.words)
        return ApprovalUsed(at=self._clock(), ticket=used)
