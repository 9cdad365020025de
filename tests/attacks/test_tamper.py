"""D03: 2,000 random edits of a recording, in eight kinds, by somebody who can write every file but has no key.

Each is found; where the chain shows it at its very event, and where the attacker made the whole chain anew between the
two seals around it, or at the new end.
"""

import asyncio
import json
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from extproc.core import audit
from extproc.core.audit.notes import open_note, read_checkpoint
from extproc.core.audit.proof import Tree, leaf
from extproc.core.audit.seals import checkpoint_text
from extproc.edges.journal.proving import Verdict, prove
from extproc.edges.journal.seal_files import notes_in, seals_of
from extproc.edges.journal.segments import numbers, path_of
from stores import OTHER, SIGNER, keys_of, written

EDITS = 2000
KEYS = keys_of(SIGNER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """Where something was done: the journal, or the file of seals; the events from ``first`` to ``last`` are in doubt.

    ``last`` None: everything behind ``first`` may be.
    """

    journal: str
    first: int
    last: int | None
    line: int = 0


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("store")
    asyncio.run(written(root, rounds=5, events=6))
    assert prove(root, KEYS).holds
    return root


def read_lines(directory: Path) -> list[bytes]:
    return b"".join(path_of(directory, number).read_bytes() for number in numbers(directory)).splitlines(keepends=True)


def write_lines(directory: Path, lines: list[bytes]) -> None:
    for number in numbers(directory)[1:]:
        path_of(directory, number).unlink()
    path_of(directory, 1).write_bytes(b"".join(lines))


def rechained(lines: list[bytes], at: int) -> list[bytes]:
    """The lines with all links from ``at`` on made anew."""
    kept = lines[:at]
    prev = kept[-1][-67:-3].decode() if kept else audit.GENESIS
    for seq, raw in enumerate(lines[at:], at):
        event = raw[len(b'{"event":') : raw.rindex(b',"prev":')]
        line = audit.link(seq, prev, event)
        kept.append(line.raw)
        prev = line.hash
    return kept


def sealed_sizes(root: Path, journal: str) -> list[int]:
    found = [read_checkpoint(open_note(note, KEYS)) for note in notes_in(seals_of(root, journal))]
    return [seal.size for seal in found]


def between_seals(root: Path, journal: str, at: int) -> tuple[int, int | None]:
    """The first event and the last one of the interval between two seals that ``at`` falls into."""
    sizes = [0, *sealed_sizes(root, journal)]
    return max(size for size in sizes if size <= at), next((size - 1 for size in sizes if size > at), None)


def bit(root: Path, chance: random.Random) -> Edited:
    journal = chance.choice(["n-0", "n-1", "n-control"])
    directory = root / "journal" / journal
    number = chance.choice(numbers(directory))
    path = path_of(directory, number)
    raw = bytearray(path.read_bytes())
    place = chance.randrange(len(raw))
    raw[place] ^= 1 << chance.randrange(8)
    before = sum(path_of(directory, n).read_bytes().count(b"\n") for n in numbers(directory) if n < number)
    seq = before + path.read_bytes()[:place].count(b"\n")
    path.write_bytes(bytes(raw))
    return Edited(journal=journal, first=seq, last=seq)


def bit_of_a_seal(root: Path, chance: random.Random) -> Edited:
    path = chance.choice(sorted((root / "seals").glob("*.seals")))
    raw = bytearray(path.read_bytes())
    place = chance.randrange(len(raw))
    line = raw[:place].count(b"\n") + 1
    raw[place] ^= 1 << chance.randrange(8)
    path.write_bytes(bytes(raw))
    return Edited(journal=f"seals/{path.name}", first=0, last=0, line=line)


def chosen(root: Path, chance: random.Random, *, spare: int = 1) -> tuple[Path, list[bytes], int]:
    directory = root / "journal" / chance.choice(["n-0", "n-1"])
    lines = read_lines(directory)
    return directory, lines, chance.randrange(len(lines) - spare)


def drop(root: Path, chance: random.Random) -> Edited:
    directory, lines, at = chosen(root, chance)
    write_lines(directory, lines[:at] + lines[at + 1 :])
    return Edited(journal=directory.name, first=at, last=at)


def swap(root: Path, chance: random.Random) -> Edited:
    directory, lines, at = chosen(root, chance)
    lines[at], lines[at + 1] = lines[at + 1], lines[at]
    write_lines(directory, lines)
    return Edited(journal=directory.name, first=at, last=at)


def insert(root: Path, chance: random.Random) -> Edited:
    directory, lines, at = chosen(root, chance)
    forged = audit.encode({"kind": "decision", "effect": "allow", "n": chance.random()})
    fake = b'{"event":%b,"prev":"","seq":0}\n' % forged
    first, last = between_seals(root, directory.name, at)
    write_lines(directory, rechained([*lines[:at], fake, *lines[at:]], at))
    return Edited(journal=directory.name, first=first, last=last)


def rewrite(root: Path, chance: random.Random) -> Edited:
    directory, lines, at = chosen(root, chance)
    lines[at] = lines[at].replace(b'"at":', b'"at":1', 1)
    first, last = between_seals(root, directory.name, at)
    write_lines(directory, rechained(lines, at))
    return Edited(journal=directory.name, first=first, last=last)


def cut(root: Path, chance: random.Random) -> Edited:
    directory, lines, at = chosen(root, chance)
    write_lines(directory, lines[:at])
    return Edited(journal=directory.name, first=at, last=None)


def older_copy(root: Path, chance: random.Random) -> Edited:
    """A journal and its seals, both from before; what went on record elsewhere still knows."""
    directory, lines, _ = chosen(root, chance)
    sizes = sealed_sizes(root, directory.name)
    kept = chance.randrange(len(sizes))
    path = seals_of(root, directory.name)
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:kept]))
    size = sizes[kept - 1] if kept else 1
    write_lines(directory, lines[:size])
    return Edited(journal=directory.name, first=size, last=None)


def another_key(root: Path, chance: random.Random) -> Edited:
    """The chain made anew from some event on, and sealed anew by a key of the attacker's."""
    directory, lines, at = chosen(root, chance)
    lines[at] = lines[at].replace(b'"at":', b'"at":1', 1)
    lines = rechained(lines, at)
    write_lines(directory, lines)
    path = seals_of(root, directory.name)
    forged = []
    for size in sealed_sizes(root, directory.name):
        tree = Tree()
        for raw in lines[:size]:
            tree.add(leaf(raw[:-1]))
        text = checkpoint_text(origin=f"extproc/n/{directory.name}", size=size, root=tree.root(), at=1)
        forged.append(json.dumps(OTHER.sign(text)) + "\n")
    path.write_text("".join(forged))
    return Edited(journal=f"seals/{path.name}", first=0, last=0, line=1)


KINDS: dict[str, Callable[[Path, random.Random], Edited]] = {
    "a bit": bit,
    "a bit of a seal": bit_of_a_seal,
    "dropped": drop,
    "swapped": swap,
    "inserted and chained anew": insert,
    "rewritten and chained anew": rewrite,
    "cut off": cut,
    "an older copy": older_copy,
    "signed by another key": another_key,
}


def located(verdict: Verdict, edited: Edited) -> bool:
    for fault in verdict.faults:
        if (fault.file, fault.line) == (edited.journal, edited.line):
            return True
    for report in verdict.reports:
        if report.journal == edited.journal and report.fault is not None:
            return edited.first <= report.fault.seq and (edited.last is None or report.fault.seq <= edited.last)
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_every_edit_is_found_and_located(original, tmp_path, kind):
    chance = random.Random(kind)  # noqa: S311 - a choice of edits, the same each time
    missed = []
    for turn in range(EDITS // len(KINDS) + 1):
        root = tmp_path / "copy"
        shutil.copytree(original, root)
        edited = KINDS[kind](root, chance)
        verdict = prove(root, KEYS)
        if verdict.holds or not located(verdict, edited):
            missed.append((turn, edited, verdict))
        shutil.rmtree(root)
    assert not missed, missed[0]


def test_a_whole_store_from_before_is_found_by_a_seal_that_was_kept_elsewhere(tmp_path):
    root = tmp_path / "store"
    asyncio.run(written(root, rounds=2))
    kept = tmp_path / "kept.jsonl"
    shutil.copytree(root, tmp_path / "before")
    asyncio.run(written(root, rounds=2))
    kept.write_bytes(b"".join(read_lines(root / "journal" / "n-control")))
    assert prove(tmp_path / "before", KEYS).holds
    verdict = prove(tmp_path / "before", KEYS, anchors=[kept])
    assert not verdict.holds
    assert [report.journal for report in verdict.reports if report.fault and report.fault.broken == "cut"] == [
        "n-0",
        "n-1",
        "n-control",
    ]
    assert prove(root, KEYS, anchors=[kept]).holds
    assert not prove(root, keys_of(OTHER), anchors=[kept]).holds
