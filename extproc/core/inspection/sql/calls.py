"""The functions that a statement calls, and which of them only compute."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import TokenType, exp

from extproc.core.inspection.sql.functions import ADVANCING, HARMLESS
from extproc.core.inspection.sql.lexing import Token, word_of
from extproc.core.inspection.sql.nodes import Nodes

__all__ = ["calls_in", "is_advancing", "is_harmless", "opens_call"]

# words that a parenthesis follows without a call
_STRUCTURE_WORDS: Final = """
ALL AND ANY AS BETWEEN BY CASE CHECK CUBE DISTINCT ELSE END EXCEPT EXISTS FILTER FROM GROUP GROUPING HAVING IN
INNER INTERSECT INTERVAL INTO IS JOIN KEY LATERAL LIKE ILIKE LIMIT MINUS NOT OF OFFSET ON OR ORDER OVER
PARTITION PIVOT PRIMARY QUALIFY RANGE RECURSIVE REFERENCES RETURNING ROLLUP ROWS SELECT SET SETS SOME STRUCT
TABLE TABLESAMPLE THEN TOP UNION UNIQUE UNPIVOT USING VALUES WHEN WHERE WINDOW WITH WITHIN CROSS APPLY BERNOULLI
SYSTEM MATERIALIZED OUTPUT SIBLINGS CONFLICT DUPLICATE SIMILAR TO FETCH NEXT FIRST DEFAULT INDEX COLUMNS COPY
"""
_STRUCTURE: Final = frozenset(_STRUCTURE_WORDS.split())
_TYPES_WORDS: Final = """
BIGINT BINARY BIT BLOB BOOL BOOLEAN BPCHAR BYTEA CHAR CHARACTER DATETIME2 DATETIMEOFFSET DEC DECIMAL DOUBLE ENUM
FLOAT INT INTEGER MEDIUMINT NCHAR NUMBER NUMERIC NVARCHAR NVARCHAR2 RAW REAL SMALLINT STRING TEXT TINYINT
VARBINARY VARCHAR VARCHAR2 VARYING NULLABLE LOWCARDINALITY FIXEDSTRING DECIMAL32 DECIMAL64 DECIMAL128 DATETIME64
VECTOR SIGNED UNSIGNED
"""
_TYPES: Final = frozenset(_TYPES_WORDS.split())
# clauses that are written like calls, and the words that they have before a parenthesis
_CLAUSES: Final = {exp.TableSample: ("sample",), exp.MatchRecognize: ("match_recognize", "pattern")}
_OF_A_STAR: Final = (("except_", "exclude"), ("rename", "rename"))
_DECLARING: Final = (exp.Schema, exp.TableAlias, exp.Star, exp.HistoricalData, exp.Window, exp.Select, *_CLAUSES)
# schemas whose functions are the ones that go by the bare name
_BUILT_IN: Final = frozenset({"pg_catalog"})


def calls_in(tokens: Sequence[Token], nodes: Nodes) -> Iterator[str]:
    """The functions that a statement calls, lower case and with their schema where one is written, in order.

    By the words before a parenthesis, since a parser gives some dangerous function a harmless name of its own. Words
    that the tree declares as tables or aliases, with their columns in parentheses, count as often as it does.
    """
    declared = Counter(_declared(nodes))
    for at, token in enumerate(tokens[:-1]):
        if tokens[at + 1].token_type is not TokenType.L_PAREN or not _is_word(token):
            continue
        name = str(token.text).lower()
        if declared[name] > 0:
            declared[name] -= 1
            continue
        schema = str(tokens[at - 2].text).lower() if at > 1 and tokens[at - 1].token_type is TokenType.DOT else ""
        if schema:
            yield name if schema in _BUILT_IN else f"{schema}.{name}"
        elif token.token_type is TokenType.IDENTIFIER or (opens_call(token) and word_of(token) not in _TYPES):
            yield name


def opens_call(token: Token) -> bool:
    """Whether a parenthesis behind this word holds the arguments of something: a call, or a type."""
    return _is_word(token) and word_of(token).rpartition(" ")[2] not in _STRUCTURE  # GROUP BY is one token


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


def is_harmless(name: str) -> bool:
    """Whether a function only computes."""
    return name in HARMLESS


def is_advancing(name: str) -> bool:
    """Whether a function moves a sequence on."""
    return name in ADVANCING
