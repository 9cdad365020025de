"""Events as workers record them, and an index that takes them in as they come."""

import itertools
from collections.abc import Mapping, Sequence

from extproc.core.audit import encode
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.places import Batch, Place
from extproc.ports import Record

__all__ = ["MINUTE", "START", "Filled", "call", "outcome", "purge"]

MINUTE = 60 * 1_000_000_000
START = 1_800_000_000 * 1_000_000_000


def call(decision: str, minute: float, **changes) -> dict:
    given = {
        "kind": "decision",
        "at": START + int(minute * MINUTE),
        "decision": decision,
        "server": "sales-db",
        "principal": {"issuer": "https://idp", "subject": "ana"},
        "client": {"name": "agent", "version": "1"},
        "session": None,
        "trace": None,
        "targets": [{"kind": "tool", "name": "query"}],
        "verb": "query",
        "effect": "allow",
        "rule": "role:analyst#1",
        "arguments": {"sql": "select 1"},
    }
    return {**given, **changes}


def outcome(decision: str, minute: float, session: str | None = None) -> dict:
    return {"kind": "outcome", "at": START + int(minute * MINUTE), "decision": decision, "session": session}


def purge(journal: str, *ranges: tuple[int, int]) -> dict:
    return {"kind": "purged", "at": START, "journal": journal, "ranges": [list(each) for each in ranges], "events": 0}


class Filled:
    """Gives an index the events of several journals, batch by batch."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.journals: dict[str, list[dict]] = {}
        self._places: dict[str, Place] = {}

    async def give(self, journal: str, events: Sequence[Mapping]) -> bool:
        """The next events of a journal; False where the index did not take them."""
        start = self._places.get(journal, Place())
        records = [
            (Record(journal=journal, seq=seq, hash="", event=dict(event), encoded=encode(event)), 1, seq)
            for seq, event in zip(itertools.count(start.seq), events, strict=False)
        ]
        end = Place(segment=1, offset=start.offset + len(events), seq=start.seq + len(events))
        taken = bool(await self.index.write([Batch(journal=journal, start=start, end=end, records=records)]))
        if taken:
            self._places[journal] = end
            self.journals.setdefault(journal, []).extend(map(dict, events))
        return taken
