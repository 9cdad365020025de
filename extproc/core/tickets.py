"""The nouns of approval: what is asked of a human, who may answer, what was answered.

Values only; ``approval`` holds the rules. Times are nanoseconds since the Unix epoch. A ticket never changes: each
step gives a new one with the next ``revision``, which a store exchanges for the old one in one atomic step.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["NOBODY_MAY", "ApprovalRule", "Approver", "Approvers", "Ask", "AskKind", "Ticket", "TicketState", "Vote"]


class AskKind(StrEnum):
    """What a ticket asks for."""

    CALL = "call"
    """That one held call runs, exactly as shown, once."""
    ACCESS = "access"
    """That a principal has a role for a while."""


class TicketState(StrEnum):
    """Where a ticket is; the last four are ends."""

    PENDING = "pending"
    APPROVED = "approved"
    USED = "used"
    """The approved call was made, or the role was lent: never again on this ticket."""
    DENIED = "denied"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"
    """The requester hung up, was revoked, or took it back before anybody had approved."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvers:
    """Who may answer: any of these; ``subjects`` are exact (issuer, subject) pairs."""

    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    subjects: frozenset[tuple[str, str]] = frozenset()


NOBODY_MAY: Final = Approvers()
"""Nobody, shared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """One entry of ``approvals``.

    ``quorum`` is the number of different humans who must say yes. ``reason_required`` is for the answer of an
    approver. ``expires_after`` and ``hold`` are seconds: how long a ticket waits for its answers, and again how long
    an approved one waits for its call; and how long a call is held open for them. ``force`` may approve alone.
    """

    name: str
    approvers: Approvers
    quorum: int = 1
    reason_required: bool = False
    expires_after: int = 900
    hold: int = 50
    force: Approvers = NOBODY_MAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Approver:
    """Who answers, from a verified login. ``human`` is who stands behind the login, where a claim tells.

    ``unverified`` is who that is by a claim that may be anybody's: it may keep him out, and never lets him in.
    """

    issuer: str
    subject: str
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    human: str = ""
    unverified: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What a human is asked, whole: what he is shown, and what the digest covers (invariant 6).

    ``arguments`` is the canonical JSON text of the arguments that would run. ``role`` and ``seconds`` are of an access
    request, where ``server``, ``method``, ``target`` and ``arguments`` are empty. ``human`` is who stands behind the
    requester, where a claim tells. ``findings`` and ``client`` are for the eye, and ``reason`` is the requester's;
    ``decision``, ``session`` (as on record), ``trace`` and ``arguments_digest`` tell the record which call asks, and
    ``recorded`` is the target as the record and a channel may show it. The digest covers none of these.
    """

    kind: AskKind
    issuer: str
    subject: str
    policy_digest: str
    approval: str
    human: str = ""
    server: str = ""
    method: str = ""
    target: str = ""
    verb: str = ""
    rule: str = ""
    arguments: str = ""
    role: str = ""
    seconds: int = 0
    client: str = ""
    findings: tuple[str, ...] = ()
    reason: str = ""
    decision: str = ""
    session: str = ""
    trace: str = ""
    arguments_digest: str = ""
    recorded: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """One answer of one human."""

    at: int
    issuer: str
    subject: str
    approves: bool
    human: str = ""
    name: str = ""
    reason: str = ""
    forced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One question to humans with its answers.

    ``expires_at`` is the end of the wait for answers while it is pending, then the end of the wait for its call; of a
    denied one, until when the same question gets the same answer.
    """

    id: str
    digest: str
    ask: Ask
    rule: ApprovalRule
    state: TicketState
    created_at: int
    expires_at: int
    votes: tuple[Vote, ...] = ()
    revision: int = 0
