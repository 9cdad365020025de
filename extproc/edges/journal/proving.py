"""Prove the journals of a store, offline and from the bytes alone: chains, seals, and what was taken out.

Nothing secret is needed: the public key of the seals at most. What it proves: every event up to the last seal is the
one that was written, in its place, and none is missing; behind the last seal the chain alone speaks. What it cannot
prove without a seal that was kept elsewhere: that not the whole store, seals and all, was replaced by an older copy.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Final

from extproc.core.audit import Broken, Fault, Linked, Proof, Pruned, check, read_event
from extproc.core.audit.notes import Checkpoint, Keys, notes_anywhere, open_seal
from extproc.edges.journal.anchors import anchor_lines
from extproc.edges.journal.locks import is_live
from extproc.edges.journal.reader import journals
from extproc.edges.journal.seal_files import SEALS, notes_in, sealed_journals, seals_of
from extproc.edges.journal.segments import numbers, path_of, pieces

__all__ = ["Evidence", "FaultAt", "Report", "Verdict", "prove", "verify"]

_HINT: Final = b'"kind":"'
_KINDS: Final = (b'"kind":"sealed"', b'"kind":"purged"')


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultAt:
    """The first fault of a journal: file, line from 1 (0: the file as a whole), the event number that is in doubt."""

    file: str
    line: int
    seq: int
    broken: Broken
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What verification found.

    ``events`` hold, up to ``head``, the hash of the last of them; ``pruned`` of them were taken out and are proved by
    their hashes alone, ``unvouched`` of these on the word of records that no seal covers. ``sealed`` events are signed
    for, ``sealed_at`` seconds since the epoch. ``live`` says that a writer holds the journal now; then an unfinished
    last line is only not yet written. ``last_kind`` is the kind of the last event: ``stopped`` after an orderly end.
    """

    journal: str
    segments: int
    events: int
    pruned: int
    unvouched: int
    first_at: int | None
    last_at: int | None
    last_kind: str
    head: str
    live: bool
    sealed: int
    sealed_at: int | None
    fault: FaultAt | None


@dataclass(slots=True, kw_only=True)
class Evidence:
    """What a store, and seals from elsewhere, say of journals: seals by journal, places that were purged, faults.

    A place is the first number and the count, with the journal whose event says so, and that event's number.
    """

    seals: dict[str, list[Checkpoint]] = field(default_factory=dict)
    purged: dict[str, list[tuple[int, int, str, int]]] = field(default_factory=dict)
    faults: list[FaultAt] = field(default_factory=list)

    def take(self, note: str, keys: Keys, *, file: str, line: int, journal: str | None = None) -> None:
        """Add the seal that ``note`` is, of ``journal`` if that is known; one that nobody trusted signed is a fault."""
        seal = open_seal(note, keys)
        if seal is None:
            said = "no trusted key signed this seal: it was changed, or its key is not the one that was given"
        elif journal is not None and seal.origin.rpartition("/")[2] != journal:
            said = f"this is a seal of another journal, {seal.origin}"
        else:
            self.seals.setdefault(seal.origin.rpartition("/")[2], []).append(seal)
            return
        self.faults.append(FaultAt(file=file, line=line, seq=0, broken=Broken.UNSIGNED, said=said))

    def places(self, journal: str, *, vouched: bool) -> list[tuple[int, int]]:
        """The places of a journal that were purged; ``vouched``: on the word of events that a seal covers."""
        sizes = {name: max(seal.size for seal in seals) for name, seals in self.seals.items()}
        found = self.purged.get(journal, ())
        return [(first, count) for first, count, by, seq in found if not vouched or seq < sizes.get(by, 0)]

    def anchor(self, lines: Iterable[str], keys: Keys) -> bool:
        """Add the seals that a trusted key signed in lines that were kept elsewhere; False if there is none.

        Whatever else those lines hold was written by callers, and may look like anything.
        """
        before = sum(map(len, self.seals.values()))
        for line in lines:
            for note in notes_anywhere(line):
                seal = open_seal(note, keys)
                if seal is not None:
                    self.seals.setdefault(seal.origin.rpartition("/")[2], []).append(seal)
        return sum(map(len, self.seals.values())) > before


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a store proves: a report for each journal, and what is wrong with the seals themselves."""

    reports: tuple[Report, ...]
    faults: tuple[FaultAt, ...]

    @property
    def holds(self) -> bool:
        """True if nothing is wrong."""
        return not self.faults and all(report.fault is None for report in self.reports)


def prove(state_dir: Path, keys: Keys, *, anchors: Iterable[Path] = (), withheld: bool = False) -> Verdict:
    """Verify all journals of a store against its seals, and those in ``anchors``: files that were kept elsewhere.

    Raises:
        OSError: something cannot be read.
    """
    directories = journals(state_dir)
    evidence = _gather(state_dir, directories, keys)
    for anchor in anchors:
        if not evidence.anchor(anchor_lines(anchor), keys):
            said = "no seal in it is signed by a trusted key, so nothing was compared with it"
            evidence.faults.append(FaultAt(file=str(anchor), line=0, seq=0, broken=Broken.UNSIGNED, said=said))
    present = {directory.name for directory in directories}
    gone = [
        FaultAt(file=name, line=0, seq=0, broken=Broken.CUT, said="the whole journal is gone, and it was sealed")
        for name in sorted(evidence.seals.keys() - present)
    ]
    reports = tuple(verify(directory, evidence, withheld=withheld) for directory in directories)
    return Verdict(reports=reports, faults=(*evidence.faults, *gone))


def _gather(state_dir: Path, directories: Iterable[Path], keys: Keys) -> Evidence:
    evidence = Evidence()
    for journal in sealed_journals(state_dir):
        path = seals_of(state_dir, journal)
        for line, note in enumerate(notes_in(path), 1):
            evidence.take(note, keys, file=f"{SEALS}/{path.name}", line=line, journal=journal)
    for directory in directories:
        for number in numbers(directory):
            path = path_of(directory, number)
            for line, piece in enumerate(pieces(path), 1):
                if piece.whole and _HINT in piece.raw and any(kind in piece.raw for kind in _KINDS):
                    _take_event(evidence, piece.raw, keys, file=f"{directory.name}/{path.name}", line=line)
    return evidence


def verify(directory: Path, evidence: Evidence | None = None, *, withheld: bool = False) -> Report:
    """Check one journal over all of its segments, up to the first fault.

    ``withheld``: a copy for an auditor, in which others' events are left out on purpose.

    Raises:
        OSError: it cannot be read.
    """
    known = evidence or Evidence()
    # before the segments are listed: what a live writer appends meanwhile only makes the journal longer
    live = is_live(directory)
    present = numbers(directory)
    walk = _Walk(
        Proof(known.seals.get(directory.name, ())),
        _Places(known.places(directory.name, vouched=False)),
        _Places(known.places(directory.name, vouched=True)),
        withheld=withheld,
    )
    fault: FaultAt | None = None
    for expected, number in enumerate(present, 1):
        path = path_of(directory, number)
        if number != expected:
            said = f"segment {path_of(directory, expected).name} is missing before it"
            fault = FaultAt(file=path.name, line=0, seq=walk.proof.tree.size, broken=Broken.MISSING, said=said)
            break
        fault = walk.through(path, may_end_early=live and number == present[-1])
        if fault is not None:
            break
    return walk.report(directory.name, segments=len(present), live=live, fault=fault)


class _Places:
    """Places of a journal that were purged."""

    def __init__(self, places: Sequence[tuple[int, int]]) -> None:
        places = sorted(places)
        self._firsts = [first for first, _ in places]
        # up to where some place reaches that begins there or before
        self._ends = list(accumulate((first + count for first, count in places), max))

    def hold(self, pruned: Pruned) -> bool:
        """Whether one of them is all of this."""
        before = bisect_right(self._firsts, pruned.seq)
        return bool(before) and pruned.end <= self._ends[before - 1]


class _Walk:
    """One journal, line by line."""

    def __init__(self, proof: Proof, purged: _Places, vouched: _Places, *, withheld: bool) -> None:
        self.proof = proof
        self._purged = purged
        self._vouched = vouched
        self._withheld = withheld
        self._pruned = 0
        self._unvouched = 0
        self._first: bytes | None = None
        self._last: bytes | None = None

    def through(self, path: Path, *, may_end_early: bool) -> FaultAt | None:
        """Take the lines of one file; the first fault."""
        for line, piece in enumerate(pieces(path), 1):
            if not piece.whole and may_end_early:
                return None
            found: Linked | Pruned | Fault = (
                self.proof.take(piece.raw)
                if piece.whole
                else Fault(broken=Broken.UNFINISHED, said="the file ends inside of a line: a crash, or a cut tail")
            )
            if isinstance(found, Pruned):
                self._pruned += found.count
                found = self._explain(found) or found
            if isinstance(found, Fault):
                seq = found.seq if found.broken is Broken.REWRITTEN else None
                at = self.proof.tree.size if seq is None else seq
                return FaultAt(file=path.name, line=line, seq=at, broken=found.broken, said=found.said)
            if isinstance(found, Linked):
                self._first = found.event if self._first is None else self._first
                self._last = found.event
        return None

    def _explain(self, pruned: Pruned) -> Fault | None:
        if self._withheld or self._vouched.hold(pruned):
            return None
        if self._purged.hold(pruned):
            self._unvouched += pruned.count
            return None
        said = f"events {pruned.seq} to {pruned.end - 1} were taken out, and no record says so"
        return Fault(broken=Broken.UNEXPLAINED, said=said, seq=pruned.seq)

    def report(self, journal: str, *, segments: int, live: bool, fault: FaultAt | None) -> Report:
        """What was found, with what the seals say of the end."""
        proof = self.proof
        if not segments and not live:
            fault = FaultAt(file=journal, line=0, seq=0, broken=Broken.MISSING, said="no segment is there")
        ending = proof.end() if fault is None else None
        if ending is not None:
            fault = FaultAt(file=journal, line=0, seq=ending.seq or 0, broken=ending.broken, said=ending.said)
        first, last = _event(self._first), _event(self._last)
        return Report(
            journal=journal,
            segments=segments,
            events=proof.tree.size,
            pruned=self._pruned,
            unvouched=self._unvouched if proof.sealed is not None else 0,
            first_at=_time(first),
            last_at=_time(last),
            last_kind=str(last.get("kind", "")),
            head=proof.prev,
            live=live,
            sealed=proof.sealed.size if proof.sealed is not None else 0,
            sealed_at=proof.sealed.at if proof.sealed is not None else None,
            fault=fault,
        )


def _take_event(evidence: Evidence, raw: bytes, keys: Keys, *, file: str, line: int) -> None:
    found = check(raw, seq=None, prev=None)
    event = (read_event(found.event) if isinstance(found, Linked) else None) or {}
    if event.get("kind") == "sealed":
        for note in _list(event.get("notes")):
            evidence.take(str(note), keys, file=file, line=line)
    elif event.get("kind") == "purged" and isinstance(found, Linked):
        by = file.partition("/")[0]
        for place in _list(event.get("ranges")):
            match place:
                case [int(first), int(count)]:
                    places = evidence.purged.setdefault(str(event.get("journal")), [])
                    places.append((first, count, by, found.seq))
                case _:
                    said = "it tells of a purge in no form that is known"
                    evidence.faults.append(FaultAt(file=file, line=line, seq=0, broken=Broken.UNREADABLE, said=said))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _event(encoded: bytes | None) -> Mapping[str, object]:
    return (read_event(encoded) if encoded is not None else None) or {}


def _time(event: Mapping[str, object]) -> int | None:
    at = event.get("at")
    return at if isinstance(at, int) else None
