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

__all__ = ["NEXT", "begin", "copied", "end", "swap"]

NEXT: Final = aside("next")
OLD: Final = aside("old").schema
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
    end(transaction)


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
    """Take in the last of the others, while all writers wait, and change the names.

    Whoever reads goes on in the old one; whoever waits to write finds the new one under the name.
    """
    transaction.change("LOCK TABLE state IN ACCESS EXCLUSIVE MODE")
    writes = transaction.rows("SELECT writes FROM state")[0][0]
    writing = Writing(keeps_events=True)
    while batches := copied(transaction, _aside(transaction), here):
        transaction.change(f"SET LOCAL search_path TO {NEXT.schema}")
        writing.write(transaction, batches)
        transaction.change(f"SET LOCAL search_path TO {INDEX.schema}")
    # nobody may take this for the index that he wrote to last
    transaction.change(f"UPDATE {NEXT.schema}.state SET writes = writes + ?", writes + 1)
    transaction.change(f"ALTER SCHEMA {INDEX.schema} RENAME TO {OLD}")
    transaction.change(f"ALTER SCHEMA {NEXT.schema} RENAME TO {INDEX.schema}")


def end(transaction: Transaction) -> None:
    """Take out what is not used any more."""
    transaction.change(f"DROP SCHEMA IF EXISTS {OLD} CASCADE")


def _aside(transaction: Transaction) -> dict[str, Standing]:
    transaction.change(f"SET LOCAL search_path TO {NEXT.schema}")
    try:
        return standings(transaction)
    finally:
        transaction.change(f"SET LOCAL search_path TO {INDEX.schema}")
