import pytest

from extproc.core.inspection.sql.lexing import statements_of, tokens_of, word_of


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "SELECT 'a''b', E'x\\'y', $a$ ; $$ $a$, $$b$$, \"Q\"\"x\", N'x', x'41', a->>'b', :x, $1, 1.5e3"),
        ("postgres", "SELECT 1 /* a /* b */ c */ -- d\n, 2"),
        ("mysql", "SELECT \"a\\\"b\", `x`, @v, 'a' 'b', _utf8'x' # c\n"),
        ("tsql", "SELECT [a b], N'x' FROM #tmp WHERE @x = 1"),
        ("bigquery", "SELECT r'a', rb\"x\", `p.d.t`"),
        ("oracle", "SELECT q'[a'b]', q'!a!' FROM dual"),
        ("snowflake", "SELECT $$a$$ // c\n"),
        ("spark", "SELECT r'a', 'b\\'c' FROM `t`"),
    ],
)
def test_both_readings_agree(dialect, text):
    assert tokens_of(text, dialect)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("sqlite", "SELECT 1 /* a /* b */"),
        ("mysql", "SELECT 1 /* a /* b */"),
        ("duckdb", "SELECT 1 /* a /* b */ c */"),
        ("postgres", "SELECT 1 -- a \\\n"),
        ("postgres", "SELECT 'a"),
        ("postgres", "SELECT /* a"),
        ("postgres", "SELECT \u200b1"),
        ("postgres", "SELECT 1\x0b"),
        ("postgres", "SELECT \ud800"),
        ("postgres", "VACUUM FULL 'x;' t"),
        ("postgres", 'SELECT "a\\b"'),
        ("redshift", "SELECT 'a\\'b'"),
        ("mysql", "SELECT /*M!100 1*/"),
    ],
)
def test_where_they_differ_nothing_is_read(dialect, text):
    assert tokens_of(text, dialect) is None


def test_two_dashes_are_a_comment_in_mysql_only_before_white_space():
    tokens = tokens_of("SELECT 1--1; DROP TABLE t", "mysql")
    assert tokens is None or "DROP" in map(word_of, tokens)
    assert len(tokens_of("SELECT 1 -- 1; DROP TABLE t", "mysql")) == 2


def test_statements_are_between_semicolons_and_empty_ones_are_none():
    tokens = tokens_of(";SELECT 1;; SELECT ';' ;", "postgres")
    assert [[word_of(token) for token in part] for part in statements_of(tokens)] == [["SELECT", "1"], ["SELECT", ""]]
