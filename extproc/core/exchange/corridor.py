"""The corridor: one HTTP exchange as a state machine, events in, commands out (sans-io).

It owns the order of the walk (identity, wire, policy, audit, forward, response) and holds no rule. Its moves are a
table; an event that no row allows, and any bug in a room, lead to ``FAILED``, whose only output is to abort the
stream: Envoy then fails closed (invariants 2 and 4). ``Forward`` leaves only in answer to ``Stored`` (invariant 3).
"""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

from msgspec.structs import replace

from extproc.core.approval import digest
from extproc.core.exchange.commands import (
    Abort,
    Acknowledge,
    Answer,
    Command,
    Conclude,
    CountSession,
    Forward,
    Pass,
    TakeQuotas,
    UseApproval,
    WantKeys,
)
from extproc.core.exchange.events import (
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalUsed,
    BodyReceived,
    Closed,
    DeadlinePassed,
    Event,
    HeadReceived,
    QuotasTaken,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    SessionCounted,
    Stored,
    StoreFailed,
)
from extproc.core.exchange.owing import owes_response
from extproc.core.exchange.request import Request, known
from extproc.core.exchange.responding import Responding
from extproc.core.exchange.snapshot import Snapshot, Verdict
from extproc.core.exchange.visible import Visible
from extproc.core.exchange.weighing import weight
from extproc.core.model import Decision, Effect, Message
from extproc.core.policy import decide
from extproc.core.rejection import INTERNAL_ERROR, INVALID_REQUEST, Rejection
from extproc.core.tickets import Ask, Ticket, TicketState
from extproc.core.wire import mcp, replies

__all__ = ["Exchange"]


class State(StrEnum):
    """Where an exchange is; ``OVER`` and ``FAILED`` are sinks."""

    HEAD = "head"
    BODY = "body"
    COUNTING = "counting"
    CANCELLING = "cancelling"
    HOLDING = "holding"
    LIMITING = "limiting"
    CHECKING = "checking"
    USING = "using"
    STORING = "storing"
    FORWARDED = "forwarded"
    RESPONDING = "responding"
    OVER = "over"
    FAILED = "failed"


class Exchange:
    """One HTTP request and its response."""

    def __init__(self, snapshot: Snapshot, *, decision_id: str) -> None:
        self._request = Request(snapshot, decision_id)
        self._state = State.HEAD
        self._decision: Decision | None = None
        self._ask: Ask | None = None
        self._ticket: Ticket | None = None
        self._pending: Answer | Forward | Pass | None = None
        self._responding: Responding | None = None
        self.verdict = Verdict()

    @property
    def over(self) -> bool:
        """Whether the stream may end cleanly: everything owed is answered."""
        return self._state is State.OVER

    def stands(self, snapshot: Snapshot, at: int) -> bool:
        """Whether a response that goes on for long may still go on under what is true by now."""
        return self._request.stands(snapshot, at)

    def weight(self, event: Event) -> int:
        """How many bytes handling an event looks at; where it is much, whoever serves others does it beside them."""
        return weight(event, self._request.size if self._responding is None else 0, self._responding)

    def handle(self, event: Event) -> tuple[Command, ...]:
        """Take one event and return what must be done, in order. Never raises."""
        move = _MOVES.get((self._state, type(event)))
        try:
            if move is not None:
                return move(self, event)
        except Exception as bug:  # noqa: BLE001 - any bug in any room: poisoned, and Envoy fails closed
            return self._fail(f"bug: {type(bug).__name__}")
        if isinstance(event, Closed):
            return ()
        return self._fail(f"{type(event).__name__} while {self._state}")

    def _fail(self, reason: str) -> tuple[Command, ...]:
        self._state = State.FAILED
        return (Abort(reason=reason),)

    # --- the request ---------------------------------------------------------------------------------------------

    def _on_head(self, event: HeadReceived) -> tuple[Command, ...]:
        request = self._request
        if event.head.server in request.snapshot.policy.servers:
            self.verdict = Verdict(server=event.head.server)
        no = request.identify(event.head, event.at)
        if no is not None:
            wanted = (WantKeys(),) if request.wants_keys(no) else ()
            return (*wanted, *self._refuse(event.at, no))
        if event.bodiless:
            return self._on_message(event.at, mcp.read_bodiless(event.head), 0)
        self._state = State.BODY
        return (Acknowledge(),)

    def _on_body(self, event: BodyReceived) -> tuple[Command, ...]:
        no = None if event.snapshot is None else self._request.renew(event.snapshot, event.at)
        if no is not None:
            return self._refuse(event.at, no)
        read = mcp.read_message(known(self._request.head), event.body)
        return self._on_message(event.at, read, len(event.body))

    def _on_message(self, at: int, read: Message | Rejection, size: int) -> tuple[Command, ...]:
        no = self._request.take(read, size, at)
        if no is not None:
            return self._refuse(at, no)
        key = self._request.counts_session()
        if key is not None:
            self._state = State.COUNTING
            return (CountSession(key=key),)
        return self._judged(at, self._request.judge())

    def _on_counted(self, event: SessionCounted) -> tuple[Command, ...]:
        self._request.session_calls = event.calls
        return self._judged(event.at, self._request.judge())

    def _judged(self, at: int, decision: Decision) -> tuple[Command, ...]:
        self._decision = decision
        if decision.effect is not Effect.HOLD or decision.shadowed:
            key = self._request.cancels()
            if key is None or decision.effect is Effect.DENY:
                return self._limited(at, decision)
            self._state = State.CANCELLING
            return (CountSession(key=key),)
        self._ask = ask = self._request.ask(decision)
        going_on = self._request.round
        if going_on is not None and going_on.used is not None:
            self._state = State.USING
            return (UseApproval(ticket=going_on.ticket, ask=ask, used=going_on.used),)
        self._state = State.HOLDING
        return (self._request.hold(decision, ask),)

    def _on_cancel_noted(self, event: SessionCounted) -> tuple[Command, ...]:
        return self._limited(event.at, known(self._decision))

    def _on_answered(self, event: ApprovalAnswered) -> tuple[Command, ...]:
        again = self._request.judge_again(event.snapshot, event.at)
        if isinstance(again, Rejection):
            return self._refuse(event.at, again)
        if again.effect is not Effect.HOLD or again.shadowed:
            return self._limited(event.at, again)
        self._decision, self._ask = again, self._request.ask(again)
        if event.ticket.state is not TicketState.APPROVED or event.ticket.digest != digest(self._ask):
            decision, self._pending = self._request.tell(again, event.ticket, event.at)
            return self._decided(event.at, decision)
        self._ticket = event.ticket
        return self._limited(event.at, again)

    def _limited(self, at: int, decision: Decision) -> tuple[Command, ...]:
        self._decision = decision
        if decision.effect is not Effect.DENY and decision.obligations.quotas:
            self._state = State.LIMITING
            return (TakeQuotas(quotas=decision.obligations.quotas),)
        return self._approved(at, decision)

    def _on_quotas(self, event: QuotasTaken) -> tuple[Command, ...]:
        decision = known(self._decision)
        if event.exceeded is not None:
            request = self._request
            no = decide.over_quota(request.snapshot.policy, request.server, decision, event.exceeded)
            return self._decided(event.at, no)
        return self._approved(event.at, decision)

    def _approved(self, at: int, decision: Decision) -> tuple[Command, ...]:
        if self._ticket is None:
            return self._decided(at, decision)
        key = self._request.cancelled_as()
        if key is None:
            return self._use(self._ticket)
        self._state = State.CHECKING
        return (CountSession(key=key),)

    def _on_checked(self, event: SessionCounted) -> tuple[Command, ...]:
        if not event.calls:
            return self._use(known(self._ticket))
        words = "This call was cancelled while it waited."
        return self._decided(
            event.at, replace(known(self._decision), effect=Effect.DENY, reason="cancelled", message=words)
        )

    def _use(self, ticket: Ticket) -> tuple[Command, ...]:
        self._state = State.USING
        return (UseApproval(ticket=ticket.id, ask=known(self._ask)),)

    def _on_used(self, event: ApprovalUsed) -> tuple[Command, ...]:
        self._ticket = event.ticket
        decision = replace(
            known(self._decision),
            effect=Effect.ALLOW,
            reason="approved",
            ticket=event.ticket.id,
            approved_by=tuple(vote for vote in event.ticket.votes if vote.approves),
        )
        return self._decided(event.at, decision)

    def _on_approval_refused(self, event: ApprovalRefused) -> tuple[Command, ...]:
        decision = replace(known(self._decision), effect=Effect.DENY, reason=event.reason, message=event.words)
        return self._decided(event.at, decision)

    def _decided(self, at: int, decision: Decision) -> tuple[Command, ...]:
        self._decision, self._state = decision, State.STORING
        shadowed = decision.effect is not Effect.ALLOW and decision.shadowed
        effect = "shadow" if shadowed else str(decision.effect)
        verb, masked = decision.verb.name.lower(), self._request.masked
        self.verdict = Verdict(server=self.verdict.server, verb=verb, effect=effect, masked=masked)
        if decision.effect is Effect.ALLOW or shadowed:
            self._responding = Responding(Visible(self._request.call(decision, self._ticket)))
        elif self._pending is None:
            self._pending = self._request.refusal(decision)
        return (self._request.store(at, decision),)

    def _refuse(self, at: int, no: Rejection) -> tuple[Command, ...]:
        self._state = State.STORING
        self._pending = Answer(reply=replies.refusal(no), rule=no.reason, decision_id=self._request.decision_id)
        return (self._request.store(at, no),)

    def _on_gone(self, event: Closed) -> tuple[Command, ...]:
        """Write down that nobody waits for a held call any more; it is not made (threat A17)."""
        self._state = State.FAILED
        decision = replace(known(self._decision), reason="client_gone")
        store = self._request.store(event.at, decision)
        nanoseconds = max(event.at - self._request.started, 0)
        return (Conclude(event=store.event, result="cut", nanoseconds=nanoseconds),)

    # --- the turn ------------------------------------------------------------------------------------------------

    def _on_stored(self, event: Stored) -> tuple[Command, ...]:
        if self._pending is not None:
            self._state = State.OVER
            return (self._pending,)
        request, message, decision = self._request, known(self._request.message), known(self._decision)
        # what ran on an approval may be asked back by the upstream, and must come back to the same approval
        asked = request.can_be_asked
        owes = owes_response(message, decision.obligations, can_be_asked=asked) or self._ticket is not None
        self._state = State.FORWARDED if owes else State.OVER
        forward = Forward(
            rule=decision.rule,
            decision_id=request.decision_id,
            headers=request.headers,
            body=message.body if message.rewritten else None,
            owes=owes,
            until=request.ends_at() if request.is_long else None,
        )
        del event
        return (forward,)

    def _on_store_failed(self, event: StoreFailed) -> tuple[Command, ...]:
        self._state = State.OVER
        self.verdict = replace(self.verdict, effect="reject")
        if self._pending is not None and not isinstance(self._pending, Forward):  # a refusal stands, recorded or not
            return (self._pending,)
        del event
        message = self._request.message
        no = Rejection(
            status=503,
            code=INTERNAL_ERROR,
            message="This call cannot be recorded right now, so it was not made. Try again later.",
            reason="store_failed",
            id=message.id if message is not None else None,
        )
        return (Answer(reply=replies.refusal(no), rule=no.reason, decision_id=self._request.decision_id),)

    # --- the response --------------------------------------------------------------------------------------------

    def _on_local_reply(self, event: ResponseHeadReceived) -> tuple[Command, ...]:
        """Let Envoy's own answer to a request that never came here pass: nothing undecided is behind the guard."""
        del event
        self._state = State.OVER
        return (Pass(),)

    def _on_early_reply(self, event: ResponseHeadReceived) -> tuple[Command, ...]:
        """Let Envoy's own answer to a request whose body never came pass, for instance a body over the limit."""
        self._state, self._pending = State.STORING, Pass()
        no = Rejection(
            status=event.status, code=INVALID_REQUEST, message="Answered by Envoy.", reason="answered_by_envoy"
        )
        return (self._request.store(event.at, no),)

    def _on_response_head(self, event: ResponseHeadReceived) -> tuple[Command, ...]:
        self._state = State.RESPONDING
        return self._after(known(self._responding).head(event))

    def _on_response_body(self, event: ResponseBodyReceived) -> tuple[Command, ...]:
        return self._after(known(self._responding).body(event.at, event.chunk, last=event.last))

    def _on_trailers(self, event: ResponseTrailersReceived) -> tuple[Command, ...]:
        return self._after(known(self._responding).trailers(event.at, event.names))

    def _on_deadline(self, event: DeadlinePassed) -> tuple[Command, ...]:
        return self._after(known(self._responding).cut(event.at))

    def _on_closed(self, event: Closed) -> tuple[Command, ...]:
        self._state = State.FAILED
        return self._responding.lost(event.at) if self._responding is not None else ()

    def _after(self, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        if known(self._responding).over:
            self._state = State.OVER
        return commands


_MOVES: Final[Mapping[tuple[State, type], Callable[[Exchange, Any], tuple[Command, ...]]]] = MappingProxyType(
    {
        (State.HEAD, HeadReceived): Exchange._on_head,
        (State.HEAD, ResponseHeadReceived): Exchange._on_local_reply,
        (State.BODY, BodyReceived): Exchange._on_body,
        (State.BODY, ResponseHeadReceived): Exchange._on_early_reply,
        (State.COUNTING, SessionCounted): Exchange._on_counted,
        (State.COUNTING, StoreFailed): Exchange._on_store_failed,
        (State.CANCELLING, SessionCounted): Exchange._on_cancel_noted,
        (State.CANCELLING, StoreFailed): Exchange._on_store_failed,
        (State.HOLDING, ApprovalAnswered): Exchange._on_answered,
        (State.HOLDING, ApprovalRefused): Exchange._on_approval_refused,
        (State.HOLDING, StoreFailed): Exchange._on_store_failed,
        (State.HOLDING, Closed): Exchange._on_gone,
        (State.LIMITING, QuotasTaken): Exchange._on_quotas,
        (State.LIMITING, StoreFailed): Exchange._on_store_failed,
        (State.CHECKING, SessionCounted): Exchange._on_checked,
        (State.CHECKING, StoreFailed): Exchange._on_store_failed,
        (State.CHECKING, Closed): Exchange._on_gone,
        (State.USING, ApprovalUsed): Exchange._on_used,
        (State.USING, ApprovalRefused): Exchange._on_approval_refused,
        (State.USING, StoreFailed): Exchange._on_store_failed,
        (State.USING, Closed): Exchange._on_gone,
        (State.STORING, Stored): Exchange._on_stored,
        (State.STORING, StoreFailed): Exchange._on_store_failed,
        (State.STORING, Closed): Exchange._on_closed,
        (State.FORWARDED, ResponseHeadReceived): Exchange._on_response_head,
        (State.FORWARDED, Closed): Exchange._on_closed,
        (State.RESPONDING, ResponseBodyReceived): Exchange._on_response_body,
        (State.RESPONDING, ResponseTrailersReceived): Exchange._on_trailers,
        (State.RESPONDING, DeadlinePassed): Exchange._on_deadline,
        (State.RESPONDING, Closed): Exchange._on_closed,
    }
)
