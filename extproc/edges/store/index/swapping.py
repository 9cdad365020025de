"""Put an index that was built aside in the place of the one in use, in PostgreSQL: the schemas change names at once.

Other nodes' journals are not here, so what they tell is copied from the index in use, which keeps their events.
"""

from collections.abc import Collection, Mapping
from typing import Final

from extproc.core.audit import read_event
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.places import Batch, Place, Read, Standing, standings
from extproc.edges.store.index.tables import INDEX, aside
from extproc.edges.store.index.writing import Writing
from extproc.ports import Record, StoreError

__all__ = ["NEXT", "begin", "copied", "swap"]

NEXT: Final = aside("next")
TOGETHER: Final = 4000
_ONE_BUILDER: Final = 0x6D63705F696478


def begin(transaction: Transaction) -> None:
    """Be the only one who builds, as long as the connection lasts, and take out what somebody left half built.

    Raises:
        StoreError: somebody else is building.
    """
    if not transaction.rows("SELECT pg_try_advisory_lock(?)", _ONE_BUILDER)[0][0]:
        raise StoreError("PostgreSQL: another `extproc index rebuild` is at work")
    transaction.change(f"DROP SCHEMA IF EXISTS {NEXT.schema} CASCADE")


def copied(transaction: Transaction, known: Mapping[str, Standing], here: Collection[str]) -> list[Batch]:
    """From the index in use, what others recorded behind what is ``known``; ``here`` are the journals of this node."""
    found: list[Batch] = []
    for name, standing in standings(transaction).items():
        start = known[name].place if name in known else Place()
        if name in here or start == standing.place:
            continue
        rows = transaction.rows(
            "SELECT e.seq, e.body FROM events e JOIN journals j ON j.number = e.journal "
            "WHERE j.name = ? AND e.seq >= ? ORDER BY e.seq LIMIT ?",
            *(name, start.seq, TOGETHER),
        )
        reads: list[Read] = [
            (Record(journal=name, seq=seq, hash="", event=event, encoded=bytes(body)), 0, 0)
            for seq, body in rows
            if (event := read_event(bytes(body))) is not None
        ]
        end = Place(seq=rows[-1][0] + 1) if len(rows) == TOGETHER else standing.place
        found.append(Batch(journal=name, start=start, end=end, records=reads))
    return found


def swap(transaction: Transaction, here: Collection[str]) -> None:
    """Take in the last of the others, while all writers wait, and change the names."""
    transaction.change("UPDATE state SET writes = writes + 1 WHERE one = 1")
    writing = Writing(keeps_events=True)
    while True:
        transaction.change(f"SET LOCAL search_path TO {NEXT.schema}")
        known = standings(transaction)
        transaction.change(f"SET LOCAL search_path TO {INDEX.schema}")
        batches = copied(transaction, known, here)
        if not batches:
            break
        transaction.change(f"SET LOCAL search_path TO {NEXT.schema}")
        writing.write(transaction, batches)
    transaction.change(f"DROP SCHEMA {INDEX.schema} CASCADE")
    transaction.change(f"ALTER SCHEMA {NEXT.schema} RENAME TO {INDEX.schema}")
