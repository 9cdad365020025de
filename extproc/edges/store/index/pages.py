"""Pages of the list of sessions: the newest first, those with at least one call that is asked for.

Lists are read in order from where the page before ended. What stands in the index itself is looked up there; the text
of arguments is looked for call by call, so far back as one page may take, and a page says how far that was.
"""

from collections.abc import Callable, Iterable, Sequence
from heapq import nlargest
from itertools import islice
from typing import Final, NamedTuple, TypeAlias, TypeVar

import msgspec

from extproc.core.audit.filters import Filter
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.places import clean, restored
from extproc.edges.store.index.totals import within

__all__ = ["Cursor", "Page", "SessionRow", "page", "rows_of"]

FEW: Final = 1000
"""Of so many people or shapes the sessions are looked up one by one; of more, the sessions are gone through."""
SHAPES_EACH: Final = 5
"""A session has one person and many shapes, so of as many of both, the shapes leave many more sessions to look at."""
TOGETHER: Final = 100
MERGED: Final = 16
"""So many lists are merged in one statement; planning one takes PostgreSQL time that grows with their square."""
LOOKED_THROUGH: Final = 60_000
"""In so many calls the text is looked for, for one page."""

Cursor: TypeAlias = tuple[int, int]
"""Where a page ended: when its last session began, and the key of that one."""

_Span: TypeAlias = tuple[Cursor | None, Cursor | None]
"""Behind the first place and before the second one, where they are."""
_T = TypeVar("_T")

_SESSION: Final = "key, id, issuer, subject, server, client, first_at, last_at, calls, denied"


class SessionRow(NamedTuple):
    """What is known of one session; times in nanoseconds since the epoch."""

    key: int
    id: str
    issuer: str
    subject: str
    server: str
    client: str
    first_at: int
    last_at: int
    calls: int
    denied: int


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """The sessions of a page, and where the next one begins; None at the end.

    ``unfinished`` if the next one begins there only because a page may not take longer.
    """

    sessions: Sequence[SessionRow]
    after: Cursor | None
    unfinished: bool = False


class _Condition(NamedTuple):
    text: str
    values: tuple[object, ...]


_ALL: Final = _Condition("1 = 1", ())


def page(transaction: Transaction, wanted: Filter, *, after: Cursor | None, limit: int) -> Page:
    """The next ``limit`` sessions behind ``after``."""
    search = _Search(transaction, wanted)
    found: list[Cursor] = []
    looked = 0
    while True:
        some = search.candidates(after, max(limit + 1, TOGETHER))
        kept = search.verified(some) if search.must_verify else None
        sizes = _sizes(transaction, some) if wanted.text is not None else {}
        for place in some:
            if kept is None or place[1] in kept:
                if len(found) == limit:
                    return Page(sessions=rows_of(transaction, found), after=found[-1])
                found.append(place)
            after = place
            looked += sizes.get(place[1], 0)
        if len(some) < max(limit + 1, TOGETHER):
            return Page(sessions=rows_of(transaction, found), after=None)
        if looked > LOOKED_THROUGH:
            return Page(sessions=rows_of(transaction, found), after=after, unfinished=True)


def rows_of(transaction: Transaction, places: Sequence[Cursor]) -> list[SessionRow]:
    """The sessions at these places, in their order."""
    found: dict[int, SessionRow] = {}
    for first in range(0, len(places), TOGETHER):
        keys = [key for _, key in places[first : first + TOGETHER]]
        for row in transaction.rows(f"SELECT {_SESSION} FROM sessions WHERE key IN {within(keys)}", *keys):
            issuer, subject, server, client = map(restored, row[2:6])
            found[row[0]] = SessionRow(row[0], row[1], issuer, subject, server, client, *row[6:])
    return [found[key] for _, key in places]


def _sizes(transaction: Transaction, places: Sequence[Cursor]) -> dict[int, int]:
    return {row.key: row.calls for row in rows_of(transaction, places)}


class _Search:
    """One choice of sessions, in the words of the tables (``s`` sessions, ``e`` seen, ``h`` shapes, ``c`` calls)."""

    def __init__(self, transaction: Transaction, wanted: Filter) -> None:
        self._transaction = transaction
        self._wanted = wanted
        self._shape = _of_shape(wanted)
        self._people = self._few("who", "people", _holding("said", wanted.principal))
        self._shapes = self._few("key", "shapes", self._shape)
        self.must_verify = wanted.text is not None or wanted.since is not None or wanted.until is not None

    def candidates(self, after: Cursor | None, count: int) -> list[Cursor]:
        """The next sessions that may be what is asked for."""
        if self._shapes is not None and (self._people is None or len(self._shapes) * SHAPES_EACH <= len(self._people)):
            return self._merged(self._by_shape, self._shapes, after, count)
        return self._merged(self._of_sessions, [None] if self._people is None else self._people, after, count)

    def verified(self, places: Sequence[Cursor]) -> set[int]:
        """Those of the sessions in which one call is all that is asked for."""
        wanted = self._wanted
        conditions = [_Condition("c.at >= ?", (wanted.since,))] if wanted.since is not None else []
        conditions += [_Condition("c.at < ?", (wanted.until,))] if wanted.until is not None else []
        conditions += _holding("c.said", wanted.text)
        if self._shape:
            inner = _joined(self._shape)
            conditions.append(_Condition(f"c.shape IN (SELECT key FROM shapes WHERE {inner.text})", inner.values))
        one = _joined(conditions)
        found: set[int] = set()
        for first in range(0, len(places), TOGETHER):
            keys = [key for _, key in places[first : first + TOGETHER]]
            found.update(
                row[0]
                for row in self._transaction.rows(
                    f"SELECT s.key FROM sessions s WHERE s.key IN {within(keys)} "
                    f"AND EXISTS (SELECT 1 FROM calls c WHERE c.session = s.key AND {one.text})",
                    *keys,
                    *one.values,
                )
            )
        return found

    def _few(self, column: str, table: str, conditions: Sequence[_Condition]) -> list[int] | None:
        """The keys of those that are asked for; None where it is all of them, or too many."""
        if not conditions:
            return None
        one = _joined(conditions)
        found = self._transaction.rows(f"SELECT {column} FROM {table} WHERE {one.text} LIMIT ?", *one.values, FEW + 1)
        return [row[0] for row in found] if len(found) <= FEW else None

    def _by_shape(self, shape: int, span: _Span) -> _Condition:
        conditions = [_Condition("e.shape = ?", (shape,)), *_between("e.first_at, e.session", span)]
        conditions += self._times("e.from_at", "e.to_at")
        of_session = self._owned()
        if of_session:
            inner = _joined(of_session)
            conditions.append(
                _Condition(f"EXISTS (SELECT 1 FROM sessions s WHERE s.key = e.session AND {inner.text})", inner.values)
            )
        one = _joined(conditions)
        return _Condition(f"SELECT e.first_at, e.session AS key FROM seen e WHERE {one.text}", one.values)

    def _of_sessions(self, who: int | None, span: _Span) -> _Condition:
        """The sessions of one of those people, or of all of them."""
        conditions = [*_between("s.first_at, s.key", span), *self._times("s.first_at", "s.last_at")]
        conditions += self._owned() if who is None else [_Condition("s.who = ?", (who,)), *self._served()]
        if self._shape:
            inner = _joined([*self._shape, *self._times("e.from_at", "e.to_at")])
            conditions.append(
                _Condition(
                    "EXISTS (SELECT 1 FROM seen e JOIN shapes h ON h.key = e.shape "
                    f"WHERE e.session = s.key AND {inner.text})",
                    inner.values,
                )
            )
        one = _joined(conditions or [_ALL])
        return _Condition(f"SELECT s.first_at, s.key AS key FROM sessions s WHERE {one.text}", one.values)

    def _owned(self) -> list[_Condition]:
        """Whose session it is to be, and of which server."""
        found = self._served()
        if self._wanted.principal is not None:
            found.append(_Condition("s.who IN (SELECT who FROM asked)", ()))
        return found

    def _served(self) -> list[_Condition]:
        return [_Condition("s.server = ?", (clean(self._wanted.server),))] if self._wanted.server is not None else []

    def _times(self, low: str, high: str) -> list[_Condition]:
        since, until = self._wanted.since, self._wanted.until
        found = [_Condition(f"{high} >= ?", (since,))] if since is not None else []
        return [*found, *([_Condition(f"{low} < ?", (until,))] if until is not None else [])]

    def _merged(
        self, listed: Callable[[_T, _Span], _Condition], each_of: Iterable[_T], after: Cursor | None, count: int
    ) -> list[Cursor]:
        """The first of the lists together, merged a few at a time; later ones are read only as far as they matter."""
        asked = _joined(_holding("said", self._wanted.principal) or [_ALL])
        found: list[Cursor] = []
        rest = iter(each_of)
        while some := list(islice(rest, MERGED)):
            span = after, found[-1] if len(found) == count else None
            lists = [listed(one, span) for one in some]
            parts = " UNION ALL ".join(
                f"SELECT * FROM ({each.text} ORDER BY first_at DESC, key DESC LIMIT {count:d}) AS p{number:d}"
                for number, each in enumerate(lists)
            )
            # in this form PostgreSQL merges the lists as their indexes give them
            rows = self._transaction.rows(
                f"WITH asked AS (SELECT who FROM people WHERE {asked.text}) "
                f"SELECT DISTINCT first_at, key FROM ({parts}) AS p ORDER BY first_at DESC, key DESC LIMIT {count:d}",
                *asked.values,
                *(value for each in lists for value in each.values),
            )
            found = nlargest(count, {*found, *((row[0], row[1]) for row in rows)})
        return found


def _of_shape(wanted: Filter) -> list[_Condition]:
    exact = (("verb", wanted.verb), ("effect", wanted.decision))
    found = [_Condition(f"{column} = ?", (clean(value),)) for column, value in exact if value is not None]
    return [*found, *_holding("targets", wanted.tool), *_holding("rule", wanted.rule)]


def _holding(column: str, part: str | None) -> list[_Condition]:
    return [] if part is None else [_Condition(f"instr({column}, ?) > 0", (clean(part.lower()),))]


def _between(columns: str, span: _Span) -> list[_Condition]:
    return [
        _Condition(f"({columns}) {sign} (?, ?)", end)
        for sign, end in zip(("<", ">"), span, strict=True)
        if end is not None
    ]


def _joined(conditions: Sequence[_Condition]) -> _Condition:
    text = " AND ".join(each.text for each in conditions)
    return _Condition(text, tuple(value for each in conditions for value in each.values))
