"""Chains under trees under seals: what is proved of lines, and every way in which it is not."""

import hashlib
from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core import audit
from extproc.core.audit.notes import Checkpoint
from extproc.core.audit.proof import Broken, Fault, Linked, Proof, Pruned, Tree, check, leaf, spans

# the leaves and roots of the reference implementation of RFC 6962
LEAVES = [
    bytes.fromhex(text)
    for text in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = {
    0: "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
    1: "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
    8: "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
}


def lines_of(count: int, start: str = "x") -> list[bytes]:
    lines, prev = [], audit.GENESIS
    for seq in range(count):
        line = audit.link(seq, prev, audit.encode({"kind": start, "n": seq}))
        lines.append(line.raw[:-1])
        prev = line.hash
    return lines


def seal(lines: list[bytes], at: int = 7) -> Checkpoint:
    return Checkpoint(origin="extproc/n/w", size=len(lines), root=tree_of(map(leaf, lines)).root(), at=at)


def tree_of(leaves) -> Tree:
    tree = Tree()
    for node in leaves:
        tree.add(node)
    return tree


def taken(proof: Proof, lines: list[bytes]) -> Fault | None:
    for line in lines:
        found = proof.take(line)
        if isinstance(found, Fault):
            return found
    return proof.end()


def pruned(lines: list[bytes], first: int, count: int) -> bytes:
    nodes, at = [], first
    for size in spans(first, count):
        nodes.append(tree_of(map(leaf, lines[at : at + size])).root().hex())
        at += size
    own = lines[first + count - 1][-66:-2].decode()
    texts = ",".join(f'"{node}"' for node in nodes)
    return f'{{"pruned":[{texts}],"count":{count},"seq":{first},"hash":"{own}"}}'.encode()


@pytest.mark.parametrize("size", ROOTS)
def test_the_tree_has_the_roots_of_rfc_6962(size):
    assert tree_of(leaf(data) for data in LEAVES[:size]).root() == b64decode(ROOTS[size])


def simple_root(leaves: list[bytes]) -> bytes:
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256().digest()
    half = 1 << ((len(leaves) - 1).bit_length() - 1)
    return hashlib.sha256(b"\x01" + simple_root(leaves[:half]) + simple_root(leaves[half:])).digest()


@given(st.integers(0, 200))
def test_a_tree_of_any_size_has_the_root_of_the_definition(size):
    leaves = [leaf(b"%d" % n) for n in range(size)]
    tree = tree_of(leaves)
    assert tree.root() == simple_root(leaves)
    assert Tree(tree.peaks).root() == tree.root()
    assert Tree(tree.peaks).size == size


@given(st.integers(0, 300), st.integers(1, 300))
def test_the_subtrees_of_any_run_of_leaves_put_in_its_place_give_the_same_tree(first, count):
    leaves = [leaf(b"%d" % n) for n in range(first + count)]
    tree = tree_of(leaves[:first])
    at = first
    for size in spans(first, count):
        tree.add(simple_root(leaves[at : at + size]), size)
        at += size
    assert tree.root() == simple_root(leaves)
    assert tree.size == first + count


def test_what_was_sealed_and_not_touched_is_proved_up_to_the_last_seal():
    lines = lines_of(9)
    proof = Proof([seal(lines[:3]), seal(lines[:8], at=9)])
    assert taken(proof, lines) is None
    assert (proof.tree.size, proof.sealed.size, proof.sealed.at) == (9, 8, 9)


def test_a_chain_that_was_written_anew_is_not_the_sealed_one_and_the_seals_say_between_which_events():
    lines = lines_of(9)
    other = lines_of(9, start="forged")
    proof = Proof([seal(lines[:3]), seal(lines[:8])])
    fault = taken(proof, other)
    assert (fault.broken, fault.seq) == (Broken.REWRITTEN, 0)
    fork, prev = lines[:5], check(lines[4], seq=4, prev=None).hash
    for seq in range(5, 9):
        line = audit.link(seq, prev, audit.encode({"kind": "forged"}))
        fork.append(line.raw[:-1])
        prev = line.hash
    fault = taken(Proof([seal(lines[:3]), seal(lines[:8])]), fork)
    assert (fault.broken, fault.seq) == (Broken.REWRITTEN, 3)
    assert "events 3 to 7" in fault.said


def test_a_tail_that_was_cut_behind_a_seal_is_told_and_before_it_the_chain_speaks():
    lines = lines_of(9)
    fault = taken(Proof([seal(lines[:8])]), lines[:6])
    assert (fault.broken, fault.seq) == (Broken.CUT, 6)
    assert "2 sealed events are gone" in fault.said
    assert taken(Proof([seal(lines[:8])]), lines[:8]) is None


def test_two_seals_of_one_size_that_disagree_are_a_fork():
    lines = lines_of(4)
    fault = taken(Proof([seal(lines), seal(lines_of(4, start="other"))]), lines)
    assert fault.broken is Broken.FORKED
    assert taken(Proof([seal(lines), seal(lines, at=8)]), lines) is None


@pytest.mark.parametrize("kind", ["drop", "swap", "repeat", "insert", "bit"])
def test_an_edit_is_found_at_its_line(kind):
    lines = lines_of(9)
    edited = list(lines)
    match kind:
        case "drop":
            del edited[4]
        case "swap":
            edited[4], edited[5] = edited[5], edited[4]
        case "repeat":
            edited.insert(4, edited[3])
        case "insert":
            edited.insert(4, audit.link(4, audit.GENESIS, b"{}").raw[:-1])
        case _:
            edited[4] = edited[4].replace(b'"n":4', b'"n":5')
    proof = Proof()
    assert taken(proof, edited) is not None
    assert proof.tree.size == 4


@given(st.data())
def test_lines_that_were_taken_out_leave_their_hashes_and_the_seals_still_hold(data):
    lines = lines_of(40)
    first = data.draw(st.integers(0, 38))
    count = data.draw(st.integers(1, 39 - first))
    kept = [*lines[:first], pruned(lines, first, count), *lines[first + count :]]
    proof = Proof([seal(lines[:first]), seal(lines)])
    assert taken(proof, kept) is None
    assert proof.sealed.size == 40


def test_a_place_of_pruned_lines_that_was_changed_is_found():
    lines = lines_of(20)
    place = pruned(lines, 5, 6)
    assert check(place, seq=5, prev=None) == Pruned(
        seq=5, count=6, hash=check(lines[10], seq=None, prev=None).hash, nodes=check(place, seq=5, prev=None).nodes
    )
    assert check(place, seq=5, prev=None).end == 11
    assert check(place, seq=4, prev=None).broken is Broken.MISSING
    assert check(place, seq=6, prev=None).broken is Broken.REPEATED
    assert check(place.replace(b'"count":6', b'"count":3'), seq=5, prev=None).broken is Broken.CHANGED
    assert check(place.replace(b'"pruned"', b'"prunes"'), seq=5, prev=None).broken is Broken.UNREADABLE
    node = check(place, seq=5, prev=None).nodes[0].hex().encode()
    edited = [*lines[:5], place.replace(node, b"0" * 64), *lines[11:]]
    assert taken(Proof([seal(lines)]), edited).broken is Broken.REWRITTEN
    longer = [*lines[:5], place.replace(b'"count":6', b'"count":7'), *lines[12:]]
    assert taken(Proof([seal(lines)]), longer) is not None


def test_a_last_seal_inside_of_what_was_taken_out_proves_nothing():
    lines = lines_of(20)
    kept = [*lines[:5], pruned(lines, 5, 10), *lines[15:]]
    fault = taken(Proof([seal(lines[:8])]), kept)
    assert (fault.broken, fault.seq) == (Broken.UNEXPLAINED, 8)


def test_a_linked_line_says_which_number_comes_next():
    found = check(lines_of(3)[2], seq=2, prev=None)
    assert isinstance(found, Linked)
    assert found.end == 3


def test_a_number_that_no_index_holds_is_no_line():
    event = b'{"event":{},"prev":"' + b"0" * 64 + b'","seq":'
    body = event + b"9" * 19
    line = body + b',"hash":"' + hashlib.sha256(body).hexdigest().encode() + b'"}'
    assert check(line, seq=None, prev=None).broken is Broken.UNREADABLE
