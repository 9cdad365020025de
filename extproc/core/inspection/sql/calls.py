"""The functions that a statement calls, by the words before a parenthesis."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import TokenType, exp

from extproc.core.inspection.sql.dialects import Spelling
from extproc.core.inspection.sql.functions import Catalogue
from extproc.core.inspection.sql.lexing import Token, word_of
from extproc.core.inspection.sql.nodes import Nodes

__all__ = ["Call", "calls_in", "opens_call"]

# words that a parenthesis follows without a call; databases reserve these
_RESERVED_WORDS: Final = """
ALL AND ANY AS BETWEEN CASE CHECK DISTINCT ELSE END EXCEPT EXISTS FETCH FROM GROUP GROUPING HAVING IN INNER INTERSECT
INTERVAL INTO IS JOIN LATERAL LIKE LIMIT NOT OFFSET ON OR ORDER PRIMARY REFERENCES RETURNING SELECT SOME TABLE THEN TO
UNION UNIQUE USING VALUES WHEN WHERE WINDOW WITH
"""
# and these not all of them: a function of the user's own may have such a name
_STRUCTURE_WORDS: Final = """
APPLY BERNOULLI BY COLUMNS CONFLICT COPY CROSS CUBE DEFAULT DUPLICATE FILTER ILIKE INDEX KEY MATERIALIZED MINUS NEXT OF
OUTPUT OVER PARTITION PIVOT QUALIFY RANGE RECURSIVE ROLLUP ROWS SET SETS SIBLINGS SIMILAR SYSTEM TABLESAMPLE TOP UNPIVOT
WITHIN
"""
_STRUCTURE: Final = frozenset(_STRUCTURE_WORDS.split())
_NO_CALL: Final = _STRUCTURE.union(_RESERVED_WORDS.split())
# clauses that are written like calls, and the words that they have before a parenthesis
_CLAUSES: Final = {exp.TableSample: ("sample",), exp.MatchRecognize: ("match_recognize", "pattern")}
_OF_A_STAR: Final = (("except_", "exclude"), ("rename", "rename"))
_DECLARING: Final = (exp.Schema, exp.TableAlias, exp.Star, exp.HistoricalData, exp.Window, exp.Select, *_CLAUSES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call: ``name`` in lower case, with its schema where one is written.

    ``is_own``: it is quoted so that it cannot be a built-in function, whatever its name.
    """

    name: str
    is_own: bool = False


def calls_in(tokens: Sequence[Token], nodes: Nodes, spelling: Spelling, built_in: Catalogue) -> Iterator[Call]:
    """The functions that a statement calls, in order.

    By the words before a parenthesis, since a parser gives some dangerous function a harmless name of its own. Words
    that the tree declares as tables or aliases, with their columns in parentheses, count as often as it does.
    """
    declared = Counter(_declared(nodes))
    named = set(_named(nodes)) if any(word_of(token) in _STRUCTURE for token in tokens) else set()
    for at, token in enumerate(tokens[:-1]):
        if tokens[at + 1].token_type is not TokenType.L_PAREN or not _is_word(token):
            continue
        name = str(token.text).lower()
        if declared[name] > 0:
            declared[name] -= 1
            continue
        parts = list(_qualified(tokens, at))
        if len(parts) == 1 and token.token_type is not TokenType.IDENTIFIER and not _calls(token, built_in, named):
            continue
        names = [str(part.text).lower() if _is_word(part) else "?" for part in parts]
        is_built_in = len(names) == 1 or names[-2] in built_in.schemas
        quoted = [part for part in parts if part.token_type is TokenType.IDENTIFIER]
        own = any(not (is_built_in and spelling.may_be_built_in(part.text)) for part in quoted)
        yield Call(name=name if is_built_in else ".".join(names), is_own=own)


def _qualified(tokens: Sequence[Token], at: int) -> Iterator[Token]:
    """The parts of the name that ends at a place, from the first."""
    first = at
    while first > 1 and tokens[first - 1].token_type is TokenType.DOT:
        first -= 2
    yield from tokens[first : at + 1 : 2]


def _calls(token: Token, built_in: Catalogue, named: set[str]) -> bool:
    """Whether a bare word before a parenthesis is the name of a function."""
    if word_of(token).lower() in built_in.types:
        return False
    return opens_call(token) or (word_of(token) in _STRUCTURE and word_of(token) in named)


def _named(nodes: Nodes) -> Iterator[str]:
    """The words that stand in the tree as names of tables, columns or functions, upper case."""
    yield from (str(node.this).upper() for node in nodes.of(exp.Identifier) if not node.quoted)
    yield from (str(node.this).upper() for node in nodes.of(exp.Anonymous))
    if nodes.of(exp.Columns):
        yield "COLUMNS"


def opens_call(token: Token) -> bool:
    """Whether a parenthesis behind this word holds the arguments of something: a call, or a type."""
    return _is_word(token) and word_of(token).rpartition(" ")[2] not in _NO_CALL  # GROUP BY is one token


def _is_word(token: Token) -> bool:
    return token.token_type is TokenType.IDENTIFIER or word_of(token)[:1].isalpha() or word_of(token)[:1] == "_"


def _declared(nodes: Nodes) -> Iterator[str]:
    for node in nodes.of(*_DECLARING):
        match node:
            case exp.Schema():
                yield node.this.name.lower() if node.this is not None else ""
            case exp.TableAlias():
                if node.args.get("columns"):
                    yield node.name.lower()
            case exp.Star():
                yield from (word for arg, word in _OF_A_STAR if node.args.get(arg))
            case exp.HistoricalData():
                yield str(node.this).lower()
            case exp.Window():
                yield str(node.args.get("over") or "").lower()
            case exp.Select():
                yield "option" if node.args.get("options") else ""
            case _:
                yield from _CLAUSES[type(node)]
