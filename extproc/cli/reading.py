"""Reading what is encrypted in a recording: with whose keys, and on whose record."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from extproc.cli.desk import operator, record
from extproc.cli.recorded import quit_with
from extproc.core.audit import Session
from extproc.core.audit.steps import read_step
from extproc.core.model import Json
from extproc.edges.keys.payload_keys import Identities, read_identities, unlocked
from extproc.edges.keys.secret_files import KeyFileError

__all__ = ["Identity", "Reading", "reading_with"]

Identity: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option("--key", help="A private key (`extproc payloads keygen`) that opens encrypted payloads; on record."),
]


class Reading:
    """Opens what the given keys open, and counts."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self.opened = 0
        self.closed = 0

    def __call__(self, event: Mapping[str, Json]) -> Mapping[str, Json]:
        """The event, with what was encrypted where a key opens it."""
        if "encrypted" not in event:
            return event
        whole = unlocked(event, self._identities)
        if whole is None:
            self.closed += 1
            return event
        self.opened += 1
        return whole

    def tell(self, state: Path, session: Session) -> None:
        """Put on record that payloads were opened; leaves where that cannot be. Says what is still encrypted."""
        if self.opened:
            keys = ", ".join(self._identities)
            step = read_step(
                at=time.time_ns(), session=session.id, calls=len(session.calls), recipient=keys, by=operator()
            )
            record(state, step)
        elif self.closed and self._identities:
            quit_with(1, "none of these keys opens a payload of this session; `sessions show --json` names who can")
        if self.closed:
            typer.echo(f"{self.closed} records are encrypted; --key FILE opens them for who has the key", err=True)


def reading_with(keys: list[Path] | None) -> Reading:
    """The reader with these keys; leaves with 2 and one line where one cannot be used."""
    try:
        return Reading(read_identities(keys or ()))
    except KeyFileError as error:
        quit_with(2, str(error))
