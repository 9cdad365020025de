"""What a notification says: who asks for what, under which rule, until when, and where to answer.

It says enough to know whether to hurry and never enough to decide on: an approval is given on the page or the command
line, where the whole request is shown. So no arguments stand here, which a channel's readers may not be allowed to
see, and a URI as the record has it; findings (``DELETE without WHERE on sales.orders``) do.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

from extproc.core.legible import marked
from extproc.core.tickets import AskKind, Ticket

__all__ = ["lines", "subject_line"]


def subject_line(tickets: Sequence[Ticket]) -> str:
    """One line for all tickets, which have one requester."""
    who = marked(tickets[0].ask.subject)
    if len(tickets) > 1:
        return f"{len(tickets)} requests of {who} wait for an answer"
    return f"{who} asks for {_what(tickets[0])}"


def lines(ticket: Ticket, url: str | None) -> list[str]:
    """The lines on one ticket."""
    ask = ticket.ask
    until = datetime.fromtimestamp(ticket.expires_at // 1_000_000_000, UTC).strftime("%H:%M:%S UTC")
    found = [
        f"{marked(ask.subject)} ({marked(ask.issuer)}) asks for {_what(ticket)}",
        f"rule {ticket.rule.name}, {ticket.rule.quorum} approval(s) needed, open until {until}",
    ]
    if ask.findings:
        found.append("found: " + "; ".join(marked(finding) for finding in ask.findings[:5]))
    if ask.reason:
        found.append(f"reason given: {marked(ask.reason[:500])}")
    found.append(f"answer: {url}" if url else f"answer: extproc approvals show {ticket.id}")
    return found


def _what(ticket: Ticket) -> str:
    ask = ticket.ask
    if ask.kind is AskKind.ACCESS:
        return f"the role {marked(ask.role)} for {ask.seconds // 60} minutes"
    return f"{marked(ask.recorded or ask.target or ask.method)} on {marked(ask.server)} ({ask.verb})"
