"""``extproc index status`` and ``index rebuild``: how far the index of recorded sessions is, and to make it anew."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from extproc.cli.indexed import IndexUrl, progress
from extproc.cli.recorded import StateDir, found_journals, moment, printable, quit_with, screen
from extproc.edges.journal.reader import last_seq
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.places import Place, Standing
from extproc.indexing import behind, place_of_index
from extproc.office import OfficeError
from extproc.ports import StoreError
from extproc.reindexing import rebuild
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(help="The index in which sessions are looked up.", add_completion=False, no_args_is_help=True)


@app.command("status")
def show_status(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    index_url: IndexUrl = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Show for each journal what the index holds of it and what it lacks yet; 2 if it cannot be read."""
    found_journals(state)
    try:
        standings = asyncio.run(_standings(place_of_index(state, index_url)))
        missing = behind(state, standings)
    except (OfficeError, StoreError) as error:
        quit_with(2, str(error))
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")
    rows = [_row(name, standings, missing) for name in sorted(standings.keys() | missing.keys())]
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    table = Table("journal", "of", "last", box=None)
    for name in ("records", "behind", "damaged"):
        table.add_column(name, justify="right")
    for row in rows:
        here = row.behind is not None
        cells = (Text(printable(row.journal)), "this node" if here else "another node", moment(row.last_at))
        table.add_row(*cells, str(row.records), str(row.behind) if here else "-", str(row.damaged))
    screen().print(table)


@app.command("rebuild")
def rebuild_index(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    index_url: IndexUrl = None,
) -> None:
    """Build the index anew from the journals, and put it in the place of the old one at once; the service may run."""
    directories = found_journals(state)
    try:
        total = sum(last_seq(directory) + 1 for directory in directories)
        with progress("building the index", total) as advance:
            asyncio.run(rebuild(state, index_url, advance))
    except (OfficeError, StoreError) as error:
        quit_with(2, str(error))
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")
    typer.echo(f"the index was built anew from {total} records of {len(directories)} journals")


@dataclass(frozen=True, slots=True)
class _Row:
    """One journal; ``behind`` is None where it is another node's, and ``last_at`` in nanoseconds."""

    journal: str
    records: int
    behind: int | None
    last_at: int | None
    damaged: int


async def _standings(place: Path | str) -> dict[str, Standing]:
    index = Index(place)
    try:
        return await index.standings()
    finally:
        await index.close()


def _row(name: str, standings: Mapping[str, Standing], missing: Mapping[str, int]) -> _Row:
    known = standings.get(name, Standing(place=Place(), at=None, damaged=0))
    return _Row(name, known.place.seq, missing.get(name), known.at, known.damaged)
