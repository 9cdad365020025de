"""Oracle O2: whether a planted value is in some bytes, however it is written there."""

import base64
import binascii
import contextlib
import gzip
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator
from urllib.parse import unquote

__all__ = ["leaks"]

_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")  # fmt: skip
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_HEX = re.compile(r"(?:[0-9a-fA-F]{2}){8,}")
_DEPTH = 5


def leaks(output: bytes, *canaries: str) -> list[str]:
    """The canaries that somebody who tries can read out of the output."""
    texts = set(_readings(output.decode("utf-8", "replace"), _DEPTH))
    return [canary for canary in canaries if any(canary in text for text in texts)]


def _readings(text: str, depth: int) -> Iterator[str]:
    seen = {text}
    level = {text}
    for _ in range(depth):
        level = {other for one in level for other in _once(one)} - seen
        seen |= level
    return iter(seen)


def _once(text: str) -> Iterator[str]:
    yield "".join(line[5:].removeprefix(" ") for line in re.split(r"\r\n|\r|\n", text) if line.startswith("data:"))
    yield re.sub(r"\s", "", text) if len(text) < 4096 else ""
    yield _INVISIBLE.sub("", text)
    yield unicodedata.normalize("NFKC", text)
    yield unquote(text)
    with contextlib.suppress(ValueError):
        yield from _leaves(json.loads(text))
    yield (
        re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
        .replace('\\"', '"')
        .replace("\\/", "/")
    )
    for found in _BASE64.findall(text):
        bare = found.rstrip("=").replace("-", "+").replace("_", "/")
        with contextlib.suppress(binascii.Error, ValueError):
            yield from _bytes(base64.b64decode(bare + "=" * (-len(bare) % 4)))
    for found in _HEX.findall(text):
        yield from _bytes(bytes.fromhex(found))


def _bytes(raw: bytes) -> Iterator[str]:
    yield raw.decode("latin-1")
    yield raw.decode("utf-8", "ignore")
    with contextlib.suppress(OSError, EOFError, zlib.error):
        yield gzip.decompress(raw).decode("utf-8", "ignore")
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(raw).decode("utf-8", "ignore")


def _leaves(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from value
        for member in value.values():
            yield from _leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    elif isinstance(value, float) and value.is_integer():
        yield str(int(value))
    elif value is not None:
        yield str(value)
