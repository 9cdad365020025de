"""The request of one exchange: what is known of it so far, and the questions that the rooms answer about it."""

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from extproc.core.access import NO_FACTS, Facts
from extproc.core.audit import session_digest
from extproc.core.audit.correlation import Correlation
from extproc.core.definitions import Definitions, refused_tool
from extproc.core.exchange import counting
from extproc.core.exchange.admitting import admitted, loans, still_admitted
from extproc.core.exchange.announcing import announced
from extproc.core.exchange.asking import as_shown, ask_of, told
from extproc.core.exchange.call import Call
from extproc.core.exchange.commands import Answer, AskApproval, Forward, Store
from extproc.core.exchange.inspecting import calls_of, facts_of
from extproc.core.exchange.intent import Asked, intent
from extproc.core.exchange.opening import opened
from extproc.core.exchange.outgoing import Stop, outgoing
from extproc.core.exchange.refusing import refused
from extproc.core.exchange.rounds import LIFE_NANOSECONDS, Round, call_digest, seal_round
from extproc.core.exchange.snapshot import Snapshot
from extproc.core.handles import Owner
from extproc.core.identity.tokens import KEY_UNKNOWN
from extproc.core.masking import Masking
from extproc.core.model import (
    EMPTY,
    Decision,
    Effect,
    Era,
    Message,
    MessageKind,
    Principal,
    RequestHead,
    ResourceKind,
    Target,
)
from extproc.core.policy import decide
from extproc.core.policy.server_requests import NOTHING_OPEN
from extproc.core.rejection import Rejection
from extproc.core.shared_state import Pinning
from extproc.core.tickets import Ask, Ticket, TicketState

__all__ = ["Request", "known"]

T = TypeVar("T")


def known(value: T | None) -> T:
    """What must be known by now; a gap in the table of moves is a bug, and bugs fail closed."""
    if value is None:
        raise LookupError("not known in this state")
    return value


class Request:
    """Grows from head to decision; ``snapshot`` is what it is judged by."""

    def __init__(self, snapshot: Snapshot, decision_id: str) -> None:
        self.snapshot = snapshot
        self.decision_id = decision_id
        self.started = 0
        self.head: RequestHead | None = None
        self.principal: Principal | None = None
        self.owner: Owner | None = None
        self.message: Message | None = None
        self.facts: Facts = NO_FACTS
        self.headers: Mapping[str, str | None] = {}
        self.masked: Mapping[str, int] = EMPTY
        """What was masked in the message by type."""
        self._stop: Stop | None = None
        self.size = 0
        self.session_calls = 0
        self.round: Round | None = None
        self.can_be_asked = False
        """Whether the client announces that the answer may ask it for something."""
        self._opens_urls = False
        self._answered_elsewhere = False

    @property
    def server(self) -> str:
        """The server that the Envoy route names."""
        return known(self.head).server

    def identify(self, head: RequestHead, at: int) -> Rejection | None:
        """Take the head; the refusal of a caller who may not come in."""
        self.started, self.head = at, head
        return self._admit(head, at)

    def renew(self, snapshot: Snapshot, at: int) -> Rejection | None:
        """Go on by what is true now; the refusal of a caller who could come in before, and no longer may."""
        self.snapshot = snapshot
        return self._admit(known(self.head), at)

    def _admit(self, head: RequestHead, at: int) -> Rejection | None:
        identified = admitted(self.snapshot, head, at)
        if isinstance(identified, Rejection):
            return identified
        self.principal, self.owner = identified, Owner.of(identified, head.server)
        return None

    def wants_keys(self, no: Rejection) -> bool:
        """Whether newer keys of the issuers might cure a refusal."""
        return no.reason == KEY_UNKNOWN

    def take(self, read: Message | Rejection, size: int, at: int) -> Rejection | None:
        """Take the message; the refusal of one that cannot be read, or carries a handle that is not its owner's."""
        self.size = size
        if isinstance(read, Rejection):
            return read
        self.message = read
        self._keep_in()
        ready = opened(known(self.message), known(self.head), known(self.owner), self.snapshot, at)
        if isinstance(ready, Rejection):
            return ready
        place = self.snapshot.policy.servers.get(self.server)
        said = announced(ready.message, None if place is None or place.shadow else place.asks)
        self.message, self.owner, self.headers = said.message, ready.owner, ready.headers
        self.round, self.can_be_asked = ready.round, said.can_be_asked
        self._opens_urls = said.opens_urls or ready.opens_urls
        self._answered_elsewhere = ready.answered_elsewhere
        return self._admit_again(at) if ready.owner.session else None

    def _keep_in(self) -> None:
        """Take out of the message what must not leave, before anybody judges, approves, records or forwards it."""
        message, principal, snapshot = known(self.message), known(self.principal), self.snapshot
        calls = calls_of(snapshot.policy, self.server, message)
        masking = decide.masking(snapshot.policy, principal, self.server, message.targets, calls)
        leaving = outgoing(message, known(self.head), masking, snapshot.ring.masking_key)
        self.message, self._stop = leaving.message, leaving.stop
        self.masked = leaving.counts or self.masked

    def _admit_again(self, at: int) -> Rejection | None:
        session = known(self.owner).session
        again = still_admitted(self.snapshot, known(self.head), known(self.principal), session, at)
        if isinstance(again, Rejection):
            return again
        self.principal = again
        return None

    def counts_session(self) -> str | None:
        """The key under which the session's calls are counted, where a condition asks for them."""
        asks = decide.asks_session_calls(self.snapshot.policy, self.server)
        return counting.session(known(self.owner)) if asks else None

    def cancels(self) -> str | None:
        """The key under which it is noted that the client takes a call back, where this message does that."""
        return counting.cancelling(known(self.owner), known(self.message))

    def cancelled_as(self) -> str | None:
        """The key under which this request would be taken back."""
        return counting.cancelled_as(known(self.owner), known(self.message))

    def judge(self) -> Decision:
        """The decision by the snapshot."""
        principal, message, policy = known(self.principal), known(self.message), self.snapshot.policy
        self.facts = facts_of(policy, self.server, message)
        decision = decide.judge(
            policy, principal, self.server, message, session_calls=self.session_calls, facts=self.facts
        )
        place = policy.servers.get(self.server)
        if place is None or decision.effect is Effect.DENY:
            return decision
        if (stop := self._stop) is not None:
            return decide.kept_back(
                policy, self.server, decision, message, rule=stop.rule, types=stop.types, words=stop.message
            )
        for server, tool in self._tools():
            pinning = policy.servers[server].pinning
            if refused_tool(server, pinning, self.snapshot.shared, tool):
                return decide.changed_definition(policy, self.server, decision, (server, tool))
        return decision

    def _tools(self) -> Iterator[tuple[str, str]]:
        """Every tool that the message calls with its server, those too that a tool of them would call."""
        for target in known(self.message).targets:
            if target.kind is ResourceKind.TOOL:
                yield self.server, target.name
        if self.facts.calls is not None:
            yield from ((call.server, call.tool) for call in self.facts.calls.every)

    def judge_again(self, snapshot: Snapshot, at: int) -> Decision | Rejection:
        """The decision by what is true after a hold: nothing of the first one counts any more (invariant 6)."""
        self.snapshot = snapshot
        no = self._admit_again(at)
        if no is not None:
            return no
        self._keep_in()
        return self.judge()

    @property
    def is_long(self) -> bool:
        """Whether it is no call but a stream that stays open until something ends it."""
        message = known(self.message)
        return message.kind is MessageKind.STREAM or message.method == "subscriptions/listen"

    def stands(self, snapshot: Snapshot, at: int) -> bool:
        """Whether what was allowed may go on under what is true by now: a stream outlives neither policy nor person.

        A call that is being answered was decided for good, and ends only where its caller is put out.
        """
        session, principal = known(self.owner).session, known(self.principal)
        if not self.is_long:
            return snapshot.shared.revocation(principal, session_digest(session) if session else "", at) is None
        again = still_admitted(snapshot, known(self.head), principal, session, at)
        same_policy = snapshot.policy.digest == self.snapshot.policy.digest
        return same_policy and not isinstance(again, Rejection) and again.lent == principal.lent

    def ends_at(self) -> float:
        """When what was allowed ends by itself, in seconds since the epoch: with the token, or with a role on loan."""
        principal = known(self.principal)
        lent = [loan.until / 1e9 for loan in loans(self.snapshot, principal, self.started)]
        return min([math.inf if principal.expires_at is None else principal.expires_at, *lent])

    # --- approval ------------------------------------------------------------------------------------------------

    def ask(self, decision: Decision) -> Ask:
        """The question to humans whether this may run; what they are not shown is no part of the call from here on."""
        self.message = as_shown(known(self.message), goes_on=self.round is not None)
        return ask_of(
            known(self.principal),
            self.server,
            known(self.message),
            decision,
            self.facts,
            during=Correlation.of(self.decision_id, known(self.owner).session, known(self.message).trace_id),
            ring=self.snapshot.ring,
        )

    def hold(self, decision: Decision, ask: Ask) -> AskApproval:
        """Ask; who opens URLs is sent to the page before anything is held open, and held open when he is back."""
        rule = known(decision.approval)
        message = known(self.message)
        if not message.rewritten:  # Envoy has these bytes, and thousands of calls may be held
            self.message = replace(message, body=b"")
        sent_away = self._is_sent_away()
        return AskApproval(ask=ask, rule=rule, seconds=0 if sent_away else rule.hold)

    def _is_sent_away(self) -> bool:
        if not (self.snapshot.console and self._opens_urls):
            return False
        return self.round is None or not self.round.ticket

    def tell(self, decision: Decision, ticket: Ticket, at: int) -> tuple[Decision, Answer]:
        """What a call gets that is not approved (yet)."""
        message, asks = known(self.message), self._is_sent_away()
        state: str | None = None
        if message.era is Era.MODERN and (asks or self.round is not None) and ticket.state is TicketState.PENDING:
            waiting = Round(call=call_digest(message), until=at + LIFE_NANOSECONDS, ticket=ticket.id)
            state = seal_round(self.snapshot.ring, known(self.owner), waiting)
        verdict, reply = told(
            message,
            decision,
            ticket,
            decision_id=self.decision_id,
            console=self.snapshot.console,
            state=state,
            asks=asks,
        )
        return verdict, Answer(reply=reply, rule=verdict.rule, decision_id=self.decision_id)

    # --- its end -------------------------------------------------------------------------------------------------

    def refusal(self, decision: Decision) -> Answer | Forward:
        """The command that tells the client of a denial."""
        return refused(
            known(self.message),
            decision,
            known(self.owner),
            self.snapshot.ring,
            decision_id=self.decision_id,
            elsewhere=self._answered_elsewhere,
        )

    def call(self, decision: Decision, used: Ticket | None) -> Call:
        """What goes upstream, with all that its response needs."""
        place = self.snapshot.policy.servers.get(self.server)
        return Call(
            message=known(self.message),
            decision=decision,
            owner=known(self.owner),
            ring=self.snapshot.ring,
            sees=self._sees,
            owed=self._owed,
            decision_id=self.decision_id,
            started=self.started,
            used=used,
            definitions=self._definitions(),
            asks=NOTHING_OPEN if place is None else place.asks,
            shadow=self.snapshot.policy.shadow if place is None else place.shadow,
            opens_urls=self._opens_urls,
            can_be_asked=self.can_be_asked,
        )

    def _definitions(self) -> Definitions | None:
        place = self.snapshot.policy.servers.get(self.server)
        if place is None or place.pinning is Pinning.IGNORE:
            return None
        return Definitions(server=self.server, pinning=place.pinning, shared=self.snapshot.shared, at=self.started)

    def _owed(self, targets: Iterable[Target]) -> Masking:
        return decide.masking(self.snapshot.policy, known(self.principal), self.server, targets)

    def _sees(self, kind: ResourceKind, name: str) -> bool:
        client = decide.client_of(known(self.message))
        return decide.sees(self.snapshot.policy, known(self.principal), self.server, client, kind, name)

    def store(self, at: int, verdict: Decision | Rejection) -> Store:
        """The audit event of the verdict, to be stored before it takes effect."""
        message = self.message
        asked = Asked(
            at=at, head=known(self.head), principal=self.principal, owner=self.owner, message=message, facts=self.facts
        )
        forwards = message is not None and message.rewritten and isinstance(verdict, Decision)
        size = len(message.body) if message is not None and forwards else self.size
        event = intent(
            asked,
            verdict,
            self.snapshot.policy,
            self.snapshot.ring,
            decision_id=self.decision_id,
            body_bytes=size,
            masked=self.masked,
        )
        return Store(event=event)
