"""Read journals while they are written. Nothing is skipped silently: a line that does not hold is a ``Damage``.

Lines that were taken out when their time was over leave their place, which is read as nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extproc.core.audit import Fault, Linked, Pruned, check, read_event
from extproc.core.model import Json
from extproc.edges.journal.segments import MAX_LINE_BYTES, numbers, path_of, pieces

__all__ = ["Damage", "Entry", "Position", "journals", "last_seq", "read"]

_REACHES: Final = (64 << 10, 2 * MAX_LINE_BYTES)
"""How much of a segment's end is looked at: first little of it, then enough for the longest line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where to go on reading: a byte of a segment."""

    segment: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event, with the hash of its line and its own canonical bytes; ``after`` is the position behind it."""

    seq: int
    hash: str
    event: dict[str, Json]
    encoded: bytes
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One line that cannot be believed; ``after`` is the position behind it."""

    file: str
    line: int
    said: str
    after: Position


def journals(state_dir: Path) -> list[Path]:
    """The journal directories below a state directory.

    Raises:
        OSError: they cannot be listed.
    """
    return sorted(path for path in (state_dir / "journal").iterdir() if path.is_dir())


def read(directory: Path, start: Position = Position()) -> Iterator[Entry | Damage]:
    """The events of one journal from ``start`` to what is written now. Lines are counted from ``start``.

    Raises:
        OSError: a segment cannot be read.
    """
    for number in numbers(directory):
        if number < start.segment:
            continue
        path = path_of(directory, number)
        for line, piece in enumerate(pieces(path, start.offset if number == start.segment else 0), 1):
            if not piece.whole:
                break
            after = Position(segment=number, offset=piece.end)
            result = check(piece.raw, seq=None, prev=None)
            if isinstance(result, Pruned):
                continue
            event = read_event(result.event) if isinstance(result, Linked) else None
            if isinstance(result, Linked) and event is not None:
                yield Entry(seq=result.seq, hash=result.hash, event=event, encoded=result.event, after=after)
            else:
                said = result.said if isinstance(result, Fault) else "its event cannot be read"
                yield Damage(file=path.name, line=line, said=said, after=after)


def last_seq(directory: Path) -> int:
    """The number of the last whole line of a journal that holds; -1 without one.

    Raises:
        OSError: it cannot be read.
    """
    for number in reversed(numbers(directory)):
        path = path_of(directory, number)
        size = path.stat().st_size
        # few lines are long, and this is asked at every scrape
        for reach in _REACHES:
            with path.open("rb") as file:
                file.seek(max(size - reach, 0))
                lines = file.read(reach).split(b"\n")[:-1]
            for line in reversed(lines):
                found = check(line, seq=None, prev=None)
                if not isinstance(found, Fault):
                    return found.end - 1
            if reach >= size:
                break
    return -1
