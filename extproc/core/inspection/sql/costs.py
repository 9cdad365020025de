"""Which statements the parser would take too long for, known before it begins.

It tries several readings where one word can begin several things, and tries them again inside of each: joins whose
condition comes later or never, and calls by the name of a type (``DATE(DATE(...))``, ``ARRAY[ARRAY[...]]``). Some
functions it writes out, with their arguments several times over (``DIV0``). Subqueries inside of each other are copied
at each step in some dialects, and types inside of each other (``ARRAY<ARRAY<...>>``) are read again at each.
``bench/worst_sql.py`` looks for more of these; against those that nobody has found, calls inside of each other have a
bound too.
"""

from collections.abc import Sequence
from types import MappingProxyType
from typing import Final

from sqlglot import Parser, TokenType

from extproc.core.inspection.sql.calls import opens_call
from extproc.core.inspection.sql.lexing import Token, word_of
from extproc.core.limits import (
    MAX_SQL_CALLS_OPEN,
    MAX_SQL_OPEN,
    MAX_SQL_QUERIES_OPEN,
    MAX_SQL_TRIED_OPEN,
    MAX_SQL_WRITTEN_OUT_OPEN,
)

__all__ = ["is_costly"]

_JOINS: Final = frozenset({TokenType.JOIN, TokenType.STRAIGHT_JOIN})
_WITHOUT_CONDITION: Final = frozenset({TokenType.CROSS, TokenType.NATURAL})
_OPENING: Final = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET})
_CLOSING: Final = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET})
_QUERIES: Final = frozenset({TokenType.SELECT, TokenType.WITH, TokenType.FROM, TokenType.VALUES})
_WRITTEN_OUT_WORDS: Final = "DIV0 DIV0NULL FILE NULLIFZERO OBJECT_CONSTRUCT_KEEP_NULL SORT_ARRAY ZEROIFNULL"
_WRITTEN_OUT: Final = frozenset(_WRITTEN_OUT_WORDS.split())
_ANGLE: Final = frozenset({"type"})
"""What ``<`` opens behind the name of a type; ``>`` closes it, and compares elsewhere."""
_DEEPEST: Final = MappingProxyType(
    {
        "tried": MAX_SQL_TRIED_OPEN,
        "written out": MAX_SQL_WRITTEN_OUT_OPEN,
        "call": MAX_SQL_CALLS_OPEN,
        "type": MAX_SQL_CALLS_OPEN,
        "query": MAX_SQL_QUERIES_OPEN,
    }
)


def is_costly(tokens: Sequence[Token]) -> bool:
    """Whether what must be tried doubles more often than is sensible."""
    return _joins_waiting(tokens) > MAX_SQL_OPEN or _nested_too_deep(tokens)


def _joins_waiting(tokens: Sequence[Token]) -> int:
    """How many joins at most wait for their condition, in one row or over all."""
    waiting = row = most = 0
    for at, token in enumerate(tokens):
        before = tokens[at - 1].token_type if at else None
        if token.token_type in _JOINS and before not in _WITHOUT_CONDITION:
            waiting, row = waiting + 1, row + 1
        elif token.token_type is TokenType.USING or (
            token.token_type is TokenType.ON and before is not TokenType.DISTINCT
        ):
            waiting, row = max(waiting - 1, 0), 0
        most = max(most, row)
    return max(most, waiting)


def _nested_too_deep(tokens: Sequence[Token]) -> bool:
    """Whether calls, calls that are tried or written out several times, types or queries stand in too many others."""
    opened: list[frozenset[str]] = []
    depths = dict.fromkeys(_DEEPEST, 0)
    for at, token in enumerate(tokens):
        if token.token_type in _OPENING or _opens_type(tokens, at):
            opened.append(_ANGLE if token.token_type is TokenType.LT else _kinds(tokens, at))
            for kind in opened[-1]:
                depths[kind] += 1
                if depths[kind] > _DEEPEST[kind]:
                    return True
        elif opened and (token.token_type in _CLOSING or (token.token_type is TokenType.GT and opened[-1] is _ANGLE)):
            for kind in opened.pop():
                depths[kind] -= 1
    return False


def _opens_type(tokens: Sequence[Token], at: int) -> bool:
    return tokens[at].token_type is TokenType.LT and at > 0 and tokens[at - 1].token_type in Parser.TYPE_TOKENS


def _kinds(tokens: Sequence[Token], at: int) -> frozenset[str]:
    """What the bracket at a place holds."""
    before = tokens[at - 1] if at else None
    after = tokens[at + 1] if at + 1 < len(tokens) else None
    found = {"query"} if after is not None and after.token_type in _QUERIES else set()
    if before is not None and opens_call(before):
        found.add("call")
    if before is not None and before.token_type is TokenType.GT:  # a value of that type, STRUCT<a INT>(1)
        found.add("type")
    if before is not None and before.token_type in Parser.TYPE_TOKENS:
        found.add("tried")
    if before is not None and word_of(before) in _WRITTEN_OUT:
        found.add("written out")
    return frozenset(found)
