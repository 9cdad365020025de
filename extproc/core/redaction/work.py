"""How much the masking of one message may cost: counted and not timed, so the same everywhere and every time.

A unit is what takes about a microsecond. All that grows with what a server may write is paid for where it is done, and
where nothing is left it stops: nothing of what was found by then is used, and the message counts as unreadable.
"""

from typing import Final

__all__ = [
    "BYTES_JOINED",
    "BYTES_READ",
    "BYTES_SEARCHED",
    "CANDIDATE",
    "DOCUMENT",
    "ESCAPE",
    "FIND",
    "MARK",
    "ODD_BYTES",
    "RUN",
    "TEXT",
    "TRY_CHARS",
    "Work",
]

BYTES_JOINED: Final = 16
"""Bytes that are made ready for all detectors with one unit: folded, joined, looked at once for every anchor."""
BYTES_SEARCHED: Final = 256
"""Bytes that one pattern searches with one unit."""
ODD_BYTES: Final = 2
"""Bytes by which a text is longer than its characters that are folded with one unit."""
BYTES_READ: Final = 16
"""Bytes of a text that are read for runs, escapes and documents with one unit."""
TEXT: Final = 1
"""One text: taken apart, remembered, answered for."""
CANDIDATE: Final = 6
"""One place where a pattern fits: its surroundings, its context, its check digits."""
DOCUMENT: Final = 14
"""One document in a text: read, walked through twice, and written again."""
FIND: Final = 5
"""One find: laid beside the others, and a mark made for it."""
ESCAPE: Final = 2
"""One escape that is read."""
MARK: Final = 4
"""One answer: what stands for a text, perhaps a hash."""
RUN: Final = 6
"""One run that may be base64 or hexadecimal: decoded, and looked at."""
TRY_CHARS: Final = 16
"""Characters that the search for documents tries in vain with one unit."""


class Work:
    """What one message may still cost."""

    __slots__ = ("left",)

    def __init__(self, units: int) -> None:
        self.left = units

    def spend(self, units: int) -> bool:
        """Pay for something; whether there was enough."""
        self.left -= units
        return self.left >= 0

    @property
    def over(self) -> bool:
        """Whether more was asked for than there was."""
        return self.left < 0
