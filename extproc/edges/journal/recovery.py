"""Where a journal ends, after whatever ended its writer.

Reads the last segment and finds the last line that holds in itself. What stands behind it was never acknowledged
whole: it is the torn tail, to be cut. A line that holds is never cut, also behind a damaged one; damage further up
stays as evidence, and the chain goes on from the last line that holds.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from extproc.core.audit import GENESIS, Fault, Linked, Pruned, check, read_event
from extproc.edges.journal.segments import numbers, path_of, pieces

__all__ = ["Tail", "survey"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tail:
    """The end of a journal: the segment to go on in, the bytes of it to keep, and the chain's next step.

    ``segment`` 0 means that there is none yet; ``begun_at`` is the time of its first event that holds, in nanoseconds
    since the epoch. ``cut_bytes`` stand behind ``size``. ``fault`` is the first damage before ``size``, in words.
    """

    segment: int = 0
    begun_at: int = 0
    size: int = 0
    seq: int = 0
    prev: str = GENESIS
    cut_bytes: int = 0
    cut_digest: str = ""
    fault: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Survey:
    first: Linked | Pruned | None
    last: Linked | Pruned | None
    size: int
    fault: str | None


def survey(directory: Path) -> Tail:
    """The end of the journal in ``directory``.

    Raises:
        OSError: it cannot be read.
    """
    present = numbers(directory)
    if not present:
        return Tail()
    segment = present[-1]
    path = path_of(directory, segment)
    surveyed = _survey(path)
    digest, cut = hashlib.sha256(), 0
    with path.open("rb") as file:
        file.seek(surveyed.size)
        while torn := file.read(1 << 20):
            digest.update(torn)
            cut += len(torn)
    last = surveyed.last
    for number in reversed(present[:-1]):
        if last is not None:
            break
        last = _survey(path_of(directory, number)).last
    return Tail(
        segment=segment,
        begun_at=_time(surveyed.first),
        size=surveyed.size,
        seq=0 if last is None else last.end,
        prev=GENESIS if last is None else last.hash,
        cut_bytes=cut,
        cut_digest=digest.hexdigest() if cut else "",
        fault=surveyed.fault,
    )


def _survey(path: Path) -> _Survey:
    first: Linked | Pruned | None = None
    last: Linked | Pruned | None = None
    size = 0
    fault: str | None = None
    suspected: str | None = None
    for number, piece in enumerate(pieces(path), 1):
        if not piece.whole:
            continue
        seq, prev = (None, None) if last is None else (last.end, last.hash)
        result = check(piece.raw, seq=seq, prev=prev)
        if isinstance(result, Fault):
            suspected = suspected or f"line {number}: {result.said}"
            result = check(piece.raw, seq=None, prev=None)
        if not isinstance(result, Fault):
            # only what a line that holds stands behind is damage; the rest is the torn tail
            fault = fault or suspected
            first = first or result
            last = result
            size = piece.end
    return _Survey(first=first, last=last, size=size, fault=fault)


def _time(line: Linked | Pruned | None) -> int:
    event = read_event(line.event) if isinstance(line, Linked) else None
    at = (event or {}).get("at")
    return at if isinstance(at, int) else 0
