"""What came of calls: the outcomes, and which one of several counts; the rule is ``core.audit.sessions.settling``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from extproc.core.audit.entries import OutcomeEntry
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.places import bounded, clean
from extproc.edges.store.index.totals import chunks, within

__all__ = ["BY_ANSWER", "BY_ITSELF", "Answer", "Answers"]

BY_ITSELF: Final = 1
"""``calls.named`` of a call that names its session."""
BY_ANSWER: Final = 2
"""That of a call whose answer names it."""

_Weight = tuple[bool, int, str, int]


class Answer(msgspec.Struct, frozen=True):
    """An outcome, and where it stands: number of the journal, number there, segment and byte."""

    journal: int
    seq: int
    segment: int
    offset: int
    entry: OutcomeEntry

    @property
    def spot(self) -> tuple[int, int, int, int]:
        """Where it stands."""
        return self.journal, self.seq, self.segment, self.offset


class Answers:
    """The answers of one transaction, by their decisions."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._names: dict[int, str] = {}

    def best(self, some: Sequence[Answer], *, at: int, names_itself: bool) -> Answer:
        """The one that counts for a call of ``at``."""
        if len(some) == 1:
            return some[0]
        return max(
            some,
            key=lambda each: self.weight(
                each.spot, ends=max(at, bounded(each.entry.at)), names=bool(each.entry.name) and not names_itself
            ),
        )

    def weight(self, spot: tuple[int, ...], *, ends: int, names: bool) -> _Weight:
        """What an answer is compared by: whether it names a session that had no name, its end, and its place."""
        return names, ends, self._name(spot[0]), spot[1]

    def keep(self, answers: Iterable[Answer]) -> None:
        """Keep answers whose call is not there yet."""
        self._transaction.each(
            "INSERT INTO outcomes VALUES(?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            [(*each.spot, each.entry.decision, bounded(each.entry.at), clean(each.entry.name)) for each in answers],
        )

    def waiting(self, decisions: Iterable[int]) -> Mapping[int, list[Answer]]:
        """The answers to these decisions that came before; they wait no more."""
        if not self._transaction.rows("SELECT 1 FROM outcomes LIMIT 1"):
            return {}
        columns = "journal, seq, segment, place, decision, at, name"
        found: defaultdict[int, list[Answer]] = defaultdict(list)
        for some in chunks(decisions):
            for journal, seq, segment, offset, decision, at, name in self._transaction.rows(
                f"SELECT {columns} FROM outcomes WHERE decision IN {within(some)}", *some
            ):
                entry = OutcomeEntry(at=at, decision=decision, name=name)
                found[decision].append(Answer(journal, seq, segment, offset, entry))
        spots = [(each.journal, each.seq) for some in found.values() for each in some]
        self._transaction.each("DELETE FROM outcomes WHERE journal = ? AND seq = ?", spots)
        return found

    def _name(self, journal: int) -> str:
        if journal not in self._names:
            self._names = dict(self._transaction.rows("SELECT number, name FROM journals"))
        return self._names[journal]
