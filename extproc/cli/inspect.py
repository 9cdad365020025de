"""``extproc inspect``: the facts that policy conditions see of a text, from the engine that serves."""

import json
import sys
from dataclasses import asdict
from difflib import get_close_matches
from typing import Annotated

import typer

from extproc.cli.recorded import printable, quit_with
from extproc.core.access import DIALECTS, ShellFacts, SqlFacts
from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Json, Verb

__all__ = ["app"]

app = typer.Typer(help="What inspection finds in a text, as policy conditions see it.", add_completion=False)


@app.command("shell")
def shell(
    command: Annotated[str, typer.Argument(help="The command line, as one argument; - is stdin.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a command line runs, writes, reaches and destroys; nothing of it is run."""
    show(inspect_shell(given(command)), as_json=as_json)


@app.command("sql")
def sql(
    text: Annotated[str, typer.Argument(help="The SQL, as one argument; - is stdin.")],
    *,
    dialect: Annotated[
        str | None, typer.Option(help=f"One of {', '.join(DIALECTS)}; without it the worst of several.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what SQL reads, changes and destroys; nothing of it is run."""
    if dialect is not None and dialect not in DIALECTS:
        near = get_close_matches(dialect, DIALECTS, n=1)
        quit_with(2, f"no dialect {dialect}; " + (f"did you mean {near[0]}?" if near else f"use {', '.join(DIALECTS)}"))
    show(inspect_sql(given(text), dialect), as_json=as_json)


def given(text: str) -> str:
    """The text to inspect: the argument itself, or all of stdin for ``-``, without its last line break."""
    if text != "-":
        return text
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape").removesuffix("\n")


def show(facts: ShellFacts | SqlFacts, *, as_json: bool) -> None:
    """Print facts: as JSON all of them, as text what there is to say."""
    told = {name: value.name.lower() if isinstance(value, Verb) else value for name, value in asdict(facts).items()}
    typer.echo(json.dumps(told, indent=2) if as_json else _as_text(told))


def _as_text(told: dict[str, Json]) -> str:
    lines = []
    for name, value in told.items():
        if isinstance(value, bool):
            lines.append(f"{name}: {'yes' if value else 'no'}")
        elif isinstance(value, str):
            lines.append(f"{name}: {value}")
        elif value:
            lines.append(f"{name}: {', '.join(map(printable, value))}")
    return "\n".join(lines)
