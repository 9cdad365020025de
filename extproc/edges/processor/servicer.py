"""The ext_proc stream: read a message, hand it to the corridor, carry out its commands, write the answer.

Nothing here knows MCP, policy or HTTP/2. What it does know is how a stream may end (invariant 4): cleanly only when the
corridor says that the exchange is over; every other way out, a bug included, is an error status, so that Envoy
refuses instead of going on uninspected. What takes long to look at is handled beside the loop (``lanes``), one event
of a stream after the other as everything else.
"""

import asyncio
import math
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from extproc.core.exchange import (
    Answer,
    AskApproval,
    BodyReceived,
    Closed,
    Command,
    Conclude,
    CountSession,
    DeadlinePassed,
    Event,
    Exchange,
    Forward,
    Inspect,
    NoteDefinitions,
    NoteMessages,
    NoteQuestion,
    QuotasTaken,
    SessionCounted,
    Snapshot,
    Store,
    Stored,
    StoreFailed,
    TakeQuotas,
    UseApproval,
    WantKeys,
)
from extproc.edges.processor.lanes import LIGHT_BYTES, Lanes
from extproc.edges.processor.stream import EOF, EnvoyGone, Status, Stream, StreamFault
from extproc.edges.processor.translate import ProtocolFault, Translation, decode
from extproc.edges.processor.translate.answers import patience
from extproc.ports import Approvals, Aside, Counters, Journal, Metrics, StoreError

__all__ = ["Servicer"]

SESSION_MEMORY_SECONDS = 30 * 60
"""A session without calls for so long is over (the sessionless revision's rule, used for all)."""
_ASKED: Final = frozenset({Store, CountSession, TakeQuotas, AskApproval, UseApproval})
"""What the world answers with an event."""
_Made = TypeVar("_Made")


class Servicer:
    """Serves ``ExternalProcessor/Process``; one ``Exchange`` per stream."""

    def __init__(
        self,
        *,
        open_exchange: Callable[[], Exchange],
        snapshot: Callable[[], Snapshot],
        journal: Journal,
        counters: Counters,
        metrics: Metrics,
        want_keys: Callable[[], None],
        approvals: Approvals,
        stands: Callable[[Exchange], bool],
        definitions: Callable[[str, NoteDefinitions], Awaitable[None]],
        names: Aside | None = None,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._open_exchange = open_exchange
        self._snapshot = snapshot
        self._journal = journal
        self._counters = counters
        self._metrics = metrics
        self._want_keys = want_keys
        self._approvals = approvals
        self._stands = stands
        self._definitions = definitions
        self._names = names
        self._clock = clock
        self._late: set[asyncio.Task[Any]] = set()
        self._lanes = Lanes()
        self._aside: dict[Exchange, asyncio.Task[deque[Command]]] = {}
        """The exchanges that are in a lane right now."""
        self._gone: set[Exchange] = set()
        """Those of them that nobody waits for any more."""
        self._superseded = asyncio.Event()
        self._beside: Mapping[type, Callable[[Exchange, Any], Coroutine[Any, Any, None]]] = {
            Conclude: self._conclude,
            NoteDefinitions: self._note,
            NoteQuestion: self._note_question,
        }

    def supersede(self) -> None:
        """Ask every stream of events whether what it rests on still stands; one whose ground is gone ends."""
        self._superseded.set()
        self._superseded = asyncio.Event()

    async def settle(self) -> None:
        """Wait until the last records of closed streams are stored."""
        while self._late:
            await asyncio.wait(self._late)

    async def serve(self, server: str, stream: Stream) -> None:
        """Serve one stream, of a route of ``server``, to its end."""
        self._metrics.streams(1)
        exchange: Exchange | None = None
        try:
            exchange, superseded = self._open_exchange(), self._superseded
            ended = await self._converse(exchange, server, stream, superseded)
            if ended is True and exchange.over:
                await stream.finish()
            else:
                await self._abort(stream, "unanswered", "the exchange was not over")
        except EnvoyGone:
            return
        except (ProtocolFault, StreamFault) as fault:
            await self._abort(stream, "protocol", str(fault))
        except asyncio.CancelledError:
            await self._abort(stream, "cancelled", "the exchange was cancelled", Status.CANCELLED)
            raise
        except Exception as bug:  # noqa: BLE001 - the outermost loop: whatever went wrong, Envoy must not go on
            await self._abort(stream, "bug", type(bug).__name__)
        finally:
            self._metrics.streams(-1)
            if exchange is not None:
                self._close(exchange)

    async def _abort(self, stream: Stream, reason: str, why: str, status: Status = Status.INTERNAL) -> None:
        if await stream.abort(status, why):
            self._metrics.aborted(reason=reason)

    async def _converse(self, exchange: Exchange, server: str, stream: Stream, superseded: asyncio.Event) -> bool:
        """Talk until the exchange is over; True once everything owed is written, False where Envoy ended it before."""
        begun = time.perf_counter()
        translation = Translation(server)
        until: float | None = None
        while not exchange.over:
            frame = await (stream.read() if until is None else self._read(exchange, stream, until, superseded))
            if frame is EOF:
                return False
            coming = deque(self._events(frame, translation))
            frame = None  # while a call is held, its body is kept once, and not here
            while coming and not exchange.over:  # refused on its head: the body that came along is not looked at
                due = await self._owed(exchange, coming.popleft())
                while due:
                    command = due.popleft()
                    kind = type(command)
                    if kind in _ASKED:
                        due.extend(await self._owed(exchange, await self._ask(command, stream)))
                        continue
                    if kind is Forward or kind is Answer:
                        # Envoy may end the stream as soon as it has read a refusal, in the middle of our write
                        self._count(exchange, time.perf_counter() - begun)
                    await self._do(command, translation, stream)
                    if isinstance(command, Forward):
                        until = command.until
                    elif until is None and isinstance(command, Inspect) and command.streams:
                        until = math.inf
        return True

    async def _do(self, command: Command, translation: Translation, stream: Stream) -> None:
        """Carry out what nobody answers."""
        if isinstance(command, NoteMessages):
            await self._note_messages(command)
        elif isinstance(command, WantKeys):
            self._want_keys()
        else:
            for answer in translation.frames(command):
                await stream.write(answer)

    def _events(self, frame: Any, translation: Translation) -> tuple[Event, ...]:
        at = self._clock()
        if frame is None:
            return (DeadlinePassed(at=at),)
        events = translation.events(decode(frame), at)
        if len(events) == 1 and isinstance(events[0], BodyReceived):
            # it came later than its head, as late as its sender liked: somebody may have been put out meanwhile
            return (replace(events[0], snapshot=self._snapshot()),)
        return events

    def _count(self, exchange: Exchange, seconds: float) -> None:
        verdict = exchange.verdict
        self._metrics.decided(server=verdict.server, verb=verdict.verb, effect=verdict.effect, seconds=seconds)
        self._metrics.masked(server=verdict.server, counts=verdict.masked)

    async def _read(self, exchange: Exchange, stream: Stream, until: float, superseded: asyncio.Event) -> Any:
        """The next message, ``EOF``, or None where a long stream must end: its time is up, or what it rests on."""
        reading: asyncio.Future[Any] | None = None
        try:
            while True:
                left = until - self._clock() / 1e9
                if left <= 0 or (superseded.is_set() and not self._stands(exchange)):
                    return None  # also where the next message is there already
                if superseded.is_set():
                    superseded = self._superseded
                if reading is None:
                    reading = asyncio.ensure_future(stream.read())
                superseding = asyncio.ensure_future(superseded.wait())
                try:
                    await asyncio.wait(
                        {reading, superseding},
                        timeout=None if math.isinf(left) else left,
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                finally:
                    superseding.cancel()
                if reading.done():
                    return reading.result()
        finally:
            if reading is not None:  # where the message did not come, the exchange ends here, and with it the stream
                reading.cancel()

    async def _ask(self, command: Any, stream: Stream) -> Event:
        """The answer to one of ``_ASKED``."""
        try:
            match command:
                case Store(event=record):
                    await self._journal.append(record)
                    return Stored(at=self._clock())
                case CountSession(key=key):
                    now = self._clock() / 1e9
                    calls = await self._counters.count(key, seconds=SESSION_MEMORY_SECONDS, now=now)
                    return SessionCounted(at=self._clock(), calls=calls)
                case TakeQuotas(quotas=quotas):
                    for quota in quotas:
                        now = self._clock() / 1e9
                        if not await self._counters.take(quota.key, calls=quota.calls, seconds=quota.seconds, now=now):
                            return QuotasTaken(at=self._clock(), exceeded=quota)
                    return QuotasTaken(at=self._clock(), exceeded=None)
                case AskApproval(seconds=seconds):
                    if seconds > 0:
                        await stream.write(patience(seconds))
                    return await self._approvals.ask(command)
                case _:
                    return await self._approvals.use(command)
        except StoreError as failure:
            self._metrics.journal_failed()
            return StoreFailed(at=self._clock(), reason=str(failure))

    async def _conclude(self, exchange: Exchange, command: Conclude) -> None:
        server, seconds = exchange.verdict.server, command.nanoseconds / 1e9
        self._metrics.concluded(server=server, result=command.result, seconds=seconds)
        self._metrics.masked(server=server, counts=command.masked)
        if command.event is not None:
            try:
                await self._journal.append(command.event)
            except StoreError:  # what happened already cannot be refused any more
                self._metrics.journal_failed()

    async def _owed(self, exchange: Exchange, event: Event) -> deque[Command]:
        """What an event makes due, handled beside the loop where it takes long."""
        weight = exchange.weight(event)
        if weight <= LIGHT_BYTES:
            if self._names is None or not self._names.is_loaded:
                return self._due(exchange, exchange.handle(event))
            return self._due(exchange, await self._names.run(exchange.handle, event))
        # a task of its own: what a lane has begun ends, and is on record, also where the stream ends before
        aside = self._aside[exchange] = self._later(self._beside_the_loop(exchange, event, weight))
        return await asyncio.shield(aside)

    async def _beside_the_loop(self, exchange: Exchange, event: Event, weight: int) -> deque[Command]:
        try:
            commands = await self._lanes.run(partial(self._unless_gone, exchange), event, weight=weight)
        finally:
            del self._aside[exchange]
        return self._due(exchange, commands)

    def _unless_gone(self, exchange: Exchange, event: Event) -> tuple[Command, ...]:
        """Handle an event in a lane, unless nobody waits for it any more."""
        return () if exchange in self._gone else exchange.handle(event)

    def _due(self, exchange: Exchange, commands: Iterable[Command]) -> deque[Command]:
        """What is due, in order; the last record is on its way to the journal already.

        Envoy cancels the stream as soon as the client has its last byte, which can be in the middle of our last write:
        nothing that is owed to the record may stand behind a write.
        """
        due: deque[Command] = deque()
        for command in commands:
            beside = self._beside.get(type(command))
            if beside is None:
                due.append(command)
            else:
                self._later(beside(exchange, command))
        return due

    def _later(self, work: Coroutine[Any, Any, _Made]) -> asyncio.Task[_Made]:
        task = asyncio.ensure_future(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return task

    async def _note(self, exchange: Exchange, command: NoteDefinitions) -> None:
        try:
            await self._definitions(exchange.verdict.server, command)
        except StoreError:  # seen again with the next list
            self._metrics.journal_failed()

    async def _note_messages(self, command: NoteMessages) -> None:
        try:
            await self._journal.append(*command.events)
        except StoreError:  # the call is on record, and cannot be refused any more
            self._metrics.journal_failed()

    async def _note_question(self, exchange: Exchange, command: NoteQuestion) -> None:
        question = command.question
        self._metrics.asked(server=exchange.verdict.server, kind=question.kind, effect=question.effect)
        try:
            await self._journal.append(command.event)
        except StoreError:  # what the client answers is recorded before it leaves, or does not leave
            self._metrics.journal_failed()

    def _close(self, exchange: Exchange) -> None:
        closed = Closed(at=self._clock())
        may_wait = self._names is not None and self._names.is_loaded
        if exchange in self._aside or may_wait or exchange.weight(closed) > LIGHT_BYTES:
            self._later(self._close_aside(exchange, closed))
        else:
            self._due(exchange, exchange.handle(closed))

    async def _close_aside(self, exchange: Exchange, closed: Closed) -> None:
        aside = self._aside.get(exchange)
        if aside is not None:  # what waits for its turn is not begun, and what is begun ends
            self._gone.add(exchange)
            await asyncio.wait({aside})
            self._gone.discard(exchange)
        await self._owed(exchange, closed)
