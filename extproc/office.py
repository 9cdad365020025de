"""What the control process and the command line share: the store, the desk, local approvers, a journal of their own."""

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from extproc.core import audit
from extproc.core.model import Json
from extproc.desk import Desk
from extproc.edges.console.local_approvers import LocalApprovers
from extproc.edges.journal.writer import Durability, JournalWriter
from extproc.edges.keys.payload_keys import RECIPIENTS, PayloadLock
from extproc.edges.keys.secret_files import KeyFileError
from extproc.edges.store.database import Database, open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.edges.store.tickets import DatabaseTickets
from extproc.ports import StoreError
from extproc.settings import SettingsError

__all__ = [
    "JOURNALS",
    "LOCAL_APPROVERS",
    "Office",
    "OfficeError",
    "new_id",
    "opened_journal",
    "opened_office",
    "place_of_store",
    "secret_in",
]

SHARED: Final = "shared.db"
LOCAL_APPROVERS: Final = "approvers.json"
JOURNALS: Final = "journal"
JOURNAL_PATIENCE_SECONDS: Final = 5.0
_PAUSE_SECONDS: Final = 0.05
_ID_BYTES: Final = 12


class OfficeError(SettingsError):
    """Something that a person must change; one line with the cause and the fix."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """The parts, open."""

    database: Database
    tickets: DatabaseTickets
    shared: DatabaseSharedState
    desk: Desk
    local: LocalApprovers
    journal: JournalWriter

    async def record(self, event: Mapping[str, Json]) -> None:
        """Store an audit event; raises ``StoreError`` where it is not stored."""
        await self.journal.append(event)


def new_id() -> str:
    """An id that nobody guesses: 96 random bits."""
    return secrets.token_hex(_ID_BYTES)


def secret_in(path: Path) -> str:
    """The one line of a file that holds a secret.

    Raises:
        OfficeError: it cannot be read or is empty; the line never quotes it.
    """
    try:
        text = path.read_text("utf-8").strip()
    except OSError as error:
        raise OfficeError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise OfficeError(f"{path}: is not UTF-8") from None
    if not text or "\n" in text:
        raise OfficeError(f"{path}: must hold exactly one line")
    return text


def place_of_store(state_dir: Path, store_url: Path | None) -> Path | str:
    """Where the shared state is: a SQLite file, or a PostgreSQL URL."""
    if store_url is None:
        return state_dir / SHARED
    url = secret_in(store_url)
    if not url.startswith(("postgresql://", "postgres://")):
        raise OfficeError(f"{store_url}: must hold a URL that starts with postgresql://")
    return url


@contextlib.asynccontextmanager
async def opened_journal(
    *, state_dir: Path, node: str, name: str, durability: Durability, payload_keys: Path | None = None
) -> AsyncIterator[JournalWriter]:
    """The journal ``<node>-<name>`` of this node, encrypted as ``payload_keys`` says, or else as the workers do it.

    Raises:
        StoreError: it cannot be opened, or the disk does not confirm the last events.
    """
    keys = payload_keys or state_dir / RECIPIENTS
    try:
        protect = PayloadLock(keys, told=_worker_tells) if keys.exists() or payload_keys is not None else None
    except KeyFileError as error:
        raise StoreError(str(error)) from None
    journal = JournalWriter(
        state_dir / JOURNALS / f"{node}-{name}",
        node=node,
        worker=name,
        durability=durability,
        clock=time.time_ns,
        protect=protect,
    )
    await _open(journal)
    try:
        yield journal
    finally:
        with contextlib.suppress(StoreError):
            await journal.append(audit.stopped(at=time.time_ns(), reason="done"))
        await journal.close()


@contextlib.asynccontextmanager
async def opened_office(
    *,
    state_dir: Path,
    node: str,
    store_url: Path | None,
    name: str,
    durability: Durability,
    payload_keys: Path | None = None,
) -> AsyncIterator[Office]:
    """The office of this node, with the journal ``<node>-<name>``.

    Raises:
        OfficeError, StoreError: it cannot be opened.
    """
    database = open_database(place_of_store(state_dir, store_url))
    try:
        await database.open()
        async with opened_journal(
            state_dir=state_dir, node=node, name=name, durability=durability, payload_keys=payload_keys
        ) as journal:
            tickets = DatabaseTickets(database)
            shared = DatabaseSharedState(database, news=tickets.news)
            await shared.refresh()
            yield Office(
                database=database,
                tickets=tickets,
                shared=shared,
                desk=Desk(
                    tickets,
                    record=journal.append,
                    clock=time.time_ns,
                    new_id=new_id,
                    lend=shared.lend,
                    shared=lambda: shared.current,
                ),
                local=LocalApprovers(state_dir / LOCAL_APPROVERS),
                journal=journal,
            )
    finally:
        await database.close()


def _worker_tells(_recipients: Sequence[str], _problem: str | None) -> None:
    """Who can read is told by the workers, which look at the same file."""


async def _open(journal: JournalWriter) -> None:
    """Open the journal; another command of a moment's length may have it."""
    deadline = time.monotonic() + JOURNAL_PATIENCE_SECONDS
    while True:
        try:
            journal.open()
        except StoreError:
            if time.monotonic() >= deadline:
                raise
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            return
