"""The command line: one small module per command group, joined here."""

import typer

from extproc.cli import (
    access,
    approvals,
    approvers,
    catalog,
    check,
    explain,
    export,
    inspect,
    mask,
    replay,
    revoke,
    seal,
    serve,
    sessions,
    sinks,
    token,
    up,
    verify,
)

__all__ = ["main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("up")(up.up)
app.add_typer(sessions.app, name="sessions")
app.add_typer(approvals.app, name="approvals")
app.add_typer(access.app, name="access")
app.add_typer(approvers.app, name="approvers")
app.command("revoke")(revoke.revoke)
app.add_typer(revoke.app, name="revocations")
app.add_typer(catalog.app, name="catalog")
app.command("check")(check.check)
app.command("explain")(explain.explain_command)
app.add_typer(inspect.app, name="inspect")
app.add_typer(mask.app, name="mask")
app.command("replay")(replay.replay)
app.command("export")(export.export)
app.command("verify")(verify.verify_journals)
app.add_typer(seal.app, name="seal")
app.command("sinks")(sinks.sinks)
app.command("token")(token.token)
app.command("serve")(serve.serve)


def main() -> None:
    """Run the command line."""
    app()
