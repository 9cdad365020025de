"""``extproc approvers``: local approvers, for when the identity provider is away."""

import time
from typing import Annotated

import typer

from extproc.cli.desk import as_owner, operator, record
from extproc.cli.recorded import StateDir, printable, quit_with
from extproc.core.audit.steps import approver_step
from extproc.edges.console.local_approvers import LocalApprovers, LocalApproversError
from extproc.office import LOCAL_APPROVERS
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(
    help="Local approvers, for when the identity provider is away.", add_completion=False, no_args_is_help=True
)
Name = Annotated[str, typer.Argument(metavar="NAME")]


@app.command("add")
def add(
    name: Name,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    group: Annotated[list[str], typer.Option(help="A group of the policy's approvers; may be given again.")],
    human: Annotated[str, typer.Option(help="Who this is at the identity provider: nobody approves his own.")] = "",
) -> None:
    """Add a local approver, or give one a new secret; the secret is printed once."""
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        approvers = LocalApprovers(state / LOCAL_APPROVERS)
        approvers.check(name)
        record(state, approver_step(at=time.time_ns(), step="added", name=name, groups=group, by=operator()))
        with as_owner(state):
            secret = approvers.add(name, groups=group, human=human)
    except OSError as error:
        quit_with(2, f"{state}: {error.strerror}")
    except LocalApproversError as error:
        quit_with(2, str(error))
    typer.echo(f"{name} may answer as {', '.join(group)}; the secret, shown only here:")
    typer.echo(secret)


@app.command("remove")
def remove(
    name: Name,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
) -> None:
    """Remove a local approver: his sessions end, his approvals of calls that have not run stand.

    `extproc revoke --issuer local --subject NAME` takes those back too.
    """
    approvers = LocalApprovers(state / LOCAL_APPROVERS)
    try:
        if not approvers.knows(name):
            quit_with(1, f"there is no local approver {printable(name)}")
        groups = approvers.names()[name]
        record(state, approver_step(at=time.time_ns(), step="removed", name=name, groups=groups, by=operator()))
        with as_owner(state):
            approvers.remove(name)
    except LocalApproversError as error:
        quit_with(2, str(error))


@app.command("list")
def list_approvers(
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
) -> None:
    """List the local approvers with their groups."""
    if not state.exists():
        quit_with(2, f"{state}: there is no state directory; name the service's with --state")
    try:
        names = LocalApprovers(state / LOCAL_APPROVERS).names()
    except LocalApproversError as error:
        quit_with(2, str(error))
    for name, groups in names.items():
        typer.echo(f"{name}\t{', '.join(groups)}")
