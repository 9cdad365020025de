"""The corridor's vocabulary: events are past tense and come in, commands are imperative and go out.

Each command that asks the world for something (``Store``, ``CountSession``, ``TakeQuotas``, ``AskApproval``,
``UseApproval``) is answered by exactly one event; the others are done in the order in which they were given.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from extproc.core.audit.correlation import Correlation
from extproc.core.exchange.questions import Question
from extproc.core.exchange.snapshot import Snapshot
from extproc.core.model import Json, Quota, Reply, RequestHead, empty
from extproc.core.shared_state import Pin
from extproc.core.tickets import ApprovalRule, Ask, Ticket

__all__ = [
    "Abort",
    "Acknowledge",
    "Answer",
    "ApprovalAnswered",
    "ApprovalRefused",
    "ApprovalUsed",
    "AskApproval",
    "BodyReceived",
    "Closed",
    "Command",
    "Conclude",
    "CountSession",
    "DeadlinePassed",
    "DropTrailers",
    "Event",
    "Forward",
    "HeadReceived",
    "Inspect",
    "NoteDefinitions",
    "NoteMessages",
    "NoteQuestion",
    "Pass",
    "QuotasTaken",
    "Release",
    "ResponseBodyReceived",
    "ResponseHeadReceived",
    "ResponseTrailersReceived",
    "SessionCounted",
    "Store",
    "StoreFailed",
    "Stored",
    "TakeQuotas",
    "UseApproval",
    "WantKeys",
]


class HeadReceived(msgspec.Struct, frozen=True, kw_only=True):
    """Envoy told of a request. ``bodiless``: no body will come, so this is all there is to judge."""

    at: int
    head: RequestHead
    bodiless: bool


class BodyReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The whole request body arrived."""

    at: int
    body: bytes


class SessionCounted(msgspec.Struct, frozen=True, kw_only=True):
    """``CountSession`` was done: so many calls came before this one."""

    at: int
    calls: int


class QuotasTaken(msgspec.Struct, frozen=True, kw_only=True):
    """``TakeQuotas`` was done; ``exceeded`` is the first quota without room, None where all had room."""

    at: int
    exceeded: Quota | None


class ApprovalAnswered(msgspec.Struct, frozen=True, kw_only=True):
    """``AskApproval`` was done: the ticket as it is by now, and what is true by now (everything is decided again)."""

    at: int
    ticket: Ticket
    snapshot: Snapshot


class ApprovalUsed(msgspec.Struct, frozen=True, kw_only=True):
    """``UseApproval`` was done: the ticket is used up by this call and by no other."""

    at: int
    ticket: Ticket


class ApprovalRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The question cannot be put, or its ticket not be used; ``words`` are for the client."""

    at: int
    reason: str
    words: str


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """``Store`` was done: the audit event is as durable as the setting asks."""

    at: int


class StoreFailed(msgspec.Struct, frozen=True, kw_only=True):
    """What was asked of a store could not be done."""

    at: int
    reason: str


class ResponseHeadReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The response began. ``headers``: lower-case names, decoded values; ``bodiless``: no body will come."""

    at: int
    status: int
    headers: Mapping[str, str]
    bodiless: bool


class ResponseBodyReceived(msgspec.Struct, frozen=True, kw_only=True):
    """A chunk of the response, cut anywhere."""

    at: int
    chunk: bytes
    last: bool


class ResponseTrailersReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The response ended with trailers of these names."""

    at: int
    names: tuple[str, ...]


class DeadlinePassed(msgspec.Struct, frozen=True, kw_only=True):
    """The time came that ``Forward.until`` named, or the policy that a long stream rests on is no longer in force."""

    at: int


class Closed(msgspec.Struct, frozen=True, kw_only=True):
    """Envoy ended the exchange: the client went away, or the connection broke."""

    at: int


class Acknowledge(msgspec.Struct, frozen=True, kw_only=True):
    """Let the request wait for its body; nothing is forwarded yet."""


class WantKeys(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for newer keys of the token issuers: a token named one that is not known. Nobody waits for it."""


class CountSession(msgspec.Struct, frozen=True, kw_only=True):
    """Count this call in its session and tell how many came before."""

    key: str


class TakeQuotas(msgspec.Struct, frozen=True, kw_only=True):
    """Count this call against every quota."""

    quotas: tuple[Quota, ...]


class AskApproval(msgspec.Struct, frozen=True, kw_only=True):
    """Put a question to humans, or find it put already; wait for the answer at most ``seconds``."""

    ask: Ask
    rule: ApprovalRule
    seconds: float


class UseApproval(msgspec.Struct, frozen=True, kw_only=True):
    """Use an approved ticket up, or, where ``used`` is its revision since, go on with the call that used it."""

    ticket: str
    ask: Ask
    used: int | None = None


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """Store the audit event of the decision; nothing happens before the answer (invariant 3)."""

    event: Mapping[str, Json]


class Forward(msgspec.Struct, frozen=True, kw_only=True):
    """Let the request go upstream.

    ``body`` replaces the body where it is not None. ``headers`` are set, or removed where None: the upstream's own
    session and event ids in the place of the client's handles. ``owes`` says that the response is wanted; without it
    the exchange is over. ``until`` is when a long stream must end, in seconds since the epoch: infinity where only a
    new policy ends it, None where the response is a call's own.
    """

    rule: str
    decision_id: str
    headers: Mapping[str, str | None]
    body: bytes | None
    owes: bool
    until: float | None


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Answer the client here; nothing reaches the upstream, or the response's head is replaced."""

    reply: Reply
    rule: str
    decision_id: str


class Pass(msgspec.Struct, frozen=True, kw_only=True):
    """Let the response go on without its body being seen, with these headers set (None: removed)."""

    headers: Mapping[str, str | None] = msgspec.field(default_factory=empty)


class Inspect(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for the response body, with these headers set (None: removed)."""

    headers: Mapping[str, str | None] = msgspec.field(default_factory=empty)


class Release(msgspec.Struct, frozen=True, kw_only=True):
    """Send these bytes of the response to the client; ``last`` ends it."""

    body: bytes
    last: bool


class DropTrailers(msgspec.Struct, frozen=True, kw_only=True):
    """End the response without the trailers of these names."""

    names: tuple[str, ...]


class NoteDefinitions(msgspec.Struct, frozen=True, kw_only=True):
    """Keep these definitions of tools: they are new, changed, or back as they were approved; a call showed them."""

    seen: tuple[Pin, ...]
    during: Correlation


class NoteMessages(msgspec.Struct, frozen=True, kw_only=True):
    """Store the audit events of messages of a stream, and go on when they are stored: no client is ahead of the record.

    Where they cannot be stored, they pass all the same: the call has been made, and is on record.
    """

    events: tuple[Mapping[str, Json], ...]


class NoteQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """Count a request of the server to its client, and store its audit event."""

    question: Question
    event: Mapping[str, Json]


class Conclude(msgspec.Struct, frozen=True, kw_only=True):
    """The response ended: count it, and store the audit event of what happened where one is kept.

    ``result`` is complete, error, withheld or cut; ``masked`` counts what was masked by type.
    """

    event: Mapping[str, Json] | None
    result: str
    nanoseconds: int
    masked: Mapping[str, int] = msgspec.field(default_factory=empty)


class Abort(msgspec.Struct, frozen=True, kw_only=True):
    """End the gRPC stream with an error status, so that Envoy fails closed (invariant 4)."""

    reason: str


Event: TypeAlias = (
    HeadReceived
    | BodyReceived
    | SessionCounted
    | QuotasTaken
    | ApprovalAnswered
    | ApprovalUsed
    | ApprovalRefused
    | Stored
    | StoreFailed
    | ResponseHeadReceived
    | ResponseBodyReceived
    | ResponseTrailersReceived
    | DeadlinePassed
    | Closed
)
Command: TypeAlias = (
    Acknowledge
    | WantKeys
    | CountSession
    | TakeQuotas
    | AskApproval
    | UseApproval
    | Store
    | Forward
    | Answer
    | Pass
    | Inspect
    | Release
    | DropTrailers
    | NoteDefinitions
    | NoteMessages
    | NoteQuestion
    | Conclude
    | Abort
)
