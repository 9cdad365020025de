"""What an auditor needs to prove a recording, and nothing else: no secret key, no settings, no other file of ours.

Three layers, each over the bytes of the lines alone. A *chain*: every line holds the hash of the line before it. A
*tree*: the lines are the leaves of a Merkle tree (RFC 6962 section 2.1). A *seal*: a checkpoint of the tree's size and
root (C2SP tlog-checkpoint), signed with Ed25519 as a signed note (C2SP signed-note). The chain finds the line that was
changed; the tree under a seal finds a chain that was written anew, and a tail that was cut; a seal that was kept
elsewhere finds a whole store that was replaced.

Lines that were taken out, because their time was over or because they are none of an auditor's business, leave the
hashes of their subtrees in their place, so that the tree still stands::

    {"pruned":["<64 hex>",...],"count":<n>,"seq":<first>,"hash":"<hash of the last one>"}
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from extproc.core.audit.notes import Checkpoint

__all__ = [
    "GENESIS",
    "Broken",
    "Fault",
    "Linked",
    "Proof",
    "Pruned",
    "Tree",
    "check",
    "leaf",
    "spans",
]

GENESIS: Final = "0" * 64
"""``prev`` of the very first line."""

_LINE: Final = re.compile(
    rb'(\{"event":(\{.*\}),"prev":"([0-9a-f]{64})","seq":(0|[1-9][0-9]{0,17})),"hash":"([0-9a-f]{64})"\}', re.DOTALL
)
_PRUNED: Final = re.compile(
    rb'\{"pruned":(\["[0-9a-f]{64}"(?:,"[0-9a-f]{64}"){0,127}\]),"count":([1-9][0-9]{0,17}),'
    rb'"seq":(0|[1-9][0-9]{0,17}),"hash":"([0-9a-f]{64})"\}'
)


class Broken(StrEnum):
    """How a line fails to be the next one of its journal, or a journal to be the one that was sealed."""

    UNREADABLE = "unreadable"
    """Not of a form that a journal has."""
    CHANGED = "changed"
    """Its own hash does not match its bytes."""
    MISSING = "missing"
    """Its sequence number is too high: lines before it are gone."""
    REPEATED = "repeated"
    """Its sequence number is too low: a line was repeated, swapped or inserted."""
    UNLINKED = "unlinked"
    """It does not name the line before it: one of the two was replaced."""
    UNFINISHED = "unfinished"
    """The file ends inside of it."""
    REWRITTEN = "rewritten"
    """The chain holds, but is not the one that was sealed."""
    CUT = "cut"
    """There are fewer lines than were sealed."""
    FORKED = "forked"
    """Two seals of one size disagree."""
    UNSIGNED = "unsigned"
    """No trusted key signed this seal."""
    UNEXPLAINED = "unexplained"
    """Lines were taken out, and no record says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Linked:
    """A line that holds: its number, its hash, and the bytes of its event."""

    seq: int
    hash: str
    event: bytes

    @property
    def end(self) -> int:
        """The number of the next line."""
        return self.seq + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """The place of ``count`` lines from ``seq`` on that were taken out; ``hash`` is that of the last one."""

    seq: int
    count: int
    hash: str
    nodes: tuple[bytes, ...]

    @property
    def end(self) -> int:
        """The number of the next line."""
        return self.seq + self.count


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line or a seal that does not hold. ``seq`` is the number it bears, None where that is not known."""

    broken: Broken
    said: str
    seq: int | None = None


def check(line: bytes, *, seq: int | None, prev: str | None) -> Linked | Pruned | Fault:
    """The line (without its end) if it holds as number ``seq`` after ``prev``; None leaves out that comparison."""
    found = _LINE.fullmatch(line)
    if found is None:
        return _check_pruned(line, seq=seq)
    body, event, its_prev, digits, its_hash = found.groups()
    number = int(digits)
    own = hashlib.sha256(body).hexdigest()
    if own != its_hash.decode():
        return Fault(broken=Broken.CHANGED, said="the line was changed: its hash does not match", seq=number)
    if (misplaced := _misplaced(number, seq)) is not None:
        return misplaced
    if prev is not None and its_prev.decode() != prev:
        said = "it does not follow the line before it: one of the two was replaced"
        return Fault(broken=Broken.UNLINKED, said=said, seq=number)
    return Linked(seq=number, hash=own, event=event)


def _check_pruned(line: bytes, *, seq: int | None) -> Pruned | Fault:
    found = _PRUNED.fullmatch(line)
    if found is None:
        return Fault(broken=Broken.UNREADABLE, said="this is not a line of a journal")
    nodes = tuple(bytes.fromhex(node) for node in json.loads(found[1]))
    pruned = Pruned(seq=int(found[3]), count=int(found[2]), hash=found[4].decode(), nodes=nodes)
    if len(spans(pruned.seq, pruned.count)) != len(nodes):
        said = "its count does not fit its hashes: the place of pruned lines was changed"
        return Fault(broken=Broken.CHANGED, said=said, seq=pruned.seq)
    return _misplaced(pruned.seq, seq) or pruned


def _misplaced(number: int, seq: int | None) -> Fault | None:
    if seq is not None and number > seq:
        return Fault(broken=Broken.MISSING, said=f"events {seq} to {number - 1} are missing before it", seq=number)
    if seq is not None and number < seq:
        said = f"event {seq} belongs here: a line was repeated, swapped or inserted"
        return Fault(broken=Broken.REPEATED, said=said, seq=number)
    return None


def leaf(line: bytes) -> bytes:
    """The hash of a line (without its end) as a leaf of the tree."""
    return hashlib.sha256(b"\x00" + line).digest()


def spans(first: int, count: int) -> list[int]:
    """The sizes of the whole subtrees that ``count`` leaves from number ``first`` on fall into, in order."""
    found = []
    while count:
        size = 1 << (count.bit_length() - 1)
        if first:
            size = min(size, first & -first)
        found.append(size)
        first, count = first + size, count - size
    return found


class Tree:
    """A Merkle tree that grows at its end, kept as the roots of its whole subtrees, the largest first."""

    def __init__(self, peaks: Iterable[tuple[int, bytes]] = ()) -> None:
        self.peaks = list(peaks)
        self.size = sum(size for size, _ in self.peaks)

    def add(self, node: bytes, size: int = 1) -> None:
        """Add a leaf, or a whole subtree of ``size`` leaves where one may stand."""
        self.size += size
        while self.peaks and self.peaks[-1][0] == size:
            node = hashlib.sha256(b"\x01" + self.peaks.pop()[1] + node).digest()
            size *= 2
        self.peaks.append((size, node))

    def root(self) -> bytes:
        """The root, of an empty tree too."""
        if not self.peaks:
            return hashlib.sha256().digest()
        *rest, (_, node) = self.peaks
        for _, left in reversed(rest):
            node = hashlib.sha256(b"\x01" + left + node).digest()
        return node


class Proof:
    """Takes the lines of one journal in order and compares them with its ``seals`` as it goes."""

    def __init__(self, seals: Iterable[Checkpoint] = ()) -> None:
        self.tree = Tree()
        self.prev = GENESIS
        self.sealed: Checkpoint | None = None
        self.forked: Fault | None = None
        self._seals: dict[int, Checkpoint] = {}
        for seal in seals:
            if self._seals.setdefault(seal.size, seal).root != seal.root:
                said = f"two seals say different things of its first {seal.size} events"
                self.forked = self.forked or Fault(broken=Broken.FORKED, said=said, seq=seal.size)
        self._last = max(self._seals, default=0)

    def take(self, line: bytes) -> Linked | Pruned | Fault:
        """The next line (without its end), or why it is not that; after a fault nothing more can be proved."""
        found = check(line, seq=self.tree.size, prev=self.prev)
        if isinstance(found, Fault):
            return found
        if isinstance(found, Linked):
            self.tree.add(leaf(line))
        else:
            for node, size in zip(found.nodes, spans(found.seq, found.count), strict=True):
                self.tree.add(node, size)
        self.prev = found.hash
        seal = self._seals.get(self.tree.size)
        if seal is None:
            return found
        if seal.root != self.tree.root():
            since = self.sealed.size if self.sealed is not None else 0
            said = f"events {since} to {seal.size - 1} are not the ones that were sealed: they were written anew"
            return Fault(broken=Broken.REWRITTEN, said=said, seq=since)
        self.sealed = seal
        return found

    def end(self) -> Fault | None:
        """What the seals say of lines that did not come, or of seals that nothing could be compared with."""
        if self._last <= self.tree.size:
            if self._last and (self.sealed is None or self.sealed.size < self._last):
                said = "the last seal ends inside of what was taken out, so it proves nothing"
                return Fault(broken=Broken.UNEXPLAINED, said=said, seq=self._last)
            return self.forked
        gone = self._last - self.tree.size
        said = f"{gone} sealed events are gone: the end was cut off, or an older copy was put here"
        return Fault(broken=Broken.CUT, said=said, seq=self.tree.size)
