r"""Which rules can fit a short text at all, told by its shape: every letter an ``a``, every digit a ``0``.

What stands in rows has few shapes (``000-00-0000``), so what was learned of one is looked up for the next, and most
values need no pattern. A pattern is relaxed into one of shapes: it fits the shape of every ASCII text that it fits
itself, and of others too, so nothing is missed. A pattern that cannot be relaxed fits every shape.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Final, NamedTuple

import re2

__all__ = ["LONGEST", "SHAPE", "Fit", "Form", "Shapes", "relaxed", "spanned"]

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


class Form(NamedTuple):
    """One pattern: ``whole`` with what must stand beside it, ``found`` alone, and the group of it that is meant."""

    whole: str
    found: str
    group: int


class Fit(NamedTuple):
    """One pattern in a text of some shape. ``spans`` are where, () where each text must be looked at."""

    number: int
    spans: tuple[tuple[int, int], ...]


@cache
def relaxed(pattern: str) -> tuple[str, bytes] | None:
    """An RE2 pattern that fits the shape of every ASCII text that ``pattern`` fits; None where none was found.

    Besides, the characters of shapes for which it says less than the pattern did: where a shape has none of these,
    both fit at the same places.
    """
    parts: list[str] = []
    vague = b""
    for token in _TOKEN.finditer(pattern):
        match token.lastgroup:
            case "one":
                shapes, less = _shapes(token[0])
            case "copied":
                shapes, less = token[0], b""
            case "literal":
                shapes, less = _shapes(re2.escape(token[0]))
            case _:
                return None
        parts.append(shapes)
        vague += less
    return "".join(parts), bytes(sorted(set(vague)))


@cache
def _shapes(one: str) -> tuple[str, bytes]:
    """The shapes of all that a class, an escape, a dot or a character stands for; which of them only in part."""
    found = set(b"".join(re2.compile(f"(?s:{one})".encode()).findall(_ASCII)))
    shapes = {code: {each for each in _ASCII if SHAPE[each] == code} for code in {SHAPE[each] for each in found}}
    members = "".join(f"\\x{code:02x}" for code in sorted(shapes))
    vague = bytes(code for code, stands_for in shapes.items() if not stands_for <= found)
    return (f"[{members}]" if members else r"[^\x00-\x7f]"), vague


class Shapes:
    """What is known of the shapes of short texts, for one list of patterns."""

    def __init__(self, patterns: Sequence[Form]) -> None:
        self.known: Final[dict[bytes, tuple[Fit, ...]]] = {}
        """The patterns that can fit a text of this shape; () where none can."""
        self._met: dict[bytes, int] = {}
        self._patterns: Final = tuple(patterns)

    def meet(self, shape: bytes) -> tuple[Fit, ...] | None:
        """Count a shape that is not known; learn it once it comes often, which costs as much as a hundred searches."""
        if len(shape) > LONGEST or not shape.isascii():
            return None
        if len(self._met) >= _KEPT:
            self._met.clear()
        self._met[shape] = times = self._met.get(shape, 0) + 1
        if times <= _OFTEN:
            return None
        self._met.pop(shape, None)  # another thread may have learned it meanwhile
        if len(self.known) >= _KEPT:
            self.known.clear()
        fits = (_fit(number, pattern, shape) for number, pattern in enumerate(self._patterns))
        self.known[shape] = learned = tuple(fit for fit in fits if fit is not None)
        return learned


def _fit(number: int, form: Form, shape: bytes) -> Fit | None:
    whole, found = _compiled(form.whole), _compiled(form.found)
    if whole is None or found is None:
        return Fit(number, ())
    if whole[0].search(shape) is None:
        return None
    pattern, vague = found
    if any(code in vague for code in shape):
        return Fit(number, ())
    return Fit(number, tuple(spanned(match, form.group) for match in pattern.finditer(shape)))


@cache
def _compiled(pattern: str) -> tuple[Any, bytes] | None:
    made = relaxed(pattern)
    options = re2.Options()
    options.log_errors = False
    try:
        return None if made is None else (re2.compile(made[0].encode(), options), made[1])
    except re2.error:  # too large: an operator's, of many words
        return None


def spanned(match: Any, group: int) -> tuple[int, int]:
    """Where the group of a match stands; where it took no part the whole match, rather than nothing."""
    start, end = match.span(group)
    return (start, end) if start >= 0 else match.span()
