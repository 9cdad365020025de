"""An excerpt of a journal: the events that somebody may see, whole, and of all others their hashes.

It is a journal of the same form, so the same seals prove it.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from extproc.core.audit import Fault, Linked, check, read_event
from extproc.core.audit.pruning import Pruning
from extproc.core.model import Json
from extproc.edges.journal.segments import numbers, path_of, pieces
from extproc.ports import StoreError

__all__ = ["excerpt"]


def excerpt(directory: Path, *, keeps: Callable[[Mapping[str, Json]], bool], sealed: int) -> Iterator[bytes]:
    """The lines of an excerpt, with their ends; ``sealed`` is the size of the last seal, which must stay comparable.

    Raises:
        StoreError: a line does not hold, so an excerpt would prove nothing; ``extproc verify`` says more.
        OSError: the journal cannot be read.
    """
    pruning = Pruning()
    for number in numbers(directory):
        path = path_of(directory, number)
        for piece in pieces(path):
            if not piece.whole:
                break
            found = check(piece.raw, seq=None, prev=None)
            if isinstance(found, Fault):
                raise StoreError(f"{directory.name}/{path.name}: {found.said}")
            event = (read_event(found.event) or {}) if isinstance(found, Linked) else {}
            if event and keeps(event):
                yield pruning.line()
                yield piece.raw + b"\n"
            else:
                pruning.drop(found, piece.raw)
            if found.end == sealed:
                yield pruning.line()
    yield pruning.line()
