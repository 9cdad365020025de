"""One database behind two engines: SQLite for one node, PostgreSQL for many; transactions, and a wait for news.

The SQL is the same on both. Statements run in a thread of their own, one transaction at a time, so nothing blocks the
loop. Whoever changes something calls ``Transaction.next_version`` in the same transaction: the row behind it is locked
until the commit, so versions become visible in their order and a reader who saw version n has missed nothing below n.
Any failure is a ``StoreError``; the connection is then made anew by the next transaction, so that a database that
comes back is used again without a restart.
"""

import asyncio
import contextlib
import os
import sqlite3
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

import psycopg
from psycopg import sql

from extproc.edges.store.tables import SHARED, Tables
from extproc.ports import StoreError

__all__ = ["Database", "PostgresDatabase", "SqliteDatabase", "Transaction", "open_database"]

T = TypeVar("T")

CONNECT_SECONDS: Final = 2
CHANNEL: Final = "mcp_extproc"
LOCK: Final = 0x6D63705F657874
"""Keeps two processes from creating the tables at once."""


_NEXT: Final = "UPDATE version SET number = number + 1 WHERE one = 1 RETURNING number"
_NEXT_SHARED: Final = "UPDATE version SET number = number + 1, shared = number + 1 WHERE one = 1 RETURNING number"


class Transaction:
    """The statements of one transaction; ``?`` stands for a value."""

    def __init__(
        self,
        run: Callable[[str, Sequence[object]], Any],
        run_each: Callable[[str, Iterable[Sequence[object]]], object],
    ) -> None:
        self._run = run
        self._run_each = run_each

    def rows(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """The rows that a query, or a change with RETURNING, gives."""
        return list(self._run(statement, values).fetchall())

    def change(self, statement: str, *values: object) -> int:
        """The number of rows that a statement changed."""
        return int(self._run(statement, values).rowcount)

    def each(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement without an answer once with each row of values."""
        self._run_each(statement, rows)

    def next_version(self, *, shared: bool = False) -> int:
        """The version of this change; no other change is made until this one is committed."""
        return int(self.rows(_NEXT_SHARED if shared else _NEXT)[0][0])


class Database(ABC):
    """One engine; ``open`` before anything else, ``close`` at the end."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._closed = threading.Event()

    async def open(self) -> None:
        """Connect and create what is missing.

        Raises:
            StoreError: the database cannot be reached or is none.
        """
        await self.transact(lambda transaction: transaction.rows("SELECT 1"))

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
    """The file ``path``, made where it is missing."""

    def __init__(self, path: Path, tables: Tables) -> None:
        super().__init__(tables)
        self._path = path
        self._connection: sqlite3.Connection | None = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            _make_private(self._path)
            connection = sqlite3.connect(self._path, timeout=self._tables.patience, isolation_level=None)
            try:
                _turn_to_wal(connection, self._tables.patience)
                connection.execute(f"PRAGMA synchronous={'FULL' if self._tables.durable else 'NORMAL'}")
                connection.execute(f"PRAGMA cache_size=-{self._tables.cache}")
                # a checkpoint for each commit would write the same pages again and again
                connection.execute(f"PRAGMA wal_autocheckpoint={max(self._tables.cache // 4, 1000)}")
                # what is deleted is gone from the file too
                connection.execute("PRAGMA secure_delete=ON")
                connection.execute("BEGIN IMMEDIATE")
                for statement in self._tables.statements:
                    connection.execute(statement.format(text="TEXT", bytes="BLOB", clustered="WITHOUT ROWID"))
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
            result = work(Transaction(connection.execute, connection.executemany))
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


def _make_private(path: Path) -> None:
    """Make the file, where it is missing, for its owner alone: SQLite's own files beside it get its mode."""
    with contextlib.suppress(OSError):  # what is wrong SQLite says itself
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))


def _turn_to_wal(connection: sqlite3.Connection, patience: float) -> None:
    """Turn the file to WAL, which wants it alone and does not wait for that: two workers that start meet here."""
    deadline = time.monotonic() + patience
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
    """The database at ``url`` (``postgresql://...``), in a schema of its own, made where it is missing."""

    def __init__(self, url: str, tables: Tables) -> None:
        super().__init__(tables)
        self._url = url
        self._connection: psycopg.Connection[Any] | None = None
        self._listener: psycopg.Connection[Any] | None = None

    def _connect(self) -> psycopg.Connection[Any]:
        # the statements take milliseconds, and compiling a long one for each run takes hundreds
        options = f"-c statement_timeout={self._tables.patience}s -c search_path={self._tables.schema} -c jit=off"
        return psycopg.connect(self._url, connect_timeout=CONNECT_SECONDS, options=options, autocommit=True)

    def _connected(self) -> psycopg.Connection[Any]:
        if self._connection is None:
            connection = self._connect()
            try:
                with connection.transaction():
                    connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                    schema = sql.Identifier(self._tables.schema)
                    connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(schema))
                    for statement in self._tables.statements:
                        connection.execute(statement.format(**_WORDS).encode())
            except psycopg.Error:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def _transact(self, work: Callable[[Transaction], T], writes: bool) -> T:
        try:
            connection = self._connected()
            with connection.transaction():
                with connection.cursor() as cursor:
                    transaction = Transaction(
                        lambda text, values: connection.execute(_postgres(text), values),
                        lambda text, rows: cursor.executemany(_postgres(text), rows),
                    )
                    result = work(transaction)
                if writes and self._tables.news:
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


_WORDS: Final = {"text": 'TEXT COLLATE "C"', "bytes": "BYTEA", "clustered": ""}


def _postgres(text: str) -> bytes:
    """A statement in PostgreSQL's words."""
    return text.replace("?", "%s").replace("instr(", "strpos(").encode()


def _first_line(error: psycopg.Error) -> str:
    # the server's own words may quote a value in their second line
    return str(error).strip().partition("\n")[0]


def open_database(place: Path | str, tables: Tables = SHARED) -> Database:
    """The engine for a file, or for a URL that starts with ``postgresql://``."""
    return PostgresDatabase(place, tables) if isinstance(place, str) else SqliteDatabase(place, tables)
