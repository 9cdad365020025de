"""The process of one worker: bound to its supervisor, then handed to ``app``."""

import sys
from collections.abc import Callable, Sequence

from extproc.bond import run_bound
from extproc.settings import Settings

__all__ = ["main", "preload"]


def preload() -> None:
    """Load all that a worker needs: its modules, which are the best part of a start."""
    import extproc.app  # noqa: F401, PLC0415


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
