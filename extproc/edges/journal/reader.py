"""Read journals while they are written, and verify their chains from the bytes alone.

Reading skips nothing silently: a line that does not hold comes out as a ``Damage``. Verifying stops at the first fault
of a journal and says where it is. What it proves: the events before the fault are the ones that were written, in order
and without a gap. What it cannot prove without a seal kept elsewhere: that nothing was cut off the end at a line's
boundary, and that nobody wrote the whole chain anew.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from extproc.core.audit import GENESIS, Broken, Fault, Linked, check, read_event
from extproc.core.model import Json
from extproc.edges.journal.segments import LOCK, numbers, path_of, pieces

__all__ = ["Damage", "Entry", "FaultAt", "Position", "Report", "journals", "read", "verify"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where to go on reading: a byte of a segment."""

    segment: int = 1
    offset: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event; ``after`` is the position behind it."""

    seq: int
    event: dict[str, Json]
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """One line that cannot be believed; ``after`` is the position behind it."""

    file: str
    line: int
    said: str
    after: Position


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultAt:
    """The first fault of a journal: file, line from 1 (0: the file as a whole), the event number that is in doubt."""

    file: str
    line: int
    seq: int
    broken: Broken
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verification found. ``events`` hold, up to ``head``, the hash of the last of them.

    ``live`` says that a writer holds the journal now; then an unfinished last line is only not yet written.
    ``last_kind`` is the kind of the last event: ``stopped`` after an orderly end.
    """

    journal: str
    segments: int
    events: int
    first_at: int | None
    last_at: int | None
    last_kind: str
    head: str
    live: bool
    fault: FaultAt | None


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
            event = read_event(result.event) if isinstance(result, Linked) else None
            if isinstance(result, Linked) and event is not None:
                yield Entry(seq=result.seq, event=event, after=after)
            else:
                said = result.said if isinstance(result, Fault) else "its event cannot be read"
                yield Damage(file=path.name, line=line, said=said, after=after)


def verify(directory: Path) -> Report:
    """Check the chain of one journal over all of its segments, up to the first fault.

    Raises:
        OSError: it cannot be read.
    """
    # before the segments are listed: what a live writer appends meanwhile only makes the journal longer
    live = _is_live(directory)
    present = numbers(directory)
    seq, prev = 0, GENESIS
    first: bytes | None = None
    last: bytes | None = None
    fault: FaultAt | None = None
    for expected, number in enumerate(present, 1):
        path = path_of(directory, number)
        if number != expected:
            said = f"segment {path_of(directory, expected).name} is missing before it"
            fault = FaultAt(file=path.name, line=0, seq=seq, broken=Broken.MISSING, said=said)
            break
        for line, piece in enumerate(pieces(path), 1):
            if not piece.whole and number == present[-1] and live:
                break
            result: Linked | Fault = (
                check(piece.raw, seq=seq, prev=prev)
                if piece.whole
                else Fault(broken=Broken.UNFINISHED, said="the file ends inside of a line: a crash, or a cut tail")
            )
            if isinstance(result, Fault):
                fault = FaultAt(file=path.name, line=line, seq=seq, broken=result.broken, said=result.said)
                break
            seq, prev = seq + 1, result.hash
            first = result.event if first is None else first
            last = result.event
        if fault is not None:
            break
    if not present and not live:
        fault = FaultAt(file=directory.name, line=0, seq=0, broken=Broken.MISSING, said="no segment is there")
    first_event, last_event = _event(first), _event(last)
    return Report(
        journal=directory.name,
        segments=len(present),
        events=seq,
        first_at=first_event.get("at"),
        last_at=last_event.get("at"),
        last_kind=str(last_event.get("kind", "")),
        head=prev,
        live=live,
        fault=fault,
    )


def _event(encoded: bytes | None) -> dict[str, Json]:
    return (read_event(encoded) if encoded is not None else None) or {}


def _is_live(directory: Path) -> bool:
    with suppress(FileNotFoundError):
        fd = os.open(directory / LOCK, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(fd)
    return False
