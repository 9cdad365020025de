"""``extproc serve``: the service alone, for one's own Envoy."""

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from extproc import nursery
from extproc.births import CAN_FORK, births
from extproc.bond import CANNOT_START
from extproc.edges.telemetry import configure_logging
from extproc.preflight import take_ground
from extproc.settings import MAX_WORKERS, Settings, SettingsError, read_settings

__all__ = ["serve"]


def serve(
    *,
    policy: Annotated[Path | None, typer.Option(help="The policy file.")] = None,
    state_dir: Annotated[Path | None, typer.Option("--state", "--state-dir", help="Journal, counters, keys.")] = None,
    workers: Annotated[int | None, typer.Option(min=1, max=MAX_WORKERS, help="Processes; one per CPU.")] = None,
    listen: Annotated[list[str] | None, typer.Option(help="host:port or unix:/path; one per worker.")] = None,
    metrics: Annotated[str | None, typer.Option(help="host:port of /metrics, /healthz and /readyz.")] = None,
    identity: Annotated[Literal["envoy", "token"] | None, typer.Option(help="Who verifies tokens.")] = None,
    shadow: Annotated[bool | None, typer.Option("--shadow", help="Record what is denied, but let it pass.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings as YAML or TOML; else EXTPROC_* variables.")] = None,
) -> None:
    """Run the service for an Envoy of your own until SIGTERM or Ctrl-C."""
    try:
        settings = read_settings(
            config=config,
            policy=policy,
            state_dir=state_dir,
            workers=workers,
            listen=tuple(listen) if listen else None,
            metrics=metrics,
            identity=identity,
            shadow=shadow,
        )
        # before anything is opened, and before what only the supervisor needs is loaded
        status = _supervised(settings, _forked())
    except SettingsError as error:
        typer.echo(error, err=True)
        raise typer.Exit(CANNOT_START) from None
    raise typer.Exit(status)


def _forked() -> tuple[int, socket.socket] | None:
    try:
        return nursery.fork() if CAN_FORK else None
    except OSError:  # no process is left now; one is asked for again when the first worker is born
        return None


def _supervised(settings: Settings, forked: tuple[int, socket.socket] | None) -> int:
    from extproc.supervisor import Supervisor  # noqa: PLC0415

    with take_ground(settings) as ground:
        configure_logging(level=settings.log_level)
        started = partial(births, nursery=forked)
        return asyncio.run(Supervisor(settings, ground, announce=typer.echo, started=started).run())
