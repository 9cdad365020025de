"""Text in disguise is read: base64 and hexadecimal runs, escapes, bytes that are no text; and written back alike."""

import base64
import gzip
import itertools
import textwrap
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.limits import MAX_TEXT_DEPTH, MAX_UNPACKED_BYTES
from extproc.core.redaction.encodings import Run, blob, runs, strings_in, unescaped, views

SAID = "mail bob@example.com about card 4111 1111 1111 1111, and say that ~~~??? is fine, at any length of the text"
STANDARD = base64.b64encode(SAID.encode()).decode()
URL_SAFE = base64.urlsafe_b64encode(("???~~~" * 3 + SAID).encode()).decode()
WRAPPED = "\n".join(textwrap.wrap(STANDARD, 76))


@pytest.mark.parametrize(
    "text",
    [
        STANDARD,
        STANDARD.rstrip("="),
        URL_SAFE,
        URL_SAFE.rstrip("="),
        WRAPPED,
        WRAPPED.replace("\n", "\r\n"),
        SAID.encode().hex(),
        SAID.encode().hex().upper(),
        f"data:text/plain;base64,{STANDARD}",
        f"token_{STANDARD}",
        f"before {STANDARD} after",
        f"{STANDARD}\n{base64.b64encode(b'another run of text in it').decode()}",
    ],
)
def test_a_run_is_read_and_written_in_its_own_hand(text: str) -> None:
    found = runs(text)
    assert any(SAID in run.text for run in found)
    assert all(run.again(run.text) == text[run.start : run.end] for run in found)


@pytest.mark.parametrize(
    "text",
    [
        "internationalisation-of-everything",
        "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "A" * 17,
        "short",
        base64.b64encode(bytes(range(64))).decode(),
        "\n".join(["9f86d081884c7d659a2feaa0c55ad015"] * 3),
    ],
)
def test_what_decodes_to_no_text_is_no_run(text: str) -> None:
    assert runs(text) == ()


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), min_size=20), st.integers(0, 2))
def test_every_text_in_base64_is_found(text: str, cut: int) -> None:
    encoded = base64.b64encode(text.encode()).decode()
    assert "".join(run.text for run in runs(encoded)) == text
    assert blob(encoded) == runs(encoded)[0]
    assert isinstance(blob(f"data:text/plain,{encoded}"), Run)
    del cut


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("no base64 at all!", None),
        ("", Run(0, 0, "", padded=True)),
        (base64.b64encode(b"\x89PNG\0").decode(), b"\x89PNG\0"),
        (f"data:image/png;base64,{base64.b64encode(b'PNG' * 9 + bytes(3)).decode()}", b"PNG" * 9 + bytes(3)),
    ],
)
def test_a_blob_is_text_or_bytes_or_no_base64(text: str, found: object) -> None:
    assert blob(text) == found


def test_strings_in_opaque_bytes_are_seen_packed_or_not() -> None:
    png = b"\x89PNG\r\n\x1a\n\0\0tEXtComment bob@example.com\0\0IEND"
    assert "bob@example.com" in (strings_in(png) or "")
    for packed in (gzip.compress(SAID.encode()), zlib.compress(SAID.encode()), zlib.compress(SAID.encode(), 0)):
        assert strings_in(packed) == SAID
    assert strings_in(gzip.compress(b"a first part") + gzip.compress(b"another one")) == "a first part\nanother one"
    assert strings_in(b"\x1f\x8b no gzip at all") == " no gzip at all"
    assert strings_in(b"\0\1\2") == ""


def test_what_unpacks_to_too_much_is_not_searched() -> None:
    assert strings_in(gzip.compress(bytes(MAX_UNPACKED_BYTES + 1))) is None
    assert strings_in(gzip.compress(bytes(MAX_UNPACKED_BYTES - 1)) * 2) is None


@pytest.mark.parametrize(
    ("text", "view"),
    [
        (r"AKIA\u0049OS", "AKIAIOS"),
        (r"\ud83d\ude00 \ud83d", "😀 \ufffd"),
        (r"\x41\x42", "AB"),
        (r"a\"b\\c\/d\n\t\r", 'a"b\\c/d\n\t\r'),
        ("bob%40example.com", "bob@example.com"),
        ("caf%C3%A9 %ff", "café %ff"),
        ("bob&#64;example&#x2e;com &commat; &zzzz;", "bob@example.com @ &zzzz;"),
    ],
)
def test_escapes_are_read_beside_the_text(text: str, view: str) -> None:
    found = unescaped(text)
    assert found is not None
    assert found.text == view


@pytest.mark.parametrize("text", ["plain", "100% sure", "a & b", r"C:\dir", "%ff", "&zzzz;", ""])
def test_a_text_without_escapes_has_no_view(text: str) -> None:
    assert unescaped(text) is None


PIECES = st.lists(
    st.sampled_from([("a", "a"), ("%41", "A"), (r"\u0042", "B"), ("&#67;", "C"), ("é", "é"), ("--", "--")])
)


@given(PIECES, st.data())
def test_a_part_of_the_view_is_traced_to_where_it_was_written(
    pieces: list[tuple[str, str]], data: st.DataObject
) -> None:
    view = unescaped("".join(written for written, _ in pieces))
    if view is None or not view.text:
        return
    first = data.draw(st.integers(0, len(pieces) - 1))
    last = data.draw(st.integers(first, len(pieces) - 1))

    def until(stop: int, side: int) -> int:
        return sum(len(piece[side]) for piece in pieces[:stop])

    # escapes of one kind in a row are read as one
    if any(one[0] == other[0] == "%41" for one, other in itertools.pairwise(pieces)):
        return
    assert view.span(until(first, 1), until(last + 1, 1)) == (until(first, 0), until(last + 1, 0))


@pytest.mark.parametrize("beside", ["", "\u00e9", "\u6f22\u5b57 ", "\U0001f600", "\ud800", "\u200b"])
def test_a_run_is_found_at_its_place_whatever_stands_beside_it(beside: str) -> None:
    (found,) = runs(f"{beside}{STANDARD}{beside}")
    assert (found.start, found.end, found.text) == (len(beside), len(beside) + len(STANDARD), SAID)


def test_escapes_of_escapes_are_read_as_deep_as_texts_in_texts() -> None:
    text = "so %252540x"
    found = views(text)
    assert [view.text for view in found] == ["so %2540x", "so %40x", "so @x"]
    assert [view.span(3, len(view.text) - 1) for view in found] == [(3, 10)] * 3
    assert len(views("%" + "25" * 9)) == MAX_TEXT_DEPTH
    assert views("nothing") == ()
