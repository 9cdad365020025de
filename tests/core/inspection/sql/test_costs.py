import pytest

from extproc.core.inspection.sql.costs import is_costly
from extproc.core.inspection.sql.lexing import tokens_of
from extproc.core.limits import (
    MAX_SQL_CALLS_OPEN,
    MAX_SQL_OPEN,
    MAX_SQL_QUERIES_OPEN,
    MAX_SQL_TRIED_OPEN,
    MAX_SQL_WRITTEN_OUT_OPEN,
)

WRITTEN_OUT = ("DIV0", "DIV0NULL", "FILE", "NULLIFZERO", "OBJECT_CONSTRUCT_KEEP_NULL", "SORT_ARRAY", "ZEROIFNULL")


def costly(text):
    return is_costly(tokens_of(text, "postgres"))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM a" + " JOIN a" * (MAX_SQL_OPEN + 1),
        "SELECT * FROM a" + " LEFT JOIN a" * (MAX_SQL_OPEN + 1) + " ON 1 = 1" * (MAX_SQL_OPEN + 1),
        "SELECT * FROM a" + (" JOIN a" * 5 + " ON 1 = 1") * 3,
        "SELECT DISTINCT ON (a) * FROM a" + " JOIN a" * (MAX_SQL_OPEN + 1),
        "SELECT * FROM a" + " STRAIGHT_JOIN a" * (MAX_SQL_OPEN + 1),
        "SELECT " + "DATE(" * (MAX_SQL_TRIED_OPEN + 1) + "1" + ")" * (MAX_SQL_TRIED_OPEN + 1),
        "SELECT " + "STRUCT(" * (MAX_SQL_TRIED_OPEN + 1) + "1" + ")" * (MAX_SQL_TRIED_OPEN + 1),
        "SELECT " + "ARRAY[" * (MAX_SQL_TRIED_OPEN + 1) + "1" + "]" * (MAX_SQL_TRIED_OPEN + 1),
        *(
            "SELECT " + f"{name} (a, " * (MAX_SQL_WRITTEN_OUT_OPEN + 1) + "1" + ")" * (MAX_SQL_WRITTEN_OUT_OPEN + 1)
            for name in WRITTEN_OUT
        ),
        "SELECT " + "f(" * (MAX_SQL_CALLS_OPEN + 1) + "1" + ")" * (MAX_SQL_CALLS_OPEN + 1),
        "SELECT CAST(a AS " + "ARRAY<" * (MAX_SQL_CALLS_OPEN + 1) + "INT" + ">" * (MAX_SQL_CALLS_OPEN + 1) + ")",
        "SELECT " + "STRUCT<a INT>(" * (MAX_SQL_CALLS_OPEN + 1) + "1" + ")" * (MAX_SQL_CALLS_OPEN + 1),
        "SELECT * FROM " + "(SELECT * FROM " * (MAX_SQL_QUERIES_OPEN + 1) + "a" + ")" * (MAX_SQL_QUERIES_OPEN + 1),
    ],
)
def test_what_doubles_too_often_is_costly(text):
    assert costly(text)


@pytest.mark.parametrize(
    "text",
    [
        "SELECT * FROM a" + " JOIN a" * MAX_SQL_OPEN,
        "SELECT * FROM a" + " JOIN a ON 1 = 1" * 50,
        "SELECT * FROM a" + " JOIN a USING (x)" * 50,
        "SELECT * FROM a" + " CROSS JOIN a" * 50,
        "SELECT " + "DATE(1)," * 50 + "1",
        "SELECT " + "STRUCT(" * MAX_SQL_TRIED_OPEN + "1" + ")" * MAX_SQL_TRIED_OPEN + ", DATE(1)" * 50,
        "SELECT " + "DIV0(a, " * MAX_SQL_WRITTEN_OUT_OPEN + "1" + ")" * MAX_SQL_WRITTEN_OUT_OPEN + ", DIV0(a, b)" * 50,
        "SELECT " + "(" * 50 + "1" + ")" * 50 + ")",
        "SELECT " + "f(" * MAX_SQL_CALLS_OPEN + "1" + ")" * MAX_SQL_CALLS_OPEN + ", f(1)" * 50,
        "SELECT " + "(SELECT " * MAX_SQL_QUERIES_OPEN + "1" + ")" * MAX_SQL_QUERIES_OPEN + ", (SELECT 1)" * 50,
        "SELECT CAST(a AS " + "ARRAY<" * MAX_SQL_CALLS_OPEN + "INT" + ">" * MAX_SQL_CALLS_OPEN + ")" + ", a < 1" * 50,
        "SELECT " + "CAST(a AS MAP<INT, ARRAY<INT>>), a >> 2, " * 50 + "STRUCT<a INT>(1)",
        "SELECT a > (b), (a > b) FROM a WHERE " + "a > 1 AND " * 50 + "a < 2",
        "SELECT a IN (1), a[1], ([1]) FROM a WHERE (",
        "(SELECT 1",
    ],
)
def test_what_does_not_is_not(text):
    assert not costly(text)
