"""The file end of a journal: linked lines go to the kernel whole or not at all, in segments, under one lock.

Blocking and without asyncio. Every method that fails leaves the chain where it was: what a failed write left behind is
cut before the next one, and until that works nothing more is written.
"""

import errno
import fcntl
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from extproc import __version__
from extproc.core import audit
from extproc.core.model import Json
from extproc.edges.journal.recovery import survey
from extproc.edges.journal.segments import LOCK, SEGMENT_NANOSECONDS, path_of
from extproc.ports import StoreError

__all__ = ["ChainFile", "Mark", "SystemCalls"]

_LINE_ROOM: Final = 200
"""A line has 162 bytes around its event and up to 19 digits."""
_LOCK_TRIES: Final = 25
_LOCK_PAUSE: Final = 0.02
"""A verifier looks at the lock for an instant, which must not keep a worker from starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemCalls:
    """The calls that a disk can fail, as values."""

    write: Callable[[int, memoryview, int], int] = os.pwrite
    sync: Callable[[int], None] = os.fsync
    truncate: Callable[[int, int], None] = os.ftruncate


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the chain: the bytes and the lines before it."""

    size: int
    seq: int
    prev: str


class ChainFile:
    """One journal directory, held by its lock, and the segment that is being written."""

    def __init__(
        self, directory: Path, *, node: str, worker: str, clock: Callable[[], int], limit: int, calls: SystemCalls
    ) -> None:
        self._directory = directory
        self._node = node
        self._worker = worker
        self._clock = clock
        self._limit = limit
        self._calls = calls
        self._lock = -1
        self._fd = -1
        self._segment = 0
        self._begun_at = 0
        self._mark = Mark(size=0, seq=0, prev=audit.GENESIS)
        self._torn = False
        self._unnamed = False
        self._retired: list[int] = []

    @property
    def seq(self) -> int:
        """The number of the next line."""
        return self._mark.seq

    def open(self) -> None:
        """Take the lock, cut a torn tail, and write and sync the first line of this run.

        Raises:
            StoreError: another writer holds the journal, or it cannot be read or written.
        """
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self._directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            self._take_lock()
            self._go_on()
            self.syncing()()
        except OSError as error:
            self.close()
            raise StoreError(f"the journal in {self._directory} cannot be opened: {error.strerror}") from error
        except StoreError:
            self.close()
            raise

    def write(self, encoded: Sequence[bytes]) -> Mark:
        """Link and write these events; return the place before them.

        Raises:
            OSError: none of them is written.
        """
        self._mend()
        room = sum(map(len, encoded)) + _LINE_ROOM * len(encoded)
        now = self._clock()
        full = self._mark.size + room > self._limit and self._mark.size > _LINE_ROOM + len(self._opened(now))
        if full or now - self._begun_at > SEGMENT_NANOSECONDS:
            self._begin_segment([])
        before = self._mark
        self._put(encoded)
        return before

    def rewind(self, mark: Mark) -> None:
        """Forget what was written after ``mark``, in this segment."""
        self._mark = mark
        self._torn = True
        with suppress(OSError):
            self._mend()

    def renew(self, lost: tuple[int, int] | None) -> None:
        """Leave a segment that the disk would not confirm; ``lost`` are the first and last event in doubt.

        Raises:
            OSError: the disk does not confirm a new segment either.
        """
        self._mend()
        extra = []
        if lost is not None:
            first, last = lost
            extra = [audit.unsynced(at=self._clock(), segment=self._segment, first=first, last=last)]
        self._begin_segment(extra, confirm=True)

    def syncing(self) -> Callable[[], None]:
        """The work, for any thread, that puts all that is written until now on the disk."""
        fd, unnamed = self._fd, self._unnamed
        retired, self._retired = self._retired, []
        self._unnamed = False

        def sync() -> None:
            try:
                for old in retired:
                    self._calls.sync(old)
            finally:
                for old in retired:
                    os.close(old)
            self._calls.sync(fd)
            if os.fstat(fd).st_nlink == 0:
                raise OSError(errno.ENOENT, "the segment was deleted")
            if unnamed:
                self._sync_directory()

        return sync

    def close(self) -> None:
        """Let go of the files and the lock."""
        for fd in (*self._retired, self._fd, self._lock):
            if fd >= 0:
                with suppress(OSError):
                    os.close(fd)
        self._retired = []
        self._fd = self._lock = -1

    def _take_lock(self) -> None:
        for _ in range(_LOCK_TRIES):
            with suppress(BlockingIOError):
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            time.sleep(_LOCK_PAUSE)
        raise StoreError(f"another process writes the journal in {self._directory}")

    def _go_on(self) -> None:
        tail = survey(self._directory)
        self._segment = tail.segment
        self._begun_at = tail.begun_at
        self._mark = Mark(size=tail.size, seq=tail.seq, prev=tail.prev)
        found = []
        if tail.cut_bytes or tail.fault is not None:
            found = [
                audit.recovered(
                    at=self._clock(),
                    segment=tail.segment,
                    cut_bytes=tail.cut_bytes,
                    cut_digest=tail.cut_digest,
                    fault=tail.fault,
                )
            ]
        if tail.segment == 0 or (tail.size >= self._limit and not tail.cut_bytes):
            self._begin_segment(found)
            return
        self._fd = os.open(path_of(self._directory, self._segment), os.O_WRONLY | os.O_NOFOLLOW)
        self._unnamed = True
        # written over the torn tail before the rest of it is cut, so that no crash between the two hides the cut
        self._put([self._opened(self._clock()), *map(audit.encode, found)], mend=False)
        self._torn = True
        self._mend()

    def _opened(self, at: int) -> bytes:
        return audit.encode(
            audit.opened(
                at=at,
                node=self._node,
                worker=self._worker,
                version=__version__,
                segment=self._segment,
                previous=self._mark.prev,
            )
        )

    def _begin_segment(self, extra: Sequence[dict[str, Json]], *, confirm: bool = False) -> None:
        path = path_of(self._directory, self._segment + 1)
        before = (self._fd, self._segment, self._mark, self._torn, self._begun_at)
        # a file of that name is a left-over of an attempt that failed below: the lock is ours
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        self._fd = os.open(path, flags, 0o600)
        self._segment += 1
        self._begun_at = self._clock()
        self._mark = Mark(size=0, seq=self._mark.seq, prev=self._mark.prev)
        try:
            self._put([self._opened(self._begun_at), *map(audit.encode, extra)])
            if confirm:
                self._calls.sync(self._fd)
                self._sync_directory()
        except OSError:
            with suppress(OSError):
                os.close(self._fd)
            self._fd, self._segment, self._mark, self._torn, self._begun_at = before
            with suppress(OSError):
                path.unlink()
            raise
        self._unnamed = not confirm
        if confirm:
            # it did not sync and will not: asking again would blame the new segment
            with suppress(OSError):
                os.close(before[0])
        elif before[0] >= 0:
            self._retired.append(before[0])

    def _put(self, encoded: Sequence[bytes], *, mend: bool = True) -> None:
        seq, prev = self._mark.seq, self._mark.prev
        lines = []
        for event in encoded:
            line = audit.link(seq, prev, event)
            lines.append(line.raw)
            seq, prev = seq + 1, line.hash
        offset = self._mark.size
        rest = memoryview(b"".join(lines))
        self._torn = True
        try:
            while rest:
                written = self._calls.write(self._fd, rest, offset)
                _refuse_standstill(written)
                offset += written
                rest = rest[written:]
        except OSError:
            if mend:
                with suppress(OSError):
                    self._mend()
            raise
        self._torn = False
        self._mark = Mark(size=offset, seq=seq, prev=prev)

    def _mend(self) -> None:
        if self._torn:
            self._calls.truncate(self._fd, self._mark.size)
            self._torn = False

    def _sync_directory(self) -> None:
        fd = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY)
        try:
            self._calls.sync(fd)
        finally:
            os.close(fd)


def _refuse_standstill(written: int) -> None:
    if written <= 0:
        raise OSError(errno.EIO, "the disk takes no more bytes")
