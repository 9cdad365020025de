"""Masking: a value goes in, the value without what the masks claim comes out, with what was masked counted by type.

Promises: total and without side effects; the input is never changed and is given back itself where nothing in it was
masked; masking twice is masking once; the same value has the same mask everywhere and always. Every text is searched,
wherever it stands and however it is encoded (``places``, ``search``), or nothing of it is left. What one message may
cost is bounded (``work``); of a message that costs more nothing is left at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from extproc.core.limits import MAX_MASKING_WORK
from extproc.core.masking import UNREADABLE, Mask, Masks
from extproc.core.model import Json, empty
from extproc.core.redaction import places, tree
from extproc.core.redaction.columns import Columns
from extproc.core.redaction.rules import Rules
from extproc.core.redaction.search import Search
from extproc.core.redaction.sinks import Answering, Gathering
from extproc.core.redaction.treatments import Treatment, Walk
from extproc.core.redaction.work import Work

__all__ = ["Masked", "Masker", "masker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Masked:
    """A value as it may be seen; ``counts`` by type, ``dropped`` entries of lists left out for their names.

    ``exhausted``: to mask it would have cost too much, and the value is only the mark of something unreadable.
    ``cost`` is what it took, in units of ``work``; less where values of the same shapes came before.
    """

    value: Json
    counts: Mapping[str, int] = field(default_factory=empty, hash=False)
    dropped: int = 0
    exhausted: bool = False
    cost: int = field(default=0, compare=False)


class Masker:
    """One set of masks, ready for any number of values, each of which may cost ``budget`` units of work."""

    def __init__(self, masks: Masks, key: bytes, budget: int = MAX_MASKING_WORK) -> None:
        self._budget: Final = budget
        self._rules: Final = Rules(masks, key)
        self._columns: Final = Columns(self._rules)
        self._unreadable: Final = self._rules.marks.of("", UNREADABLE, Mask())

    def message(self, value: Json, *, named: frozenset[str] = frozenset()) -> Masked:
        """A server's JSON-RPC message; ``named`` are the URIs that the client itself named."""
        return self._walked(places.message, value, named)

    def params(self, value: Json) -> Masked:
        """What a client sends: the parameters of its message, or its answer."""
        return self._walked(places.params, value, frozenset())

    def document(self, value: Json) -> Masked:
        """A JSON document by itself: arguments, or what is to be recorded of them."""
        root, gathering = self._rules.root(), Gathering(self._rules)
        tree.document(value, root, gathering)
        work = Work(self._budget)
        answering = self._answering(gathering, work)
        if work.over:
            return self._exhausted()
        if answering.stays and not gathering.owes:
            return Masked(value=value, cost=self._budget - work.left)
        masked = tree.document(value, root, answering)
        return Masked(value=masked, counts=answering.counts, cost=self._budget - work.left)

    def _walked(self, treatment: Treatment, value: Json, named: frozenset[str]) -> Masked:
        root, gathering = self._rules.root(), Gathering(self._rules)
        treatment(value, Walk(rules=self._rules, root=root, sink=gathering, named=named))
        work = Work(self._budget)
        answering = self._answering(gathering, work)
        if work.over:
            return self._exhausted()
        cost = self._budget - work.left
        if answering.stays and not gathering.owes:
            return Masked(value=value, cost=cost)
        walk = Walk(rules=self._rules, root=root, sink=answering, named=named)
        masked = treatment(value, walk)
        return Masked(value=masked, counts=answering.counts, dropped=walk.dropped, cost=cost)

    def _answering(self, gathering: Gathering, work: Work) -> Answering:
        """What answers for the texts, as far as there was work for it."""
        search = Search(self._rules, self._columns, work)
        search.take(gathering.keys)
        return search.settle()

    def _exhausted(self) -> Masked:
        return Masked(value=self._unreadable, counts={UNREADABLE: 1}, exhausted=True, cost=self._budget)


@lru_cache(maxsize=256)
def masker(masks: Masks, key: bytes) -> Masker:
    """The masker of these masks; made once for each policy and combination of rules."""
    return Masker(masks, key, MAX_MASKING_WORK)
