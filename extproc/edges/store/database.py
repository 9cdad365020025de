"""One database behind two engines: SQLite for one node, PostgreSQL for many; transactions, and a wait for news.

The SQL is the same on both. Statements run in a thread of their own, one transaction at a time, so nothing blocks the
loop. Whoever changes something calls ``Transaction.next_version`` in the same transaction: the row behind it is locked
until the commit, so versions become visible in their order and a reader who saw version n has missed nothing below n.
Any failure is a ``StoreError``; the connection is then made anew by the next transaction, so that a database that
comes back is used again without a restart.
"""

import asyncio
import contextlib
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
from psycopg import sql

from extproc.ports import StoreError

__all__ = ["Database", "PostgresDatabase", "SqliteDatabase", "Transaction", "open_database"]

T = TypeVar("T")

PATIENCE_SECONDS: Final = 2
"""How long a statement may wait for a lock or an answer before its call is refused."""
CHANNEL: Final = "mcp_extproc"
LOCK: Final = 0x6D63705F657874
"""Keeps two processes from creating the tables at once."""

_SCHEMA: Final = (
    "CREATE TABLE IF NOT EXISTS version(one INTEGER PRIMARY KEY, number BIGINT NOT NULL, shared BIGINT NOT NULL)",
    "INSERT INTO version(one, number, shared) VALUES(1, 1, 1) ON CONFLICT DO NOTHING",
    """CREATE TABLE IF NOT EXISTS tickets(
      id TEXT PRIMARY KEY, digest TEXT NOT NULL, state TEXT NOT NULL, issuer TEXT NOT NULL, subject TEXT NOT NULL,
      created_at BIGINT NOT NULL, revision INTEGER NOT NULL, version BIGINT NOT NULL, body TEXT NOT NULL)""",
    # one open ticket per question, whoever asks it first (threat A04)
    "CREATE UNIQUE INDEX IF NOT EXISTS tickets_open ON tickets(digest) WHERE state IN ('pending', 'approved')",
    "CREATE INDEX IF NOT EXISTS tickets_digest ON tickets(digest, created_at)",
    "CREATE INDEX IF NOT EXISTS tickets_version ON tickets(version)",
    "CREATE INDEX IF NOT EXISTS tickets_created ON tickets(created_at)",
    "CREATE INDEX IF NOT EXISTS tickets_requester ON tickets(issuer, subject) WHERE state = 'pending'",
    "CREATE TABLE IF NOT EXISTS revocations(id TEXT PRIMARY KEY, until BIGINT, body TEXT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS elevations(id TEXT PRIMARY KEY, until BIGINT NOT NULL, body TEXT NOT NULL)",
    """CREATE TABLE IF NOT EXISTS pins(
      server TEXT NOT NULL, tool TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(server, tool))""",
    """CREATE TABLE IF NOT EXISTS candidates(
      server TEXT NOT NULL, tool TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY(server, tool))""",
)

_NEXT: Final = "UPDATE version SET number = number + 1 WHERE one = 1 RETURNING number"
_NEXT_SHARED: Final = "UPDATE version SET number = number + 1, shared = number + 1 WHERE one = 1 RETURNING number"


class Transaction:
    """The statements of one transaction; ``?`` stands for a value."""

    def __init__(self, run: Callable[[str, Sequence[object]], Any]) -> None:
        self._run = run

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a query, or a change with RETURNING, gives."""
        return list(self._run(statement, values).fetchall())

    def change(self, statement: str, *values: object) -> int:
        """The number of rows that a statement changed."""
        return int(self._run(statement, values).rowcount)

    def next_version(self, *, shared: bool = False) -> int:
        """The version of this change; no other change is made until this one is committed."""
        return int(self.rows(_NEXT_SHARED if shared else _NEXT)[0][0])


class Database(ABC):
    """One engine; ``open`` before anything else, ``close`` at the end."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._closed = threading.Event()

    async def open(self) -> None:
        """Connect and create what is missing.

        Raises:
            StoreError: the database cannot be reached or is none.
        """
        await self.transact(lambda transaction: transaction.rows("SELECT number FROM version"))

    async def transact(self, work: Callable[[Transaction], T], *, writes: bool = False) -> T:
        """What ``work`` returns once its transaction is committed.

        Raises:
            StoreError: it is not known to be committed.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._thread, self._transact, work, writes)
        except RuntimeError as error:  # the executor was shut down
            raise StoreError(f"the store is closed: {error}") from None

    @abstractmethod
    def wait(self, seconds: float) -> None:
        """Wait in the calling thread until there may be news, at most ``seconds``."""

    @abstractmethod
    def _transact(self, work: Callable[[Transaction], T], writes: bool) -> T: ...

    @abstractmethod
    def _disconnect(self) -> None: ...

    async def close(self) -> None:
        """Close every connection; a wait for news ends."""
        self._closed.set()
        with contextlib.suppress(RuntimeError):
            await asyncio.get_running_loop().run_in_executor(self._thread, self._disconnect)
        self._thread.shutdown(wait=False)


class SqliteDatabase(Database):
    """The file ``path``, made where it is missing; every commit is on the disk before it counts."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, timeout=PATIENCE_SECONDS, isolation_level=None)
            try:
                _turn_to_wal(connection)
                connection.execute("PRAGMA synchronous=FULL")
                connection.execute("BEGIN IMMEDIATE")
                for statement in _SCHEMA:
                    connection.execute(statement)
                connection.execute("COMMIT")
            except sqlite3.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _transact(self, work: Callable[[Transaction], T], writes: bool) -> T:
        try:
            connection = self._connected()
            connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            result = work(Transaction(connection.execute))
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._disconnect()  # rolls back
            raise StoreError(f"{self._path}: {error}") from None
        return result

    def wait(self, seconds: float) -> None:
        """Wait; SQLite tells nobody, so its readers look often."""
        self._closed.wait(seconds)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _turn_to_wal(connection: sqlite3.Connection) -> None:
    """Turn the file to WAL, which wants it alone and does not wait for that: two workers that start meet here."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


class PostgresDatabase(Database):
    """The database at ``url`` (``postgresql://...``), in its schema ``mcp_extproc``, made where it is missing."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._listener: psycopg.Connection[Any] | None = None

    def _connect(self) -> psycopg.Connection[Any]:
        options = f"-c statement_timeout={PATIENCE_SECONDS}s -c search_path=mcp_extproc"
        return psycopg.connect(self._url, connect_timeout=PATIENCE_SECONDS, options=options, autocommit=True)

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            connection = self._connect()
            try:
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                    connection.execute("CREATE SCHEMA IF NOT EXISTS mcp_extproc")
                    for statement in _SCHEMA:
                        connection.execute(sql.SQL(statement))
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _transact(self, work: Callable[[Transaction], T], writes: bool) -> T:
        try:
            connection = self._connected()
            with connection.transaction():
                result = work(Transaction(lambda text, values: connection.execute(text.replace("?", "%s"), values)))
                if writes:
                    connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))
        except psycopg.Error as error:
            self._disconnect()
            raise StoreError(f"PostgreSQL: {_first_line(error)}") from None
        return result

    def wait(self, seconds: float) -> None:
        """Wait for a notification; without a connection, a moment."""
        try:
            if self._listener is None:
                self._listener = self._connect()
                if self._closed.is_set():  # meanwhile, and ``close`` saw no listener
                    self._listener.close()
                    return
                self._listener.execute(sql.SQL("LISTEN {}").format(sql.Identifier(CHANNEL)))
                return  # what came before the LISTEN is looked for at once
            for _ in self._listener.notifies(timeout=seconds, stop_after=1):
                return
        except psycopg.Error:
            if self._listener is not None:
                self._listener.close()
                self._listener = None
            self._closed.wait(min(seconds, 0.25))

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._closed.is_set() and self._listener is not None:
            self._listener.close()


def _first_line(error: psycopg.Error) -> str:
    # the server's own words may quote a value in their second line
    return str(error).strip().partition("\n")[0]


def open_database(place: Path | str) -> Database:
    """The engine for a file, or for a URL that starts with ``postgresql://``."""
    return PostgresDatabase(place) if isinstance(place, str) else SqliteDatabase(place)
