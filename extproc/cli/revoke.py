"""``extproc revoke`` and ``extproc revocations``: who is out, at once, whatever his token says."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.table import Table

from extproc.cli.desk import StoreUrl, in_office, operator
from extproc.cli.recorded import StateDir, moment, print_json, printable, quit_with, screen
from extproc.core.audit.steps import revocation_step
from extproc.core.shared_state import Revocation, Revoked
from extproc.office import Office, new_id
from extproc.settings import default_state_dir

__all__ = ["app", "instant", "revoke"]

app = typer.Typer(help="What is revoked.", add_completion=False, no_args_is_help=True)

_SECONDS = 1_000_000_000


def revoke(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    subject: Annotated[str | None, typer.Option(help="A subject, or the SPIFFE id of a workload.")] = None,
    session: Annotated[str | None, typer.Option(help="A session, by the id that `extproc sessions` shows.")] = None,
    token_id: Annotated[str | None, typer.Option(help="A token, by its jti.")] = None,
    issuer: Annotated[str | None, typer.Option(help="Alone: everybody of it. Else: the subject's.")] = None,
    until: Annotated[str | None, typer.Option(help="30m, 8h, 2d, or 2030-01-31T18:00 (UTC); else for good.")] = None,
    reason: Annotated[str, typer.Option(help="For the record.")] = "",
) -> None:
    """Put somebody or something out within a second: new calls, held ones, open streams, on every node."""
    named = [
        (kind, value)
        for kind, value in ((Revoked.SUBJECT, subject), (Revoked.SESSION, session), (Revoked.TOKEN, token_id))
        if value
    ]
    if not named and issuer:
        named, issuer = [(Revoked.ISSUER, issuer)], None
    if len(named) != 1:
        quit_with(2, "name one of --subject, --session, --token-id, or --issuer alone")
    now = time.time_ns()
    kind, value = named[0]
    out = Revocation(
        id=new_id(),
        kind=kind,
        value=value,
        issuer=issuer or "",
        at=now,
        until=instant(until, now),
        reason=reason,
        by=operator(),
    )

    async def work(office: Office) -> None:
        await office.record(revocation_step(at=now, step="revoked", revocation=out, by=out.by))
        await office.shared.revoke(out)

    in_office(state, store_url, work)
    typer.echo(f"{out.id}: {kind} {printable(value)} is out{f' until {moment(out.until)}' if out.until else ''}")


@app.command("list")
def list_revocations(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List what is revoked."""

    async def work(office: Office) -> tuple[Revocation, ...]:
        return office.shared.current.revocations

    found = in_office(state, store_url, work)
    if as_json:
        print_json(
            [
                {
                    "id": one.id,
                    "revokes": one.kind.value,
                    "value": one.value,
                    "issuer": one.issuer,
                    "at": one.at,
                    "until": one.until,
                    "reason": one.reason,
                    "by": one.by,
                }
                for one in found
            ]
        )
        return
    table = Table("id", "revokes", "value", "issuer", "since", "until", "reason", "by", box=None)
    for one in sorted(found, key=lambda one: one.at, reverse=True):
        until = moment(one.until) if one.until else "-"
        cells = (one.id, one.kind.value, one.value, one.issuer or "-", moment(one.at), until, one.reason or "-", one.by)
        table.add_row(*(printable(cell) for cell in cells))
    screen().print(table)


@app.command("lift")
def lift(
    revocation_id: Annotated[str, typer.Argument(metavar="ID")],
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
) -> None:
    """End a revocation."""

    async def work(office: Office) -> bool:
        one = next((one for one in office.shared.current.revocations if one.id == revocation_id), None)
        if one is None:
            return False
        await office.record(revocation_step(at=time.time_ns(), step="lifted", revocation=one, by=operator()))
        return await office.shared.lift(revocation_id)

    if not in_office(state, store_url, work):
        quit_with(1, f"there is no revocation {printable(revocation_id)}; `extproc revocations list` lists them")
    typer.echo(f"{revocation_id}: lifted")


def instant(text: str | None, now: int, option: str = "--until") -> int | None:
    """A length of time from now, or a time, in nanoseconds since the epoch; leaves with 2 where it is neither."""
    if text is None:
        return None
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if text[:-1].isascii() and text[:-1].isdigit() and len(text) <= 6 and text[-1] in units:
        return now + int(text[:-1]) * units[text[-1]] * _SECONDS
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        quit_with(2, f"{option} {printable(text)}: write a length like 30m, 8h or 2d, or a time like 2030-01-31T18:00")
    instant = int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()) * _SECONDS
    if instant <= now:
        quit_with(2, f"{option} {printable(text)}: that is over already")
    return instant
