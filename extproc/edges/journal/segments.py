r"""The files of a journal: ``00000001.jsonl``, ``00000002.jsonl``, ... in one directory for each worker.

Only names and reading of lines. A line is cut at ``\n`` alone, and one that is longer than any event can be is not
read into memory whole.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["LOCK", "MAX_LINE_BYTES", "SEGMENT_BYTES", "SEGMENT_NANOSECONDS", "Piece", "numbers", "path_of", "pieces"]

LOCK: Final = "lock"
"""The file that a writer holds locked."""
SEGMENT_BYTES: Final = 64 << 20
"""A segment is not begun beyond this size; some milliseconds to hash, some seconds to read."""
SEGMENT_NANOSECONDS: Final = 24 * 3600 * 1_000_000_000
"""A segment is not written to when it is older: only one that is done is ever purged."""
MAX_LINE_BYTES: Final = 8 << 20
"""An event has 64 KiB of payload, 16 KiB of arguments and bounded names, six times as long when escaped."""

_NAME: Final = re.compile(r"(\d{8})\.jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """The bytes of one line without its end, and where it begins and the next one does.

    Not ``whole`` means that the file ends in it. A line too long to be one is given out in pieces that count as whole.
    """

    offset: int
    end: int
    raw: bytes
    whole: bool


def path_of(directory: Path, number: int) -> Path:
    """The file of a segment."""
    return directory / f"{number:08d}.jsonl"


def numbers(directory: Path) -> list[int]:
    """The numbers of the segments that are there, in order.

    Raises:
        OSError: the directory cannot be read.
    """
    found = (_NAME.fullmatch(entry.name) for entry in directory.iterdir())
    return sorted(int(match.group(1)) for match in found if match is not None)


def pieces(path: Path, offset: int = 0) -> Iterator[Piece]:
    """The lines of a file from ``offset`` on; the last one may be unfinished.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        file.seek(offset)
        while raw := file.readline(MAX_LINE_BYTES):
            end = offset + len(raw)
            ended = raw.endswith(b"\n")
            whole = ended or len(raw) == MAX_LINE_BYTES
            yield Piece(offset=offset, end=end, raw=raw[:-1] if ended else raw, whole=whole)
            offset = end
