"""A quick look at a text: whether something can be in it at all, before anybody reads it closely."""

import re
from typing import Final

import re2

__all__ = ["COMPLEX", "Glance"]

_LONG_CHARS: Final = 200
"""From here on RE2 is faster, although it wants bytes."""


class Glance:
    """One pattern, which ``re`` and RE2 read alike, and which is linear in both."""

    __slots__ = ("_in_long", "_in_short")

    def __init__(self, pattern: str) -> None:
        self._in_short: Final = re.compile(pattern)
        self._in_long: Final = re2.compile(pattern.encode())

    def in_(self, text: str) -> bool:
        """Whether the pattern fits anywhere in a text."""
        if len(text) < _LONG_CHARS:
            return self._in_short.search(text) is not None
        return self._in_long.search(text.encode("utf-8", "replace")) is not None


COMPLEX: Final = Glance(r"[{\[\"\\]|%[0-9A-Fa-f]{2}|&#?[A-Za-z0-9]{2,10};|[A-Za-z0-9+/_-]{16}")
"""What a text has that may hold more than itself; the shape of such a text has it too."""
