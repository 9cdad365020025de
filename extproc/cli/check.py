"""``extproc check``: whether policy files load, and every mistake of those that do not."""

from pathlib import Path
from typing import Annotated

import typer

from extproc.core.policy.rules import Policy
from extproc.edges.names.presidio import installed
from extproc.edges.policy_files import PolicyError, read_policy

__all__ = ["check"]

_WRONG = 1
_UNREADABLE = 2


def check(files: Annotated[list[Path], typer.Argument(help="Policy files.", show_default=False)]) -> None:
    """Check policy files: exit 0 if all are good, 1 if one has mistakes, 2 if one cannot be read."""
    status = 0
    for path in files:
        if not path.is_file():
            reason = "is no file" if path.exists() else "does not exist"
            typer.echo(f"{path} {reason}.", err=True)
            status = _UNREADABLE
            continue
        try:
            typer.echo(f"{path}: good. {_summary(read_policy(path, recogniser=installed()))}")
        except PolicyError as error:
            for problem in error.problems:
                typer.echo(problem, err=True)
            count = len(error.problems)
            typer.echo(f"{path}: {count} {'problem' if count == 1 else 'problems'}.", err=True)
            status = max(status, _WRONG)
    raise typer.Exit(status)


def _summary(policy: Policy) -> str:
    grants = {grant.rule for server in policy.servers.values() for grant in server.grants}
    denies = {rule.rule for server in policy.servers.values() for rule in server.denies}
    masks = {mask.name for server in policy.servers.values() for mask in server.masks}
    counts = [(policy.servers, "server"), (policy.roles, "role"), (grants, "grant"), (denies, "deny rule")]
    counts += [(masks, "masking rule")] if masks else []
    said = ", ".join(f"{len(things)} {word}{'' if len(things) == 1 else 's'}" for things, word in counts)
    shadowed = sorted(server.name for server in policy.servers.values() if server.shadow)
    mode = f" Shadow mode, nothing is enforced, on: {', '.join(shadowed)}." if shadowed else ""
    return f"{said}.{mode} Digest {policy.digest}"
