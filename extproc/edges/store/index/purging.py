"""Take out of the index what is taken out of the journals, and what was known only through it."""

from collections.abc import Mapping
from typing import Final

from extproc.core.audit.members import text_of
from extproc.core.model import Json
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.places import bounded, journal_number
from extproc.edges.store.index.settlement import Settlement

__all__ = ["purge", "purged_of", "sweep"]

_TABLES: Final = ("outcomes", "messages", "steps", "events")
_ORPHANS: Final = (
    "DELETE FROM people WHERE NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.who = people.who)",
    "DELETE FROM shapes WHERE NOT EXISTS (SELECT 1 FROM seen WHERE seen.shape = shapes.key)",
)


def purge(transaction: Transaction, event: Mapping[str, Json], settlement: Settlement) -> None:
    """Take out what the event of a purge names.

    It is on record before it is done, so its places are kept: a reader of the old file must not bring them back.
    """
    journal = journal_number(transaction, text_of(event.get("journal")))
    ranges = event.get("ranges")
    for each in ranges if isinstance(ranges, list) else ():
        match each:
            case [int(first), int(count)] if 0 <= first <= first + count == bounded(first + count):
                transaction.change(
                    "DELETE FROM purged WHERE journal = ? AND first >= ? AND first + count <= ?",
                    *(journal, first, first + count),
                )
                transaction.change("INSERT INTO purged VALUES(?, ?, ?)", journal, first, count)
                settlement.take_out(journal, first, count)
                for table in _TABLES:
                    transaction.change(
                        f"DELETE FROM {table} WHERE journal = ? AND seq >= ? AND seq < ?",
                        *(journal, first, first + count),
                    )
            case _:
                pass


def purged_of(transaction: Transaction, journal: int) -> list[range]:
    """The numbers of the records of a journal that were purged."""
    found = transaction.rows("SELECT first, count FROM purged WHERE journal = ?", journal)
    return [range(first, first + count) for first, count in found]


def sweep(transaction: Transaction) -> None:
    """Forget names that stand in no record any more."""
    for statement in _ORPHANS:
        transaction.change(statement)
