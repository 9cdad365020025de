"""Hold events against the schema that ``extproc schema`` publishes, with a validator of somebody else."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from extproc.core.audit.schema import event_schema
from extproc.edges.journal.reader import Damage, journals, read

__all__ = ["faults_in", "faults_of"]


@cache
def _validator(kind: str) -> Draft202012Validator:
    # the kind alone, because a fault in one of many alternatives says nothing; that exactly one fits is tested apart
    return Draft202012Validator(event_schema()["$defs"][kind])


def faults_of(event: Mapping[str, Any]) -> list[str]:
    """What is wrong with an event, a line each; empty where nothing is."""
    kind = event.get("kind")
    if kind not in event_schema()["$defs"]:
        return [f"no kind of event: {kind}"]
    return [f"{kind} {fault.json_path}: {fault.message}" for fault in _validator(kind).iter_errors(event)]


def faults_in(state: Path) -> list[str]:
    """What is wrong with the events in the journals of a service, as far as the service wrote them.

    Tests put shorter events of their own there, without the version of a schema.
    """
    found: list[str] = []
    for event in _events(state):
        if "schema" in event:
            found += [fault for fault in faults_of(event) if fault not in found]
    return found


def _events(state: Path) -> Iterable[Mapping[str, Any]]:
    if (state / "journal").exists():
        for directory in journals(state):
            yield from (item.event for item in read(directory) if not isinstance(item, Damage))
