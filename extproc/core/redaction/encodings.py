r"""Text that is written otherwise than it reads: runs of base64 or hexadecimal, and characters written as escapes.

A run is decoded, masked and encoded again in its own alphabet, padding and lines. Escapes (``\u0041``, ``\x41``,
``%41``, ``&#65;``) are read in a view beside the text, and what is found in the view is masked where it came from.
Bytes that are no text are opaque; what stands in them as plain ASCII, or in them once unpacked, can still be searched.
"""

import base64
import binascii
import html
import re
import zlib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import re2

from extproc.core.limits import MAX_TEXT_DEPTH, MAX_UNPACKED_BYTES
from extproc.core.redaction.glance import Glance

__all__ = ["SHORTEST", "Run", "View", "blob", "is_run", "runs", "strings_in", "unescaped", "views"]

SHORTEST: Final = 16
"""Characters of a run; shorter ones are words."""
_RUN: Final = re2.compile(rb"[A-Za-z0-9+/_-]{16,}={0,2}(?:[ \t]*\r?\n[ \t]*[A-Za-z0-9+/_-]{2,}={0,2})*")
_LINE: Final = re.compile(r"[A-Za-z0-9+/_-]{16,}+={0,2}")
_ONE_PART: Final = re.compile(r"[A-Za-z0-9+/=]+")
_STANDARD: Final = re.compile(r"[A-Za-z0-9+/]{16,}+={0,2}")
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+|(?:[0-9A-F]{2})+")
_SPACE: Final = re.compile(r"[ \t\r\n]+")
_DATA_URI: Final = re.compile(r"data:[A-Za-z0-9+.;=/_-]{0,200}+,", re.IGNORECASE)
_CONTROLS: Final = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")
_ASCII: Final = re.compile(rb"[\t\x20-\x7e]{6,}")
_PACKED: Final = (b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_ESCAPE: Final = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\[\"'\\/nrt]"
    r"|(?:%[0-9a-fA-F]{2})++|&#?[A-Za-z0-9]{2,10};"
)
_RUNS_ANYWHERE: Final = Glance(r"[A-Za-z0-9+/_-]{16}")
_ESCAPES_ANYWHERE: Final = Glance(r"\\[uUxX\"'\\/nrt]|%[0-9A-Fa-f]{2}|&#?[A-Za-z0-9]{2,10};")
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run in a text: what it stands for, and how it is written."""

    start: int
    end: int
    text: str
    hexadecimal: bool = False
    url_safe: bool = False
    padded: bool = True
    upper: bool = False
    width: int = 0
    """Characters in a line; 0 for a run in one line."""
    line_end: str = "\n"

    def again(self, text: str) -> str:
        """Another text in the same writing."""
        raw = text.encode()
        if self.hexadecimal:
            return raw.hex().upper() if self.upper else raw.hex()
        made = (base64.urlsafe_b64encode(raw) if self.url_safe else base64.b64encode(raw)).decode()
        made = made if self.padded else made.rstrip("=")
        if not self.width:
            return made
        return self.line_end.join(made[at : at + self.width] for at in range(0, len(made), self.width))


def runs(text: str) -> tuple[Run, ...]:
    """Every run in a text that decodes to text."""
    return tuple(_runs(text))


def is_run(word: str) -> bool:
    """Whether letters and digits that stand by themselves decode to text."""
    return _run(word, 0) is not None


def _runs(text: str) -> Iterator[Run]:
    if text.isalnum() and text.isascii():  # a word of its own, as account numbers are
        only = _run(text, 0) if len(text) >= SHORTEST else None
        if only is not None:
            yield only
        return
    if not _RUNS_ANYWHERE.in_(text):
        return
    for span in _spans(text):
        start, end = span
        written = text[start:end]
        whole = _run(written, start)
        if whole is not None:
            yield whole
            continue
        if _ONE_PART.fullmatch(written) is not None:
            continue
        # several runs under each other, or words that only look like one
        for line in _LINE.finditer(text, start, end):
            one = _run(line[0], line.start()) if line.span() != span else None
            if one is not None:
                yield one
            else:
                parts = (
                    _run(part[0], part.start())
                    for part in _STANDARD.finditer(text, *line.span())
                    if part.span() != span
                )
                yield from (part for part in parts if part is not None)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Where there may be runs."""
    # one byte for each character, and none of a run for one that is not ASCII
    return (found.span() for found in _RUN.finditer(text.encode("ascii", "replace")))


def _run(written: str, start: int) -> Run | None:
    bare = _SPACE.sub("", written) if "\n" in written else written
    if len(bare) % 2 == 0 and _HEX.fullmatch(bare):
        text = _plain_text(bytes.fromhex(bare))
        if text is not None:
            return Run(start, start + len(written), text, hexadecimal=True, upper=not bare.islower())
    raw = _unbased(bare)
    text = None if raw is None else _plain_text(raw)
    if text is None:
        return None
    first, newline, _ = written.partition("\n")
    return Run(
        start,
        start + len(written),
        text,
        url_safe="-" in bare or "_" in bare,
        padded=bare.endswith("=") or len(bare) % 4 == 0,
        width=len(first.rstrip()) if newline else 0,
        line_end="\r\n" if first.endswith("\r") else "\n",
    )


def _unbased(bare: str) -> bytes | None:
    """The bytes of base64 in either alphabet, with padding or without; None for anything else."""
    unpadded = bare.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return binascii.a2b_base64(unpadded + "=" * (-len(unpadded) % 4), strict_mode=True)
    except (binascii.Error, ValueError):
        return None


def blob(text: str) -> Run | bytes | None:
    """What a member that holds base64 stands for: a text, or other bytes; None where it is no base64 at all."""
    uri = _DATA_URI.match(text)
    start = uri.end() if uri else 0
    written = text[start:].rstrip()
    raw = _unbased(_SPACE.sub("", written))
    if raw is None:
        return None
    return _run(written, start) or raw


def _plain_text(raw: bytes) -> str | None:
    """The bytes as text, None where they are something else."""
    if _CONTROLS.search(raw):
        return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def strings_in(raw: bytes) -> str | None:
    """What stands in opaque bytes as ASCII, also once they are unpacked; None where they unpack to too much."""
    seen = bytearray()
    while raw.startswith(_PACKED):
        unpacker = zlib.decompressobj(wbits=47)
        try:
            seen += unpacker.decompress(raw, MAX_UNPACKED_BYTES)
        except zlib.error:  # it only began like packed bytes
            break
        if unpacker.unconsumed_tail or len(seen) > MAX_UNPACKED_BYTES:
            return None
        seen += b"\0"
        raw = unpacker.unused_data
    return "\n".join(part.decode() for part in _ASCII.findall(bytes(seen) + raw))


@dataclass(frozen=True, slots=True)
class View:
    """A text with its escapes read: ``places`` and ``origins`` say where in the text each piece of the view begins."""

    text: str
    places: tuple[int, ...]
    origins: tuple[tuple[int, int], ...]
    """Start in the text, and the length that one escape takes there; 0 for characters that stand as they are."""
    of: "View | None" = None
    """The view that is the text, where this one reads escapes of escapes."""

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The part of the text, as it was given, that a part of the view was read from."""
        span = self._span(start, end)
        return span if self.of is None else self.of.span(*span)

    def _span(self, start: int, end: int) -> tuple[int, int]:
        first = bisect_right(self.places, start) - 1
        last = bisect_right(self.places, end - 1) - 1
        begin, escape = self.origins[first]
        finish, length = self.origins[last]
        return (
            begin if escape else begin + start - self.places[first],
            finish + length if length else finish + end - self.places[last],
        )


def views(text: str) -> tuple[View, ...]:
    """The view of a text, and the views of views: escapes of escapes are read as deep as texts in texts are."""
    found: list[View] = []
    view = unescaped(text)
    while view is not None and len(found) < MAX_TEXT_DEPTH:
        found.append(view)
        inner = unescaped(view.text)
        view = None if inner is None else replace(inner, of=view)
    return tuple(found)


def unescaped(text: str) -> View | None:
    """The view of a text, None where it has no escapes."""
    if not _ESCAPES_ANYWHERE.in_(text):
        return None
    parts: list[str] = []
    places: list[int] = []
    origins: list[tuple[int, int]] = []
    at = size = 0

    def add(part: str, origin: int, length: int) -> None:
        nonlocal size
        if part:
            parts.append(part)
            places.append(size)
            origins.append((origin, length))
            size += len(part)

    for found in _ESCAPE.finditer(text):
        plain = _plain(found[0])
        if plain is not None:
            add(text[at : found.start()], at, 0)
            add(plain, found.start(), len(found[0]))
            at = found.end()
    if not parts:
        return None
    add(text[at:], at, 0)
    return View("".join(parts), tuple(places), tuple(origins))


def _plain(escape: str) -> str | None:
    """What one escape stands for, None where it stands for itself."""
    if escape[0] == "%":
        return _percent(escape)
    if escape[0] == "&":
        plain = html.unescape(escape)
        return None if plain == escape else plain
    if escape[1] in "ux":
        plain = escape.encode("ascii").decode("unicode_escape")
        return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _SIMPLE.get(escape[1], escape[1])


def _percent(escape: str) -> str | None:
    try:
        return bytes.fromhex(escape.replace("%", "")).decode()
    except UnicodeDecodeError:
        return None
