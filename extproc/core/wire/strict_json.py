"""JSON with one reading, or a refusal.

Takes what RFC 8259 allows and no two parsers read differently: UTF-8 without a byte order mark, no lone surrogates,
no NaN, no number beyond a double, no two members of one object whose keys are equal or differ only in case,
compatibility form, invisible characters or white space around (CVE-2026-27896, GHSA-q382-vc8q-7jhj). Depth and
digits are bounded. Never raises, whatever the bytes; never quotes them. RFC 8259, RFC 7493 (I-JSON).
"""

import json
import re
import unicodedata
from collections.abc import Iterable
from typing import Final

import msgspec
import orjson

from extproc.core.limits import MAX_CONTAINERS, MAX_DEPTH, MAX_INTEGER_DIGITS
from extproc.core.model import Json
from extproc.core.rejection import PARSE_ERROR, Rejection

__all__ = ["Document", "disguised", "encode", "fold", "read"]


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """A decoded JSON text.

    ``canonical`` is its compact re-serialisation; integers keep every digit. ``one_reading`` says that the original
    bytes mean the same value to every reader, so that they may be forwarded. It is false only beside a fraction or an
    exponent that a double cannot hold exactly: a reader with decimal numbers would see another number than the judged
    one, and ``canonical`` is what was judged. (``-0``, ``1.0`` and long integers are forwarded as they were written.)
    """

    value: Json
    canonical: bytes
    one_reading: bool


_decode: Final = msgspec.json.Decoder().decode
_NUMERIC: Final = bytes.maketrans(b"0123456789.+-E", b"1111111111111e")
# Possessive throughout, so that both patterns are linear; a string's end is optional, so that one is consumed once.
_STRING: Final = rb'"(?:[^"\\]++|\\.)*+"?'
_SHORT_INTEGERS: Final = re.compile(
    rb'(?:[^"0-9.]++|%s|\.[0-9]*+|[0-9]{1,%d}+(?![0-9]))*+' % (_STRING, MAX_INTEGER_DIGITS), re.DOTALL
)
_EXACT_NUMBERS: Final = re.compile(
    rb'(?:[^"0-9]++|%s|[0-9]++(?![.eE])|[0-9.]{1,15}+(?![0-9.])(?:[eE][+-]?[0-9]{1,2}(?![0-9]))?+(?![eE]))*+' % _STRING,
    re.DOTALL,
)
"""Integers, and fractions so short that a double holds them (any 15 significant digits) and their exponent."""
# Controls and Default_Ignorable_Code_Point of the Unicode character database (DerivedCoreProperties.txt).
_INVISIBLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e"
    "\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]+"
)
_MAX_NORMALISED_CHARS: Final = 64
"""Normalisation sorts runs of combining marks in quadratic time; no key that anybody reads by name is longer."""


def read(raw: bytes, *, twins: bool = False) -> Document | Rejection:
    """Decode ``raw``; refuses what has more than one reading (``twins``: keys may differ in case alone)."""
    numbers = raw.translate(_NUMERIC)
    long = b"1" * 15 in numbers
    if long and b"1" * MAX_INTEGER_DIGITS in numbers and not _SHORT_INTEGERS.fullmatch(raw):
        return _refused("number_too_long", "a number has too many digits")
    try:
        value = _decode(raw)
    except RecursionError:
        return _refused("too_deep", "the body is nested too deeply")
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _refused("not_json", "the body is not valid JSON in UTF-8")
    if value.__class__ in (dict, list) and (fault := _fault(value, twins=twins)):
        return fault
    canonical = encode(value)
    if canonical == raw:
        return Document(value=value, canonical=canonical, one_reading=True)
    if _colons(raw) != canonical.count(b":") and _has_duplicates(raw):
        return _refused("duplicate_key", "a member name appears twice in one object")
    exact = not (long or b"1e1" in numbers) or _EXACT_NUMBERS.fullmatch(raw) is not None
    return Document(value=value, canonical=canonical, one_reading=exact)


def encode(value: Json) -> bytes:
    """Write a decoded value compactly; long integers exactly."""
    try:
        return orjson.dumps(value)
    except TypeError:
        # orjson writes 64-bit integers only; msgspec writes all of them, more slowly.
        return msgspec.json.encode(value)


def fold(key: str) -> str:
    """The form in which keys that look or match alike are equal."""
    if _is_plain(key):
        return key.lower()
    bare = _INVISIBLE.sub("", key).strip().casefold()
    if len(bare) > _MAX_NORMALISED_CHARS:
        return bare
    return unicodedata.normalize("NFKC", bare).casefold()


def disguised(keys: Iterable[str], known: frozenset[str]) -> bool:
    """Whether a key is none of the ``known`` (written as their fold) but would pass for one."""
    return any(fold(key) in known for key in keys)


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


def _fault(value: Json, *, twins: bool) -> Rejection | None:
    level = [value]
    total = 0
    for _ in range(MAX_DEPTH):
        below: list[Json] = []
        for node in level:
            children = node
            if node.__class__ is dict:
                if not twins and len(node) > 1 and _has_twins(node):
                    return _refused("folded_key", "two member names of one object differ in form only")
                children = node.values()
            for child in children:
                if child.__class__ is dict or child.__class__ is list:
                    below.append(child)  # noqa: PERF401 - a comprehension costs a frame before Python 3.12
        if not below:
            return None
        total += len(below)
        if total > MAX_CONTAINERS:
            return _refused("too_many_values", "the body has too many objects and arrays")
        level = below
    return _refused("too_deep", "the body is nested too deeply")


def _has_twins(node: dict[str, Json]) -> bool:
    joined = ",".join(node)
    if not _is_plain(joined):
        return len(set(map(fold, node))) != len(node)
    # Lower-case keys differ as they stand; only others cost a set.
    return not joined.islower() and len(set(map(str.lower, node))) != len(node)


def _colons(raw: bytes) -> int:
    """An upper bound of the colons of ``raw`` that is exact but for an escaped backslash before ``u003a``.

    A member that the decoder dropped takes at least one colon with it, so duplicates always show as a difference.
    """
    return raw.count(b":") + raw.count(b"\\u003a") + raw.count(b"\\u003A")


def _has_duplicates(raw: bytes) -> bool:
    found = False

    def pairs(members: list[tuple[str, Json]]) -> None:
        nonlocal found
        found = found or len({key for key, _ in members}) != len(members)

    json.loads(raw, object_pairs_hook=pairs)
    return found


def _refused(reason: str, what: str) -> Rejection:
    return Rejection(status=400, code=PARSE_ERROR, message=f"Parse error: {what}", reason=reason)
