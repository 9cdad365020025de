"""Counts that all workers of a node share, in one SQLite file.

A limit of ``calls`` per ``seconds`` is never exceeded in any stretch of that length, aligned or not: the window is
kept in ``SLICES`` slices and every slice that it touches counts whole, so a caller waits at most 1/60 of the window
longer than needed, and never less. Each question is one statement, hence one transaction: two processes cannot both
take the last call. Keys are stored as digests, because they name subjects and sessions. Nothing here outlives a
power cut (``synchronous=OFF``): a count is a matter of minutes, and the journal is the record. The statements run on
the event loop, being shorter than the hop to a thread; a lock held by another worker is waited for asleep, and a
wait that is too long is an error, so the call is refused.
"""

import asyncio
import contextlib
import hashlib
import sqlite3
import time
from pathlib import Path
from typing import Final

from extproc.ports import StoreError

__all__ = ["SqliteCounters", "discard_if_broken"]

SLICES: Final = 60
PATIENCE_SECONDS: Final = 0.25
"""How long a call waits for other workers' statements, each some tens of microseconds, before it is refused."""
PAUSE_SECONDS: Final = 0.0003
OPENING_ATTEMPTS: Final = 250
OPENING_PAUSE_SECONDS: Final = 0.02
PURGE_EVERY: Final = 256
PURGE_ROWS: Final = 64
"""Rows dropped in one step: more than 256 calls can add in the long run, few enough to stay far under 1 ms."""

_OPENING: Final = """
PRAGMA journal_mode=WAL;
PRAGMA synchronous=OFF;
PRAGMA wal_autocheckpoint=64;
PRAGMA temp_store=MEMORY;
"""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS taken(
  key BLOB NOT NULL, slice INTEGER NOT NULL, calls INTEGER NOT NULL, expires REAL NOT NULL,
  PRIMARY KEY(key, slice)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS taken_expires ON taken(expires);
CREATE TABLE IF NOT EXISTS counted(
  key BLOB NOT NULL PRIMARY KEY, calls INTEGER NOT NULL, expires REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS counted_expires ON counted(expires);
"""
# A clock that was set back leaves slices of the future behind: they count for one window, not for ever.
# ?1 key, ?2 slice of now, ?3 the last slice that has left the window, ?4 calls, ?5 when the slice has left it
_TAKE: Final = """
INSERT INTO taken(key, slice, calls, expires)
SELECT ?1, ?2, 1, ?5 WHERE (SELECT coalesce(sum(calls), 0) FROM taken
  WHERE key = ?1 AND slice > ?3 AND slice <= ?2 + 60) < ?4
ON CONFLICT(key, slice) DO UPDATE SET calls = calls + 1
"""
# ?1 key, ?2 now, ?3 when it is forgotten
_COUNT: Final = """
INSERT INTO counted(key, calls, expires) VALUES(?1, 1, ?3)
ON CONFLICT(key) DO UPDATE SET
  calls = CASE WHEN expires <= ?2 THEN 1 ELSE calls + 1 END, expires = max(expires, excluded.expires)
RETURNING calls - 1
"""
_PURGES: Final = (
    "DELETE FROM taken WHERE (key, slice) IN (SELECT key, slice FROM taken WHERE expires <= ?1 LIMIT ?2)",
    "DELETE FROM counted WHERE key IN (SELECT key FROM counted WHERE expires <= ?1 LIMIT ?2)",
)


def _digest(key: str, seconds: int) -> bytes:
    return hashlib.blake2b(f"{seconds}:{key}".encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _prepare(connection: sqlite3.Connection) -> None:
    """Set the file up, whoever comes first.

    Turning to WAL wants the file alone and does not wait for it: two workers that start at once meet here.
    """
    for attempt in range(OPENING_ATTEMPTS):
        try:
            connection.executescript(_OPENING)
            connection.executescript(_SCHEMA)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempt == OPENING_ATTEMPTS - 1:
                raise
            time.sleep(OPENING_PAUSE_SECONDS)
        else:
            return


class SqliteCounters:
    """Implements ``ports.Counters`` over the file at ``path``.

    Raises:
        StoreError: the file cannot be opened or is no database.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._calls = 0
        try:
            # one connection for one thread: the event loop's
            self._connection = sqlite3.connect(path, timeout=5, isolation_level=None)
            _prepare(self._connection)
            self._connection.execute("PRAGMA busy_timeout=0")
        except sqlite3.Error as error:
            raise StoreError(f"{path}: {error}; counters may be deleted, no record is lost") from None

    async def take(self, key: str, *, calls: int, seconds: int, now: float) -> bool:
        """Count one call under ``key``; False if the window has no room, or ``calls`` is zero."""
        slice_ = int(now * SLICES / seconds)
        expires = (slice_ + SLICES + 1) * seconds / SLICES
        arguments = (_digest(key, seconds), slice_, slice_ - SLICES - 1, calls, expires)
        changed = (await self._run(_TAKE, arguments, now))[0]
        return changed == 1

    async def count(self, key: str, *, seconds: int, now: float) -> int:
        """Count one call under ``key`` and return how many came before it."""
        return (await self._run(_COUNT, (_digest(key, seconds), now, now + seconds), now))[1][0][0]

    async def _run(self, statement: str, arguments: tuple[object, ...], now: float) -> tuple[int, list[tuple[int]]]:
        """Rows changed and the row returned; waits for other writers without holding the loop."""
        deadline: float | None = None
        while True:
            try:
                cursor = self._connection.execute(statement, arguments)
                rows = cursor.fetchall()
                self._purge(now)
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                    raise StoreError(f"{self._path}: {error}") from None
                clock = asyncio.get_running_loop().time()
                deadline = deadline or clock + PATIENCE_SECONDS
                if clock >= deadline:
                    raise StoreError(f"{self._path}: locked by another process") from None
                await asyncio.sleep(PAUSE_SECONDS)
            except (sqlite3.Error, OverflowError) as error:
                raise StoreError(f"{self._path}: {error}") from None
            else:
                return cursor.rowcount, rows

    def _purge(self, now: float) -> None:
        self._calls += 1
        if self._calls % PURGE_EVERY == 0:
            # the next turn purges what a lock or an error left this time
            with contextlib.suppress(sqlite3.Error):
                for statement in _PURGES:
                    self._connection.execute(statement, (now, PURGE_ROWS))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def discard_if_broken(path: Path) -> bool:
    """Delete a counter file that a power cut has torn; True if it was. Only while no worker runs."""
    if not path.exists():
        return False
    connection = sqlite3.connect(path, timeout=1)
    try:
        if connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",):
            return False
    except sqlite3.DatabaseError:
        pass
    finally:
        connection.close()
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    return True
