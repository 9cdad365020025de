"""Which texts are refused before they are parsed: those that a shell, an eye or the parser may read differently.

The bounds keep the parser's work small: it is quadratic on unfinished pipelines, arrays and heredocs.
"""

import re
import unicodedata
from typing import Final

from extproc.core.limits import MAX_SHELL_BYTES, MAX_SHELL_OPERATORS

__all__ = ["objection"]

_OPERATOR: Final = re.compile(r"[|&;()<>`\n]|\$\{|=\(")
_SPLIT_WORD: Final = re.compile(r"[^\s;|&(]\\\n(?=[^\s;|&)])")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
_BLANK: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u180e")
"""Letters and marks that show nothing although their category is visible."""


def objection(text: str) -> str:
    """Why the text is not read, as a sentence; empty where it may be."""
    if len(text) > MAX_SHELL_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_SHELL_BYTES:
        return f"a command line of more than {MAX_SHELL_BYTES} bytes"
    if len(_OPERATOR.findall(text)) > MAX_SHELL_OPERATORS:
        return f"a command line with more than {MAX_SHELL_OPERATORS} operators"
    if not text.isascii() and any(_is_hidden(character) for character in text):
        return "an invisible, reordering or odd space character"
    if any(character < " " and character not in "\t\n" for character in text) or "\x7f" in text:
        return "a control character"
    if _SPLIT_WORD.search(text):
        return "a word that goes on in the next line"
    return ""


def _is_hidden(character: str) -> bool:
    if character.isascii():
        return False
    category = unicodedata.category(character)
    return category in _INVISIBLE or category == "Zs" or character in _BLANK
