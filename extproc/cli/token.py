"""``extproc token``: a token of the playground's issuer, without a browser."""

import json
import re
import time
from pathlib import Path
from typing import Annotated, Final

import typer

from extproc.demo.people import PEOPLE, DevelopmentIssuer, DevelopmentIssuerError
from extproc.settings import default_state_dir

__all__ = ["token"]

SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST: Final = 86400


def token(
    *,
    person: Annotated[str, typer.Option("--as", help=f"Whose token: {', '.join(PEOPLE)}.")] = "analyst",
    audience: Annotated[str | None, typer.Option(help="The MCP URL it is for; else that of the playground.")] = None,
    lifetime: Annotated[str, typer.Option("--for", help="How long it lives, for example 30m; at most 1d.")] = "1h",
    folder: Annotated[Path | None, typer.Option("--dir", help="The state directory of `extproc up`.")] = None,
    jwks: Annotated[bool, typer.Option("--jwks", help="Print the issuer's public key set instead.")] = False,
) -> None:
    """Print a development token, or the key set that verifies it."""
    try:
        issuer = DevelopmentIssuer.load(folder or default_state_dir())
    except DevelopmentIssuerError as error:
        raise _mistake(str(error)) from None
    if jwks:
        typer.echo(json.dumps(issuer.key_set()))
        return
    who = PEOPLE.get(person)
    if who is None:
        raise _mistake(f"there is no {person!r}: choose one of {', '.join(PEOPLE)}")
    match = re.fullmatch(r"([0-9]{1,6})([smhd])", lifetime)
    seconds = int(match[1]) * SECONDS[match[2]] if match else 0
    if not 0 < seconds <= LONGEST:
        raise _mistake(f"--for {lifetime!r} is no time between 1s and 1d; write 30m or 1h")
    typer.echo(issuer.mint(who, audience=audience or issuer.audience, lifetime=seconds, now=time.time()))


def _mistake(words: str) -> typer.Exit:
    typer.echo(f"extproc token: {words}", err=True)
    return typer.Exit(2)
