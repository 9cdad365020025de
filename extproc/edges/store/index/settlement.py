"""Put what is new, answered or gone into its sessions: the rules are those of ``core.audit.lanes``, here on tables."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from extproc.core.audit.entries import CallEntry, named_owner
from extproc.core.audit.lanes import Owner, key_of
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.answers import BY_ANSWER, BY_ITSELF, Answer, Answers
from extproc.edges.store.index.lanes import Move, Order, Row, Tail, append, resettle, tail_of
from extproc.edges.store.index.memory import Memory
from extproc.edges.store.index.places import bounded, clean
from extproc.edges.store.index.totals import Added, Totals, chunks, within

__all__ = ["Settlement"]

_CALL: Final = f"INSERT INTO calls VALUES({', '.join('?' * 21)}) ON CONFLICT DO NOTHING"
_ANSWERED: Final = """UPDATE calls SET answered_in = ?, answered_by = ?, answer_segment = ?, answer_place = ?, ends = ?
  WHERE journal = ? AND seq = ?"""
_STORED: Final = (
    "SELECT journal, seq, at, decision, ends, session, named, lane, trace, shape, refused, client, "
    "answered_in, answered_by FROM calls"
)


class _Stored(msgspec.Struct, frozen=True):
    """A call that was there before."""

    journal: int
    seq: int
    at: int
    decision: int
    ends: int
    session: int
    named: int
    lane: int
    trace: str
    shape: int
    refused: int
    client: str
    answered_in: int | None
    answered_by: int | None

    @property
    def order(self) -> Order:
        return self.at, self.decision, self.journal, self.seq


class _New(msgspec.Struct):
    """A call that comes in now."""

    order: Order
    segment: int
    offset: int
    entry: CallEntry
    shape: int
    answer: Answer | None
    session: int | None = None
    reach: int | None = None

    @property
    def ends(self) -> int:
        return self.order[0] if self.answer is None else max(self.order[0], bounded(self.answer.entry.at))

    @property
    def name(self) -> str:
        """That of its session, or nothing."""
        return self.entry.name or ("" if self.answer is None else self.answer.entry.name)

    @property
    def named(self) -> int:
        return BY_ITSELF if self.entry.name else BY_ANSWER if self.name else 0

    @property
    def row(self) -> Row:
        return Row(self.order, self.ends, clean(self.entry.trace), self.entry.begins)

    @property
    def added(self) -> Added:
        return Added(self.order, self.ends, self.shape, self.entry.refused, clean(self.entry.client))

    @property
    def values(self) -> tuple[object, ...]:
        at, decision, journal, seq = self.order
        entry = self.entry
        return (
            *(journal, seq, self.segment, self.offset),
            *((None, None, None, None) if self.answer is None else self.answer.spot),
            *(at, decision, self.ends, self.session, self.reach),
            *(self.named, entry.lane, clean(entry.trace), entry.begins),
            *(self.shape, int(entry.refused), clean(entry.client), clean(entry.said)),
        )


class _Change:
    """What is to be looked at again in one lane."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.gone: list[tuple[int, str]] = []


class Settlement:
    """The changes of one transaction."""

    def __init__(self, transaction: Transaction, memory: Memory) -> None:
        self._transaction = transaction
        self._memory = memory
        self._totals = Totals(transaction)
        self._changes: defaultdict[int, _Change] = defaultdict(_Change)
        self._new: dict[tuple[int, int], _New] = {}
        self._answers = Answers(transaction)

    def take_out(self, journal: int, first: int, count: int) -> None:
        """Delete calls whose time is over."""
        place = "WHERE journal = ? AND seq >= ? AND seq < ?"
        values = (journal, first, first + count)
        for row in self._transaction.rows(f"{_STORED} {place}", *values):
            call = _Stored(*row)
            self._totals.count_anew(call.session)
            if not call.named:
                self._leaves_lane(call)
        self._transaction.change(f"DELETE FROM calls {place}", *values)

    def take_in(self, calls: Sequence[tuple[int, int, int, int, CallEntry]], answers: Sequence[Answer]) -> None:
        """Take in new calls (journal, seq, segment and byte of each, and its entry) and what came of calls."""
        own = {entry.decision for *_, entry in calls}
        given: defaultdict[int, list[Answer]] = defaultdict(list)
        for each in answers:
            given[each.entry.decision].append(each)
        self._answer_stored({decision: each for decision, each in given.items() if decision not in own})
        for decision, waiting in self._answers.waiting(own).items():
            given[decision] += waiting
        lanes: defaultdict[int, list[_New]] = defaultdict(list)
        for journal, seq, segment, offset, entry in calls:
            new = _New(
                order=(bounded(entry.at), entry.decision, journal, seq),
                segment=segment,
                offset=offset,
                entry=entry,
                shape=self._memory.shape(self._transaction, entry.shape),
                answer=self._best(given.get(entry.decision), entry),
            )
            self._new[journal, seq] = new
            if new.name:
                owner = named_owner(entry.owner)
                new.session = key_of(owner, new.name)
                self._comes_in(new, new.session, owner)
            else:
                lanes[entry.lane].append(new)
        for lane, some in lanes.items():
            self._append(lane, sorted(some, key=lambda each: each.order))
        self._transaction.each(_CALL, [new.values for new in self._new.values()])

    def write(self) -> None:
        """Look at the lanes again in which something changed, and at the totals."""
        moved: list[Move] = []
        for lane, change in self._changes.items():
            self._memory.tails.pop(lane, None)
            moved += resettle(self._transaction, lane, change.orders, change.gone)
        for move in moved:
            new = self._new.get((move.journal, move.seq))
            if move.old is None and new is not None:
                self._comes_in(new, move.new, new.entry.owner)
            elif move.old is not None and move.old != move.new:
                self._totals.owners[move.new] = self._owner(move.old)
                self._totals.count_anew(move.old)
                self._totals.count_anew(move.new)
        self._transaction.each(
            "UPDATE calls SET session = ?, reach = ? WHERE journal = ? AND seq = ?",
            [(move.new, move.reach, move.journal, move.seq) for move in moved],
        )
        self._totals.write()

    def _best(self, some: Sequence[Answer] | None, entry: CallEntry) -> Answer | None:
        if not some:
            return None
        return self._answers.best(some, at=bounded(entry.at), names_itself=bool(entry.name))

    def _answer_stored(self, answers: Mapping[int, Sequence[Answer]]) -> None:
        """Give calls that were stored before their answers; an answer that comes before its call waits for it."""
        if not answers:
            return
        answered: list[tuple[int, ...]] = []
        stored = self._stored(answers, "answered_by IS NULL")
        matched = {call.decision for call in stored}
        # whoever is answered already is in no index: a second answer is a fault of somebody, and may take its time
        again = self._stored((each for each in answers if each not in matched), "answered_by IS NOT NULL")
        matched |= {call.decision for call in again}
        for call in (*stored, *again):
            itself = call.named == BY_ITSELF
            answer = self._answers.best(answers[call.decision], at=call.at, names_itself=itself)
            ends, name = max(call.at, bounded(answer.entry.at)), "" if itself else answer.entry.name
            if not self._is_better(call, answer, ends=ends, name=name):
                continue
            answered.append((*answer.spot, ends, call.journal, call.seq))
            if name:
                self._gets_name(call, name, ends)
            elif ends > call.ends:
                self._totals.ends(call.session, ends)
                if not call.named:
                    self._changes[call.lane].orders.append(call.order)
        self._transaction.each(_ANSWERED, answered)
        self._answers.keep(each for decision, some in answers.items() if decision not in matched for each in some)

    def _is_better(self, call: _Stored, answer: Answer, *, ends: int, name: str) -> bool:
        if call.answered_in is None or call.answered_by is None:
            return True
        before = self._answers.weight(
            (call.answered_in, call.answered_by), ends=call.ends, names=call.named == BY_ANSWER
        )
        return self._answers.weight(answer.spot, ends=ends, names=bool(name)) > before

    def _append(self, lane: int, some: list[_New]) -> None:
        """Put calls behind the end of their lane; where they do not belong there, the lane is looked at again."""
        tail = self._tail(lane)
        if lane in self._changes or (tail is not None and tail.order > some[0].order):
            self._changes[lane].orders += [new.order for new in some]
            return
        for new, move in zip(some, append(self._transaction, lane, tail, [new.row for new in some]), strict=True):
            new.session, new.reach = move.new, move.reach
            self._comes_in(new, move.new, new.entry.owner)
        self._memory.tails[lane] = Tail(some[-1].order, move.new, move.reach)

    def _tail(self, lane: int) -> Tail | None:
        if lane not in self._memory.tails:
            self._memory.tails[lane] = tail_of(self._transaction, lane)
        return self._memory.tails[lane]

    def _comes_in(self, new: _New, session: int, owner: Owner) -> None:
        self._totals.owners[session] = owner
        self._totals.add(session, new.added)

    def _gets_name(self, call: _Stored, name: str, ends: int) -> None:
        """An answer named the session of a call: the one of a handshake."""
        owner = named_owner(self._owner(call.session))
        session = key_of(owner, name)
        self._transaction.change(
            "UPDATE calls SET named = ?, session = ?, reach = NULL WHERE journal = ? AND seq = ?",
            *(BY_ANSWER, session, call.journal, call.seq),
        )
        self._totals.count_anew(call.session)
        self._totals.owners[session] = owner
        self._totals.add(session, Added(call.order, ends, call.shape, bool(call.refused), call.client))
        if not call.named:
            self._leaves_lane(call)

    def _leaves_lane(self, call: _Stored) -> None:
        change = self._changes[call.lane]
        change.orders.append(call.order)
        change.gone.append((call.session, call.trace))

    def _owner(self, session: int) -> Owner:
        found = self._transaction.rows("SELECT owner FROM sessions WHERE key = ?", session)
        issuer, subject, server, client, version = json.loads(found[0][0])
        return issuer, subject, server, client, version

    def _stored(self, decisions: Iterable[int], which: str) -> list[_Stored]:
        return [
            _Stored(*row)
            for some in chunks(decisions)
            for row in self._transaction.rows(f"{_STORED} WHERE {which} AND decision IN {within(some)}", *some)
        ]
