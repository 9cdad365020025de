"""``extproc access``: a role for a while, asked for with one's own token, and what is on loan."""

import time
from typing import Annotated

import httpx
import typer
from rich.table import Table

from extproc.cli.desk import StoreUrl, in_office, operator
from extproc.cli.recorded import StateDir, moment, print_json, printable, quit_with, screen
from extproc.cli.revoke import instant
from extproc.core.audit.steps import loan_step
from extproc.core.shared_state import Elevation
from extproc.office import Office
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(help="Roles on loan.", add_completion=False, no_args_is_help=True)

POLL_SECONDS = 1.0


@app.command("request")
def request_access(
    *,
    role: Annotated[str, typer.Option(help="The role, as the policy names it.")],
    length: Annotated[str, typer.Option("--for", help="How long: 30m, 2h.")],
    reason: Annotated[str, typer.Option(help="Why; the approver reads it.")] = "",
    console: Annotated[str, typer.Option(envvar="EXTPROC_CONSOLE_URL", help="The console's address.")],
    token: Annotated[str, typer.Option(envvar="EXTPROC_TOKEN", help="Your MCP token; better in the variable.")],
    wait: Annotated[bool, typer.Option("--wait", help="Wait until somebody has answered.")] = False,
) -> None:
    """Ask for a role; somebody else has to approve it, and it ends by itself."""
    now = time.time_ns()
    seconds = ((instant(length, now, "--for") or now) - now) // 1_000_000_000
    headers = {"authorization": f"Bearer {token}"}
    base = console.rstrip("/")
    try:
        with httpx.Client(timeout=30, trust_env=False, headers=headers) as http:
            told = _read(http.post(f"{base}/api/v1/access", json={"role": role, "seconds": seconds, "reason": reason}))
            typer.echo(f"{told['id']}: {told['state']}; {told['page']}")
            while wait and told["state"] == "pending":
                time.sleep(POLL_SECONDS)
                told = _read(http.get(f"{base}/api/v1/access/{told['id']}"))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        quit_with(2, f"{printable(base)}: {type(error).__name__}; is this the console's address?")
    if wait:
        typer.echo(f"{told['id']}: {'the role is lent' if told['state'] == 'used' else told['state']}")
        raise typer.Exit(0 if told["state"] == "used" else 1)


def _read(answer: httpx.Response) -> dict[str, str]:
    try:
        body = answer.json()
    except ValueError:
        quit_with(2, f"the console answered {answer.status_code} without JSON")
    if answer.status_code >= 400:
        quit_with(1, printable(str(body.get("detail", answer.status_code))))
    return {name: printable(str(body.get(name, ""))) for name in ("id", "state", "page")}


@app.command("list")
def list_access(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List the roles that are on loan now."""

    async def work(office: Office) -> tuple[Elevation, ...]:
        return tuple(loan for loan in office.shared.current.elevations if loan.until > time.time_ns())

    loans = in_office(state, store_url, work)
    if as_json:
        names = ("id", "issuer", "subject", "role", "at", "until")
        print_json([{name: getattr(loan, name) for name in names} for loan in loans])
        return
    if not loans:
        typer.echo("no role is on loan")
        return
    table = Table("id", "subject", "issuer", "role", "since", "until", box=None)
    for loan in loans:
        cells = (loan.id, loan.subject, loan.issuer, loan.role, moment(loan.at), moment(loan.until))
        table.add_row(*(printable(cell) for cell in cells))
    screen().print(table)


@app.command("revoke")
def end_access(
    loan_id: Annotated[str, typer.Argument(metavar="ID")],
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
) -> None:
    """Take a role back before its time, streams included."""

    async def work(office: Office) -> bool:
        loan = next((loan for loan in office.shared.current.elevations if loan.id == loan_id), None)
        if loan is None:
            return False
        await office.record(loan_step(at=time.time_ns(), step="ended", loan=loan, by=operator()))
        return await office.shared.end_loan(loan_id)

    if not in_office(state, store_url, work):
        quit_with(1, f"no role is on loan as {printable(loan_id)}; `extproc access list` lists them")
    typer.echo(f"{loan_id}: taken back")
