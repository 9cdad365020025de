"""``extproc seal key`` and ``extproc seal rotate``: the key that signs the recording."""

import time

import typer

from extproc.cli.desk import as_owner, operator, record
from extproc.cli.recorded import StateDir, quit_with
from extproc.core.audit.steps import key_step
from extproc.edges.keys.seal_keys import public_key, rotate
from extproc.edges.keys.secret_files import KeyFileError
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(help="The key that signs the recording.", no_args_is_help=True, add_completion=False)


@app.command("key")
def show_key(state: StateDir = default_state_dir()) -> None:  # noqa: B008 - typer reads defaults once
    """Print the public key that an auditor needs; give it to him by another way than the recording."""
    key = public_key(state)
    if key is None:
        quit_with(2, f"no key in {state} yet: the service makes one when it first starts there")
    typer.echo(key)


@app.command("rotate")
def rotate_key(state: StateDir = default_state_dir()) -> None:  # noqa: B008 - typer reads defaults once
    """Let a new key sign from now on; the old one names it and is forgotten. Auditors keep the key they have."""
    try:
        with as_owner(state):
            signer = rotate(state)
    except KeyFileError as error:
        quit_with(2, str(error))
    record(state, key_step(at=time.time_ns(), step="rotated", of="seals", keys=(signer.public,), by=operator()))
    typer.echo(f"signs from now on: {signer.public}")
