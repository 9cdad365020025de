"""What every audit event begins with: its kind, the version of the schema it follows, and its time."""

from typing import Final

from extproc.core.model import Json

__all__ = ["SCHEMA_VERSION", "begun"]

SCHEMA_VERSION: Final = 2
"""The version of the event schema (``extproc schema``); it grows with every change that a reader could notice."""


def begun(kind: str, at: int) -> dict[str, Json]:
    """The first members of an event; ``at`` in nanoseconds since the epoch."""
    return {"kind": kind, "schema": SCHEMA_VERSION, "at": at}
