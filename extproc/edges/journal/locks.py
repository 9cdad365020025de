"""Whether somebody writes a journal now."""

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from extproc.edges.journal.segments import LOCK

__all__ = ["is_live"]


def is_live(directory: Path) -> bool:
    """True while a writer holds the journal; looks for an instant, which a starting writer waits out.

    Raises:
        OSError: it cannot be told.
    """
    with suppress(FileNotFoundError):
        fd = os.open(directory / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
    return False
