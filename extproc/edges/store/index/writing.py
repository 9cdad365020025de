"""Take the records of one journal into the index: one transaction, exactly once, in their order.

Where a journal was read up to stands in the same database, so a record is there together with the place behind it, or
neither is. Writers wait for each other, and what they make of the records does not depend on who came first.
"""

from collections.abc import Sequence
from typing import Final

from extproc.core.audit.entries import call_entry, outcome_entry
from extproc.core.audit.members import text_of
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.memory import Memory
from extproc.edges.store.index.places import Batch, Read, bounded, clean, journal_number, move_on, place_of
from extproc.edges.store.index.purging import purge, purged_of, sweep
from extproc.edges.store.index.settlement import Settlement
from extproc.ports import Record

__all__ = ["Writing"]

_KEPT: Final = frozenset({"decision", "outcome", "approval", "purged"})


class Writing:
    """Writes batches; ``keeps_events`` where others need the events themselves, because they have not the journals."""

    def __init__(self, *, keeps_events: bool) -> None:
        self._keeps_events = keeps_events
        self._memory = Memory()

    def write(self, transaction: Transaction, batch: Batch) -> bool:
        """Take a batch in; False where the index is elsewhere in this journal by now, and nothing was done."""
        # what is remembered counts only as long as every transaction ends well
        memory, self._memory = self._memory, Memory()
        memory.take_turn(transaction)
        number = journal_number(transaction, batch.journal)
        if place_of(transaction, number) != batch.start:
            return False
        settlement = Settlement(transaction, memory)
        purges = [record.event for record, _, _ in batch.records if record.event.get("kind") == "purged"]
        for event in purges:
            purge(transaction, event, settlement)
        gone = purged_of(transaction, number)
        taken = [each for each in batch.records if not any(each[0].seq in some for some in gone)]
        self._store(transaction, number, taken)
        settlement.answer([outcome_entry(record.event) for record, _, _ in taken if _is(record, "outcome")])
        settlement.place(
            [
                (number, record.seq, segment, offset, call_entry(record.event))
                for record, segment, offset in taken
                if _is(record, "decision")
            ]
        )
        settlement.write()
        if purges:
            sweep(transaction)
            memory.forget()
        move_on(transaction, number, batch)
        self._memory = memory
        return True

    def _store(self, transaction: Transaction, number: int, taken: Sequence[Read]) -> None:
        if self._keeps_events:
            transaction.each(
                "INSERT INTO events VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                [(number, record.seq, record.encoded) for record, _, _ in taken if record.event.get("kind") in _KEPT],
            )
        transaction.each(
            "INSERT INTO steps VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (number, record.seq, clean(text_of(record.event.get("ticket"))))
                for record, _, _ in taken
                if _is(record, "approval")
            ],
        )
        transaction.each(
            "INSERT INTO outcomes VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (number, record.seq, segment, offset, entry.decision, bounded(entry.at), clean(entry.name))
                for record, segment, offset in taken
                if _is(record, "outcome")
                for entry in (outcome_entry(record.event),)
            ],
        )


def _is(record: Record, kind: str) -> bool:
    return record.event.get("kind") == kind
