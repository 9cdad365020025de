"""The nodes of a tree by their kind, of one walk: a judge asks for twenty kinds, and each walk costs as much as all."""

from typing import Any, TypeVar

from sqlglot import exp

__all__ = ["Nodes"]

Kind = TypeVar("Kind", bound=exp.Expr)


class Nodes:
    """All nodes below ``root``, itself too."""

    def __init__(self, root: exp.Expr) -> None:
        self.root = root
        self._by_type: dict[type[exp.Expr], list[tuple[int, exp.Expr]]] = {}
        for at, node in enumerate(root.walk()):
            self._by_type.setdefault(type(node), []).append((at, node))

    def of(self, *kinds: type[Kind]) -> list[Kind]:
        """Those of some kinds, in the order of the walk: what is above comes first."""
        found: list[Any] = [
            place for kind, places in self._by_type.items() if issubclass(kind, kinds) for place in places
        ]
        return [node for _, node in sorted(found, key=_place)]


def _place(place: tuple[int, exp.Expr]) -> int:
    return place[0]
