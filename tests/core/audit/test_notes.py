"""Signed notes: only what a trusted key signed is read, and a key may name the one after it."""

import base64
import json

import pytest

from extproc.core.audit.notes import (
    notes_anywhere,
    open_note,
    open_seal,
    read_checkpoint,
    read_key,
    read_notes,
    trusted,
)
from extproc.core.audit.seals import checkpoint_text, origin_of, signer_from, statement_text

ONE = signer_from("extproc/n", b"\x01" * 32)
TWO = signer_from("extproc/n", b"\x02" * 32)
THREE = signer_from("extproc/n", b"\x03" * 32)
TEXT = checkpoint_text(origin=origin_of("extproc/n", "w-0"), size=5, root=b"\x07" * 32, at=1_800_000_000)
# made by Go's golang.org/x/mod/sumdb/note for its own documentation, so by another implementation of the format
GO_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)


def keys(*signers):
    return dict(read_key(signer.public) for signer in signers)


def test_a_note_of_another_implementation_is_read_with_its_key():
    known = dict([read_key(GO_KEY)])
    assert open_note(GO_NOTE, known).startswith("If you think")
    assert open_note(GO_NOTE.replace("answer", "Answer"), known) is None


def test_a_seal_is_a_checkpoint_that_a_trusted_key_signed():
    note = ONE.sign(TEXT)
    assert note.splitlines()[:4] == ["extproc/n/w-0", "5", base64.b64encode(b"\x07" * 32).decode(), "time 1800000000"]
    seal = read_checkpoint(open_note(note, keys(ONE)))
    assert (seal.origin, seal.size, seal.root, seal.at) == ("extproc/n/w-0", 5, b"\x07" * 32, 1_800_000_000)
    assert open_note(note, keys(TWO)) is None
    assert open_note(note, {}) is None
    both = note + TWO.sign(TEXT).splitlines()[-1] + "\n"
    assert open_note(both, keys(TWO)) == TEXT


def test_a_key_seals_under_its_own_name_and_no_journal_of_a_node_whose_key_is_known():
    other = signer_from("extproc/m", b"\x04" * 32)

    def sealed(signer, name, journal, *known):
        text = checkpoint_text(origin=origin_of(name, journal), size=5, root=b"\x07" * 32, at=1)
        return open_seal(signer.sign(text), keys(*known)) is not None

    assert sealed(ONE, "extproc/n", "n-0", ONE, other)
    assert sealed(other, "extproc/m", "m-control", ONE, other)
    assert not sealed(other, "extproc/n", "n-0", ONE, other)
    assert not sealed(other, "extproc/m", "n-0", ONE, other)
    assert not sealed(other, "extproc/n", "old-0", ONE, other)  # nor under a name that is not its own
    # a node that was named otherwise once, or a key with a name of its own
    assert sealed(ONE, "extproc/n", "old-0", ONE, other)
    assert open_seal(ONE.sign("something else\n"), keys(ONE)) is None


def test_no_key_names_the_successor_of_another():
    thief = signer_from("extproc/m", b"\x04" * 32)
    statements = [thief.sign(statement_text(TWO.public))]
    assert trusted(keys(ONE, thief), statements).keys() == keys(ONE, thief).keys()


@pytest.mark.parametrize("at", range(170))
def test_a_note_with_any_bit_changed_is_not_signed(at):
    raw = bytearray(ONE.sign(TEXT).encode())
    raw[at % (len(raw) - 1)] ^= 1 << at % 8
    assert open_note(raw.decode("utf-8", "replace"), keys(ONE)) is None


@pytest.mark.parametrize(
    "note", ["", "\n\n", TEXT, TEXT + "\n", TEXT + "\n\u2014 extproc/n AAAA\n", TEXT + "\n\u2014 extproc/n A=A\n"]
)
def test_what_is_no_note_is_not_signed(note):
    assert open_note(note, keys(ONE)) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a\n1\nAAAA\n",
        "a\nx\nAAAA\ntime 1\n",
        "a\n1\nA=A\ntime 1\n",
        "a\n1\nAAAA\nat 1\n",
        "a\n1\nAAAA\ntime 1",
        "a\n1\nAAAA\ntime 1\nmore\n",
    ],
)
def test_a_text_of_another_form_is_no_checkpoint(text):
    assert read_checkpoint(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name+00000000+AAAA",
        GO_KEY[:-2] + "=A",
        GO_KEY.replace("c74f20a3", "c74f20a4"),
        GO_KEY.replace("+AR", "+BR"),
        ONE.secret,
    ],
)
def test_what_is_no_public_key_is_none(text):
    assert read_key(text) is None


def test_who_trusts_the_first_key_trusts_those_that_it_and_its_successors_name():
    statements = [ONE.sign(statement_text(TWO.public)), TWO.sign(statement_text(THREE.public))]
    known = trusted(keys(ONE), statements)
    assert open_note(THREE.sign(TEXT), known) == TEXT
    assert open_note(THREE.sign(TEXT), trusted(keys(ONE), statements[1:])) is None
    assert trusted(keys(TWO), [ONE.sign(statement_text(THREE.public))]).keys() == keys(TWO).keys()
    assert trusted(keys(ONE), [ONE.sign("mcp-extproc seal key\nno key\n"), ONE.sign(TEXT)]).keys() == keys(ONE).keys()


def test_a_file_of_notes_has_one_in_each_line_and_what_is_none_stands_as_it_is():
    note = ONE.sign(TEXT)
    assert read_notes(f"{json.dumps(note)}\n[1]\nnot json\n") == [note, "[1]", "not json"]


def test_notes_are_found_in_whatever_record_a_sink_made_of_them():
    note = ONE.sign(TEXT)
    event = {"kind": "sealed", "notes": [note, note]}
    assert notes_anywhere(json.dumps(note)) == [note]
    assert notes_anywhere(json.dumps({"event": event, "n": 1})) == [note, note]
    assert notes_anywhere(json.dumps({"body": json.dumps(event)})) == [note, note]
    assert notes_anywhere("not json") == []
    assert notes_anywhere("[" * 100_000) == []
    assert notes_anywhere(json.dumps({"text": "no note"})) == []
