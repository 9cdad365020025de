"""A ticket as its page and its JSON show it: whole, in pieces that the eye can judge."""

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from extproc.core.legible import Piece, legible
from extproc.core.model import Json
from extproc.core.tickets import AskKind, Ticket, TicketState

__all__ = ["Line", "argument_lines", "as_json", "title"]


@dataclass(frozen=True, slots=True)
class Line:
    """One argument: where it stands, and its value in pieces."""

    path: tuple[Piece, ...]
    value: tuple[Piece, ...]


def argument_lines(ticket: Ticket) -> list[Line]:
    """Every value in the arguments; an empty object or list is a value too."""
    if not ticket.ask.arguments:
        return []
    # not orjson, which reads an integer beyond 64 bits as a fraction: what is shown is what runs
    arguments = msgspec.json.decode(ticket.ask.arguments)
    return [Line(legible(path), legible(value)) for path, value in _leaves("", arguments)]


def _leaves(path: str, value: Json) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield from _leaves(f"{path}.{name}" if path else name, member)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from _leaves(f"{path}[{index}]", item)
    elif isinstance(value, str):
        yield path, value
    else:
        yield path, msgspec.json.encode(value).decode()


def title(ticket: Ticket) -> str:
    """What is asked, in a few words; not yet made legible."""
    ask = ticket.ask
    if ask.kind is AskKind.ACCESS:
        return f"{ask.subject}: the role {ask.role} for {ask.seconds // 60} minutes"
    return f"{ask.subject}: {ask.target or ask.method} on {ask.server}"


def as_json(ticket: Ticket, at: int) -> dict[str, Json]:
    """The ticket for the API, with its arguments as the canonical text that the digest covers."""
    ask = ticket.ask
    return {
        "id": ticket.id,
        "digest": ticket.digest,
        "state": ticket.state.value,
        "asks": ask.kind.value,
        "approval": ask.approval,
        "requester": {"issuer": ask.issuer, "subject": ask.subject, "human": ask.human},
        "client": ask.client,
        "server": ask.server,
        "method": ask.method,
        "target": ask.target,
        "verb": ask.verb,
        "rule": ask.rule,
        "arguments": ask.arguments,
        "findings": list(ask.findings),
        "role": ask.role,
        "seconds": ask.seconds,
        "reason": ask.reason,
        "policy": ask.policy_digest,
        "quorum": ticket.rule.quorum,
        "created_at": ticket.created_at,
        "expires_at": ticket.expires_at,
        "seconds_left": max((ticket.expires_at - at) // 1_000_000_000, 0)
        if ticket.state in {TicketState.PENDING, TicketState.APPROVED}
        else 0,
        "answers": [
            {
                "at": vote.at,
                "issuer": vote.issuer,
                "subject": vote.subject,
                "approves": vote.approves,
                "forced": vote.forced,
                "reason": vote.reason,
            }
            for vote in ticket.votes
        ],
    }
