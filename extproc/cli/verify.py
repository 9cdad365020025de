"""``extproc verify``: do the journals' hash chains hold?"""

from dataclasses import asdict
from typing import Annotated

import typer

from extproc.cli.recorded import StateDir, found_journals, moment, print_json, printable, quit_with
from extproc.edges.journal.reader import Report, verify
from extproc.settings import default_state_dir

__all__ = ["verify_journals"]


def verify_journals(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, one object for each journal.")] = False,
) -> None:
    """Verify the hash chains of all journals: 0 if all hold, 1 with the place of a fault, 2 if one cannot be read."""
    try:
        reports = [verify(directory) for directory in found_journals(state)]
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")
    if as_json:
        print_json([asdict(report) for report in reports])
    else:
        for report in reports:
            typer.echo(printable(_line(report)))
        typer.echo(
            "A chain that holds shows that no event up to its last one was changed, dropped, moved or added.\n"
            "It cannot show that events were cut off its end, or that all of it was written anew."
        )
    if any(report.fault is not None for report in reports):
        raise typer.Exit(1)


def _line(report: Report) -> str:
    extent = (
        f"{report.events} events, {report.segments} segments, {moment(report.first_at)} to {moment(report.last_at)} UTC"
    )
    if report.fault is not None:
        fault = report.fault
        where = f"{fault.file} line {fault.line}" if fault.line else fault.file
        return f"{report.journal}: FAULT at {where} (event {fault.seq}): {fault.said}; what holds before it: {extent}"
    end = (
        "being written" if report.live else "ended in order" if report.last_kind == "stopped" else "not ended in order"
    )
    return f"{report.journal}: holds, {extent}, {end}, head {report.head}"
