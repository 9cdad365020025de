"""What all workers and nodes share beside the policy: revocations, elevations, pins; and how old a copy may be.

Nouns with the lookups that their own fields answer. The data path reads a copy in memory; a copy older than
``MAX_AGE_SECONDS`` answers nothing, because a revocation could be missing in it (DESIGN section 9).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from extproc.core.model import Principal

__all__ = [
    "MAX_AGE_SECONDS",
    "NOTHING_SHARED",
    "Elevation",
    "Pin",
    "Pinning",
    "Revocation",
    "Revoked",
    "SharedState",
]

MAX_AGE_SECONDS: Final = 5
"""How long a node may go on without news of the shared state; then it refuses."""


class Revoked(StrEnum):
    """What a revocation names."""

    SUBJECT = "subject"
    SESSION = "session"
    """By the digest that records show for it (``audit.session_digest``)."""
    TOKEN = "token"  # noqa: S105 - a word of the command line
    """By the token's ``jti``."""
    ISSUER = "issuer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Who or what is out, since ``at`` and, where ``until`` is given, until then (nanoseconds since the epoch).

    ``issuer`` narrows a subject or a token to one issuer; empty means every issuer.
    """

    id: str
    kind: Revoked
    value: str
    at: int
    issuer: str = ""
    until: int | None = None
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """A role lent to one principal until ``until`` (nanoseconds since the epoch), by the ticket ``id``."""

    id: str
    issuer: str
    subject: str
    role: str
    at: int
    until: int
    policy_digest: str = ""


class Pinning(StrEnum):
    """What a server's tool definitions are held to."""

    IGNORE = "ignore"
    WARN = "warn"
    """A change is recorded."""
    PIN = "pin"
    """The first definition that is seen is approved by that; a change is refused until somebody approves it."""
    APPROVE = "approve"
    """Nothing is approved by being seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """A definition of one tool: its canonical JSON text and the SHA-256 over it, in hex."""

    server: str
    tool: str
    digest: str
    definition: str
    at: int
    by: str = ""


def _none() -> Mapping[tuple[str, str], Pin]:
    return MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedState:
    """One copy, true at ``as_of`` (nanoseconds since the epoch; None: always, for a service without a store).

    ``version`` grows with every change. ``pins`` are the approved definitions by server and tool, ``candidates`` those
    that were seen instead and wait for somebody's approval.
    """

    as_of: int | None = None
    version: int = 0
    revocations: tuple[Revocation, ...] = ()
    elevations: tuple[Elevation, ...] = ()
    pins: Mapping[tuple[str, str], Pin] = field(default_factory=_none, hash=False)
    candidates: Mapping[tuple[str, str], Pin] = field(default_factory=_none, hash=False)

    def is_fresh(self, at: int) -> bool:
        """Whether the copy may still be relied on; a clock that was set back proves nothing either."""
        return self.as_of is None or abs(at - self.as_of) <= MAX_AGE_SECONDS * 1_000_000_000

    def revocation(self, principal: Principal, session: str, at: int) -> Revocation | None:
        """The revocation that puts this principal, his token or this session (as its digest) out; None without one."""
        if not self.revocations:
            return None
        token = principal.claims.get("jti")
        for revocation in self.revocations:
            if revocation.until is not None and at >= revocation.until:
                continue
            if _puts_out(revocation, principal, session, token):
                return revocation
        return None

    def is_out(self, issuer: str, subject: str, at: int) -> bool:
        """Whether this login is revoked at ``at``."""
        return self.revocation(Principal(issuer=issuer, subject=subject), "", at) is not None

    def lent(self, principal: Principal, at: int) -> tuple[Elevation, ...]:
        """The roles that the principal has on loan at ``at``."""
        who = (principal.issuer, principal.subject)
        return tuple(
            loan for loan in self.elevations if (loan.issuer, loan.subject) == who and loan.at <= at < loan.until
        )


def _puts_out(revocation: Revocation, principal: Principal, session: str, token: object) -> bool:
    if revocation.kind is Revoked.SESSION:
        return session == revocation.value and session != ""
    if revocation.kind is Revoked.ISSUER:
        return principal.issuer == revocation.value
    if revocation.issuer not in {"", principal.issuer}:
        return False
    if revocation.kind is Revoked.TOKEN:
        return token == revocation.value
    # a workload beside a token is somebody too
    return revocation.value in {principal.subject, principal.workload}


NOTHING_SHARED: Final = SharedState()
"""The shared state of a service that has none."""
