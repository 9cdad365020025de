"""A recording with its seals, made by the real writer and the real sealer, for tests of what can be proved of it."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from extproc.core.audit.notes import Keys, read_key
from extproc.core.audit.seals import Signer, signer_from
from extproc.core.audit.steps import seal_step
from extproc.edges.journal.sealer import Sealer
from extproc.edges.journal.writer import JournalWriter

SECOND = 1_000_000_000

__all__ = ["OTHER", "SIGNER", "Store", "keys_of", "written"]

SIGNER = signer_from("extproc/n", b"\x01" * 32)
OTHER = signer_from("extproc/n", b"\x02" * 32)


def keys_of(*signers: Signer) -> Keys:
    """What an auditor has who trusts these."""
    return dict(found for signer in signers if (found := read_key(signer.public)) is not None)


@dataclass
class Store:
    """A state directory whose journals are written and sealed step by step."""

    root: Path
    signer: Signer = SIGNER
    segment_bytes: int = 4000

    def __post_init__(self) -> None:
        self._clock = itertools.count(1_800_000_000 * SECOND, SECOND)
        self.sealer = self.new_sealer()

    def new_sealer(self) -> Sealer:
        """A sealer that begins anew, as after a restart."""
        return Sealer(self.root, name=self.signer.name, sign=self.signer.sign, clock=lambda: next(self._clock))

    def writer(self, journal: str) -> JournalWriter:
        """A writer of one journal."""
        return JournalWriter(
            self.root / "journal" / journal,
            node="n",
            worker=journal,
            durability="process",
            clock=lambda: next(self._clock),
            segment_bytes=self.segment_bytes,
        )

    async def write(self, journal: str, events: Sequence[dict[str, object]]) -> None:
        """Append these events, and let go."""
        writing = self.writer(journal)
        writing.open()
        for event in events:
            await writing.append(event)
        await writing.close()

    async def seal(self) -> list[str]:
        """One round, whose notes go on record too."""
        notes = self.sealer.seal()
        if notes:
            await self.write("n-control", [seal_step(at=next(self._clock), notes=notes, broken={})])
        return notes


async def written(root: Path, *, rounds: int = 4, events: int = 8) -> Store:
    """A store of two workers and the control process, sealed after each of ``rounds``."""
    store = Store(root)
    for turn in range(rounds):
        for journal in ("n-0", "n-1"):
            await store.write(
                journal,
                [
                    {"kind": "decision", "at": turn, "server": ("a", "b")[n % 2], "n": n, "text": "x" * (n % 7)}
                    for n in range(events)
                ],
            )
        await store.seal()
    return store
