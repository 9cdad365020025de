"""Who is told of which tickets, and when: every waiting ticket once per channel, one requester's in one message.

Looks at the waiting tickets at intervals; those that one requester opened between two looks go out together, so an
agent that asks for a hundred things rings once (threat A15). A channel that fails is tried again with growing pauses
for as long as the ticket waits; nothing here ever decides anything.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog

from extproc.core.tickets import Ticket, TicketState
from extproc.edges.notify.channels import Channel, NotifyError
from extproc.ports import StoreError, TicketStore

__all__ = ["Notifier"]

LOOK_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 60.0

log: Final = structlog.get_logger("extproc.notify")


@dataclass(slots=True)
class _Told:
    """What one channel has told, and when it may be tried again after a failure."""

    channel: Channel
    tickets: set[str] = field(default_factory=set)
    failures: int = 0
    not_before: float = 0.0


class Notifier:
    """Tells ``channels`` of the tickets in ``tickets``; ``url_of`` is where one is answered, None without a console."""

    def __init__(
        self,
        tickets: TicketStore,
        channels: Sequence[Channel],
        *,
        url_of: Callable[[Ticket], str | None],
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._tickets = tickets
        self._told = [_Told(channel) for channel in channels]
        self._url_of = url_of
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_SECONDS)

    async def look(self) -> None:
        """Tell each channel of what it was not told yet."""
        try:
            pending = await self._tickets.pending()
            waiting = [
                ticket
                for each in pending
                if any(each not in told.tickets for told in self._told)
                and (ticket := await self._tickets.get(each)) is not None
                and ticket.state is TicketState.PENDING
            ]
        except StoreError as failure:
            log.error("waiting requests cannot be read; nobody is told of them", problem=str(failure))
            return
        at = self._clock()
        for told in self._told:
            told.tickets.intersection_update(pending)
            if at / 1e9 >= told.not_before:
                await self._tell(told, [ticket for ticket in waiting if ticket.id not in told.tickets], at)

    async def _tell(self, told: _Told, tickets: Sequence[Ticket], at: int) -> None:
        by_requester: defaultdict[tuple[str, str], list[Ticket]] = defaultdict(list)
        for ticket in tickets:
            by_requester[(ticket.ask.issuer, ticket.ask.subject)].append(ticket)
        for group in by_requester.values():
            try:
                await told.channel.send(group, self._url_of, at)
            except NotifyError as failure:
                told.failures += 1
                told.not_before = at / 1e9 + min(2.0**told.failures, LONGEST_PAUSE_SECONDS)
                log.error("approvers could not be told; trying again", problem=str(failure), failures=told.failures)
                return
            told.failures = 0
            told.tickets |= {ticket.id for ticket in group}
