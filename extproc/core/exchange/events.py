"""What the corridor is told: events, in the past tense.

Envoy tells some; the others answer a command that asked the world for something (``commands``).
"""

from collections.abc import Mapping
from typing import TypeAlias

import msgspec

from extproc.core.exchange.snapshot import Snapshot
from extproc.core.model import Quota, RequestHead
from extproc.core.tickets import Ticket

__all__ = [
    "ApprovalAnswered",
    "ApprovalRefused",
    "ApprovalUsed",
    "BodyReceived",
    "Closed",
    "DeadlinePassed",
    "Event",
    "HeadReceived",
    "QuotasTaken",
    "ResponseBodyReceived",
    "ResponseHeadReceived",
    "ResponseTrailersReceived",
    "SessionCounted",
    "StoreFailed",
    "Stored",
]


class HeadReceived(msgspec.Struct, frozen=True, kw_only=True):
    """Envoy told of a request. ``bodiless``: no body will come, so this is all there is to judge."""

    at: int
    head: RequestHead
    bodiless: bool


class BodyReceived(msgspec.Struct, frozen=True, kw_only=True):
    """The whole request body arrived; ``snapshot`` is what is true by now, where it came later than its head."""

    at: int
    body: bytes
    snapshot: Snapshot | None = None


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
