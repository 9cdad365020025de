"""``extproc approvals``: the calls that wait for a human, and the answer to them."""

import time
from datetime import timedelta
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from extproc.cli.desk import ApproverName, Secret, StoreUrl, in_office, signed_in
from extproc.cli.recorded import StateDir, moment, print_json, printable, quit_with, screen
from extproc.core.approval import Refusal
from extproc.core.legible import Piece, legible
from extproc.core.tickets import AskKind, Ticket, TicketState
from extproc.edges.console.shown import argument_lines, as_json, title
from extproc.office import Office
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(help="Calls that wait for a human.", add_completion=False, no_args_is_help=True)

TicketId = Annotated[str, typer.Argument(metavar="ID", help="The id, or how it begins.")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]

_COLOURS = {
    TicketState.PENDING: "yellow",
    TicketState.APPROVED: "green",
    TicketState.USED: "green",
}


@app.command("list")
def list_approvals(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json_: AsJson = False,
) -> None:
    """List what waits, the newest first."""

    async def work(office: Office) -> list[Ticket]:
        await office.desk.sweep()
        return (
            list(await office.tickets.latest(limit=limit)) if every else list(await office.tickets.waiting())[-limit:]
        )

    found = sorted(in_office(state, store_url, work), key=lambda ticket: ticket.created_at, reverse=True)
    if as_json_:
        print_json([as_json(ticket, time.time_ns()) for ticket in found])
        return
    if not found:
        typer.echo("nothing waits for an answer")
        return
    table = Table("id", "request", "rule", "state", "asked", "left", box=None)
    for ticket in found:
        table.add_row(
            ticket.id,
            _pieces(legible(title(ticket))),
            ticket.rule.name,
            _state(ticket),
            moment(ticket.created_at),
            _left(ticket),
        )
    screen().print(table)


@app.command("show")
def show_approval(
    ticket_id: TicketId,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    as_json_: AsJson = False,
) -> None:
    """Show one request whole, with everything invisible in it marked."""
    ticket = in_office(state, store_url, lambda office: _found(office, ticket_id))
    if as_json_:
        print_json(as_json(ticket, time.time_ns()))
        return
    _print(screen(), ticket)


@app.command("approve")
def approve(
    ticket_id: TicketId,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; some rules want it.")] = "",
    name: ApproverName = None,
    secret: Secret = None,
    force: Annotated[bool, typer.Option("--force", help="Approve alone, where the rule gives you that right.")] = False,
) -> None:
    """Approve exactly what `show` shows, once."""
    person = signed_in(state, name, secret)

    async def work(office: Office) -> Ticket | Refusal:
        ticket = await _found(office, ticket_id)
        return await office.desk.answer(ticket.id, person, approves=True, reason=reason, force=force)

    _say(in_office(state, store_url, work))


@app.command("deny")
def deny(
    ticket_id: TicketId,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    reason: Annotated[str, typer.Option(help="Why; the requester reads it.")] = "",
    name: ApproverName = None,
    secret: Secret = None,
) -> None:
    """Deny a request."""
    person = signed_in(state, name, secret)

    async def work(office: Office) -> Ticket | Refusal:
        ticket = await _found(office, ticket_id)
        return await office.desk.answer(ticket.id, person, approves=False, reason=reason)

    _say(in_office(state, store_url, work))


async def _found(office: Office, ticket_id: str) -> Ticket:
    """The one ticket whose id begins so; leaves with 1 otherwise."""
    exact = await office.desk.get(ticket_id)
    if exact is not None:
        return exact
    matches = [ticket for ticket in await office.tickets.latest(limit=1000) if ticket.id.startswith(ticket_id)]
    if len(matches) != 1:
        why = "no request has this id" if not matches else f"{len(matches)} requests begin so; write more of the id"
        quit_with(1, f"{printable(ticket_id)}: {why}; `extproc approvals list --all` lists them")
    return await office.desk.current(matches[0]) or matches[0]


def _say(outcome: Ticket | Refusal) -> None:
    if isinstance(outcome, Refusal):
        quit_with(1, outcome.words)
    given = sum(vote.approves for vote in outcome.votes)
    more = f" ({given} of {outcome.rule.quorum})" if outcome.state is TicketState.PENDING else ""
    typer.echo(f"{outcome.id}: {outcome.state}{more}")


def _print(console: Console, ticket: Ticket) -> None:
    ask = ticket.ask
    rows: list[tuple[str, str]] = [("requester", f"{ask.subject} ({ask.issuer})"), ("client", ask.client)]
    if ask.kind is AskKind.ACCESS:
        rows.append(("role", f"{ask.role} for {timedelta(seconds=ask.seconds)}"))
    else:
        rows += [("server", ask.server), ("call", f"{ask.method} {ask.target}"), ("verb", ask.verb), ("rule", ask.rule)]
    rows += [("reason given", ask.reason), *(("found", finding) for finding in ask.findings)]
    console.print(_pieces(legible(title(ticket))), style="bold")
    console.print(Text.assemble(_state(ticket), f"  {_left(ticket)}"))
    for name, value in rows:
        if value:
            console.print(Text.assemble((f"{name:<13}", "dim"), _pieces(legible(value))))
    for line in argument_lines(ticket):
        console.print(Text.assemble(("argument     ", "dim"), _pieces(line.path), (" = ", "dim"), _pieces(line.value)))
    for vote in ticket.votes:
        said = "yes" if vote.approves else "no"
        alone = " (alone)" if vote.forced else ""
        words = f"{said}{alone}: {vote.name or vote.subject}{f', {vote.reason}' if vote.reason else ''}"
        console.print(Text.assemble(("answer       ", "dim"), _pieces(legible(words))))
    console.print(Text.assemble(("digest       ", "dim"), ticket.digest))


def _pieces(pieces: tuple[Piece, ...]) -> Text:
    return Text.assemble(*((piece.text, "black on yellow" if piece.mark else "") for piece in pieces))


def _state(ticket: Ticket) -> Text:
    return Text(ticket.state.value, style=_COLOURS.get(ticket.state, "red"))


def _left(ticket: Ticket) -> str:
    if ticket.state not in {TicketState.PENDING, TicketState.APPROVED}:
        return ""
    return f"{timedelta(seconds=max((ticket.expires_at - time.time_ns()) // 1_000_000_000, 0))}"
