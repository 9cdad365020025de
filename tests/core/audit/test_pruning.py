"""Lines that are taken out leave what the tree needs, whichever they are, and however often."""

from hypothesis import given
from hypothesis import strategies as st

from extproc.core import audit
from extproc.core.audit.notes import Checkpoint
from extproc.core.audit.proof import Fault, Pruned, Tree, check, leaf
from extproc.core.audit.pruning import Pruning


def lines_of(count: int) -> list[bytes]:
    lines, prev = [], audit.GENESIS
    for seq in range(count):
        line = audit.link(seq, prev, audit.encode({"n": seq}))
        lines.append(line.raw[:-1])
        prev = line.hash
    return lines


def without(lines: list[bytes], dropped: set[int]) -> list[bytes]:
    pruning, kept = Pruning(), []
    for line in lines:
        found = check(line, seq=None, prev=None)
        assert not isinstance(found, Fault)
        numbers = range(found.seq, found.end)
        if isinstance(found, Pruned) or dropped.issuperset(numbers):
            pruning.drop(found, line)
        else:
            kept += [pruning.line(), line + b"\n"]
    return [raw[:-1] for raw in [*kept, pruning.line()] if raw]


@given(st.sets(st.integers(0, 69)), st.sets(st.integers(0, 69)))
def test_the_tree_of_what_is_left_is_the_tree_of_all(first, second):
    lines = lines_of(70)
    tree = Tree()
    for line in lines:
        tree.add(leaf(line))
    seal = Checkpoint(origin="extproc/n/w", size=70, root=tree.root(), at=1)
    once = without(lines, first)
    for kept in (once, without(once, second | first)):
        proof = audit.Proof([seal])
        assert not any(isinstance(proof.take(line), Fault) for line in kept)
        assert proof.end() is None
        assert proof.sealed == seal


def test_where_nothing_was_taken_out_nothing_stands():
    assert Pruning().line() == b""
    lines = lines_of(3)
    assert without(lines, set()) == lines
    assert len(without(lines, {0, 1, 2})) == 1


def test_the_place_is_that_of_what_was_taken_out_since():
    pruning = Pruning()
    for line in lines_of(5)[2:4]:
        pruning.drop(check(line, seq=None, prev=None), line)
    assert pruning.place == (2, 2)
