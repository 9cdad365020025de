"""``extproc payloads``: the keys of those who may read recorded arguments and results."""

from pathlib import Path
from typing import Annotated

import typer

from extproc.cli.recorded import printable, quit_with
from extproc.edges.keys.payload_keys import make_identity, read_recipients
from extproc.edges.keys.secret_files import KeyFileError

__all__ = ["app"]

app = typer.Typer(help="Keys that encrypt recorded payloads.", no_args_is_help=True, add_completion=False)


@app.command("keygen")
def keygen(file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the private key goes.")]) -> None:
    """Make the keys of an auditor: FILE is for him alone, FILE.pub for the setting `payload_keys`.

    Several auditors: put their public keys one behind the other into one file. To rotate, put the new ones in their
    place; it is in force within seconds, and old records are read with the old key.
    """
    try:
        name, public = make_identity(file)
    except KeyFileError as error:
        quit_with(2, str(error))
    typer.echo(printable(f"{file}: keep it away from the service; who loses it reads no record any more"))
    typer.echo(printable(f"{public}: {name}"))


@app.command("recipients")
def recipients(file: Annotated[Path, typer.Argument(metavar="FILE", help="A file of public keys.")]) -> None:
    """List the ids of the keys in FILE, as events name them."""
    try:
        found = read_recipients(file)
    except KeyFileError as error:
        quit_with(2, str(error))
    for name in found:
        typer.echo(name)
