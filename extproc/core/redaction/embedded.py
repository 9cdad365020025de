"""JSON documents inside of a text: found, and written back in the hand they were written in.

A document is a text that is JSON as a whole, or an object or list inside of other words (a fenced block, one document
a line). Only what ``strict_json`` takes is one: what two readers would read differently stays text. The search is
linear: what it may try in vain is bounded by the size of the text, and beyond that the rest stays text and is said to
be tangled.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

import orjson

from extproc.core.model import Json
from extproc.core.redaction.glance import Glance
from extproc.core.rejection import Rejection
from extproc.core.wire import strict_json

__all__ = ["Document", "Documents", "documents", "looks_like_json", "written"]

_STRING: Final = r'"(?:[^"\\]|\\.)*+"'
_BEGIN: Final = re.compile(rf"\{{\s*+{_STRING}\s*+:|\[\s*+(?:[\[{{0-9-]|{_STRING}\s*+[,\]])")
"""How an object or a list begins that holds anything."""
_BEGINS_ANYWHERE: Final = Glance(r"\{\s*\"|\[\s*[\[{0-9\"-]")
_LOOKS: Final = re.compile(r"\{\s*+[\"'}]|\[\s*+[\[{\"'0-9-]")
_SHORTEST: Final = 8
"""Characters of a document worth reading: ``[1]`` is a footnote. What holds a text may be as short as a mask."""
_FREE_TRIES: Final = 1 << 16
_WINDOW: Final = 1 << 12
"""Characters tried first: most of what only looks like JSON shows it soon, and a long text makes every error dear."""
_ATTEMPT: Final = 128
"""What an attempt costs at least, counted in characters."""
_CUT: Final = 16
"""At the end of the window an error may come from the cut: in an escape, a word or a number."""
_LOST: Final = 1 << 12
"""Characters that an attempt costs where Python does not say how far it came."""
_WHITE: Final = "\ufeff \t\r\n"
_INDENT: Final = re.compile(r"[\[{]\r?\n([ \t]*)")
_AFTER_COLON: Final = re.compile(r'"(\s*+):(\s*+)')
_AFTER_COMMA: Final = re.compile(r'[\]}"0-9el],( *+)[\[{"0-9tfn-]')
_raw_decode: Final = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Document:
    """One document: where it stands in the text, and its value."""

    start: int
    end: int
    value: Json


@dataclass(frozen=True, slots=True)
class Documents:
    """The documents of a text in order; ``tangled``: the search was given up before the end.

    ``cost`` is what the attempts took that found none, counted in characters.
    """

    found: tuple[Document, ...]
    tangled: bool = False
    cost: int = 0


_NONE: Final = Documents(())


def looks_like_json(text: str) -> bool:
    """Whether a text begins and ends as JSON does."""
    bare = text.strip(_WHITE)
    return bare[-1:] in {"}", "]"} and _LOOKS.match(bare) is not None


def documents(text: str) -> Documents:
    """Every document in a text."""
    start, end = len(text) - len(text.lstrip(_WHITE)), len(text.rstrip(_WHITE))
    short = end - start < _SHORTEST
    if short and '"' not in text:
        return _NONE
    if text[start] in '{["' and text[end - 1] in '}]"':
        whole = _read(text, start, end)
        if whole is not None:
            return Documents((whole,))
    return _NONE if short else _inside(text)


def _read(text: str, start: int, end: int) -> Document | None:
    try:
        raw = text[start:end].encode()
    except UnicodeEncodeError:  # half a character, which no JSON in UTF-8 has
        return None
    read = strict_json.read(raw, twins=True)
    return None if isinstance(read, Rejection) else Document(start, end, read.value)


def _inside(text: str) -> Documents:
    if not _BEGINS_ANYWHERE.in_(text):
        return _NONE
    found: list[Document] = []
    spent, tries = 0, _FREE_TRIES + 4 * len(text)
    begin = _BEGIN.search(text)
    while begin is not None:
        start = begin.start()
        after, cost = _extent(text, start)
        spent += cost
        if not cost:
            document = _read(text, start, after) if after - start >= _SHORTEST else None
            if document is not None:
                found.append(document)
        if spent > tries:
            return Documents(tuple(found), tangled=True, cost=spent)
        begin = _BEGIN.search(text, after)
    return Documents(tuple(found), cost=spent) if found or spent else _NONE


def _extent(text: str, start: int) -> tuple[int, int]:
    """Where what begins here ends, and 0; or where to look next, and what the attempt cost."""
    window = text[start : start + _WINDOW]
    try:
        return start + _raw_decode(window)[1], 0
    except json.JSONDecodeError as error:
        if len(window) < _WINDOW or (error.pos < _WINDOW - _CUT and not error.msg.startswith("Unterminated")):
            return start + 1, error.pos + _ATTEMPT
    except (RecursionError, ValueError):  # too deep, or a number of thousands of digits
        return start + 1, _LOST
    try:
        return _raw_decode(text, start)[1], 0
    except json.JSONDecodeError as error:
        # the exception counts lines from the beginning of the text
        return start + 1, error.pos - start + 1 + error.pos // 32
    except (RecursionError, ValueError):
        return start + 1, _LOST


def written(value: Json, like: str) -> str:
    """The value as JSON with the indentation, the spaces and the escapes of ``like``."""
    ascii_only = like.isascii()
    indent = _INDENT.match(like)
    colon, comma = _AFTER_COLON.search(like), _AFTER_COMMA.search(like)
    before, after = colon.groups() if colon else ("", " " if comma and comma[1] else "")
    if indent is None and not before and not after and not (comma and comma[1]):
        compact = strict_json.encode(value).decode()
        if compact.isascii() or not ascii_only:
            return compact
    if indent is not None and indent[1] == "  " and (before, after) == ("", " "):
        pretty = _pretty(value)
        if pretty is not None and (pretty.isascii() or not ascii_only):
            return pretty
    item = "," if indent is not None else f",{comma[1] if comma else after}"
    return json.dumps(
        value,
        ensure_ascii=ascii_only,
        indent=None if indent is None else indent[1],
        separators=(item, f"{before}:{after}"),
    )


def _pretty(value: Json) -> str | None:
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    except TypeError:  # a long integer
        return None
