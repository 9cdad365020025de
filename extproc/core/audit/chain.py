r"""One event is one line, and every line holds the hash of the line before it.

The exact form, UTF-8, no spaces, ended by one ``\n``::

    {"event":{...},"prev":"<64 hex>","seq":<n>,"hash":"<64 hex>"}

``hash`` is the SHA-256 of the bytes before ``,"hash":``; ``prev`` is the ``hash`` of the line before, 64 zeros on the
first one; ``seq`` counts from 0 without gaps, over all segments of a journal. Keys are sorted inside of ``event``.
``proof`` checks lines: nobody needs to parse JSON for it, only the bytes count. No byte of a line, whatever a caller
put into the event, is a control character, a line separator or a bidirectional override: they stand escaped.
"""

import hashlib
import math
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

import msgspec
import orjson

from extproc.core.limits import MAX_DEPTH, MAX_INTEGER_DIGITS
from extproc.core.model import Json

__all__ = ["Line", "encode", "link", "read_event"]

# DEL, C1 controls, left-to-right marks, line separators, bidirectional overrides and isolates, byte order mark:
# orjson writes them as they are, and some viewer breaks a line at each or obeys it.
_UNSAFE: Final = re.compile(rb"\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xa9]|\xef\xbb\xbf")
_DEEPEST: Final = 2 * MAX_DEPTH
_WIDEST: Final = 10**MAX_INTEGER_DIGITS


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One linked line: its bytes with the line end, and its hash, which is the next line's ``prev``."""

    raw: bytes
    hash: str


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
