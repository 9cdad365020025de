"""The line form of the journal: bytes alone prove a chain, and nothing in an event can leave its line."""

import hashlib
import json
import math
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core import audit

HOSTILE = [
    '\n{"verdict":"allow"}',
    "\r\nHTTP/1.1 200 OK",
    "\x1b[2J\x1b]0;owned\x07",
    "a\u2028b\u2029c\x85d",
    "\x00\x7f\x9b31m",
    "\u202eevil\u2066\u200e\ufeff",
    "%n%s${jndi:ldap://x/a}",
    "CEF:0|a|b=c\\|",
    '","prev":"' + "0" * 64 + '","seq":7,"hash":"' + "1" * 64 + '"}',
]
LINE_ENDS = "\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"


def chained(events: list[object]) -> list[audit.Line]:
    lines, prev = [], audit.GENESIS
    for seq, event in enumerate(events):
        lines.append(audit.link(seq, prev, audit.encode(event)))
        prev = lines[-1].hash
    return lines


def checked(lines: list[bytes]) -> audit.Fault | None:
    prev = audit.GENESIS
    for seq, line in enumerate(lines):
        result = audit.check(line, seq=seq, prev=prev)
        if isinstance(result, audit.Fault):
            return result
        prev = result.hash
    return None


def test_a_line_has_the_documented_form_and_its_hash_covers_the_bytes_before_it():
    line = audit.link(3, "a" * 64, audit.encode({"kind": "x", "at": 1}))
    body = b'{"event":{"at":1,"kind":"x"},"prev":"' + b"a" * 64 + b'","seq":3'
    assert line.hash == hashlib.sha256(body).hexdigest()
    assert line.raw == body + b',"hash":"' + line.hash.encode() + b'"}\n'
    assert json.loads(line.raw)["event"] == {"kind": "x", "at": 1}


def test_a_chain_that_nobody_touched_holds():
    lines = chained([{"n": n} for n in range(20)])
    assert checked([line.raw[:-1] for line in lines]) is None


def test_the_parts_of_a_line_come_back():
    line = audit.link(0, audit.GENESIS, audit.encode({"n": 1}))
    linked = audit.check(line.raw[:-1], seq=0, prev=audit.GENESIS)
    assert linked == audit.Linked(seq=0, hash=line.hash, event=b'{"n":1}')


def test_order_is_left_out_where_it_is_not_known():
    line = audit.link(9, "b" * 64, audit.encode({"n": 1}))
    assert isinstance(audit.check(line.raw[:-1], seq=None, prev=None), audit.Linked)


@given(st.data())
def test_every_flipped_bit_is_found(data):
    line = audit.link(5, "c" * 64, audit.encode({"a": "text", "b": [1, None, True]})).raw[:-1]
    place = data.draw(st.integers(0, len(line) - 1))
    bit = data.draw(st.integers(0, 7))
    changed = bytearray(line)
    changed[place] ^= 1 << bit
    fault = audit.check(bytes(changed), seq=5, prev="c" * 64)
    assert isinstance(fault, audit.Fault)
    assert fault.broken in (audit.Broken.CHANGED, audit.Broken.UNREADABLE)


@pytest.mark.parametrize(
    ("order", "place", "broken"),
    [
        ([0, 1, 3, 4], 2, audit.Broken.MISSING),
        ([0, 2, 1, 3], 1, audit.Broken.MISSING),
        ([0, 1, 1, 2], 2, audit.Broken.REPEATED),
        ([1, 2, 3], 0, audit.Broken.MISSING),
    ],
)
def test_dropped_swapped_and_repeated_lines_are_found_where_they_stand(order, place, broken):
    lines = [line.raw[:-1] for line in chained([{"n": n} for n in range(5)])]
    touched = [lines[n] for n in order]
    assert checked(touched[:place]) is None
    fault = checked(touched)
    assert fault is not None
    assert fault.broken is broken
    assert fault.seq == order[place]


def test_an_inserted_line_breaks_the_one_behind_it():
    lines = chained([{"n": n} for n in range(3)])
    forged = audit.link(1, lines[0].hash, audit.encode({"n": "forged"}))
    fault = checked([lines[0].raw[:-1], forged.raw[:-1], lines[1].raw[:-1]])
    assert fault is not None
    assert (fault.broken, fault.seq) == (audit.Broken.REPEATED, 1)


def test_a_replaced_line_with_a_right_hash_of_its_own_is_found_by_the_next_one():
    lines = chained([{"n": n} for n in range(3)])
    forged = audit.link(1, lines[0].hash, audit.encode({"n": "forged"}))
    fault = checked([lines[0].raw[:-1], forged.raw[:-1], lines[2].raw[:-1]])
    assert fault is not None
    assert (fault.broken, fault.seq) == (audit.Broken.UNLINKED, 2)


@pytest.mark.parametrize("line", [b"", b"{}", b"\x00" * 40, b'{"event":1,"prev":"","seq":0,"hash":""}', b"\n"])
def test_what_is_no_line_is_unreadable(line):
    fault = audit.check(line, seq=0, prev=None)
    assert isinstance(fault, audit.Fault)
    assert fault.broken is audit.Broken.UNREADABLE
    assert fault.seq is None


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_one_line_and_comes_back_intact(text):
    raw = audit.link(0, audit.GENESIS, audit.encode({"tool": text, text: 1})).raw
    assert raw.count(b"\n") == 1
    assert not any(ord(char) < 0x20 or ord(char) == 0x7F for char in raw[:-1].decode())
    assert len(raw.decode().splitlines()) == 1
    assert not any(char in raw.decode() for char in "\x9b\u202e\u2066\u200e\ufeff")
    linked = audit.check(raw[:-1], seq=0, prev=audit.GENESIS)
    assert isinstance(linked, audit.Linked)
    assert audit.read_event(linked.event) == {"tool": text, text: 1}


def test_every_naughty_string_stays_one_line(corpora):
    for text in json.loads((corpora / "blns" / "blns.dev.json").read_text(encoding="utf-8")):
        raw = audit.link(0, audit.GENESIS, audit.encode({"tool": text})).raw
        assert len(raw.decode().splitlines()) == 1
        linked = audit.check(raw[:-1], seq=0, prev=audit.GENESIS)
        assert isinstance(linked, audit.Linked)
        assert audit.read_event(linked.event) == {"tool": text}


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**64) + 1, 10**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(json_values)
def test_every_json_value_is_one_line_and_comes_back(value):
    encoded = audit.encode({"value": value})
    assert len(encoded.decode().splitlines()) == 1
    assert audit.read_event(encoded) == {"value": value}
    assert json.loads(encoded) == {"value": value}


def test_keys_are_sorted_in_both_encodings():
    assert audit.encode({"b": 1, "a": {"d": 1, "c": 2}}) == b'{"a":{"c":2,"d":1},"b":1}'
    assert audit.encode({"b": 2**70, "a": {"d": 1, "c": 2}}) == b'{"a":{"c":2,"d":1},"b":1180591620717411303424}'


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (2**64, 2**64),
        (10**64, "[cut: integer of 213 bits]"),
        (-(10**64), "[cut: integer of 213 bits]"),
        ("\ud83d", "\ufffd"),
        ("\ud83d\ude00", "\U0001f600"),
        ({"\udc00": 1}, {"\ufffd": 1}),
        ({1: 2}, {"1": 2}),
        (MappingProxyType({"a": (1, "b")}), {"a": [1, "b"]}),
        ([2**64, math.nan, math.inf, 1.5], [2**64, None, None, 1.5]),
        (frozenset({"b", "a"}), ["a", "b"]),
        ([object(), True, None], ["[cut: object]", True, None]),
        (b"bytes", "[cut: bytes]"),
    ],
)
def test_what_json_cannot_hold_is_replaced_and_never_raises(value, kept):
    assert audit.read_event(audit.encode({"v": value})) == {"v": kept}


def test_depth_without_end_is_cut():
    deep: object = 1
    for _ in range(100_000):
        deep = [deep]
    encoded = audit.encode({"v": deep})
    assert b"[cut: too deep]" in encoded
    assert audit.read_event(encoded) is not None


@pytest.mark.parametrize("encoded", [b"[1]", b"{", b'{"a":"\xff"}', b"{" + b'"a":[' * 100_000])
def test_an_event_that_is_no_object_reads_as_nothing(encoded):
    assert audit.read_event(encoded) is None


def test_the_separator_list_of_this_file_is_what_python_splits_on():
    assert all(len(f"a{char}b".splitlines()) == 2 for char in LINE_ENDS)
    assert len(audit.encode({"v": LINE_ENDS}).decode().splitlines()) == 1
