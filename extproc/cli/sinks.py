"""``extproc sinks`` and ``sinks skip``: where copies of the records go, how far each is, and on without a record."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from extproc.cli.desk import as_owner, operator
from extproc.cli.recorded import StateDir, moment, printable, quit_with, screen
from extproc.ports import SinkStatus
from extproc.settings import default_state_dir
from extproc.settings.sinks import SinksError, read_sinks
from extproc.settings.targets import Target
from extproc.shipping import statuses
from extproc.skips import Skip, ask, asked, done

__all__ = ["app"]

PATIENCE_SECONDS: Final = 30.0
"""A service that runs takes a wish up within a second, and then asks the sink."""
LOOK_SECONDS: Final = 0.1

app = typer.Typer(help="Where copies of the records go, and how far each is.", add_completion=False)


@app.callback(invoke_without_command=True)
def show_sinks(
    context: typer.Context,
    file: Annotated[
        Path | None, typer.Option("--sinks", envvar="EXTPROC_SINKS", help="The file that names the sinks.")
    ] = None,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Show each sink's type, what was delivered, what waits and its last error; 1 if one does not take records."""
    if context.invoked_subcommand is not None:
        context.obj = (file, state)
        return
    targets, found = _known(file, state)
    if as_json:
        rows = [
            {
                "name": status.name,
                "type": target.type,
                "delivered": status.delivered,
                "delivered_at": status.delivered_at,
                "behind": status.behind,
                "skipped": status.skipped,
                "positions": status.positions,
                "error": status.error,
                "error_at": status.error_at,
            }
            for target, status in zip(targets, found, strict=True)
        ]
        typer.echo(json.dumps(rows))
    else:
        table = Table("name", "type", "delivered", "last", "behind", "error", box=None)
        for target, status in zip(targets, found, strict=True):
            failing = f"{moment(status.error_at)} {status.error}" if status.error is not None else "-"
            cells = (target.name, target.type, str(status.delivered), moment(status.delivered_at), str(status.behind))
            table.add_row(*cells, Text(printable(failing), style="red" if status.error else ""))
        screen().print(table)
        for status in found:
            if status.skipped:
                said = f"{status.name} went on without records ({status.skipped}); events of the kind `sink` say which"
                typer.echo(printable(said), err=True)
    if any(status.error is not None for status in found):
        raise typer.Exit(1)


@app.command("skip")
def skip_one(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="The sink, as the file names it.")],
    reason: Annotated[str, typer.Option(help="Why; it stands on record.")],
    file: Annotated[
        Path | None, typer.Option("--sinks", help="The file that names the sinks.", show_default=False)
    ] = None,
    state: Annotated[
        Path | None, typer.Option("--state", help="The state directory of the service.", show_default=False)
    ] = None,
) -> None:
    """Have a sink go on without the one record that it refuses, where it never will take it; the service must run.

    What waits is given record by record up to the first that is refused. That one stays in its journal, and an event
    says which it is, who left it out, and why. A sink that does not answer refuses nothing. 1 if nothing was left out.
    """
    outer_file, outer_state = context.obj
    file, state = file or outer_file, state or outer_state
    before = _one(name, *_known(file, state))
    if not reason.strip():
        quit_with(2, "--reason: say why the record is left out")
    if before.error is None:
        quit_with(1, f"{name} takes records: there is nothing to skip")
    try:
        wish = Skip(by=operator(), reason=reason.strip())
        with as_owner(state):
            ask(state, name, wish)
        try:
            _await(state, name)
        finally:
            left = asked(state, name) is not None
            done(state, name)
    except OSError as error:
        quit_with(2, f"{state} cannot be written: {error.strerror}")
    after = _one(name, *_known(file, state))
    if after.skipped == before.skipped or after.last_skipped is None:
        why = "the sink does not answer, or the service does not run" if left else "it refused no record by itself"
        quit_with(1, f"nothing was skipped: {why} (last error: {after.error or 'none'})")
    journal, seq = after.last_skipped
    typer.echo(printable(f"{name} goes on without record {seq} of {journal}; {after.behind} records wait"))


def _await(state: Path, name: str) -> None:
    """Wait until the wish is taken away, for a while; Ctrl-C withdraws it."""
    typer.echo("asking the service ... (Ctrl-C withdraws it)", err=True)
    until = time.monotonic() + PATIENCE_SECONDS
    while asked(state, name) is not None and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)


def _known(file: Path | None, state: Path) -> tuple[Sequence[Target], Sequence[SinkStatus]]:
    if file is None:
        quit_with(2, "name the file of sinks with --sinks, or in EXTPROC_SINKS")
    try:
        targets = read_sinks(file)
        return targets, statuses(state, [target.name for target in targets])
    except SinksError as error:
        quit_with(2, str(error))
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")


def _one(name: str, targets: Sequence[Target], found: Sequence[SinkStatus]) -> SinkStatus:
    one = next((status for status in found if status.name == name), None)
    if one is None:
        quit_with(2, f"{name}: there is no such sink; there are {', '.join(each.name for each in targets)}")
    return one
