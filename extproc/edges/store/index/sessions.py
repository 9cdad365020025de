"""One session in the index: which it is, and where its events stand."""

from collections.abc import Collection, Iterable
from typing import Final, NamedTuple

from extproc.edges.store.database import Transaction
from extproc.edges.store.index.pages import SessionRow, rows_of
from extproc.edges.store.index.places import clean
from extproc.edges.store.index.totals import chunks, within

__all__ = ["Spot", "begins_so", "kept_events", "spots_of", "steps_of"]

_MOST: Final = 3


class Spot(NamedTuple):
    """Where an event stands: its journal and number there, and the segment and byte where its line began."""

    journal: str
    seq: int
    segment: int
    offset: int


def begins_so(transaction: Transaction, start: str) -> list[SessionRow]:
    """Sessions whose id begins so; a few are enough to know that it is not one."""
    found = transaction.rows(
        "SELECT first_at, key FROM sessions WHERE id >= ? AND id < ? ORDER BY id LIMIT ?",
        *(clean(start), clean(start) + "\U0010ffff", _MOST),
    )
    return rows_of(transaction, [(first_at, key) for first_at, key in found])


def spots_of(transaction: Transaction, key: int) -> list[Spot]:
    """Where the decisions of a session, and their outcomes, stand."""
    rows = transaction.rows(
        "SELECT j.name, c.seq, c.segment, c.place FROM calls c JOIN journals j ON j.number = c.journal "
        "WHERE c.session = ?",
        key,
    )
    rows += transaction.rows(
        "SELECT j.name, c.answered_by, c.answer_segment, c.answer_place FROM calls c "
        "JOIN journals j ON j.number = c.answered_in WHERE c.session = ?",
        key,
    )
    rows += transaction.rows(
        "SELECT j.name, m.seq, m.segment, m.place FROM calls c JOIN messages m ON m.decision = c.decision "
        "JOIN journals j ON j.number = m.journal WHERE c.session = ?",
        key,
    )
    return sorted({Spot(*row) for row in rows})


def steps_of(transaction: Transaction, tickets: Collection[str]) -> set[str]:
    """The journals in which steps of these approvals stand."""
    return {
        row[0]
        for ticket in tickets
        for row in transaction.rows(
            "SELECT DISTINCT j.name FROM steps s JOIN journals j ON j.number = s.journal WHERE s.ticket = ?",
            clean(ticket),
        )
    }


def kept_events(transaction: Transaction, spots: Iterable[Spot]) -> dict[tuple[str, int], bytes]:
    """The events that are kept in the index itself, by journal and number."""
    journals = dict(transaction.rows("SELECT name, number FROM journals"))
    wanted: dict[str, list[int]] = {}
    for spot in spots:
        wanted.setdefault(spot.journal, []).append(spot.seq)
    return {
        (journal, seq): bytes(body)
        for journal, numbers in wanted.items()
        for some in chunks(numbers)
        for seq, body in transaction.rows(
            f"SELECT seq, body FROM events WHERE journal = ? AND seq IN {within(some)}", journals[journal], *some
        )
    }
