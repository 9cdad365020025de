"""Shell inspection: what a command line runs, writes, reaches and destroys, without running it."""

from extproc.core.inspection.shell.facts import inspect_shell

__all__ = ["inspect_shell"]
