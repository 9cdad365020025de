"""What a writer remembers from one transaction to the next, for as long as nobody else writes."""

from typing import Final

from extproc.core.audit.entries import Shape
from extproc.edges.store.database import Transaction
from extproc.edges.store.index.lanes import Tail
from extproc.edges.store.index.places import clean

__all__ = ["Memory"]

_MOST: Final = 100_000


class Memory:
    """The ends of lanes, and the shapes that are stored."""

    def __init__(self) -> None:
        self.tails: dict[int, Tail | None] = {}
        self._shapes: dict[Shape, int] = {}
        self._writes = 0

    def take_turn(self, transaction: Transaction) -> None:
        """Wait for other writers, and forget everything if there was one."""
        writes = transaction.rows("UPDATE state SET writes = writes + 1 WHERE one = 1 RETURNING writes")[0][0]
        if writes != self._writes + 1 or max(len(self.tails), len(self._shapes)) > _MOST:
            self.forget()
        self._writes = writes

    def forget(self) -> None:
        """Know nothing any more."""
        self.tails.clear()
        self._shapes.clear()

    def shape(self, transaction: Transaction, shape: Shape) -> int:
        """The key of a shape, which is stored."""
        key = self._shapes.get(shape)
        if key is None:
            key = self._shapes[shape] = shape.key
            transaction.change(
                "INSERT INTO shapes(key, verb, effect, targets, rule) VALUES(?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                *(key, *map(clean, (shape.verb, shape.effect, shape.targets, shape.rule))),
            )
        return key
