"""One life of a journal with all that is ever done to its files, over and over, while calls fail under it.

Runs as a child of test_failing_disk.py, which has the system fail the calls. Prints one JSON object: how many faults
there were by durability and fault, the calls of a run without one, and every promise that was not kept.
"""

import asyncio
import errno
import itertools
import json
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from extproc.edges.journal.proving import prove
from extproc.edges.journal.purging import draft, replace
from extproc.edges.journal.reader import Entry, read
from extproc.edges.journal.writer import JournalWriter
from extproc.ports import StoreError
from failing_disk import KINDS, SHORT, FailingDisk
from stores import SIGNER, Store, keys_of

FAULTS = {
    "full": (errno.ENOSPC, False),
    "broken": (errno.EIO, False),
    "interrupted": (errno.EINTR, False),
    "short": (SHORT, False),
    "stays full": (errno.ENOSPC, True),
    "stays broken": (errno.EIO, True),
}


class Life:
    """The journal ``n-0`` of a state directory: written, sealed, opened again, purged; what was said to be stored."""

    def __init__(self, root: Path, durability: Any, disk: FailingDisk, *, lasting: bool = False) -> None:
        self.store = Store(root, segment_bytes=1500)
        self.durability = durability
        self.disk = disk
        self.lasting = lasting
        self.journal: JournalWriter | None = None
        self.stored: list[int] = []
        self.refused: list[int] = []
        self.broken: list[str] = []
        self.numbers = itertools.count()

    async def opened(self) -> JournalWriter | None:
        """The journal, open; None where it cannot be."""
        if self.journal is None:
            journal = JournalWriter(
                self.store.root / "journal" / "n-0",
                node="n",
                worker="0",
                durability=self.durability,
                clock=lambda: next(self.store._clock),
                segment_bytes=1500,
            )
            with suppress(StoreError):
                journal.open()
                self.journal = journal
        return self.journal

    async def append(self, count: int = 1) -> None:
        journal = await self.opened()
        chosen = [next(self.numbers) for _ in range(count)]
        if journal is None:
            self.refused += chosen
            return
        events = ({"kind": "test", "n": n, "text": "x" * 50} for n in chosen)
        results = await asyncio.gather(*map(journal.append, events), return_exceptions=True)
        for n, result in zip(chosen, results, strict=True):
            (self.stored if result is None else self.refused).append(n)
            if result is not None and not isinstance(result, StoreError):
                self.broken.append(f"append raised {result!r}")

    async def close(self) -> None:
        if self.journal is not None:
            with suppress(StoreError):
                await self.journal.close()
            self.journal = None

    def seal(self) -> None:
        with suppress(OSError):
            self.store.sealer.seal()

    def purge(self) -> None:
        """Write the first segment anew; nothing in it is over, so all of it stays."""
        with suppress(OSError, StoreError):
            replace(draft(self.store.root / "journal" / "n-0", 1, until=lambda _: None, now=0, sealed=0))

    async def live(self) -> None:
        for count in (1, 3, 1, 2):
            await self.append(count)
        self.seal()
        await self.append(4)
        self.seal()
        await self.close()
        await self.append(2)
        self.purge()
        self.seal()

    async def heal(self) -> None:
        """Nothing but the disk is repaired; then everything works and all that was said is true."""
        self.disk.heal()
        refused = len(self.refused)
        await self.append()
        if len(self.refused) > refused:
            self.broken.append("refused although the disk works again")
        await self.close()
        self.seal()
        self.seal()
        lines = list(read(self.store.root / "journal" / "n-0"))
        there = [each.event["n"] for each in lines if isinstance(each, Entry) and each.event["kind"] == "test"]
        # what the disk neither confirmed nor let be cut, until the journal was closed, was refused, and yet it is there
        kept = self.refused if self.lasting and self.durability == "disk" else []
        if [n for n in there if n not in kept] != self.stored:
            self.broken.append(f"stored {self.stored}, refused {self.refused}, there {there}")
        verdict = prove(self.store.root, keys_of(SIGNER))
        if not verdict.holds:
            self.broken.append(f"not proved: {verdict}")
        if [each.sealed for each in verdict.reports] != [each.events for each in verdict.reports]:
            self.broken.append("not sealed to its end")


async def run(folder: Path, disk: FailingDisk, every: int) -> dict[str, Any]:
    found: dict[str, Any] = {"calls": {}, "fired": {}, "broken": []}
    for durability in ("process", "disk"):
        life = Life(folder / "whole", durability, disk)
        disk.fail(0, 0)
        await life.live()
        calls = found["calls"][durability] = disk.seen
        await life.heal()
        shutil.rmtree(life.store.root)
        # a few more than there were: when the disk is asked to confirm is a matter of time
        for at in range(1, sum(calls.values()) + 5):
            for number, (name, (error, lasting)) in enumerate(FAULTS.items()):
                kinds = ("write",) if error == SHORT else KINDS
                if ((at + number) % every and error != SHORT) or at > sum(calls[kind] for kind in kinds) + 4:
                    continue
                life = Life(folder / "failing", durability, disk, lasting=lasting)
                disk.fail(at, error, lasting=lasting, kinds=kinds)
                try:
                    await life.live()
                    await life.heal()
                except Exception as bug:  # noqa: BLE001 - it is what the test is looking for
                    life.broken.append(f"raised {bug!r}")
                key = f"{durability}, {name}"
                found["fired"][key] = found["fired"].get(key, 0) + (disk.fired > 0)
                found["broken"] += [f"{key}, call {at}: {each}" for each in life.broken]
                disk.heal()
                shutil.rmtree(life.store.root, ignore_errors=True)
    return found


if __name__ == "__main__":
    root, control, library, every = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    print(json.dumps(asyncio.run(run(root, FailingDisk(control, library, (root,)), every))))  # noqa: T201
