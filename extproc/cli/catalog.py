"""``extproc catalog``: tool definitions that changed, what changed in words, and letting them through."""

from dataclasses import replace
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from extproc.cli.desk import StoreUrl, in_office, operator
from extproc.cli.recorded import StateDir, moment, print_json, printable, quit_with, screen
from extproc.core.audit.steps import definition_step
from extproc.core.definitions import differences
from extproc.core.legible import marked
from extproc.core.shared_state import Pin, SharedState
from extproc.office import Office
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(help="Tool definitions, and what changed in them.", add_completion=False, no_args_is_help=True)

Server = Annotated[str, typer.Argument(metavar="SERVER")]
Tool = Annotated[str, typer.Argument(metavar="TOOL")]


async def _state(office: Office) -> SharedState:
    return office.shared.current


@app.command("list")
def list_definitions(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """List approved definitions, and those that wait for approval."""
    known = in_office(state, store_url, _state)
    rows = [(pin, "approved") for pin in known.pins.values()]
    rows += [(pin, "changed" if key in known.pins else "new") for key, pin in known.candidates.items()]
    rows.sort(key=lambda row: (row[0].server, row[0].tool, row[1]))
    if as_json:
        names = ("server", "tool", "digest", "at", "by")
        print_json([{name: getattr(pin, name) for name in names} | {"state": word} for pin, word in rows])
        return
    if not rows:
        typer.echo("no definition was seen yet on a server with `tool_definitions`")
        return
    table = Table("server", "tool", "state", "seen", "by", "digest", box=None)
    for pin, word in rows:
        cells = (pin.server, pin.tool, word, moment(pin.at), pin.by or "-", pin.digest[:16])
        table.add_row(*(printable(cell) for cell in cells), style="" if word == "approved" else "yellow")
    screen().print(table)


@app.command("diff")
def show_differences(
    server: Server,
    tool: Tool,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
) -> None:
    """Show what changed, place by place; ends with 1 where something waits for approval."""
    known = in_office(state, store_url, _state)
    key = (server, tool)
    candidate = known.candidates.get(key)
    if candidate is None:
        if key not in known.pins:
            quit_with(2, f"{printable(server)}: no tool {printable(tool)} was seen; `extproc catalog list` lists them")
        typer.echo("as approved")
        return
    for line in _changes(known.pins.get(key), candidate):
        screen().print(Text(marked(line)))
    raise typer.Exit(1)


def _changes(approved: Pin | None, candidate: Pin) -> tuple[str, ...]:
    after = msgspec.json.decode(candidate.definition)
    return differences({} if approved is None else msgspec.json.decode(approved.definition), after)


@app.command("approve")
def approve(
    server: Server,
    tool: Tool,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    store_url: StoreUrl = None,
    *,
    digest: Annotated[
        str | None, typer.Option(help="Only if the definition is still this one, as `list` shows it.")
    ] = None,
) -> None:
    """Let the definition through that waits now."""

    async def work(office: Office) -> Pin | None:
        known = office.shared.current
        candidate = known.candidates.get((server, tool))
        if candidate is None or not candidate.digest.startswith(digest or ""):
            return None
        before = known.pins.get((server, tool))
        pin = replace(candidate, by=operator())
        at = candidate.at if before is None else max(candidate.at, before.at)
        step = definition_step(at=at, step="approved", pin=pin, before=before.digest if before else None)
        await office.record(step)
        return pin if await office.shared.approve(pin) else None

    pin = in_office(state, store_url, work)
    if pin is None:
        quit_with(1, f"no such definition of {printable(tool)} waits; `extproc catalog list` lists what does")
    typer.echo(f"{printable(server)} {printable(tool)}: {pin.digest[:16]} is approved")
