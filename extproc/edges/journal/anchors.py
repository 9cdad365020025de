"""Files with seals that were kept elsewhere: what a sink stored, as it comes out of there again.

A line for each record, or whatever a line is where they were kept; packed by gzip, as the objects of a bucket are, or
not. Objects that were joined into one file are one file.
"""

import gzip
import zlib
from pathlib import Path
from typing import Final

__all__ = ["anchor_lines"]

_GZIP: Final = b"\x1f\x8b"


def anchor_lines(path: Path) -> list[str]:
    """The lines of a file, and of each that does not begin with its record, the record alone too.

    A syslog server writes its own words before it.

    Raises:
        OSError: it cannot be read.
    """
    raw = path.read_bytes()
    if raw.startswith(_GZIP):
        try:
            raw = gzip.decompress(raw)
        except (EOFError, zlib.error):
            raise OSError(0, "it is a gzip file that was cut or changed", str(path)) from None
    lines = raw.decode("utf-8", "replace").split("\n")
    return lines + [line[at:] for line in lines if (at := line.find("{")) > 0]
