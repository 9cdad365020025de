"""The corridor: one HTTP exchange as a state machine, events in, commands out (sans-io).

It owns the order of the walk (identity, wire, policy, audit, forward, response) and holds no rule. Its moves are a
table; an event that no row allows, and any bug in a room, lead to ``FAILED``, whose only output is to abort the
stream: Envoy then fails closed (invariants 2 and 4). ``Forward`` leaves only in answer to ``Stored`` (invariant 3).
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeVar

from extproc.core.exchange.intent import Asked, intent
from extproc.core.exchange.opening import opened
from extproc.core.exchange.refusing import refused
from extproc.core.exchange.responding import Responding, owes_response
from extproc.core.exchange.visible import Call, Visible
from extproc.core.exchange.vocabulary import (
    Abort,
    Acknowledge,
    Answer,
    BodyReceived,
    Closed,
    Command,
    CountSession,
    DeadlinePassed,
    Event,
    Forward,
    HeadReceived,
    Pass,
    QuotasTaken,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    SessionCounted,
    Store,
    Stored,
    StoreFailed,
    TakeQuotas,
    WantKeys,
)
from extproc.core.handles import KeyRing, Owner
from extproc.core.identity.principals import identify
from extproc.core.identity.tokens import KEY_UNKNOWN, KeySets, Memory
from extproc.core.model import (
    Decision,
    Effect,
    Message,
    MessageKind,
    Principal,
    RequestHead,
    ResourceKind,
)
from extproc.core.policy import decide
from extproc.core.policy.compiled import Policy
from extproc.core.rejection import INTERNAL_ERROR, INVALID_REQUEST, Rejection
from extproc.core.wire import mcp, replies

__all__ = ["Exchange", "Snapshot", "Verdict"]

T = TypeVar("T")


class State(StrEnum):
    """Where an exchange is; ``OVER`` and ``FAILED`` are sinks."""

    HEAD = "head"
    BODY = "body"
    COUNTING = "counting"
    LIMITING = "limiting"
    STORING = "storing"
    FORWARDED = "forwarded"
    RESPONDING = "responding"
    OVER = "over"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided, for the metrics: label values from closed sets only."""

    server: str = "unknown"
    verb: str = "none"
    effect: str = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What one exchange rests on, unchanged from its first event to its last.

    ``keys`` are the token issuers' keys where this service verifies tokens itself, and ``memory`` what it verified
    lately; both are None where Envoy's jwt_authn does it.
    """

    policy: Policy
    ring: KeyRing
    keys: KeySets | None = None
    memory: Memory | None = None


class Exchange:
    """One HTTP request and its response."""

    def __init__(self, snapshot: Snapshot, *, decision_id: str) -> None:
        self._snapshot = snapshot
        self._policy = snapshot.policy
        self._decision_id = decision_id
        self._state = State.HEAD
        self._started = 0
        self._head: RequestHead | None = None
        self._principal: Principal | None = None
        self._owner: Owner | None = None
        self._message: Message | None = None
        self._decision: Decision | None = None
        self._headers: Mapping[str, str | None] = {}
        self._answered_elsewhere = False
        self._pending: Answer | Forward | Pass | None = None
        self._responding: Responding | None = None
        self.verdict = Verdict()

    @property
    def over(self) -> bool:
        """Whether the stream may end cleanly: everything owed is answered."""
        return self._state is State.OVER

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
        self._started, self._head = event.at, event.head
        if event.head.server in self._policy.servers:
            self.verdict = Verdict(server=event.head.server)
        snapshot = self._snapshot
        identified = identify(
            self._policy.identity, event.head, now=event.at / 1e9, keys=snapshot.keys, memory=snapshot.memory
        )
        if isinstance(identified, Rejection):
            wanted = (WantKeys(),) if identified.reason == KEY_UNKNOWN else ()
            return (*wanted, *self._refuse(event.at, identified))
        self._principal, self._owner = identified, Owner.of(identified, event.head.server)
        if event.bodiless:
            return self._on_message(event.at, mcp.read_bodiless(event.head), 0)
        self._state = State.BODY
        return (Acknowledge(),)

    def _on_body(self, event: BodyReceived) -> tuple[Command, ...]:
        return self._on_message(event.at, mcp.read_message(_known(self._head), event.body), len(event.body))

    def _on_message(self, at: int, read: Message | Rejection, size: int) -> tuple[Command, ...]:
        if isinstance(read, Rejection):
            return self._refuse(at, read, size=size)
        ready = opened(read, _known(self._head), _known(self._owner), self._snapshot.ring)
        if isinstance(ready, Rejection):
            return self._refuse(at, ready, message=read, size=size)
        self._message, self._owner, self._headers = ready.message, ready.owner, ready.headers
        self._answered_elsewhere = ready.answered_elsewhere
        if decide.asks_session_calls(self._policy, _known(self._head).server):
            self._state = State.COUNTING
            who = _known(self._owner)
            return (CountSession(key=repr((who.issuer, who.subject, who.server, who.session))),)
        return self._judge(at, 0)

    def _on_counted(self, event: SessionCounted) -> tuple[Command, ...]:
        return self._judge(event.at, event.calls)

    def _judge(self, at: int, session_calls: int) -> tuple[Command, ...]:
        message = _known(self._message)
        decision = decide.judge(
            self._policy, _known(self._principal), _known(self._head).server, message, session_calls=session_calls
        )
        if decision.effect is Effect.ALLOW and decision.obligations.quotas:
            self._decision, self._state = decision, State.LIMITING
            return (TakeQuotas(quotas=decision.obligations.quotas),)
        return self._decided(at, decision)

    def _on_quotas(self, event: QuotasTaken) -> tuple[Command, ...]:
        decision = _known(self._decision)
        if event.exceeded is not None:
            decision = decide.over_quota(self._policy, _known(self._head).server, decision, event.exceeded)
        return self._decided(event.at, decision)

    def _decided(self, at: int, decision: Decision) -> tuple[Command, ...]:
        self._decision, self._state = decision, State.STORING
        message = _known(self._message)
        shadowed = decision.effect is Effect.DENY and decision.shadowed
        effect = "shadow" if shadowed else str(decision.effect)
        self.verdict = Verdict(server=self.verdict.server, verb=decision.verb.name.lower(), effect=effect)
        if decision.effect is Effect.DENY and not shadowed:
            self._pending = refused(
                message,
                decision,
                _known(self._owner),
                self._snapshot.ring,
                decision_id=self._decision_id,
                elsewhere=self._answered_elsewhere,
            )
        else:
            call = Call(
                message=message,
                decision=decision,
                owner=_known(self._owner),
                ring=self._snapshot.ring,
                sees=self._sees,
                decision_id=self._decision_id,
                started=self._started,
            )
            self._responding = Responding(Visible(call))
        return (self._store(at, decision, message, len(message.body)),)

    def _refuse(self, at: int, no: Rejection, *, message: Message | None = None, size: int = 0) -> tuple[Command, ...]:
        self._state = State.STORING
        self._pending = Answer(reply=replies.refusal(no), rule=no.reason, decision_id=self._decision_id)
        return (self._store(at, no, message, size),)

    def _store(self, at: int, verdict: Decision | Rejection, message: Message | None, size: int) -> Store:
        asked = Asked(at=at, head=_known(self._head), principal=self._principal, owner=self._owner, message=message)
        return Store(event=intent(asked, verdict, self._policy, decision_id=self._decision_id, body_bytes=size))

    # --- the turn ------------------------------------------------------------------------------------------------

    def _on_stored(self, event: Stored) -> tuple[Command, ...]:
        if self._pending is not None:
            self._state = State.OVER
            return (self._pending,)
        message, decision = _known(self._message), _known(self._decision)
        owes = owes_response(message, decision.obligations.recording)
        self._state = State.FORWARDED if owes else State.OVER
        expires = _known(self._principal).expires_at
        is_long = message.kind is MessageKind.STREAM or message.method == "subscriptions/listen"
        forward = Forward(
            rule=decision.rule,
            decision_id=self._decision_id,
            headers=self._headers,
            body=message.body if message.rewritten else None,
            owes=owes,
            until=(math.inf if expires is None else expires) if is_long else None,
        )
        del event
        return (forward,)

    def _on_store_failed(self, event: StoreFailed) -> tuple[Command, ...]:
        self._state = State.OVER
        self.verdict = replace(self.verdict, effect="reject")
        if self._pending is not None and not isinstance(self._pending, Forward):  # a refusal stands, recorded or not
            return (self._pending,)
        del event
        message = self._message
        no = Rejection(
            status=503,
            code=INTERNAL_ERROR,
            message="This call cannot be recorded right now, so it was not made. Try again later.",
            reason="store_failed",
            id=message.id if message is not None else None,
        )
        return (Answer(reply=replies.refusal(no), rule=no.reason, decision_id=self._decision_id),)

    def _sees(self, kind: ResourceKind, name: str) -> bool:
        client = decide.client_of(_known(self._message))
        server = _known(self._head).server
        return decide.sees(self._policy, _known(self._principal), server, client, kind, name)

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
        return (self._store(event.at, no, None, 0),)

    def _on_response_head(self, event: ResponseHeadReceived) -> tuple[Command, ...]:
        self._state = State.RESPONDING
        return self._after(_known(self._responding).head(event))

    def _on_response_body(self, event: ResponseBodyReceived) -> tuple[Command, ...]:
        return self._after(_known(self._responding).body(event.at, event.chunk, last=event.last))

    def _on_trailers(self, event: ResponseTrailersReceived) -> tuple[Command, ...]:
        return self._after(_known(self._responding).trailers(event.at, event.names))

    def _on_deadline(self, event: DeadlinePassed) -> tuple[Command, ...]:
        return self._after(_known(self._responding).cut(event.at))

    def _on_closed(self, event: Closed) -> tuple[Command, ...]:
        self._state = State.FAILED
        return self._responding.lost(event.at) if self._responding is not None else ()

    def _after(self, commands: tuple[Command, ...]) -> tuple[Command, ...]:
        if _known(self._responding).over:
            self._state = State.OVER
        return commands


def _known(value: T | None) -> T:
    if value is None:  # a gap in the table of moves is a bug, and bugs fail closed
        raise LookupError("not known in this state")
    return value


_MOVES: Final[Mapping[tuple[State, type], Callable[[Exchange, Any], tuple[Command, ...]]]] = MappingProxyType(
    {
        (State.HEAD, HeadReceived): Exchange._on_head,
        (State.HEAD, ResponseHeadReceived): Exchange._on_local_reply,
        (State.BODY, BodyReceived): Exchange._on_body,
        (State.BODY, ResponseHeadReceived): Exchange._on_early_reply,
        (State.COUNTING, SessionCounted): Exchange._on_counted,
        (State.COUNTING, StoreFailed): Exchange._on_store_failed,
        (State.LIMITING, QuotasTaken): Exchange._on_quotas,
        (State.LIMITING, StoreFailed): Exchange._on_store_failed,
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
