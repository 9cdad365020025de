import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "text",
    [
        "WITH pg_read_file(a) AS (SELECT 1) SELECT pg_read_file('x')",
        "SELECT pg_read_file('x') FROM (SELECT 1) AS pg_read_file(a)",
        "INSERT INTO pg_read_file (a) SELECT pg_read_file('x')",
        "SELECT pg_read_file /* c */ ('x')",
        "SELECT 1 AS pg_read_file, pg_read_file('x')",
        "SELECT * FROM pg_read_file('x')",
        "SELECT * FROM t, LATERAL pg_read_file('x')",
        "SELECT CASE WHEN true THEN pg_read_file('x') END",
        "SELECT count(*) FILTER (WHERE pg_read_file('x') = '') FROM t",
        'SELECT "pg_read_file"(a) FROM t',
        "SELECT _pg_x(1)",
    ],
)
def test_a_call_is_seen_wherever_it_stands_and_whatever_has_its_name(text):
    facts = inspect_sql(text, "postgres")
    assert facts.verb is Verb.ADMIN
    assert "pg_read_file" in facts.functions or "_pg_x" in facts.functions


def test_keywords_types_and_lists_of_columns_are_no_calls():
    text = (
        "INSERT INTO s.t (a) WITH x (b) AS (SELECT CAST(1 AS numeric(10, 2))) "
        "SELECT b FROM x WHERE b IN (1) AND EXISTS (SELECT 1) ON CONFLICT (a) DO NOTHING"
    )
    facts = inspect_sql(text, "postgres")
    assert facts.verb is Verb.MUTATE
    assert facts.functions == ("cast",)


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("snowflake", "SELECT * EXCLUDE (a) FROM t"),
        ("snowflake", "SELECT * FROM t AT (OFFSET => -60)"),
        ("snowflake", "SELECT * FROM t SAMPLE (10)"),
        ("tsql", "SELECT a FROM t OPTION (RECOMPILE)"),
        ("oracle", "SELECT MAX(a) KEEP (DENSE_RANK FIRST ORDER BY b) FROM t"),
        ("trino", "SELECT * FROM t MATCH_RECOGNIZE (ORDER BY b MEASURES A.x AS y PATTERN (A+) DEFINE A AS A.x > 1)"),
        ("postgres", "SELECT a FROM t GROUP BY (a) ORDER BY (a)"),
    ],
)
def test_clauses_that_are_written_like_calls_are_none_and_hide_none(dialect, text):
    facts = inspect_sql(text, dialect)
    assert facts.verb is Verb.QUERY
    names = {"EXCLUDE", "AT", "SAMPLE", "OPTION", "KEEP", "PATTERN"}
    for name in names:
        called = inspect_sql(text.replace("SELECT ", f"SELECT {name}(1), ", 1), dialect)
        assert called.verb is Verb.ADMIN, name


@pytest.mark.parametrize(
    ("dialect", "built_in", "own"),
    [
        ("postgres", 'SELECT "lower"(a) FROM t', 'SELECT "LOWER"(a) FROM t'),
        ("postgres", 'SELECT "pg_catalog"."lower"(a) FROM t', 'SELECT "PG_CATALOG".lower(a) FROM t'),
        ("oracle", 'SELECT "LOWER"(a) FROM t', 'SELECT "lower"(a) FROM t'),
        ("snowflake", 'SELECT "LOWER"(a) FROM t', 'SELECT "Lower"(a) FROM t'),
        ("mysql", "SELECT lower(a) FROM t", "SELECT `lower`(a) FROM t"),
        ("tsql", "SELECT [Lower](a) FROM t", "SELECT [dbo].[lower](a) FROM t"),
        ("bigquery", "SELECT NET.HOST(a) FROM t", "SELECT `net.host`(a) FROM t"),
        ("bigquery", "SELECT net.host(a) FROM t", "SELECT `net`.host(a) FROM t"),
        ("bigquery", "SELECT `lower`(a) FROM t", "SELECT p.net.host(a) FROM t"),
    ],
)
def test_quotes_tell_a_function_of_the_users_own_from_a_built_in_one(dialect, built_in, own):
    assert inspect_sql(built_in, dialect).verb is Verb.QUERY
    assert inspect_sql(own, dialect).verb is Verb.ADMIN


@pytest.mark.parametrize(
    "word", ["apply", "columns", "copy", "cube", "index", "key", "output", "range", "system", "top"]
)
@pytest.mark.parametrize("text", ["SELECT {}('x')", "SELECT a, {}(b) FROM t", "SELECT * FROM {}('x')"])
def test_a_word_of_the_grammar_may_be_the_name_of_a_function(word, text):
    assert inspect_sql(text.format(word), "postgres").verb is Verb.ADMIN


def test_a_type_is_one_only_to_its_own_product():
    assert inspect_sql("SELECT raw(a) FROM t", "postgres").functions == ("raw",)
    assert inspect_sql("SELECT CAST(a AS raw(8)) FROM t", "oracle").functions == ("cast",)


def test_the_schema_of_a_function_is_named_as_far_as_it_is_written():
    assert inspect_sql("SELECT a.b.f(1), c.g(2)", "postgres").functions == ("a.b.f", "c.g")
    assert inspect_sql("SELECT 'secret'.upper()", "duckdb").functions == ("?.upper",)
