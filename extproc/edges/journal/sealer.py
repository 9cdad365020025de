"""Seal journals while they are written: follow each one, grow its tree, and sign what has settled.

Only what has settled is signed: what a writer took back after a failed write, or a power loss took, must not look like
a cut tail later. So a line is sealed once it has stood for a whole round and the disk has confirmed it, or when nobody
writes the journal any more. Blocking; one call of ``seal`` after the other, in a thread.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec

from extproc.core.audit import Fault, Linked, Proof
from extproc.core.audit.seals import checkpoint_text, origin_of
from extproc.edges.journal.locks import is_live
from extproc.edges.journal.reader import Position, journals
from extproc.edges.journal.seal_files import append_note, cut_torn, notes_in, seals_of
from extproc.edges.journal.segments import numbers, path_of, pieces

__all__ = ["Sealer", "sealed_up_to"]

_OWN: Final = b'"kind":"sealed"'
_NANO: Final = 1_000_000_000


class _Saved(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a follower stood at its last seal."""

    segment: int
    offset: int
    prev: str
    peaks: list[tuple[int, str]]
    note: str


@dataclass(slots=True, kw_only=True)
class _Follower:
    """One journal: the proof of what was read, the place behind it, and the place that settles with this round."""

    directory: Path
    proof: Proof = field(default_factory=Proof)
    at: Position = field(default_factory=Position)
    settled: Position | None = None
    sealed: int = 0
    news: bool = False
    broken: str = ""


class Sealer:
    """Seals all journals below ``state_dir``; ``sign`` makes a note of a text, ``name`` is the key's name."""

    def __init__(self, state_dir: Path, *, name: str, sign: Callable[[str], str], clock: Callable[[], int]) -> None:
        self._state_dir = state_dir
        self._name = name
        self._sign = sign
        self._clock = clock
        self._followers: dict[str, _Follower] = {}

    @property
    def broken(self) -> dict[str, str]:
        """The journals that can not be sealed any more, and why: somebody changed them."""
        return {name: follower.broken for name, follower in self._followers.items() if follower.broken}

    def seal(self) -> list[str]:
        """Seal what is new, and return the notes; none where nothing but seals is new.

        Raises:
            OSError: something cannot be read or written; what was not sealed is sealed the next time.
        """
        with suppress(FileNotFoundError):
            for directory in journals(self._state_dir):
                if directory.name not in self._followers:
                    self._followers[directory.name] = self._follow(directory)
        for follower in self._followers.values():
            if not follower.broken:
                _advance(follower)
        if not any(follower.news for follower in self._followers.values()):
            return []
        return [self._sign_for(follower) for follower in self._followers.values() if _has_more(follower)]

    def _follow(self, directory: Path) -> _Follower:
        path = seals_of(self._state_dir, directory.name)
        cut_torn(path)
        notes = notes_in(path)
        follower = _Follower(directory=directory)
        with suppress(OSError, msgspec.DecodeError, ValueError):
            saved = msgspec.json.decode(self._place(directory.name).read_bytes(), type=_Saved)
            # what was saved for another seal than the last one says nothing: read it all again
            if notes and notes[-1] == saved.note:
                for size, node in saved.peaks:
                    follower.proof.tree.add(bytes.fromhex(node), size)
                follower.proof.prev = saved.prev
                follower.at = Position(segment=saved.segment, offset=saved.offset)
                follower.sealed = follower.proof.tree.size
        return follower

    def _sign_for(self, follower: _Follower) -> str:
        name, tree = follower.directory.name, follower.proof.tree
        text = checkpoint_text(
            origin=origin_of(self._name, name), size=tree.size, root=tree.root(), at=self._clock() // _NANO
        )
        note = self._sign(text)
        append_note(seals_of(self._state_dir, name), note)
        follower.sealed, follower.news = tree.size, False
        saved = _Saved(
            segment=follower.at.segment,
            offset=follower.at.offset,
            prev=follower.proof.prev,
            peaks=[(size, node.hex()) for size, node in tree.peaks],
            note=note,
        )
        draft = self._place(name).with_suffix(".draft")
        draft.write_bytes(msgspec.json.encode(saved))
        draft.replace(self._place(name))
        return note

    def _place(self, journal: str) -> Path:
        return _place(self._state_dir, journal)


def sealed_up_to(state_dir: Path, journal: str) -> tuple[int, int] | None:
    """The segment that sealing of a journal goes on in, and how many events its last seal is of; None without one."""
    try:
        saved = msgspec.json.decode(_place(state_dir, journal).read_bytes(), type=_Saved)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return saved.segment, sum(size for size, _ in saved.peaks)


def _place(state_dir: Path, journal: str) -> Path:
    return seals_of(state_dir, journal).with_suffix(".tree")


def _has_more(follower: _Follower) -> bool:
    return follower.proof.tree.size > follower.sealed


def _advance(follower: _Follower) -> None:
    """Read up to the place that has settled, and note the end that settles next."""
    live = is_live(follower.directory)
    limit = None if not live else follower.settled
    for number in numbers(follower.directory):
        if number < follower.at.segment:
            continue
        path = path_of(follower.directory, number)
        size = path.stat().st_size
        end = size if limit is None or number < limit.segment else min(limit.offset, size)
        if not live or (limit is not None and number <= limit.segment):
            _read(follower, path, number, end)
        if follower.broken:
            return
        follower.settled = Position(segment=number, offset=size)


def _read(follower: _Follower, path: Path, number: int, end: int) -> None:
    start = follower.at.offset if number == follower.at.segment else 0
    if start >= end:
        return
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        # an error of the disk since it was opened is told here too, and then nothing is sealed
        os.fsync(fd)
    finally:
        os.close(fd)
    for piece in pieces(path, start):
        if piece.end > end or not piece.whole:
            return
        found = follower.proof.take(piece.raw)
        if isinstance(found, Fault):
            follower.broken = f"{path.name}: event {follower.proof.tree.size}: {found.said}"
            return
        follower.at = Position(segment=number, offset=piece.end)
        follower.news = follower.news or not (isinstance(found, Linked) and _OWN in piece.raw)
