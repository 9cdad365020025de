"""What the corridor wants done: commands, in the imperative.

Each one that asks the world for something (``Store``, ``CountSession``, ``TakeQuotas``, ``AskApproval``,
``UseApproval``) is answered by exactly one event; the others are done in the order in which they were given.
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from extproc.core.audit.correlation import Correlation
from extproc.core.exchange.questions import Question
from extproc.core.model import Json, Quota, Reply, empty
from extproc.core.shared_state import Pin
from extproc.core.tickets import ApprovalRule, Ask

__all__ = [
    "Abort",
    "Acknowledge",
    "Answer",
    "AskApproval",
    "Command",
    "Conclude",
    "CountSession",
    "DropTrailers",
    "Forward",
    "Inspect",
    "NoteDefinitions",
    "NoteMessages",
    "NoteQuestion",
    "Pass",
    "Release",
    "Store",
    "TakeQuotas",
    "UseApproval",
    "WantKeys",
]


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
    """Ask for the response body, with these headers set (None: removed).

    ``streams``: it may go on for long, so whoever reads it must be asked for meanwhile.
    """

    headers: Mapping[str, str | None] = msgspec.field(default_factory=empty)
    streams: bool = False


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
