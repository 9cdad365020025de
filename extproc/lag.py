"""How far the index is behind the journals of this node, from what the process that keeps it up writes down.

``<state_dir>/indexed.json`` holds up to where each journal was taken in, so that nobody asks the database for it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from extproc.edges.journal.reader import journals, last_seq
from extproc.ports import IndexLag, IndexStatus

__all__ = ["Indexed", "index_status", "read_indexed", "write_indexed"]

_FILE: Final = "indexed.json"
_NANO: Final = 1_000_000_000


class Indexed(msgspec.Struct, frozen=True, kw_only=True):
    """Of each journal the number of the next record and the time of the last one; ``error`` while it is not kept up."""

    journals: Mapping[str, tuple[int, int | None]] = msgspec.field(default_factory=dict)
    error: str | None = None


def write_indexed(state_dir: Path, indexed: Indexed) -> None:
    """Keep this; raises ``OSError`` where that cannot be."""
    path = state_dir / _FILE
    draft = path.with_suffix(".draft")
    draft.write_bytes(msgspec.json.encode(indexed))
    draft.replace(path)


def read_indexed(state_dir: Path) -> Indexed | None:
    """What was kept, None where there is nothing that can be read."""
    try:
        return msgspec.json.decode((state_dir / _FILE).read_bytes(), type=Indexed)
    except (OSError, msgspec.DecodeError):
        return None


def index_status(state_dir: Path, now: int) -> IndexStatus | None:
    """How far the index is at ``now`` (nanoseconds since the epoch); None where none was ever kept here.

    Raises:
        OSError: the journals cannot be read.
    """
    indexed = read_indexed(state_dir)
    if indexed is None:
        return None
    lags = []
    for directory in journals(state_dir):
        seq, at = indexed.journals.get(directory.name, (0, None))
        records = max(last_seq(directory) + 1 - seq, 0)
        # nothing is known of what waits but that it came behind the last one
        seconds = max(now - at, 0) / _NANO if records and at is not None else 0.0
        lags.append(IndexLag(journal=directory.name, records=records, seconds=seconds))
    return IndexStatus(lags=lags, failing=indexed.error is not None)
