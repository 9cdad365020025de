"""Text as a human can judge it: nothing invisible, nothing that reorders, nothing that only looks like something else.

What an approver is shown is the whole text, in pieces: readable ones as they are, and marks in the place of what the
eye would miss or mistake (threat A14): control and format characters, zero widths, direction overrides, tags, odd
spaces, long runs of white space, and letters of another script inside of a Latin word.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Final

__all__ = ["Piece", "legible", "marked"]

_RUN: Final = 8
"""White space from here on is counted in a mark instead of pushing the rest out of sight."""
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp", "Me"})
_BLANK: Final = frozenset("\u00ad\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180e")
"""Letters and marks that show nothing although their category is visible."""
_WORD: Final = r"\w[\w\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]*"
_TOKEN: Final = re.compile(rf" {{{_RUN},}}|\n{{3,}}|{_WORD}|.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; ``mark`` says that it stands for something and is not itself part of the text."""

    text: str
    mark: bool = False


def legible(text: str) -> tuple[Piece, ...]:
    """The text in pieces; line feeds stay line feeds, after a mark of their own."""
    pieces: list[Piece] = []
    for token in _TOKEN.findall(text):
        if len(token) >= 3 and not token.strip("\n"):
            pieces.append(Piece(f"⟨{len(token)} line breaks⟩", mark=True))
            pieces.append(Piece("\n"))
        elif len(token) >= _RUN and not token.strip(" "):
            pieces.append(Piece(f"⟨{len(token)} spaces⟩", mark=True))
        else:
            _spell(token, pieces)
    return _joined(pieces)


def marked(text: str) -> str:
    """The text with its marks, as one line-preserving string for a terminal or a mail."""
    return "".join(piece.text for piece in legible(text))


def _spell(word: str, pieces: list[Piece]) -> None:
    if word.isascii() and word.isprintable():
        pieces.append(Piece(word))
        return
    is_latin = any(character.isascii() and character.isalpha() for character in word)
    for character in word:
        if character == "\n":
            pieces += (Piece("⏎", mark=True), Piece("\n"))
        elif _is_hidden(character):
            pieces.append(Piece(f"⟨{_name(character)}⟩", mark=True))
        elif is_latin and _is_foreign(character):
            pieces += (Piece(character), Piece(f"⟨{_name(character)}⟩", mark=True))
        else:
            pieces.append(Piece(character))


def _is_hidden(character: str) -> bool:
    category = unicodedata.category(character)
    return category in _INVISIBLE or category == "Zs" or character in _BLANK or _is_selector(character)


def _is_selector(character: str) -> bool:
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def _is_foreign(character: str) -> bool:
    """Whether a letter or digit of a Latin word is of another script, or a styled copy of a plain one."""
    if character.isascii() or not (character.isalpha() or character.isnumeric()):
        return unicodedata.combining(character) != 0
    name = unicodedata.name(character, "")
    return not name.startswith("LATIN ") or unicodedata.normalize("NFKC", character) != character


def _name(character: str) -> str:
    return f"U+{ord(character):04X} {unicodedata.name(character, 'unnamed')}"


def _joined(pieces: list[Piece]) -> tuple[Piece, ...]:
    # joined once each: text is up to some MiB long, and every word and mark of it is a piece
    runs = groupby(pieces, key=attrgetter("mark"))
    return tuple(Piece("".join(piece.text for piece in run), mark=mark) for mark, run in runs)
