"""The command line: one small module for each command or group of commands, loaded when it is asked for."""

from importlib import import_module
from typing import Any, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command, get_group

__all__ = ["main"]

COMMANDS: Final = {
    "up": "up:up",
    "sessions": "sessions:app",
    "approvals": "approvals:app",
    "access": "access:app",
    "approvers": "approvers:app",
    "revoke": "revoke:revoke",
    "revocations": "revoke:app",
    "catalog": "catalog:app",
    "check": "check:check",
    "doctor": "doctor:doctor",
    "explain": "explain:explain_command",
    "inspect": "inspect:app",
    "mask": "mask:app",
    "replay": "replay:replay",
    "export": "export:export",
    "verify": "verify:verify_journals",
    "seal": "seal:app",
    "payloads": "payloads:app",
    "sinks": "sinks:app",
    "index": "index:app",
    "schema": "schema:schema",
    "token": "token:token",
    "serve": "serve:serve",
}
"""Each command with its module and its name there; all of them together take a second to load."""


class Commands(TyperGroup):
    """The group of all commands."""

    def list_commands(self, context: Any) -> list[str]:  # noqa: ARG002 - the signature is typer's
        """All of them, in their order."""
        return list(COMMANDS)

    def get_command(self, context: Any, name: str) -> Any:  # noqa: ARG002 - as above
        """Load one of them; None where there is no such command."""
        if name not in COMMANDS:
            return None
        module, _, member = COMMANDS[name].partition(":")
        found = getattr(import_module(f"extproc.cli.{module}"), member)
        if isinstance(found, typer.Typer):
            loaded: Any = get_group(found)
        else:
            alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
            alone.command(name)(found)
            loaded = get_command(alone)
        loaded.name = name
        return loaded

    def invoke(self, context: Any) -> Any:
        """Run one of them; what the system refuses, and no command words better, is one line and 2."""
        try:
            return super().invoke(context)
        except BrokenPipeError:
            raise
        except OSError as error:
            where = f"{error.filename}: " if error.filename else ""
            line = f"{where}{error.strerror or type(error).__name__}"
        except UnicodeEncodeError:
            line = "an argument is not UTF-8"
        return import_module("extproc.cli.recorded").quit_with(2, line)


app = typer.Typer(cls=Commands, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def extproc() -> None:
    """Least privilege on MCP traffic in your Envoy: judged, masked, held and recorded by one policy file."""


def main() -> None:
    """Run the command line."""
    app()
