"""Take out of a journal what is no longer to be kept, so that what stays is still proved.

A segment is written anew beside itself, in the places of the lines that go only their hashes; then the one takes the
place of the other. Who is reading it meanwhile goes on reading the old one.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from extproc.core.audit import Fault, Linked, check, read_event
from extproc.core.audit.pruning import Pruning
from extproc.core.model import Json
from extproc.edges.journal.segments import path_of, pieces
from extproc.ports import StoreError

__all__ = ["Draft", "draft", "replace"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A segment as it would be.

    ``events`` would go; ``ranges`` are all empty places then, as first number and count. ``due`` is when the next
    record's time is over, in nanoseconds since the epoch; None where all that stays does so for ever.
    """

    path: Path
    target: Path
    events: int
    ranges: tuple[tuple[int, int], ...]
    due: int | None


def draft(
    directory: Path, number: int, *, until: Callable[[Mapping[str, Json]], int | None], now: int, sealed: int
) -> Draft:
    """Write a segment without the events whose ``until`` has come, beside itself.

    ``sealed`` is the size of the journal's last seal, which must stay comparable.

    Raises:
        StoreError: a line does not hold, so it stays as it is, as evidence.
        OSError: it cannot be read or written.
    """
    target = path_of(directory, number)
    path = target.with_suffix(".draft")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        writing = _Writing(file)
        for piece in pieces(target):
            found = check(piece.raw, seq=None, prev=None) if piece.whole else None
            if found is None or isinstance(found, Fault):
                said = "it ends inside of a line" if found is None else found.said
                raise StoreError(f"{directory.name}/{target.name}: {said}")
            if isinstance(found, Linked):
                over = until(read_event(found.event) or {})
                if over is None or over > now:
                    writing.keep(piece.raw, over)
                    continue
                writing.events += 1
            writing.pruning.drop(found, piece.raw)
            if found.end == sealed:
                writing.close_place()
        writing.close_place()
        file.flush()
        os.fsync(file.fileno())
    return Draft(path=path, target=target, events=writing.events, ranges=tuple(writing.ranges), due=writing.due)


def replace(made: Draft) -> None:
    """Put the draft in the place of its segment; on the disk when this returns.

    Raises:
        OSError: the one or the other is there, whole.
    """
    made.path.replace(made.target)
    descriptor = os.open(made.target.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Writing:
    """The lines of a draft, and what was found on the way."""

    def __init__(self, file: BinaryIO) -> None:
        self.pruning = Pruning()
        self.events = 0
        self.ranges: list[tuple[int, int]] = []
        self.due: int | None = None
        self._file = file

    def keep(self, line: bytes, over: int | None) -> None:
        """Write a line that stays until ``over``."""
        self.close_place()
        self._file.write(line + b"\n")
        if over is not None:
            self.due = over if self.due is None else min(self.due, over)

    def close_place(self) -> None:
        """Write what stands in the place of the lines that went since the last one."""
        place = self.pruning.place
        line = self.pruning.line()
        if line:
            self._file.write(line)
            self.ranges.append(place)
