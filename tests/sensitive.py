"""Values full of what is to be masked, glued together and encoded, and masks of every style, for Hypothesis.

Nothing here is chosen to be found: the texts are what detectors find, marks, the words that make a find surer, and
signs of JSON, in any order, and a replacement may be anything that a policy may write.
"""

import base64
import itertools
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from hypothesis import strategies as st

from extproc.core.masking import DETECTORS, GROUPS, Mask, Masks, OwnDetector, Style
from masks import HASH, REDACT, detect, field

__all__ = ["CANARY", "FEW_MASKS", "MASKS", "documents", "encoded", "placed", "planted", "texts"]

CANARY = "zq7kanarienvogel9xw"
"""Found wherever it stands: an own detector of all ``MASKS`` looks for it."""

SAMPLES = (
    *("bob@example.com", "4111 1111 1111 1111", "4111111111111111", "078-05-1120", "DE89 3704 0044 0532 0130 00"),
    *("DE89370400440532013000", "tel +49 30 1234567", "+1 212 555 0123", "(212) 555-0123", "10.20.30.40", "::1"),
    *("AKIAIOSFODNN7EXAMPLE", "password=hunter2hunter2", "api_key: 'Zx81kQ0mTn4Lw9Rb7Vc2'", "00:1B:44:11:3A:B7"),
    *("postgres://u:s3cr3tpw@db.example.com/x", "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"),
    *("Bearer abcdefghijklmnop0123", "born 1980-01-31", "\uff14" + "\uff11" * 15, "4111\u200b1111\u200b1111\u200b1111"),
    *("ghp_" + "a1B2" * 9, "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    *("-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----", "AB 12 34 56 C"),
    *("X-1234567-L", "123456789", "12345678901", "1980-01-31", "5551234"),
)
WORDS = (
    *("[email]", "[email:0123456789abcdef0123]", "****1234", "****", "[masked]", "[unreadable]"),
    *("phone", "card", "ssn", "tax", "id number", "pass", "word", "token", "secret", "key", "ann", "x", "é", "\u2028"),
    *("{", "}", "[", "]", '"', "@", "\\", "%"),
)
GLUE = (
    *("", " ", ", ", "=", ": ", "\n", "\r\n", "\t", "-", "_", "/", "\\", "|", ";", "'", '"', "[", "]", "(", "*", "+"),
    *("1", "a", "@", ".", "\\n", "%20", "%40", "&#64;", "\\u0040", "\u200b", "\u00a0"),
)
NAMES = (
    "a",
    "text",
    "data",
    "name",
    "uri",
    "blob",
    "type",
    "content",
    "ssn",
    "password",
    "phone",
    "card",
    "born",
    "note",
)


def _b64(text: str) -> str:
    return base64.b64encode(text.encode("utf-8", "replace")).decode()


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(char):04x}" if char.isalnum() and ord(char) < 1 << 16 else char for char in text)


def _lines(text: str) -> str:
    whole = _b64(text)
    return "\n".join(whole[at : at + 20] for at in range(0, len(whole), 20))


ENCODINGS: tuple[Callable[[str], str], ...] = (
    str,
    _b64,
    lambda text: _b64(text).rstrip("="),
    lambda text: base64.urlsafe_b64encode(f"so {text} it is".encode()).decode(),
    lambda text: text.encode("utf-8", "replace").hex(),
    lambda text: quote(text, safe=""),
    _escaped,
    _lines,
    json.dumps,
    lambda text: json.dumps({"a": text}),
    lambda text: json.dumps({"ssn": text, "n": 4111111111111111}),
    lambda text: json.dumps({text: text, "b": {text: 5551234}}, separators=(",", ":")),
    lambda text: json.dumps([json.dumps({"phone": text})], indent=2),
    lambda text: f"data: {json.dumps({'password': text})} end",
)


def texts(*parts: str) -> st.SearchStrategy[str]:
    """Texts of these parts, samples and words, as they are and inside of encodings of one another."""
    one = st.sampled_from((*SAMPLES, *WORDS, *parts * 6))
    plain = st.lists(st.tuples(one, st.sampled_from(GLUE)), min_size=1, max_size=6).map(
        lambda pairs: "".join(text + glue for text, glue in pairs)
    )
    once = encoded(plain)
    return plain | once | st.tuples(encoded(once), st.sampled_from(GLUE), plain).map("".join)


def encoded(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """These texts in any of the encodings."""
    return st.builds(lambda encode, text: encode(text), st.sampled_from(ENCODINGS), inner)


def planted(canary: str) -> st.SearchStrategy[str]:
    """The canary in one encoding or two; escapes of escapes are written as a program writes them."""
    proper = [encode for encode in ENCODINGS if encode is not _escaped]
    once = st.sampled_from(proper).map(lambda encode: encode(canary))
    return encoded(once) | st.just(json.dumps(_escaped(canary))) | st.just(quote(_escaped(canary), safe=""))


def documents(leaves: st.SearchStrategy[Any], names: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """JSON of these leaves, under names of members that say something, or of these."""
    named = st.sampled_from(NAMES) | names
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(named, inner, max_size=3),
        max_leaves=6,
    )


def placed(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Messages of a server with such a value wherever one can stand."""
    return st.one_of(
        values.map(lambda value: {"result": {"content": [{"type": "text", "text": json.dumps(value)}], "structuredContent": {"v": value}}}),
        values.map(lambda value: {"result": {"content": value, "_meta": {"v": value}, "contents": [{"uri": "x:y", "blob": value}]}}),
        values.map(lambda value: {"result": {"content": [{"type": "text", "text": value, "extra": value}], "tools": [value]}}),
        values.map(lambda value: {"result": {"ssn": value, "structuredContent": {"ssn": value}, "resources": [{"uri": value}]}}),
        values.map(lambda value: {"result": value}),
        values.map(lambda value: {"error": {"code": -32000, "message": value, "data": value}}),
    ).map(lambda told: {"jsonrpc": "2.0", "id": 1, **told})  # fmt: skip


REPLACEMENTS = (
    *("gone", "-", "a", "1", "é", "x@y.example", "10.20.30.40", "4111 1111 1111 1111", "DE89370400440532013000"),
    *("+49 30 1234567", "Bearer abcdefghijklmnop0123", "password=hunter2hunter2", "api_key=Zx81kQ0mTn4Lw9Rb7Vc2"),
    *("QUtJQUlPU0ZPRE5ON0VYQU1QTEU", "://a:b@c", "ssn", "ssn removed", "password", "token", "secret", "phone", "card"),
    *("id number", "born", "name:", "NUL", "text", "content", "result"),
)
STYLES = (
    REDACT,
    HASH,
    *(Mask(Style.KEEP_LAST, keep=keep) for keep in (1, 2, 3, 4)),
    *(Mask(Style.REPLACE, text=text) for text in REPLACEMENTS),
)
PATHS = ("$..ssn", "$..a", "$.v.ssn", "$.ssn.*", "$..phone[0]", "$..['[email]']", "$..text")
OWN = OwnDetector(name="canary", patterns=(CANARY,))


def _masks(*parts: Any, blocks_opaque: bool = False) -> Masks:
    fields = tuple(part for part in parts if not hasattr(part, "types"))
    detections = tuple(part for part in parts if hasattr(part, "types"))
    return Masks(fields=fields, detections=detections, own=(OWN,), blocks_opaque=blocks_opaque)


EVERYTHING = (*DETECTORS, OWN.name)
FEW_MASKS = (
    *(_masks(detect(*EVERYTHING, mask=mask)) for mask in (REDACT, HASH, Mask(Style.KEEP_LAST, keep=4))),
    _masks(detect(*EVERYTHING, mask=Mask(Style.REPLACE, text="gone"))),
    _masks(detect(*EVERYTHING, mask=Mask(Style.REPLACE, text="ssn")), field("$..ssn", HASH), blocks_opaque=True),
    _masks(detect(*EVERYTHING, mask=Mask(Style.REPLACE, text="password")), field("$..a")),
)
"""Enough for a few examples: to make a search for everything ready takes longer than to search."""

_next = {mask: STYLES[number * 7 % len(STYLES)] for number, mask in enumerate(STYLES, 1)}
MASKS = (
    *(_masks(detect(*EVERYTHING, mask=mask)) for mask in STYLES),
    *(
        _masks(
            detect(*GROUPS["pii"], OWN.name, mask=mask),
            detect(*GROUPS["secrets"], mask=other, rule="s", threshold=least),
        )
        for (mask, other), least in zip(_next.items(), itertools.cycle((0.3, 0.5, 0.7)))
    ),
    *(
        _masks(detect(*EVERYTHING, mask=other), field(path, mask, rule), blocks_opaque=opaque)
        for (mask, other), path, rule, opaque in zip(
            (*_next.items(), *((other, mask) for mask, other in _next.items())),
            itertools.cycle(PATHS),
            itertools.cycle(("r", "f")),
            itertools.cycle((False, False, True)),
        )
    ),
)
