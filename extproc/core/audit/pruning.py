"""Take lines out of a journal and leave the hashes that keep its tree whole (see ``proof``)."""

from hashlib import sha256

from extproc.core.audit.proof import Linked, Pruned, leaf, spans

__all__ = ["Pruning"]


class Pruning:
    """The lines that were taken out one after the other, as the roots of the largest subtrees they fill."""

    def __init__(self) -> None:
        self._nodes: list[tuple[int, int, bytes]] = []
        self._first = 0
        self._count = 0
        self._hash = ""

    def drop(self, found: Linked | Pruned, line: bytes) -> None:
        """Take out the next line (without its end), which holds."""
        if not self._count:
            self._first = found.seq
        if isinstance(found, Linked):
            self._add(found.seq, 1, leaf(line))
        else:
            at = found.seq
            for node, size in zip(found.nodes, spans(found.seq, found.count), strict=True):
                self._add(at, size, node)
                at += size
        self._count += found.end - found.seq
        self._hash = found.hash

    @property
    def place(self) -> tuple[int, int]:
        """The number of the first line that was taken out since the last ``line``, and how many those are."""
        return self._first, self._count

    def line(self) -> bytes:
        """What stands in their place, with its line end; nothing where none was taken out. Begins anew."""
        if not self._count:
            return b""
        nodes = ",".join(f'"{node.hex()}"' for _, _, node in self._nodes)
        text = f'{{"pruned":[{nodes}],"count":{self._count},"seq":{self._first},"hash":"{self._hash}"}}\n'
        self._nodes, self._count = [], 0
        return text.encode()

    def _add(self, at: int, size: int, node: bytes) -> None:
        while self._nodes:
            start, width, left = self._nodes[-1]
            # two neighbours are one subtree where it begins at a multiple of its own size
            if width != size or start % (2 * size):
                break
            self._nodes.pop()
            at, size, node = start, 2 * size, sha256(b"\x01" + left + node).digest()
        self._nodes.append((at, size, node))
