r"""Which rules can fit a short text at all, told by its shape: every letter an ``a``, every digit a ``0``.

What stands in rows has few shapes (``000-00-0000``), so what was learned of one is looked up for the next, and most
values need no pattern. A pattern is relaxed into one of shapes: it fits the shape of every ASCII text that it fits
itself, and of others too, so nothing is missed. A pattern that cannot be relaxed fits every shape.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final

import re2

__all__ = ["LONGEST", "SHAPE", "Shapes", "relaxed"]

LONGEST: Final = 48
"""Bytes of a text whose shape is worth learning; longer ones have too many."""
_OFTEN: Final = 4
"""A shape is learned when it is met more often."""
_KEPT: Final = 4096
"""Shapes kept; after that they are learned anew, so that no server fills the memory."""
_LETTERS: Final = b"abcdefghijklmnopqrstuvwxyz"
SHAPE: Final = bytes.maketrans(b"123456789" + _LETTERS + _LETTERS.upper(), b"0" * 9 + b"a" * 52)
"""The table for ``bytes.translate`` that makes a text its shape."""
_ASCII: Final = bytes(range(128))
_TOKEN: Final = re.compile(
    r"(?P<one>\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|\\(?:x[0-9A-Fa-f]{2}|x\{\w+\}|[pP]\w|[pP]\{\^?\w+\}|[^QECzbBA])|\.)"
    r"|(?P<copied>\\[zbBA]|\(\?P?<\w+>|\(\?[a-zA-Z\-]*[:)]|\{\d+(?:,\d*)?\}|[()|*+?^$])"
    r"|(?P<given_up>\\[QEC])|(?P<literal>.)",
    re.DOTALL,
)


def relaxed(pattern: str) -> str | None:
    """An RE2 pattern that fits the shape of every ASCII text that ``pattern`` fits; None where none was found."""
    parts: list[str] = []
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup:
            case "one":
                parts.append(_shapes(token[0]))
            case "copied":
                parts.append(token[0])
            case "literal":
                parts.append(re2.escape(token[0].encode("utf-8", "replace").translate(SHAPE).decode()))
            case _:
                return None
    return "".join(parts)


@cache
def _shapes(one: str) -> str:
    """The shapes of all that a class, an escape or a dot stands for."""
    found = b"".join(re2.compile(f"(?s:{one})".encode()).findall(_ASCII)).translate(SHAPE)
    members = "".join(f"\\x{code:02x}" for code in sorted(set(found)))
    return f"[{members}]" if members else r"[^\x00-\x7f]"


class Shapes:
    """What is known of the shapes of short texts, for one list of patterns."""

    def __init__(self, patterns: Sequence[str]) -> None:
        self.known: Final[dict[bytes, tuple[int, ...]]] = {}
        """The numbers of the patterns that can fit a text of this shape; () where none can."""
        self._met: dict[bytes, int] = {}
        self._patterns: Final = tuple(patterns)

    def meet(self, shape: bytes) -> tuple[int, ...] | None:
        """Count a shape that is not known; learn it once it comes often, which costs as much as a hundred searches."""
        if len(shape) > LONGEST or not shape.isascii():
            return None
        if len(self._met) >= _KEPT:
            self._met.clear()
        self._met[shape] = times = self._met.get(shape, 0) + 1
        if times <= _OFTEN:
            return None
        del self._met[shape]
        if len(self.known) >= _KEPT:
            self.known.clear()
        self.known[shape] = fitting = tuple(
            number for number, pattern in enumerate(self._patterns) if _may_fit(pattern, shape)
        )
        return fitting


def _may_fit(pattern: str, shape: bytes) -> bool:
    made = _compiled(pattern)
    return made is None or made.search(shape) is not None


@cache
def _compiled(pattern: str) -> Any:
    made = relaxed(pattern)
    try:
        return None if made is None else re2.compile(made.encode())
    except re2.error:
        return None
