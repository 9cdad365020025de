"""The seals of journals, in files beside them: ``<state_dir>/seals/<journal>.seals``, a note as a JSON string a line.

Appended, never changed. A line without an end was never acknowledged, and is cut.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from extproc.core.audit.notes import read_notes

__all__ = ["append_note", "cut_torn", "notes_in", "sealed_journals", "seals_of"]

SEALS: Final = "seals"
_SUFFIX: Final = ".seals"


def seals_of(state_dir: Path, journal: str) -> Path:
    """The file with the seals of one journal."""
    return state_dir / SEALS / f"{journal}{_SUFFIX}"


def notes_in(path: Path) -> list[str]:
    """The notes of a file, in order; none where there is no file.

    Raises:
        OSError: it cannot be read.
    """
    try:
        return read_notes(path.read_text("utf-8", "replace"))
    except FileNotFoundError:
        return []


def append_note(path: Path, note: str) -> None:
    """Add a note; on the disk when this returns.

    Raises:
        OSError: it is not there, or in a part that is cut before the next one.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    cut_torn(path)
    rest = memoryview(f"{json.dumps(note)}\n".encode())
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
    try:
        size = os.fstat(fd).st_size
        try:
            while rest:  # a disk that fills up takes a part, and says so only the next time
                rest = rest[os.write(fd, rest) :]
            os.fsync(fd)
        except OSError:
            with suppress(OSError):
                os.ftruncate(fd, size)
            raise
    finally:
        os.close(fd)


def cut_torn(path: Path) -> None:
    """Cut the line that a crash or a full disk left unfinished.

    Raises:
        OSError: it cannot be read or cut.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(size - 1, 0))
            if file.read() in {b"", b"\n"}:
                return
    except FileNotFoundError:
        return
    os.truncate(path, path.read_bytes().rfind(b"\n") + 1)


def sealed_journals(state_dir: Path) -> list[str]:
    """The names of the journals that have seals."""
    return sorted(path.name.removesuffix(_SUFFIX) for path in (state_dir / SEALS).glob(f"*{_SUFFIX}"))
