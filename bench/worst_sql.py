"""Looks for SQL whose reading takes time that doubles: ``python bench/worst_sql.py [seconds per text] [dialect ...]``.

Every construct that can stand inside of itself, or in a row, is tried with ever more of it, in each dialect: calls by
every name that the grammar treats in a way of its own, by every type, brackets, operators, subqueries, joins, types in
types. As much as the bounds on what is read let through, and far more, which they should refuse. Prints whatever takes
more than the seconds (CPU), or would where a text is full of it, and ends with 1 if there is anything.
"""

import signal
import sys
import time
from collections.abc import Iterator

from sqlglot import TokenType
from sqlglot.dialects.dialect import Dialect

from extproc.core.access import DIALECTS
from extproc.core.inspection.sql import inspect_sql
from extproc.core.inspection.sql.costs import is_costly
from extproc.core.inspection.sql.dialects import SPELLINGS
from extproc.core.inspection.sql.judging import UNREADABLE
from extproc.core.inspection.sql.lexing import tokens_of
from extproc.core.limits import (
    MAX_SQL_CALLS_OPEN,
    MAX_SQL_OPEN,
    MAX_SQL_QUERIES_OPEN,
    MAX_SQL_TOKENS,
    MAX_SQL_TRIED_OPEN,
    MAX_SQL_WRITTEN_OUT_OPEN,
)

FULL = 3.0
"""What a text of as many tokens as are read may take, in seconds, with nothing but one construct in it."""
AGAIN = 4
UNREAD = UNREADABLE.effects[0].said
NAMED = (MAX_SQL_WRITTEN_OUT_OPEN, MAX_SQL_TRIED_OPEN, MAX_SQL_CALLS_OPEN)
STEPS = (MAX_SQL_OPEN, *NAMED[1:], MAX_SQL_QUERIES_OPEN, 200)
# what is opened, the core, what is closed
NESTED = (
    *(("(", "1", ")"), ("((", "1", "))"), ("[", "1", "]"), ("{'a': ", "1", "}"), ("a[", "1", "]"), ("- ", "1", "")),
    *(("NOT ", "a", ""), ("NOT (", "a", ")"), ("~ ", "1", ""), ("PRIOR ", "a", ""), ("DISTINCT ", "a", "")),
    *(("CASE WHEN ", "a", " THEN 1 END"), ("CASE a WHEN 1 THEN ", "1", " END"), ("CASE ", "a", " WHEN 1 THEN 2 END")),
    *(
        ("CAST(", "1", " AS INT)"),
        ("TRY_CAST(", "1", " AS DATE)"),
        ("CONVERT(INT, ", "1", ")"),
        ("CAST(CAST(", "1", " AS INT) AS INT)"),
    ),
    *(("CONVERT(", "a", " USING utf8)"), ("EXTRACT(YEAR FROM ", "a", ")"), ("TRIM(BOTH FROM ", "a", ")")),
    *(("SUBSTRING(", "a", " FROM 1 FOR 2)"), ("POSITION('a' IN ", "a", ")"), ("OVERLAY(", "a", " PLACING 'x' FROM 1)")),
    *(("EXISTS(SELECT ", "1", ")"), ("(SELECT ", "1", ")"), ("1 IN (SELECT ", "1", ")"), ("1 IN (", "1", ")")),
    *(("ARRAY[", "1", "]"), ("ARRAY(SELECT ", "1", ")"), ("STRUCT(", "1", " AS a)"), ("STRUCT<a INT>(", "1", ")")),
    *(
        ("MAP {'a': ", "1", "}"),
        ("ROW(", "1", ", 2)"),
        ("(1, ", "1", ")"),
        ("f(x -> ", "x", ")"),
        ("f((x, y) -> ", "x", ")"),
    ),
    *(("f(a => ", "1", ")"), ("f(DISTINCT ", "a", ")"), ("f(", "a", " ORDER BY 1)"), ("f(1, ", "a", ")")),
    *(
        ("SUM(", "a", ") OVER (PARTITION BY 1)"),
        ("SUM(1) OVER (ORDER BY ", "a", ")"),
        ("f(", "a", ") FILTER (WHERE a)"),
    ),
    *(
        ("f(a) WITHIN GROUP (ORDER BY ", "a", ")"),
        ("INTERVAL ", "1", " DAY"),
        ("INTERVAL (", "1", ") DAY"),
        ("DATE ", "'a'", ""),
    ),
    *(
        ("a BETWEEN ", "1", " AND 2"),
        ("a LIKE ", "'b'", " ESCAPE 'c'"),
        ("IF(", "a", ", 1, 2)"),
        ("COALESCE(", "a", ", 1)"),
    ),
    *(
        ("x:", "a", ""),
        ("t.", "a", ""),
        ("@", "a", ""),
        ("a ? ", "b", " : c"),
        ("a -> ", "'b'", ""),
        ("COLUMNS(", "a", ")"),
    ),
    *(
        ("JSON_OBJECT('a': ", "1", ")"),
        ("JSON_TABLE(", "a", ", '$' COLUMNS (a INT PATH '$'))"),
        ("XMLELEMENT(NAME a, ", "1", ")"),
    ),
    *(
        ("OPENJSON(", "a", ")"),
        ("DECODE(", "a", ", 1, 2)"),
        ("NEXT VALUE FOR ", "a", ""),
        ("LAMBDA x : ", "x", ""),
        ("IFNULL(", "a", ", 1)"),
    ),
)
STATEMENTS = (
    *(
        ("SELECT * FROM (", "SELECT 1", ") AS a"),
        ("SELECT * FROM ((", "SELECT 1", ")) AS a"),
        ("", "SELECT 1", " UNION SELECT 1"),
    ),
    *(
        ("(", "SELECT 1", ")"),
        ("(", "SELECT 1", ") UNION SELECT 1"),
        ("SELECT 1 UNION (", "SELECT 1", ")"),
        ("WITH a AS (", "SELECT 1", ") SELECT 1"),
    ),
    *(
        ("SELECT 1 WHERE a IN (", "SELECT 1", ")"),
        ("SELECT 1 FROM a, LATERAL (", "SELECT 1", ") b"),
        ("SELECT 1 FROM a CROSS APPLY (", "SELECT 1", ") b"),
    ),
    *(
        ("SELECT 1 FROM a JOIN (", "SELECT 1", ") b ON 1 = 1"),
        ("SELECT 1 FROM a WHERE a = ANY (", "SELECT 1", ")"),
        ("INSERT INTO t ", "SELECT 1", ""),
    ),
    *(
        ("EXPLAIN ", "SELECT 1", ""),
        ("CREATE VIEW v AS ", "SELECT 1", ""),
        ("CREATE TABLE t AS (", "SELECT 1", ")"),
        ("BEGIN ", "SELECT 1", " END"),
    ),
    *(
        ("IF 1 = 1 ", "SELECT 1", ""),
        ("FROM (", "SELECT 1", ")"),
        ("SELECT 1 EXCEPT (", "SELECT 1", ")"),
        ("VALUES (", "1", ")"),
    ),
    *(
        ("SELECT ", "1", " FROM a PIVOT (SUM(a) FOR b IN (1))"),
        ("MERGE INTO t USING (", "SELECT 1", ") s ON 1 = 1 WHEN MATCHED THEN DELETE"),
    ),
)
SOURCES = (
    *(
        ("(", "a", ")"),
        ("(", "a", " JOIN b ON 1 = 1)"),
        ("(", "a", " JOIN b)"),
        ("(a JOIN ", "b", ")"),
        ("(a, ", "b", ")"),
        ("((", "a", ") JOIN b)"),
    ),
    *(
        ("UNNEST(", "a", ")"),
        ("TABLE(", "a", ")"),
        ("LATERAL ", "f(1)", ""),
        ("LATERAL FLATTEN(", "a", ")"),
        ("f(", "1", ") AS t(a)"),
    ),
    *(
        ("ONLY (", "a", ")"),
        ("a JOIN LATERAL (SELECT * FROM ", "b", ") c"),
        ("ROWS FROM (", "f(1)", ")"),
        ("a LEFT JOIN ", "b", " ON 1 = 1"),
    ),
    *(
        ("a NATURAL JOIN ", "b", ""),
        ("a, ", "b", ""),
        ("a PIVOT (SUM(x) FOR y IN (", "1", "))"),
        ("a TABLESAMPLE (", "1", ")"),
        ("XMLTABLE(", "'a'", ")"),
    ),
)
TYPES = (
    *(
        ("ARRAY<", "INT", ">"),
        ("STRUCT<a ", "INT", ">"),
        ("MAP<INT, ", "INT", ">"),
        ("STRUCT(a ", "INT", ")"),
        ("ARRAY(", "INT", ")"),
    ),
    *(
        ("ROW(a ", "INT", ")"),
        ("MAP(INT, ", "INT", ")"),
        ("", "INT", "[]"),
        ("Nullable(", "Int8", ")"),
        ("Tuple(", "Int8", ")"),
        ("DECIMAL(", "1", ")"),
    ),
    *(
        ("LowCardinality(", "Int8", ")"),
        ("UNION(a ", "INT", ")"),
        ("STRUCT<", "INT", ">"),
        ("OBJECT(a ", "INT", ")"),
        ("VARCHAR(", "1", ")"),
    ),
)
ROWS = (
    *(
        " + 1",
        " AND a",
        " OR a = 1",
        " || a",
        " :: INT",
        ".a",
        "[1]",
        " AT TIME ZONE 'a'",
        " COLLATE a",
        " IS NULL",
        " IS NOT DISTINCT FROM a",
    ),
    *(
        " IN (1)",
        " BETWEEN 1 AND 2",
        " LIKE a",
        " NOT LIKE a",
        " -> 'a'",
        " ->> 'a'",
        " #> 'a'",
        " DIV 1",
        " % 1",
        " ^ 1",
        " = 1",
        " <=> 1",
    ),
    *(
        ", a",
        ", a b",
        ", f(1)",
        ", (1)",
        ", *",
        " a",
        " 'a'",
        " OVER w",
        ":a",
        "::INT::TEXT",
        " ? 'a'",
        " RLIKE a",
        " << 1",
        " := 1",
        " ** 2",
    ),
)
TAILS = (
    *(
        " JOIN b",
        " JOIN b ON 1 = 1",
        " JOIN b USING (a)",
        " LEFT JOIN b",
        " LEFT OUTER JOIN b",
        " CROSS JOIN b",
        ", b",
        " NATURAL JOIN b",
    ),
    *(
        " JOIN b AS c",
        " INNER JOIN b",
        " FULL JOIN b",
        " ASOF JOIN b",
        " LATERAL VIEW EXPLODE(a) t AS b",
        " CROSS APPLY f(1)",
        ", LATERAL f(1)",
    ),
    *(
        " PIVOT (SUM(a) FOR b IN (1))",
        " TABLESAMPLE (1)",
        " UNION SELECT 1",
        " UNION ALL SELECT 1 FROM a",
        " EXCEPT SELECT 1",
        " WHERE a = 1",
    ),
    *(
        " GROUP BY a",
        " ORDER BY a",
        " LIMIT 1",
        " WINDOW w AS ()",
        " FOR UPDATE",
        " STRAIGHT_JOIN b",
        " SEMI JOIN b",
        " POSITIONAL JOIN b",
        " JOIN (b)",
    ),
    *(
        " JOIN (b JOIN c)",
        " WITH (NOLOCK)",
        " HAVING a",
        " QUALIFY a",
        " SAMPLE 1",
        " FOR SYSTEM_TIME AS OF a",
        " OPTION (x)",
        " USE INDEX (a)",
    ),
)


def names(dialect: str) -> list[str]:
    """The words that the grammar treats in a way of their own before a parenthesis."""
    grammar = Dialect.get_or_raise(SPELLINGS[dialect].grammar)
    parser = grammar.parser_class
    words = {*parser.FUNCTIONS, *parser.FUNCTION_PARSERS, *parser.NO_PAREN_FUNCTION_PARSERS}
    kinds = {*parser.TYPE_TOKENS, *parser.NO_PAREN_FUNCTIONS, *parser.FUNC_TOKENS}
    words |= {word for word, kind in grammar.tokenizer_class.KEYWORDS.items() if kind in kinds and word.isidentifier()}
    words |= {kind.name for kind in kinds if isinstance(kind, TokenType)}
    return sorted(word for word in words if word.isidentifier())


def calls(dialect: str) -> Iterator[tuple[str, int, str]]:
    """As ``texts``, of calls by the names of the dialect, what is inside standing first, last and between."""
    for word in names(dialect):
        for opened, closed in ((f"{word}(", ")"), (f"{word} (a, ", ")"), (f"{word}(", ", a)"), (f"{word}(", ", a, b)")):
            for count in NAMED:
                yield f"{opened}…{closed}", count, f"SELECT {opened * count}1{closed * count}"


def texts(dialect: str) -> Iterator[tuple[str, int, str]]:
    """A name for each construct, how much of it, and the text."""
    yield from calls(dialect)
    for count in STEPS:
        for opened, core, closed in NESTED:
            yield f"{opened}…{closed}", count, f"SELECT {opened * count}{core}{closed * count}"
        for opened, core, closed in STATEMENTS:
            yield f"{opened}…{closed}", count, f"{opened * count}{core}{closed * count}"
        for opened, core, closed in SOURCES:
            yield f"FROM {opened}…{closed}", count, f"SELECT * FROM {opened * count}{core}{closed * count}"
            yield f"UPDATE {opened}…{closed}", count, f"UPDATE t SET a = 1 FROM {opened * count}{core}{closed * count}"
        for opened, core, closed in TYPES:
            kind = f"{opened * count}{core}{closed * count}"
            yield f"CAST AS {opened}…{closed}", count, f"SELECT CAST(a AS {kind})"
            yield f"TABLE {opened}…{closed}", count, f"CREATE TABLE t (a {kind})"
            yield f"value of {opened}…{closed}", count, f"SELECT {kind}"
            yield f"value of {opened}…{closed}(1)", count, f"SELECT {kind}(1)"
        for more in ROWS:
            yield f"a{more}…", count, f"SELECT a{more * count}"
            yield f"a{more}… unfinished", count, f"SELECT (a{more * count}"
        for more in TAILS:
            yield f"FROM a{more}…", count, f"SELECT * FROM a{more * count}"
            yield f"FROM a{more}… unfinished", count, f"SELECT * FROM (a{more * count}"
            yield f"DELETE FROM a{more}…", count, f"DELETE FROM a{more * count}"


def main() -> int:
    longest = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    slow: set[tuple[str, str]] = set()
    tried = read = 0
    signal.signal(signal.SIGVTALRM, _cut)
    for dialect in sys.argv[2:] or DIALECTS:
        for name, count, text in texts(dialect):
            if (dialect, name) in slow:
                continue
            fills = _fills(text, dialect)
            tried, read = tried + 1, read + (fills > 0)
            took = _took(text, dialect, longest)
            if took < longest and UNREAD in inspect_sql(text, dialect).findings:
                fills = 0.0  # a full text would not be read past the first
            for again in range(1, AGAIN):  # what is over may be the collector's, or another process's
                if took < longest and took * fills >= FULL:
                    took = min(took, _took(text + " " * again, dialect, longest))
            if took >= longest or took * fills >= FULL:
                slow.add((dialect, name))
                print(f"{dialect}: {name} x {count}: {took:.2f} s, {took * fills:.1f} s in a full text", flush=True)
    print(f"{tried} texts tried, {read} of them within the bounds on what is read")
    print(f"{len(slow)} constructs over {longest} s of CPU, or {FULL} s where a text is full of them")
    return 1 if slow else 0


def _fills(text: str, dialect: str) -> float:
    """How often it could stand in one text; 0 for what is not read."""
    tokens = tokens_of(text, dialect)
    return 0.0 if tokens is None or is_costly(tokens) else MAX_SQL_TOKENS / len(tokens)


class _Cut(BaseException):
    """Past everything that catches exceptions."""


def _cut(*_: object) -> None:
    raise _Cut


def _took(text: str, dialect: str, longest: float) -> float:
    began = time.process_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, longest * 1.2)
    try:
        inspect_sql(text, dialect)
    except _Cut:
        return longest
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
