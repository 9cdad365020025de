"""Up to where each journal is in the index, and what is put in behind that."""

from collections.abc import Sequence
from typing import Final, TypeAlias

import msgspec

from extproc.core.audit.members import number_in
from extproc.edges.store.database import Transaction
from extproc.ports import Record

__all__ = [
    "Batch",
    "Place",
    "Read",
    "Standing",
    "bounded",
    "clean",
    "journal_number",
    "move_on",
    "place_of",
    "restored",
    "standings",
]

_NUL: Final = "\U0010fffe"
_LOWEST: Final = -(1 << 63)
_HIGHEST: Final = (1 << 63) - 1

Read: TypeAlias = tuple[Record, int, int]
"""A record with the segment and the byte where its line begins."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Up to where a journal was read: the byte behind the last line, and the number of the next record."""

    segment: int = 1
    offset: int = 0
    seq: int = 0


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one journal from ``start`` to ``end``; ``damaged`` lines were left out."""

    journal: str
    start: Place
    end: Place
    records: Sequence[Read]
    damaged: int = 0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How a journal stands in the index; ``at`` is the time of its last record there, in nanoseconds."""

    place: Place
    at: int | None
    damaged: int


def standings(transaction: Transaction) -> dict[str, Standing]:
    """How each journal stands."""
    return {
        name: Standing(place=Place(segment=segment, offset=offset, seq=seq), at=at, damaged=damaged)
        for name, segment, offset, seq, at, damaged in transaction.rows(
            "SELECT name, segment, place, seq, at, damaged FROM journals"
        )
    }


def journal_number(transaction: Transaction, name: str) -> int:
    """The number of a journal in the tables, given to it here if it is new."""
    numbered = "SELECT number FROM journals WHERE name = ?"
    found = transaction.rows(numbered, name)
    if not found:
        transaction.change(
            "INSERT INTO journals(number, name, segment, place, seq, at, damaged) "
            "SELECT coalesce(max(number), 0) + 1, CAST(? AS VARCHAR), 1, 0, 0, NULL, 0 FROM journals",
            name,
        )
        found = transaction.rows(numbered, name)
    return int(found[0][0])


def place_of(transaction: Transaction, number: int) -> Place:
    """Up to where a journal is in the index."""
    found = transaction.rows("SELECT segment, place, seq FROM journals WHERE number = ?", number)
    segment, offset, seq = found[0]
    return Place(segment=segment, offset=offset, seq=seq)


def move_on(transaction: Transaction, number: int, batch: Batch) -> None:
    """Keep the place behind a batch."""
    at = bounded(number_in(batch.records[-1][0].event.get("at"))) if batch.records else None
    transaction.change(
        "UPDATE journals SET segment = ?, place = ?, seq = ?, at = coalesce(CAST(? AS BIGINT), at), "
        "damaged = damaged + ? WHERE number = ?",
        *(batch.end.segment, batch.end.offset, batch.end.seq, at, batch.damaged, number),
    )


def bounded(number: int) -> int:
    """The number as 64 bits hold it."""
    return min(max(number, _LOWEST), _HIGHEST)


def clean(text: str) -> str:
    """The text as both databases can hold it: PostgreSQL takes no NUL, and a noncharacter stands for it."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", _NUL).encode("utf-8", "replace").decode()


def restored(text: str) -> str:
    """What ``clean`` was given."""
    return text.replace(_NUL, "\0")
