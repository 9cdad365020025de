"""``extproc doctor``: whether an Envoy lets anything past the policy service."""

import json
import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from extproc.cli.recorded import printable, quit_with, screen
from extproc.core.doctor import (
    Finding,
    NotEnvoyError,
    Setup,
    Severity,
    examined,
    from_bootstrap,
    from_dump,
    merged,
)
from extproc.edges.envoy import EnvoyUnreachableError, running, tried

__all__ = ["doctor"]

CANNOT_TELL: Final = 2
COLOURS: Final = {Severity.UNSAFE: "bold red", Severity.BROKEN: "red", Severity.WEAK: "yellow"}


def doctor(
    target: Annotated[
        str, typer.Argument(help="Envoy's admin URL (http://127.0.0.1:9901), its configuration file, or a config_dump.")
    ],
    *,
    through: Annotated[str | None, typer.Option(help="An MCP endpoint of it, to send requests that must fail.")] = None,
    authority: Annotated[
        Path | None, typer.Option("--ca", exists=True, dir_okay=False, help="Trusted for that endpoint (PEM).")
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Missing hardenings are findings to fail on, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array.")] = False,
) -> None:
    """Name every unsafe setting of an Envoy, and its cure.

    With --through, requests that must be refused are sent to that endpoint; EXTPROC_TOKEN in the environment is a token
    that is valid there. 0: each call is judged. 1: unsafe or broken. 2: it cannot be told.
    """
    try:
        found = examined(running(target) if "://" in target else _written(Path(target)))
        if through is not None:
            sent = tried(through, token=os.environ.get("EXTPROC_TOKEN", ""), authority=authority)
            found = merged((*sent, *found))
    except (EnvoyUnreachableError, NotEnvoyError) as error:
        quit_with(CANNOT_TELL, str(error))
    if as_json:
        rows = [
            {"severity": each.severity.name.lower(), "problem": each.problem, "cure": each.cure, "where": each.where}
            for each in found
        ]
        typer.echo(json.dumps(rows))
    else:
        _show(found)
    if any(each.severity is not Severity.WEAK or strict for each in found):
        raise typer.Exit(1)


def _written(path: Path) -> Setup:
    """The configuration in a file: a bootstrap in YAML or JSON, or a saved config_dump."""
    try:
        document = YAML(typ="safe", pure=True).load(path.read_text("utf-8"))
    except OSError as error:
        raise NotEnvoyError(f"{path}: {error.strerror}") from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise NotEnvoyError(f"{path} is neither YAML nor JSON: {' '.join(str(error).split())}") from None
    try:
        if isinstance(document, dict) and "configs" in document:
            return from_dump(document, version="")
        return from_bootstrap(document)
    except NotEnvoyError as error:
        raise NotEnvoyError(f"{path} is no Envoy configuration: {error}") from None


def _show(found: tuple[Finding, ...]) -> None:
    out = screen()
    for each in found:
        line = Text(f"{each.severity.name.lower():<7}", style=COLOURS[each.severity])
        line.append(printable(each.problem), style="bold")
        out.print(line, soft_wrap=True)
        if each.where:
            out.print(Text(f"       in {printable(', '.join(each.where))}"), soft_wrap=True)
        out.print(Text(f"       -> {printable(each.cure)}", style="dim"), soft_wrap=True)
    counts = {kind: sum(each.severity is kind for each in found) for kind in Severity}
    told = ", ".join(f"{number} {kind.name.lower()}" for kind, number in counts.items() if number)
    out.print(f"found: {told}" if told else "nothing unsafe: each call to a server behind ext_proc is judged")
