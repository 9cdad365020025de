"""``extproc up``: a whole playground on loopback, until Ctrl-C."""

import asyncio
import contextlib
import signal
import time
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from extproc.demo.decisions import ASKED, Position, follow, line, positions
from extproc.demo.people import PEOPLE
from extproc.demo.playground import APPROVER, Plan, Playground, PlaygroundError, Prepared, prepare
from extproc.demo.welcome import welcome
from extproc.settings import default_state_dir

__all__ = ["up"]

CANNOT_RUN: Final = 2
TOKEN_SECONDS: Final = 8 * 3600
COLOURS: Final = {
    "allow": "green",
    ASKED: "yellow",
    "hold": "yellow",
    "deny": "red",
    "reject": "red",
    "shadow": "yellow",
}


def up(
    *,
    upstream: Annotated[str | None, typer.Option(help="Your own MCP server's URL, in place of the sample one.")] = None,
    policy: Annotated[Path | None, typer.Option(help="The policy file; else a sample, in the state directory.")] = None,
    server: Annotated[str | None, typer.Option(help="The server's name in the policy, if it has several.")] = None,
    port: Annotated[int, typer.Option(min=1, max=65535, help="Where clients connect on 127.0.0.1.")] = 10000,
    issuer_port: Annotated[int, typer.Option(min=1, max=65535, help="Where the token issuer listens.")] = 9000,
    state: Annotated[Path | None, typer.Option("--state", "--state-dir", help="Recordings, keys, logs.")] = None,
    chain: Annotated[Literal["one-message", "portable"], typer.Option(help="Which Envoy chain.")] = "one-message",
    config: Annotated[
        Path | None, typer.Option(help="More settings, as `extproc serve --config` takes them: sinks, payload_keys ...")
    ] = None,
) -> None:
    """Run Envoy, the service, a sample MCP server and a token issuer on loopback; Ctrl-C ends it with status 0."""
    plan = Plan(
        port=port,
        issuer_port=issuer_port,
        state=(state or default_state_dir()).absolute(),
        chain=chain,
        upstream=upstream,
        policy=policy.absolute() if policy else None,
        server=server,
        config=config.absolute() if config else None,
    )
    try:
        asyncio.run(_run(prepare(plan)))
    except PlaygroundError as error:
        typer.echo(f"extproc up: {error}", err=True)
        raise typer.Exit(CANNOT_RUN) from None


async def _run(prepared: Prepared) -> None:
    """Run until a signal (returns) or until a part dies (raises PlaygroundError)."""
    playground = Playground(prepared)
    running = asyncio.create_task(_watch(playground, prepared))
    asked = 0

    def stop() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            running.cancel()
        else:
            playground.kill()

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop)
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def _watch(playground: Playground, prepared: Prepared) -> None:
    typer.echo("starting ...", err=True)
    async with playground.running():
        plan = prepared.plan
        seen = positions(plan.state)
        tokens = {
            name: prepared.issuer.mint(person, audience=prepared.url, lifetime=TOKEN_SECONDS, now=time.time())
            for name, person in PEOPLE.items()
        }
        typer.echo(
            welcome(
                url=prepared.url,
                upstream=plan.mcp_server,
                server=prepared.server,
                policy=prepared.policy,
                state=plan.state,
                tokens=tokens,
                approvals=_approvals(playground, prepared),
            )
        )
        try:
            async with asyncio.TaskGroup() as together:
                together.create_task(_show(plan.state, seen))
                together.create_task(_raise_first_death(playground))
        except* PlaygroundError as errors:
            raise errors.exceptions[0] from None
        finally:
            typer.echo("stopping ...", err=True)


def _approvals(playground: Playground, prepared: Prepared) -> str:
    if not playground.console:
        return ""
    command = f"extproc approvals approve ID --as {APPROVER} --reason WHY --state {prepared.plan.state}"
    return f"""\
approvals     http://{playground.console}   sign in locally as {APPROVER}, secret {prepared.approver}
              or EXTPROC_APPROVER_SECRET={prepared.approver} {command}
"""


async def _raise_first_death(playground: Playground) -> None:
    raise await playground.first_death()


async def _show(state: Path, seen: dict[Path, Position]) -> None:
    async for event in follow(state, seen):
        typer.secho(line(event), fg=COLOURS.get(event.get("effect", ASKED)))
