"""Code of other languages on a command line: whether it surely only computes and prints.

Nothing is looked for that would be bad; every word outside of string literals must be known to be harmless.
"""

import re
from typing import Final

from extproc.core.inspection.shell.known.programs import PLAIN_WORDS

__all__ = ["is_plain", "is_substitution"]

_LITERAL: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"")
_INTERPOLATED: Final = re.compile(r"#\{|@\{|\$\{|\$\(|`|\\[xuU0-7N]")
_ALLOWED: Final = re.compile(r"[\w\s.,:;()\[\]{}+\-*/%=<>!&|?$'\"]*")
_WORD: Final = re.compile(r"[A-Za-z_]\w*")
_RUNNING: Final = re.compile(r"%[xqQwWrs]\W|\bq[xqrw]\b|<\s*[A-Z$]|<<|>>|\|\s*[\"']|[\"']\s*\|(?!\|)|\bs?y?\s*/.*/e")


_SIDE: Final = (
    r"(?:\\.|[$](?:[0-9]+|&)(?![0-9\[{]|->)|[$](?=[)|]|\1)|@(?=[\s.,:;\\-]|\1)"
    r"|(?!\1|[$@`\n]|\(\?\??\{|\(\*).)*"
)
"""One side of a substitution: text, groups of the match, no name and no subscript, which may hold code."""
_SUBSTITUTIONS: Final = re.compile(rf"(?:\s*(?:s|tr|y)([/|#,!%]){_SIDE}\1{_SIDE}\1[gimsxdcr]*\s*(?:;|$))+")


def is_substitution(code: str) -> bool:
    """Whether Perl code only replaces one text by another: no flag that runs it, nothing that is computed in it."""
    return _SUBSTITUTIONS.fullmatch(code) is not None


def is_plain(code: str) -> bool:
    """Whether the code consists of literals, numbers, operators and words that only compute and print."""
    if not code.isascii() or _INTERPOLATED.search(code):
        return False
    bare = _LITERAL.sub("''", code)
    if code.isidentifier():
        return True
    if not _ALLOWED.fullmatch(bare) or _RUNNING.search(bare):
        return False
    return all(word in PLAIN_WORDS or len(word) == 1 for word in _WORD.findall(bare))
