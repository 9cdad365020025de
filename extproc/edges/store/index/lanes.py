"""Put the calls of one lane into their sessions again, from where something changed to where nothing differs any more.

Calls come late and out of order between journals, answers come after their calls, and records go when their time is
over. What a call behind the change belongs to can differ then, but seldom far behind: as soon as all that the next call
depends on is as it was, the rest is too.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final, NamedTuple, TypeAlias

from extproc.core.audit.lanes import Lane
from extproc.edges.store.database import Transaction

__all__ = ["Move", "Order", "Row", "Tail", "append", "resettle", "tail_of"]

Order: TypeAlias = tuple[int, int, int, int]
"""What orders the calls of a lane: time, decision, journal, seq."""

_ORDER: Final = "(at, decision, journal, seq)"
_IN_LANE: Final = "lane = ? AND named = 0"
_BACK: Final = "ORDER BY at DESC, decision DESC, journal DESC, seq DESC LIMIT 1"
_STEP: Final = 64


class Move(NamedTuple):
    """A call whose session or whose reach is another one now; ``old`` is None where it had no session yet."""

    journal: int
    seq: int
    old: int | None
    new: int
    reach: int


class Tail(NamedTuple):
    """The last call of a lane: its place, its session, and its reach."""

    order: Order
    session: int
    reach: int


class Row(NamedTuple):
    """A call as its lane sees it; without a session where it has none yet."""

    order: Order
    ends: int
    trace: str
    begins: int
    session: int | None = None
    reach: int | None = None


def tail_of(transaction: Transaction, lane: int, before: Order | None = None) -> Tail | None:
    """The last call of a lane, or the last one before a place in its order."""
    behind = "" if before is None else f"AND {_ORDER} < (?, ?, ?, ?)"
    found = transaction.rows(
        f"SELECT at, decision, journal, seq, session, reach FROM calls WHERE {_IN_LANE} {behind} {_BACK}",
        lane,
        *(before or ()),
    )
    return Tail(found[0][:4], found[0][4], found[0][5]) if found else None


def append(transaction: Transaction, lane: int, tail: Tail | None, rows: Sequence[Row]) -> list[Move]:
    """The sessions of new calls, in their order, behind the last call of a lane."""
    settling = _Settling(transaction, lane, tail, rows[0].order)
    return [move for row in rows if (move := settling.step(row)) is not None]


def resettle(
    transaction: Transaction, lane: int, changed: Collection[Order], gone: Iterable[tuple[int, str]]
) -> list[Move]:
    """The calls of a lane that belong elsewhere now.

    ``changed`` are the places of calls that are new (stored without a session), were changed, or are no longer there;
    ``gone`` are session and trace of those that are not.
    """
    first, last = min(changed), max(changed)
    settling = _Settling(transaction, lane, tail_of(transaction, lane, first), first)
    for session, trace in gone:
        settling.sessions.add(session)
        if trace:
            settling.traces.add(trace)
    moves: list[Move] = []
    for row in _from(transaction, lane, first):
        move = settling.step(row)
        if move is not None:
            moves.append(move)
        elif row.order >= last and not settling.reaches_beyond(row.order):
            break
    return moves


class _Settling:
    """The lane as it is now; ``sessions`` and ``traces`` are those of which a later call could find another state."""

    def __init__(self, transaction: Transaction, lane: int, before: Tail | None, start: Order) -> None:
        self.sessions: set[int] = set()
        self.traces: set[str] = set()
        self._transaction = transaction
        self._key = lane
        self._start = start
        self._lane = Lane()
        if before is not None:
            self._lane.latest = before.session
            self._lane.ends[before.session] = before.reach

    def step(self, row: Row) -> Move | None:
        """Place the next call; None where it is where it was."""
        if row.trace and row.trace not in self._lane.traced:
            self._recall(row.trace)
        session = self._lane.place(at=row.order[0], ends=row.ends, trace=row.trace, begins=row.begins)
        reach = self._lane.ends[session]
        if (session, reach) == (row.session, row.reach):
            self.sessions.discard(session)
            return None
        self.sessions.add(session)
        if session != row.session:
            if row.session is not None:
                self.sessions.add(row.session)
            if row.trace:
                self.traces.add(row.trace)
        return Move(row.order[2], row.order[3], row.session, session, reach)

    def reaches_beyond(self, place: Order) -> bool:
        """Whether a call behind ``place`` may still find another state than before."""
        behind = f"{_IN_LANE} AND {_ORDER} > (?, ?, ?, ?)"
        for column, values in (("session", self.sessions), ("trace", self.traces)):
            for value in values:
                nonempty = " AND trace <> ''" if column == "trace" else ""
                if self._transaction.rows(
                    f"SELECT 1 FROM calls WHERE {column} = ?{nonempty} AND {behind} LIMIT 1",
                    value,
                    self._key,
                    *place,
                ):
                    return True
        return False

    def _recall(self, trace: str) -> None:
        """Find the session of a trace from before the start, and how far it reached then."""
        found = self._transaction.rows(
            "SELECT session FROM calls WHERE trace = ? AND trace <> '' AND "
            f"{_IN_LANE} AND {_ORDER} < (?, ?, ?, ?) LIMIT 1",
            trace,
            self._key,
            *self._start,
        )
        if not found:
            return
        session = found[0][0]
        self._lane.traced[trace] = session
        if session not in self._lane.ends:
            self._lane.ends[session] = self._transaction.rows(
                f"SELECT reach FROM calls WHERE session = ? AND {_ORDER} < (?, ?, ?, ?) {_BACK}",
                session,
                *self._start,
            )[0][0]


def _from(transaction: Transaction, lane: int, start: Order) -> Iterator[Row]:
    """The calls of a lane from a place on, as they are stored."""
    comparison, count = ">=", _STEP
    while True:
        rows = transaction.rows(
            "SELECT at, decision, journal, seq, ends, trace, begins, session, reach FROM calls "
            f"WHERE {_IN_LANE} AND {_ORDER} {comparison} (?, ?, ?, ?) ORDER BY at, decision, journal, seq LIMIT ?",
            lane,
            *start,
            count,
        )
        for row in rows:
            yield Row(row[:4], *row[4:])
        if len(rows) < count:
            return
        start, comparison, count = rows[-1][:4], ">", min(4 * count, 4096)
