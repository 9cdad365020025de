"""``extproc payloads``: the keys of those who may read recorded arguments and results, and digests to compare."""

import base64
import binascii
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from extproc.cli.desk import as_owner
from extproc.cli.recorded import StateDir, printable, quit_with
from extproc.core.audit.digests import Digests
from extproc.core.handles import digests_of
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json
from extproc.edges.keys.payload_keys import make_identity, read_recipients
from extproc.edges.keys.secret_files import KeyFileError, read_secret
from extproc.edges.keys.session_keys import SESSION_KEYS, load_session_keys
from extproc.settings import default_state_dir

__all__ = ["app"]

_LIMIT: Final = 64 << 10

app = typer.Typer(
    help="Keys that encrypt recorded payloads, and their digests.", no_args_is_help=True, add_completion=False
)


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


@app.command("digest")
def digest(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The arguments of a call as JSON; - is standard input.")],
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    as_bytes: Annotated[
        bool, typer.Option("--bytes", help="FILE is the body of a response, or one message of a stream.")
    ] = False,
    keys: Annotated[
        Path | None, typer.Option(help="What `digest-keys` printed, where the state directory is not at hand.")
    ] = None,
) -> None:
    """Print the digest that records have for FILE, one line for each key that was in use: is it the call on record?"""
    try:
        raw = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    except OSError as error:
        quit_with(2, f"{file} cannot be read: {error.strerror}")
    if as_bytes:
        found = [each.of_bytes(raw) for each in _digests(state, keys)]
    else:
        read = strict_json.read(raw)
        if isinstance(read, Rejection):
            quit_with(2, f"{file} is no JSON that a call could have: {read.message} (a body needs --bytes)")
        found = [each.of(read.value) for each in _digests(state, keys)]
    for each in found:
        typer.echo(each)


@app.command("digest-keys")
def digest_keys(state: StateDir = default_state_dir()) -> None:  # noqa: B008 - typer reads defaults once
    """Print the keys of recorded digests, for an auditor who is to check them: who has them can also try guesses."""
    for each in _digests(state, None):
        typer.echo(f"{each.prefix}{base64.b64encode(each.key).decode()}")


def _digests(state: Path, keys: Path | None) -> list[Digests]:
    """Those under all keys of this deployment, the newest first; leaves with 2 where there are none."""
    try:
        if keys is not None:
            return [_key(keys, line) for line in read_secret(keys, limit=_LIMIT).decode("ascii", "replace").split()]
        if not (state / SESSION_KEYS).exists():
            quit_with(2, f"no keys in {state}: name the service's state directory with --state")
        with as_owner(state):  # else root is told that a stranger knows the keys
            return [digests_of(key) for key in load_session_keys(state)]
    except KeyFileError as error:
        quit_with(2, str(error))


def _key(file: Path, line: str) -> Digests:
    try:
        found = Digests(base64.b64decode(line.rpartition(":")[2], validate=True))
    except binascii.Error:
        found = Digests(b"")
    if not line.startswith(found.prefix):
        quit_with(2, f"{file} holds no keys: one a line, as `extproc payloads digest-keys` prints them")
    return found
