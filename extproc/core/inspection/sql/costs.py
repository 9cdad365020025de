"""Which statements the parser would take too long for, known before it begins.

It tries several readings where one word can begin several things, and tries them again inside of each: joins whose
condition comes later or never, and calls by the name of a type (``DATE(DATE(...))``).
"""

from collections.abc import Sequence
from typing import Final

from sqlglot import Parser, TokenType

from extproc.core.inspection.sql.lexing import Token
from extproc.core.limits import MAX_SQL_OPEN

__all__ = ["is_costly"]

_WITHOUT_CONDITION: Final = frozenset({TokenType.CROSS, TokenType.NATURAL})


def is_costly(tokens: Sequence[Token]) -> bool:
    """Whether what must be tried doubles more often than is sensible."""
    return _joins_waiting(tokens) > MAX_SQL_OPEN or _types_nested(tokens) > MAX_SQL_OPEN


def _joins_waiting(tokens: Sequence[Token]) -> int:
    """How many joins at most wait for their condition, in one row or over all."""
    waiting = row = most = 0
    for at, token in enumerate(tokens):
        before = tokens[at - 1].token_type if at else None
        if token.token_type is TokenType.JOIN and before not in _WITHOUT_CONDITION:
            waiting, row = waiting + 1, row + 1
        elif token.token_type is TokenType.USING or (
            token.token_type is TokenType.ON and before is not TokenType.DISTINCT
        ):
            waiting, row = max(waiting - 1, 0), 0
        most = max(most, row)
    return max(most, waiting)


def _types_nested(tokens: Sequence[Token]) -> int:
    """How many calls by the name of a type stand inside of each other."""
    opened: list[bool] = []
    depth = most = 0
    for at, token in enumerate(tokens):
        if token.token_type is TokenType.L_PAREN:
            opened.append(bool(at) and tokens[at - 1].token_type in Parser.TYPE_TOKENS)
            depth += opened[-1]
            most = max(most, depth)
        elif token.token_type is TokenType.R_PAREN and opened:
            depth -= opened.pop()
    return most
