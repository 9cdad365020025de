"""The ticket machine: who may answer what, when a ticket is decided, and that it runs once (invariant 6).

Total functions from a ticket to the next one, or to the reason why there is none. No store and no clock: the time is
handed in, and whoever keeps tickets exchanges the old revision for the new one atomically, so that of two answers or
two executions at the same instant one wins and the other is told what is so by then.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from extproc.core.retention import Retention
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, Ticket, TicketState, Vote

__all__ = [
    "Refusal",
    "answer",
    "digest",
    "kept_until",
    "may_answer",
    "may_count",
    "may_force",
    "may_see",
    "open_ticket",
    "resume",
    "settled",
    "stands",
    "use",
    "withdraw",
]

_NANOSECONDS: Final = 1_000_000_000
_LONGEST_KEPT: Final = 24 * 3600
"""A ticket has the arguments as they would run, which a record has masked, as a digest, encrypted, or not at all."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a step is not taken: a stable word, and a sentence for the one who tried."""

    reason: str
    words: str


def digest(ask: Ask) -> str:
    """What an approval is bound to, as SHA-256 in hex over length-prefixed parts (invariant 6).

    Principal, server, method, target, arguments, policy; role and length of an access request. What is only for the
    eye (client, findings, reason) is left out, so that the identical later call finds its ticket.
    """
    parts = (
        ask.kind,
        ask.issuer,
        ask.subject,
        ask.server,
        ask.method,
        ask.target,
        ask.verb,
        ask.arguments,
        ask.role,
        str(ask.seconds),
        ask.approval,
        ask.policy_digest,
    )
    hashed = hashlib.sha256(b"mcp-extproc approval v1\0")
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        hashed.update(len(raw).to_bytes(8, "big") + raw)
    return hashed.hexdigest()


def open_ticket(ask: Ask, rule: ApprovalRule, *, id: str, at: int) -> Ticket:  # noqa: A002 - the ticket's own word
    """A new pending ticket."""
    return Ticket(
        id=id,
        digest=digest(ask),
        ask=ask,
        rule=rule,
        state=TicketState.PENDING,
        created_at=at,
        expires_at=at + rule.expires_after * _NANOSECONDS,
    )


def settled(ticket: Ticket, *, at: int) -> Ticket:
    """The ticket as it is at ``at``: one whose time is over has expired. Ends stay ends."""
    waiting = ticket.state in {TicketState.PENDING, TicketState.APPROVED}
    if waiting and at >= ticket.expires_at:
        return replace(ticket, state=TicketState.EXPIRED, revision=ticket.revision + 1)
    return ticket


def may_answer(ticket: Ticket, approver: Approver) -> Refusal | None:
    """Why this human may not answer this ticket; None where he may."""
    if not (_among(ticket.rule.approvers, approver) or _among(ticket.rule.force, approver)):
        return Refusal("not_an_approver", f"You are no approver of `{ticket.rule.name}`.")
    if _may_be_requester(ticket.ask, approver):
        return Refusal("own_request", "Nobody approves a request of his own.")
    return None


def may_see(ticket: Ticket, person: Approver) -> bool:
    """Whether somebody may know of a request: who may answer it, and who made it (threat A06)."""
    return may_answer(ticket, person) is None or _is_requester(ticket.ask, person)


def may_count(ticket: Ticket, person: Approver) -> bool:
    """Whether an answer of this human counts towards the quorum."""
    return may_answer(ticket, person) is None and _among(ticket.rule.approvers, person)


def may_force(ticket: Ticket, person: Approver) -> bool:
    """Whether this human may approve alone."""
    return may_answer(ticket, person) is None and _among(ticket.rule.force, person)


def answer(
    ticket: Ticket, approver: Approver, *, approves: bool, reason: str, at: int, force: bool = False
) -> Ticket | Refusal:
    """The ticket with one more answer: one no denies it, ``quorum`` yeses of different humans approve it.

    ``force`` asks for the right to approve alone, which always wants a reason. An answer to a ticket that is no longer
    pending is refused with what it is by then.
    """
    now = settled(ticket, at=at)
    if now.state is not TicketState.PENDING:
        return Refusal("not_pending", f"This request is {now.state} already.")
    refusal = may_answer(now, approver)
    if refusal is not None:
        return refusal
    if force and not (approves and _among(now.rule.force, approver)):
        return Refusal("may_not_force", "You may not approve this request alone.")
    if not force and not _among(now.rule.approvers, approver):
        return Refusal("not_an_approver", f"You may approve `{now.rule.name}` only by force.")
    if (now.rule.reason_required or force) and not reason.strip():
        what = "Who approves alone" if force else f"`{now.rule.name}`"
        return Refusal("reason_missing", f"{what} {'gives' if force else 'asks for'} a reason.")
    if any(_is_same_human(vote, approver) for vote in now.votes):
        return Refusal("answered_before", "You have answered this request already.")
    vote = Vote(
        at=at,
        issuer=approver.issuer,
        subject=approver.subject,
        approves=approves,
        human=approver.human or approver.unverified,
        name=approver.name,
        reason=reason.strip(),
        forced=force,
    )
    return _counted(replace(now, votes=(*now.votes, vote), revision=now.revision + 1), at)


def _counted(ticket: Ticket, at: int) -> Ticket:
    until = at + ticket.rule.expires_after * _NANOSECONDS
    last = ticket.votes[-1]
    if not last.approves:
        return replace(ticket, state=TicketState.DENIED, expires_at=until)
    if last.forced or len(ticket.votes) >= ticket.rule.quorum:
        return replace(ticket, state=TicketState.APPROVED, expires_at=until)
    return ticket


def stands(ticket: Ticket, is_out: Callable[[Vote], bool]) -> bool:
    """Whether an approval has enough yeses without those of people who have been put out since (threat A08)."""
    counting = [vote for vote in ticket.votes if vote.approves and not is_out(vote)]
    return len(counting) >= ticket.rule.quorum or any(vote.forced for vote in counting)


def use(ticket: Ticket, ask: Ask, *, at: int) -> Ticket | Refusal:
    """The ticket used up by exactly what was approved; refused where it is not approved (any more), or for another."""
    now = settled(ticket, at=at)
    if now.digest != digest(ask):
        return Refusal("another_request", "This approval is for another request.")
    if now.state is not TicketState.APPROVED:
        return Refusal("not_approved", f"This request is {now.state}.")
    return replace(now, state=TicketState.USED, revision=now.revision + 1)


def resume(ticket: Ticket, ask: Ask, revision: int, *, at: int) -> Ticket | Refusal:
    """The used ticket at its next revision, for a call that was asked back and goes on; each step of it once."""
    if ticket.digest != digest(ask):
        return Refusal("another_request", "This approval is for another request.")
    if ticket.state is not TicketState.USED or ticket.revision != revision or at >= ticket.expires_at:
        return Refusal("not_resumable", "The approval of this call does not cover another round of it.")
    return replace(ticket, revision=ticket.revision + 1)


def withdraw(ticket: Ticket, *, at: int) -> Ticket | Refusal:
    """The ticket taken back by its requester, or because he is gone or revoked."""
    now = settled(ticket, at=at)
    if now.state not in {TicketState.PENDING, TicketState.APPROVED}:
        return Refusal("not_pending", f"This request is {now.state} already.")
    return replace(now, state=TicketState.WITHDRAWN, revision=now.revision + 1)


def _among(allowed: Approvers, approver: Approver) -> bool:
    return (
        (approver.issuer, approver.subject) in allowed.subjects
        or not allowed.groups.isdisjoint(approver.groups)
        or not allowed.roles.isdisjoint(approver.roles)
    )


def _is_requester(ask: Ask, approver: Approver) -> bool:
    return _is_one(ask.issuer, ask.subject, ask.human, approver)


def _may_be_requester(ask: Ask, approver: Approver) -> bool:
    return _is_requester(ask, approver) or _may_be_one(ask.subject, ask.human, approver)


def _is_same_human(vote: Vote, approver: Approver) -> bool:
    known = _is_one(vote.issuer, vote.subject, vote.human, approver)
    return known or _may_be_one(vote.subject, vote.human, approver)


def _is_one(issuer: str, subject: str, human: str, approver: Approver) -> bool:
    """Whether both are one human: the same login, or one that a claim ties to the other (an owner, an address)."""
    if (issuer, subject) == (approver.issuer, approver.subject):
        return True
    return _tied(subject, human, approver.subject, approver.human)


def _may_be_one(subject: str, human: str, approver: Approver) -> bool:
    """Whether both could be one human: the address is written another way, or nobody has verified it."""
    told = (approver.human or approver.unverified).casefold()
    return _tied(subject.casefold(), human.casefold(), approver.subject.casefold(), told)


def _tied(subject: str, human: str, other: str, other_human: str) -> bool:
    ours, theirs = {subject, human} - {""}, {other, other_human} - {""}
    return (human in theirs if human else False) or (other_human in ours if other_human else False)


def kept_until(ticket: Ticket, retention: Retention) -> int:
    """When a ticket that is no longer open is over, in nanoseconds: after a day, or with the records of its server."""
    seconds = retention.of(ticket.ask.server)
    kept = _LONGEST_KEPT if seconds is None else min(seconds, _LONGEST_KEPT)
    return max(ticket.expires_at, ticket.created_at + kept * _NANOSECONDS)
