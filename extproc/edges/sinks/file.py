"""Records into a file, a line each. A file that was moved away (logrotate) is begun anew."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

from extproc.edges.sinks.lines import LineOf, line_of
from extproc.ports import Record, SinkError

__all__ = ["FileSink"]


class FileSink:
    """Appends to ``path``; a record counts as stored once the disk has it."""

    def __init__(self, path: Path, *, line: LineOf = line_of) -> None:
        self._path = path
        self._line = line

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` where the file cannot be written; a part of the lines may be there then."""
        text = b"".join(self._line(record) + b"\n" for record in records)
        try:
            await asyncio.to_thread(self._append, text)
        except OSError as error:
            raise SinkError(f"{self._path} cannot be written: {error.strerror}") from error

    async def close(self) -> None:
        """Nothing is held open."""

    def _append(self, text: bytes) -> None:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            size = os.fstat(descriptor).st_size
            if size and os.pread(descriptor, 1, size - 1) != b"\n":
                # the rest of a line that was being written when the disk was full: the whole line follows
                os.write(descriptor, b"\n")
            rest = memoryview(text)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
