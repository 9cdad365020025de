"""``extproc schema``: what an event of the recording may hold, for those who read it with programs of their own."""

import json

import typer

from extproc.core.audit.schema import event_schema

__all__ = ["schema"]


def schema() -> None:
    """Print the JSON Schema (draft 2020-12) of every event in journals and sinks."""
    typer.echo(json.dumps(event_schema(), indent=2))
