"""Where literals, names and comments end, twice: as sqlglot reads it, and as the dialect's documentation says.

What is text and what is code decides everything after it, and sqlglot's lexer differs from the databases in places. So
each of its tokens, and each gap between two, must be one by our own reading too; what is not, or what a setting of the
server could change, is refused.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, TypeAlias

from sqlglot import TokenType
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from extproc.core.inspection.sql.dialects import SPELLINGS, Spelling

__all__ = ["QUOTED", "Token", "statements_of", "tokens_of", "word_of"]

Token: TypeAlias = Any
"""A token of sqlglot: ``token_type``, ``text``, and ``start`` and ``end`` (inclusive) in the text."""

QUOTED: Final = frozenset(
    {
        TokenType.STRING,
        TokenType.NATIONAL_STRING,
        TokenType.RAW_STRING,
        TokenType.BYTE_STRING,
        TokenType.HEX_STRING,
        TokenType.BIT_STRING,
        TokenType.HEREDOC_STRING,
        TokenType.UNICODE_STRING,
        TokenType.IDENTIFIER,
    }
)
"""Tokens that are literals or quoted names: whatever stands in them is no code."""

# what some lexers take for white space or for an end, and others do not
_ODD: Final = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\xa0\u1680\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff\ud800-\udfff]|\r(?!\n)"
)
_DISGUISED_NAME: Final = re.compile(r"\bu&\"", re.IGNORECASE)
_SETTING_HINT: Final = re.compile(r"/\*\+[^*]*(?:set_var|resource_group)", re.IGNORECASE)
_EXECUTABLE: Final = re.compile(r"/\*M?!")
_WORDS: Final = re.compile(r"[\w\s.,%=]*")
_INSIDE_CODE: Final = re.compile(r"['\"`\\]|--|/\*|\*/")
_MOST_COMMENTS: Final = 50
_CLOSING: Final = {"[": "]", "{": "}", "(": ")", "<": ">"}


def tokens_of(text: str, dialect: str) -> list[Token] | None:
    """The tokens of the text; None where the two readings differ, or the text cannot be read."""
    spelling = SPELLINGS[dialect]
    if _ODD.search(text) or text.count("/*") > _MOST_COMMENTS or _DISGUISED_NAME.search(text):
        return None
    if spelling.executable_comments and (_EXECUTABLE.search(text) or _SETTING_HINT.search(text)):
        return None
    try:
        # hints change no effect, and sqlglot would look into them
        plain = text.replace("/*+", "/* ")
        tokens: list[Token] = list(Dialect.get_or_raise(spelling.grammar).tokenize(plain))
    except (SqlglotError, RecursionError, ValueError, IndexError):
        return None
    end = 0
    for token in tokens:
        start = _start(token, text)
        if start < end or not _is_gap(text[end:start], spelling):
            return None
        if not _is_token(token, text[start : token.end + 1], spelling):
            return None
        end = token.end + 1
    return tokens if _is_gap(text[end:], spelling) else None


def _start(token: Token, text: str) -> int:
    """Where a token begins; of plain words that sqlglot does not look into it says where the last one does."""
    whole: int = token.end + 1 - len(token.text)
    if 0 <= whole < token.start and text.startswith(token.text, whole) and _WORDS.fullmatch(token.text):
        return whole
    return int(token.start)


def statements_of(tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each statement between semicolons, without empty ones."""
    found: list[list[Token]] = [[]]
    for token in tokens:
        if token.token_type is TokenType.SEMICOLON:
            found.append([])
        else:
            found[-1].append(token)
    return [statement for statement in found if statement]


def word_of(token: Token) -> str:
    """The upper-case word that a token is in code; empty for a literal or a quoted name."""
    return "" if token.token_type in QUOTED else str(token.text).upper()


def _is_gap(gap: str, spelling: Spelling) -> bool:
    if not gap or gap.isspace():
        return True
    if _gaps(spelling).fullmatch(gap) is None:
        return False
    return spelling.nested_comments or "/*" not in gap or _is_flat(gap)


def _is_flat(gap: str) -> bool:
    """No comment begins inside of another one: some servers of this dialect nest them, and some do not."""
    return all(piece.count("/*") == 1 for piece in gap.split("*/")[:-1] if "/*" in piece)


@lru_cache(maxsize=32)
def _gaps(spelling: Spelling) -> re.Pattern[str]:
    """White space and comments. A line comment may not end with a backslash, which continues it in some dialects."""
    kinds = [r"\s"]
    for start in spelling.line_comments:
        space = r"(?=\s|\Z)" if start == "--" and spelling.dashes_need_space else ""
        kinds.append(rf"{re.escape(start)}{space}[^\n]*(?<!\\)(?:\n|\Z)")
    if spelling.nested_comments:
        flat = r"(?:[^*/]|\*(?!/)|/(?!\*))*+"
        once = rf"/\*{flat}\*/"
        kinds.append(rf"/\*(?:{once}|[^*/]|\*(?!/)|/(?!\*))*+\*/")
    else:
        kinds.append(r"/\*(?:[^*]|\*(?!/))*+\*/")
    return re.compile(f"(?:{'|'.join(kinds)})*+")


def _is_token(token: Token, raw: str, spelling: Spelling) -> bool:
    if token.token_type in QUOTED:
        if _literals(spelling).fullmatch(raw) is None:
            # what sqlglot does not look into is one string to it: a command, which is judged by its first word
            return token.token_type is TokenType.STRING and token.text.strip() == raw.strip()
        return not (spelling.refuses_escaped_quotes and rf"\{spelling.refuses_escaped_quotes}" in raw)
    return _INSIDE_CODE.search(raw) is None or raw == "\\"


@lru_cache(maxsize=32)
def _literals(spelling: Spelling) -> re.Pattern[str]:
    """Every way to write a literal or a quoted name, each from its first character to its last."""
    prefixes = "|".join(sorted(map(re.escape, spelling.plain_prefixes), key=len, reverse=True))
    kinds = []
    for quote in spelling.strings:
        plain = rf"{quote}(?:[^{quote}]|{quote}{quote})*+{quote}"
        escaping = rf"{quote}(?:[^{quote}\\]|\\.|{quote}{quote})*+{quote}"
        kinds.append(rf"(?:{prefixes})?{escaping if spelling.escapes else plain}")
        if spelling.escape_prefix:
            kinds.append(rf"{spelling.escape_prefix}{escaping}")
        if spelling.raw_prefix:
            kinds.append(rf"{spelling.raw_prefix}{quote}[^{quote}\\]*+{quote}")
        if spelling.triples:
            kinds.append(rf"(?:{prefixes})?{quote * 3}(?:[^{quote}\\]|\\.|{quote}(?!{quote}{quote}))*+{quote * 3}")
    if spelling.quoting_prefixes:
        for opening in "[{(<!|/#~":
            closing = re.escape(_CLOSING.get(opening, opening))
            kinds.append(rf"(?:nq|q)'{re.escape(opening)}(?:(?!{closing}').)*+{closing}'")
    if spelling.dollars == "tag":
        kinds.append(r"\$(?P<tag>[^\W\d]\w*)?\$(?:(?!\$(?P=tag)\$).)*+\$(?P=tag)\$")
        kinds.append(r"\$\$(?:(?!\$\$).)*+\$\$")
    elif spelling.dollars:
        kinds.append(r"\$\$(?:(?!\$\$).)*+\$\$")
    for opening in spelling.names:
        closing = _CLOSING.get(opening, opening)
        inner = re.escape(closing)
        kinds.append(rf"{re.escape(opening)}(?:[^{inner}\\]|{inner}{inner})++{inner}")
    return re.compile("|".join(kinds), re.DOTALL | re.IGNORECASE)
