"""The process of one worker: bound to its supervisor, then handed to ``app``."""

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

from extproc.bond import NAMES_VARIABLE, run_bound
from extproc.ports import RecogniserError
from extproc.settings import Settings

__all__ = ["main", "preload"]


def preload() -> None:
    """Load all that a worker needs: its modules, which are the best part of a start, and what its policy asks for."""
    import extproc.app  # noqa: F401, PLC0415

    if NAMES_VARIABLE in os.environ:
        from extproc.edges.names.presidio import load  # noqa: PLC0415

        with suppress(RecogniserError):  # the worker will say so
            load()


def main(arguments: Sequence[str], run: Callable[[Settings, int, str], None] | None = None) -> int:
    """Run worker ``arguments[0]`` of supervisor ``arguments[1]`` until it is told to stop; ``app``'s unless given."""
    index, parent = int(arguments[0]), int(arguments[1])

    def work(settings: Settings) -> None:
        chosen = run
        if chosen is None:
            # imported late: what it loads takes the best part of a second, and the bond comes first
            from extproc.app import run_worker  # noqa: PLC0415

            chosen = run_worker
        chosen(settings, index, settings.listen[index])

    return run_bound(parent, "worker", work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
