r"""One event is one line, and every line holds the hash of the line before it.

The exact form, UTF-8, no spaces, ended by one ``\n``::

    {"event":{...},"prev":"<64 hex>","seq":<n>,"hash":"<64 hex>"}

``hash`` is the SHA-256 of the bytes before ``,"hash":``; ``prev`` is the ``hash`` of the line before, 64 zeros on the
first one; ``seq`` counts from 0 without gaps, over all segments of a journal. Keys are sorted inside of ``event``.
Nobody needs to parse JSON to verify: only the bytes count. No byte of a line, whatever a caller put into the event,
is a control character, a line separator or a bidirectional override: they stand escaped. The chain shows that lines
were changed, dropped, swapped or inserted; it holds no secret, so who can rewrite a whole journal can also rechain it.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec
import orjson

from extproc.core.limits import MAX_DEPTH, MAX_INTEGER_DIGITS
from extproc.core.model import Json

__all__ = ["GENESIS", "Broken", "Fault", "Line", "Linked", "check", "encode", "link", "read_event"]

GENESIS: Final = "0" * 64
"""``prev`` of the very first line."""

_LINE: Final = re.compile(
    rb'(\{"event":(\{.*\}),"prev":"([0-9a-f]{64})","seq":(0|[1-9][0-9]{0,18})),"hash":"([0-9a-f]{64})"\}', re.DOTALL
)
# DEL, C1 controls, left-to-right marks, line separators, bidirectional overrides and isolates, byte order mark:
# orjson writes them as they are, and some viewer breaks a line at each or obeys it.
_UNSAFE: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf")
_DEEPEST: Final = 2 * MAX_DEPTH
_WIDEST: Final = 10**MAX_INTEGER_DIGITS


class Broken(StrEnum):
    """How a line fails to be the next one of its chain."""

    UNREADABLE = "unreadable"
    """Not of the form above."""
    CHANGED = "changed"
    """Its own hash does not match its bytes."""
    MISSING = "missing"
    """Its sequence number is too high: lines before it are gone."""
    REPEATED = "repeated"
    """Its sequence number is too low: a line was repeated, swapped or inserted."""
    UNLINKED = "unlinked"
    """It does not name the line before it: one of the two was replaced."""
    UNFINISHED = "unfinished"
    """The file ends inside of it."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One linked line: its bytes with the line end, and its hash, which is the next line's ``prev``."""

    raw: bytes
    hash: str


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """A line that holds: its number, its hash, and the bytes of its event."""

    seq: int
    hash: str
    event: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A line that does not hold. ``seq`` is the number it bears, None where that is not known."""

    broken: Broken
    said: str
    seq: int | None = None


def encode(event: Json) -> bytes:
    """The canonical bytes of a JSON value; total, so what JSON or UTF-8 cannot hold is replaced, never refused."""
    try:
        raw = orjson.dumps(event, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # integers beyond 64 bits, lone surrogates, read-only mappings, depth
        raw = msgspec.json.encode(_plain(event, 0), order="sorted")
    if raw.isascii() and b"\x7f" not in raw:
        return raw
    return _UNSAFE.sub(_escaped, raw)


def link(seq: int, prev: str, encoded: bytes) -> Line:
    """The line number ``seq`` after the line with hash ``prev``, for an event that ``encode`` made."""
    body = b'{"event":%b,"prev":"%b","seq":%d' % (encoded, prev.encode(), seq)
    own = hashlib.sha256(body).hexdigest()
    return Line(raw=b'%b,"hash":"%b"}\n' % (body, own.encode()), hash=own)


def check(line: bytes, *, seq: int | None, prev: str | None) -> Linked | Fault:
    """The line (without its end) if it holds as number ``seq`` after ``prev``; None leaves out that comparison."""
    found = _LINE.fullmatch(line)
    if found is None:
        return Fault(broken=Broken.UNREADABLE, said="this is not a line of a journal")
    body, event, its_prev, digits, its_hash = found.groups()
    number = int(digits)
    own = hashlib.sha256(body).hexdigest()
    if own != its_hash.decode():
        return Fault(broken=Broken.CHANGED, said="the line was changed: its hash does not match", seq=number)
    if seq is not None and number > seq:
        return Fault(broken=Broken.MISSING, said=f"events {seq} to {number - 1} are missing before it", seq=number)
    if seq is not None and number < seq:
        said = f"event {seq} belongs here: a line was repeated, swapped or inserted"
        return Fault(broken=Broken.REPEATED, said=said, seq=number)
    if prev is not None and its_prev.decode() != prev:
        said = "it does not follow the line before it: one of the two was replaced"
        return Fault(broken=Broken.UNLINKED, said=said, seq=number)
    return Linked(seq=number, hash=own, event=event)


def read_event(encoded: bytes) -> dict[str, Json] | None:
    """The event of a linked line, integers of any size intact; None if it is no JSON object."""
    try:
        event = msgspec.json.decode(encoded)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def _escaped(found: re.Match[bytes]) -> bytes:
    return b"\\u%04x" % ord(found.group().decode())


def _plain(value: Json, depth: int) -> Json:
    if depth > _DEEPEST:
        return "[cut: too deep]"
    match value:
        case str():
            return _text(value)
        case bool() | None:
            return value
        case int():
            # a decimal of any length would take quadratic time
            return value if -_WIDEST < value < _WIDEST else f"[cut: integer of {value.bit_length()} bits]"
        case float():
            return value if math.isfinite(value) else None
        case Mapping():
            return {_text(str(key)): _plain(member, depth + 1) for key, member in value.items()}
        case list() | tuple():
            return [_plain(member, depth + 1) for member in value]
        case AbstractSet():
            return sorted((_plain(member, depth + 1) for member in value), key=encode)
        case _:
            return f"[cut: {type(value).__name__}]"


def _text(text: str) -> str:
    # two surrogates that make a pair are the one character they mean; a lone one is U+FFFD
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
