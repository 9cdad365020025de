"""Brace expansion: ``{a,b}c`` as ``ac bc``, for texts whose quoted braces were put out of sight."""

import re
from itertools import pairwise
from typing import Final

__all__ = ["QUOTED", "UNQUOTED", "expanded"]

QUOTED: Final = {ord("{"): "\ue000", ord("}"): "\ue001", ord(","): "\ue002", ord("$"): "\ue003"}
"""Stand-ins for what is quoted while a word is put together; such characters are in no text that is read."""
UNQUOTED: Final = {0xE000: "{", 0xE001: "}", 0xE002: ",", 0xE003: "$"}
_OPENING: Final = re.compile(r"(?<!\$)\{")
_MARK: Final = re.compile(r"\$?\{|[},]")
_STEP: Final = {"{": 1, "${": 1, "}": -1}
_MOST_BRACES: Final = 64
_MOST_WORDS: Final = 32


def expanded(text: str) -> list[str]:
    """The texts that a word becomes, in order and without empty ones; none where there are too many to look at."""
    if text.count("{") > _MOST_BRACES:
        return []
    pending, made = [text], list[str]()
    while pending and len(pending) + len(made) <= _MOST_WORDS:
        one = pending.pop()
        found = _first(one)
        if found is None:
            made += [one] if one else []
        else:
            start, end, choices = found
            pending += (one[:start] + choice + one[end:] for choice in reversed(choices))
    return [] if pending else made


def _first(text: str) -> tuple[int, int, list[str]] | None:
    """The first braces with a comma of their own: where they stand, and what is between their commas."""
    for opening in _OPENING.finditer(text):
        depth, cuts = 0, [opening.start()]
        for mark in _MARK.finditer(text, opening.start()):
            depth += _STEP.get(mark[0], 0)
            if depth == 0 or (depth == 1 and mark[0] == ","):
                cuts.append(mark.start())
            if depth == 0:
                break
        if depth == 0 and len(cuts) > 2:
            return cuts[0], cuts[-1] + 1, [text[first + 1 : second] for first, second in pairwise(cuts)]
    return None
