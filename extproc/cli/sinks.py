"""``extproc sinks``: where copies of the records go, and how far each of them is."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from extproc.cli.recorded import StateDir, moment, printable, quit_with, screen
from extproc.settings import default_state_dir
from extproc.settings.sinks import SinksError, read_sinks
from extproc.shipping import statuses

__all__ = ["sinks"]


def sinks(
    file: Annotated[Path, typer.Option("--sinks", envvar="EXTPROC_SINKS", help="The file that names the sinks.")],
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Show each sink's type, what was delivered, what waits and its last error; 1 if one does not take records."""
    try:
        targets = read_sinks(file)
        found = statuses(state, [target.name for target in targets])
    except SinksError as error:
        quit_with(2, str(error))
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")
    if as_json:
        rows = [
            {
                "name": status.name,
                "type": target.type,
                "delivered": status.delivered,
                "delivered_at": status.delivered_at,
                "behind": status.behind,
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
    if any(status.error is not None for status in found):
        raise typer.Exit(1)
