"""Take records into the index: in one transaction, exactly once, in the order of each journal.

Where a journal was read up to stands in the same database, so a record is there together with the place behind it, or
neither is. Writers wait for each other, and what they make of the records does not depend on who came first.
"""

from collections.abc import Sequence
from typing import Final

from extproc.core.audit.entries import CallEntry, call_entry, outcome_entry
from extproc.core.audit.lanes import number_of
from extproc.core.audit.members import text_of
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.answers import Answer
from extproc.edges.store.index.memory import Memory
from extproc.edges.store.index.places import Batch, Read, clean, journal_number, move_on, place_of
from extproc.edges.store.index.purging import purge, purged_of, sweep
from extproc.edges.store.index.settlement import Settlement
from extproc.ports import Record

__all__ = ["Writing"]

_KEPT: Final = frozenset({"decision", "outcome", "approval", "message", "purged"})


class Writing:
    """Writes batches; ``keeps_events`` where others need the events themselves, because they have not the journals."""

    def __init__(self, *, keeps_events: bool) -> None:
        self._keeps_events = keeps_events
        self._memory = Memory()

    def write(self, transaction: Transaction, batches: Sequence[Batch]) -> int:
        """Take in batches of several journals, each whole or not at all; how many lines those were.

        Nothing is taken of one that does not begin where the index is in its journal by now.
        """
        # what is remembered counts only as long as every transaction ends well
        memory, self._memory = self._memory, Memory()
        memory.take_turn(transaction)
        numbers = {batch.journal: journal_number(transaction, batch.journal) for batch in batches}
        fitting = [each for each in batches if place_of(transaction, numbers[each.journal]) == each.start]
        settlement = Settlement(transaction, memory)
        purges = [record.event for each in fitting for record, _, _ in each.records if _is(record, "purged")]
        for event in purges:
            purge(transaction, event, settlement)
        calls: list[tuple[int, int, int, int, CallEntry]] = []
        answers: list[Answer] = []
        for each in fitting:
            number = numbers[each.journal]
            gone = purged_of(transaction, number)
            taken = [read for read in each.records if not any(read[0].seq in some for some in gone)]
            for record, segment, offset in taken:
                if _is(record, "decision"):
                    calls.append((number, record.seq, segment, offset, call_entry(record.event)))
                elif _is(record, "outcome"):
                    answers.append(Answer(number, record.seq, segment, offset, outcome_entry(record.event)))
            self._keep(transaction, number, taken)
            move_on(transaction, number, each)
        settlement.take_in(calls, answers)
        settlement.write()
        if purges:
            sweep(transaction)
            memory.forget()
        self._memory = memory
        return sum(len(each.records) + each.damaged for each in fitting)

    def _keep(self, transaction: Transaction, number: int, taken: Sequence[Read]) -> None:
        records = [record for record, _, _ in taken]
        if self._keeps_events:
            transaction.each(
                "INSERT INTO events VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
                [(number, record.seq, record.encoded) for record in records if record.event.get("kind") in _KEPT],
            )
        transaction.each(
            "INSERT INTO messages VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (number, record.seq, segment, offset, number_of(text_of(record.event.get("decision"))))
                for record, segment, offset in taken
                if _is(record, "message")
            ],
        )
        transaction.each(
            "INSERT INTO steps VALUES(?, ?, ?) ON CONFLICT DO NOTHING",
            [
                (number, record.seq, clean(text_of(record.event.get("ticket"))))
                for record in records
                if _is(record, "approval")
            ],
        )


def _is(record: Record, kind: str) -> bool:
    return record.event.get("kind") == kind
