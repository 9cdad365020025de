"""What is known of each session as a whole: who, from when to when, how many calls, and of which shapes."""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final, NamedTuple

from msgspec import Struct
from msgspec.structs import astuple

from extproc.core.audit.lanes import Owner, id_of, number_of
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.lanes import Order
from extproc.edges.store.index.places import clean

__all__ = ["Added", "Totals", "chunks", "within"]

TOGETHER: Final = 500
"""How many values stand in one list of a statement."""

_INSERT: Final = """INSERT INTO sessions(
  key, id, owner, who, issuer, subject, server, client, first_at, last_at, calls, denied)
  VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"""
_UPDATE: Final = "UPDATE sessions SET client = ?, first_at = ?, last_at = ?, calls = ?, denied = ? WHERE key = ?"
_SEEN: Final = """INSERT INTO seen(session, shape, first_at, from_at, to_at) VALUES(?, ?, ?, ?, ?)
  ON CONFLICT(session, shape) DO UPDATE SET
  from_at = CASE WHEN excluded.from_at < seen.from_at THEN excluded.from_at ELSE seen.from_at END,
  to_at = CASE WHEN excluded.to_at > seen.to_at THEN excluded.to_at ELSE seen.to_at END"""
_PERSON: Final = "INSERT INTO people(who, said) VALUES(?, ?) ON CONFLICT DO NOTHING"
_FIRST_CLIENT: Final = """SELECT client FROM calls WHERE session = ? AND client <> ''
  ORDER BY at, decision, journal, seq LIMIT 1"""


class Added(NamedTuple):
    """A call that came into a session; ``order`` is its place there."""

    order: Order
    ends: int
    shape: int
    refused: bool
    client: str


class _Known(Struct):
    client: str
    first_at: int
    last_at: int
    calls: int
    denied: int


def chunks(values: Iterable[int]) -> Iterable[tuple[int, ...]]:
    """The values in lists that a statement can hold."""
    rest = iter(values)
    while some := tuple(islice(rest, TOGETHER)):
        yield some


def within(values: Sequence[object]) -> str:
    """The list of so many values in a statement."""
    return f"({', '.join('?' * len(values))})"


class Totals:
    """The changes of one transaction; ``owners`` says whose a session is that may be new."""

    def __init__(self, transaction: Transaction) -> None:
        self.owners: dict[int, Owner] = {}
        self._transaction = transaction
        self._added: dict[int, list[Added]] = {}
        self._ends: dict[int, int] = {}
        self._anew: set[int] = set()

    def add(self, session: int, added: Added) -> None:
        """A call is new in a session."""
        self._added.setdefault(session, []).append(added)

    def ends(self, session: int, at: int) -> None:
        """A call of a session was answered at ``at``."""
        self._ends[session] = max(self._ends.get(session, at), at)

    def count_anew(self, session: int) -> None:
        """A call left a session, or is another one now."""
        self._anew.add(session)

    def write(self) -> None:
        """Bring the tables to what the calls say."""
        touched = self._added.keys() | self._ends.keys() | self._anew
        known = self._read(touched)
        stored = set(known)
        for session in self._anew:
            self._count(session, known)
        earlier = [
            (session, known[session].first_at)
            for session, added in self._added.items()
            if session not in self._anew and self._include(session, added, known)
        ]
        for session, at in self._ends.items():
            if session not in self._anew:
                known[session].last_at = max(known[session].last_at, at)
        fresh = [key for key in known if key not in stored]
        self._transaction.each(_PERSON, {_person(self.owners[key]) for key in fresh})
        self._transaction.each(_INSERT, [self._row(key, known[key]) for key in fresh])
        self._transaction.each(_UPDATE, [(*astuple(known[key]), key) for key in known if key in stored])
        if earlier:
            self._transaction.each("UPDATE seen SET first_at = ? WHERE session = ?", [(at, key) for key, at in earlier])
        self._transaction.each(_SEEN, self._seen(known))

    def _read(self, keys: Iterable[int]) -> dict[int, _Known]:
        found: dict[int, _Known] = {}
        for some in chunks(keys):
            for key, *rest in self._transaction.rows(
                f"SELECT key, client, first_at, last_at, calls, denied FROM sessions WHERE key IN {within(some)}",
                *some,
            ):
                found[key] = _Known(*rest)
        return found

    def _include(self, session: int, added: Sequence[Added], known: dict[int, _Known]) -> bool:
        """Count calls that are new; whether the session began earlier than was known."""
        first, last = min(each.order[0] for each in added), max(each.ends for each in added)
        before = known.get(session)
        if before is None:
            before = known[session] = _Known("", first, last, 0, 0)
        began = first < before.first_at
        before.first_at, before.last_at = min(first, before.first_at), max(last, before.last_at)
        before.calls += len(added)
        before.denied += sum(each.refused for each in added)
        saying = [each for each in added if each.client]
        if saying and not before.client:  # no call said it before
            before.client = min(saying).client
        elif any(each.client != before.client for each in saying):
            before.client = self._client(session)
        return began

    def _count(self, session: int, known: dict[int, _Known]) -> None:
        self._transaction.change("DELETE FROM seen WHERE session = ?", session)
        counted = self._transaction.rows(
            "SELECT count(*), coalesce(sum(refused), 0), min(at), max(ends) FROM calls WHERE session = ?", session
        )
        calls, denied, first, last = counted[0]
        if not calls:
            self._transaction.change("DELETE FROM sessions WHERE key = ?", session)
            known.pop(session, None)
            return
        known[session] = _Known(self._client(session), first, last, calls, denied)
        self._transaction.change(
            "INSERT INTO seen(session, shape, first_at, from_at, to_at) "
            "SELECT session, shape, CAST(? AS BIGINT), min(at), max(at) FROM calls WHERE session = ? "
            "GROUP BY session, shape",
            first,
            session,
        )

    def _client(self, session: int) -> str:
        found = self._transaction.rows(_FIRST_CLIENT, session)
        return str(found[0][0]) if found else ""

    def _seen(self, known: Mapping[int, _Known]) -> Iterable[tuple[int, int, int, int, int]]:
        for session, added in self._added.items():
            if session in self._anew:
                continue
            times: dict[int, tuple[int, int]] = {}
            for each in added:
                at = each.order[0]
                low, high = times.get(each.shape, (at, at))
                times[each.shape] = min(low, at), max(high, at)
            for shape, (low, high) in times.items():
                yield session, shape, known[session].first_at, low, high

    def _row(self, key: int, known: _Known) -> tuple[object, ...]:
        owner = self.owners[key]
        names = (clean(each) for each in owner[:3])
        times = (known.first_at, known.last_at)
        return (
            key,
            id_of(key),
            json.dumps(owner),
            _who(owner),
            *names,
            known.client,
            *times,
            known.calls,
            known.denied,
        )


@lru_cache(maxsize=4096)
def _who(owner: Owner) -> int:
    return number_of(f"{owner[0]}\0{owner[1]}")


def _person(owner: Owner) -> tuple[int, str]:
    issuer, subject = owner[:2]
    return _who(owner), clean(f"{issuer} {subject}".strip().lower())
