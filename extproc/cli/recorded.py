"""What the commands that read recordings share: where they are, how to list them, how to print what a stranger wrote.

Everything in a recording was chosen by somebody: nothing of it reaches the terminal as a control character.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn, TypeAlias

import typer
from rich.console import Console

from extproc.core import audit
from extproc.core.model import Json
from extproc.edges.journal.reader import journals

__all__ = ["StateDir", "found_journals", "moment", "print_json", "printable", "quit_with", "screen"]

StateDir: TypeAlias = Annotated[
    Path, typer.Option("--state", envvar="EXTPROC_STATE_DIR", help="The state directory of the service.")
]


def quit_with(code: int, line: str) -> NoReturn:
    """Print one line to standard error and leave."""
    typer.echo(printable(line), err=True)
    raise typer.Exit(code)


def found_journals(state: Path) -> list[Path]:
    """The journals below a state directory; leaves with 2 and one line if there are none."""
    try:
        found = journals(state)
    except OSError as error:
        why = "there is none" if isinstance(error, FileNotFoundError) else error.strerror
        quit_with(2, f"no recording in {state}: {why} (name the service's state directory with --state)")
    if not found:
        quit_with(2, f"no recording in {state} yet: no worker has started there")
    return found


def printable(text: str) -> str:
    """The text with everything that a terminal or a reader could take for something else written out."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def moment(at: int | None) -> str:
    """A time in nanoseconds as UTC to the second."""
    try:
        return datetime.fromtimestamp((at or 0) / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S") if at is not None else "-"
    except (OverflowError, ValueError, OSError):
        return str(at)


def print_json(value: Json) -> None:
    """Print one line of JSON that holds no control character either."""
    typer.echo(audit.encode(value).decode())


def screen() -> Console:
    """Where tables go: as wide as the terminal, and never folded where the output is a file."""
    console = Console(highlight=False, markup=False, emoji=False)
    return console if console.is_terminal else Console(highlight=False, markup=False, emoji=False, width=400)
