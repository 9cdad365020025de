"""SQL inspection through its one door: what a text does, in each dialect, and the worst of them where none is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.inspection.sql import inspect_sql
from extproc.core.limits import MAX_SQL_CHARS, MAX_SQL_STATEMENTS, MAX_SQL_TOKENS
from extproc.core.model import Verb

QUERY, MUTATE, ADMIN = Verb.QUERY, Verb.MUTATE, Verb.ADMIN

READ = [
    ("postgres", "SELECT a, count(*) FROM sales.orders o JOIN c USING (id) WHERE x = 'DROP TABLE t' GROUP BY a"),
    ("postgres", 'SELECT $$; DROP TABLE t$$, E\'it\\\'s; --\', "delete" FROM "update" -- DELETE'),
    ("postgres", "SELECT 1 /* a /* ; DROP TABLE x */ b */"),
    ("postgres", "WITH a AS (SELECT 1) SELECT * FROM a FOR UPDATE"),
    ("postgres", "EXPLAIN (ANALYZE false) DELETE FROM t"),
    ("postgres", "EXPLAIN DELETE FROM t"),
    ("postgres", "EXPLAIN ANALYZE SELECT * FROM t"),
    ("postgres", "COPY (SELECT 1) TO STDOUT"),
    ("postgres", "SHOW search_path"),
    ("postgres", "BEGIN; SELECT 1; COMMIT;;"),
    ("postgres", "VALUES (1), (2)"),
    ("postgres", "TABLE t"),
    ("postgres", "SELECT comment, load FROM t"),
    ("postgres", "SELECT pg_catalog.lower('X'), now(), date_trunc('day', d)::date FROM t"),
    ("mysql", 'SELECT `delete`, "a\\"; DROP TABLE t" FROM t # DELETE\n'),
    ("mysql", "SELECT a INTO @v FROM t"),
    ("mysql", "DESCRIBE t"),
    ("sqlite", "PRAGMA table_info(t)"),
    ("sqlite", "PRAGMA main.database_list"),
    ("tsql", "SELECT TOP 10 [set] FROM [dbo].[Users] WHERE n LIKE N'%x%'"),
    ("oracle", "SELECT q'[it's; DROP TABLE t]' FROM dual"),
    ("snowflake", "SELECT $$a'b$$ FROM t // DELETE\n"),
    ("duckdb", "FROM people SELECT name"),
    ("bigquery", "SELECT r'a', b\"x\" FROM `p.d.t`"),
]
CHANGED = [
    ("postgres", "INSERT INTO sales.t (a) SELECT 1 ON CONFLICT (a) DO UPDATE SET a = 2", "INSERT on sales.t"),
    ("postgres", "UPDATE t SET a = 1 WHERE id = 3", "UPDATE on t"),
    ("postgres", "WITH d AS (DELETE FROM orders WHERE id = 1 RETURNING *) SELECT * FROM d", "DELETE on orders"),
    ("postgres", "EXPLAIN (ANALYZE, BUFFERS) UPDATE orders SET a = 1 WHERE id = 2", "UPDATE on orders"),
    ("postgres", "SELECT 1; DELETE FROM t WHERE a = 1", "DELETE on t"),
    ("postgres", "PREPARE p (int) AS DELETE FROM t WHERE a = $1", "DELETE on t"),
    ("postgres", "COPY t FROM STDIN", "COPY on t"),
    ("postgres", "SELECT nextval('s')", "calls nextval"),
    ("postgres", "MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE", "MERGE on t"),
    ("mysql", "REPLACE INTO t VALUES (1)", "INSERT on t"),
    ("sqlite", "REPLACE INTO t VALUES (1)", "INSERT on t"),
    ("oracle", "SELECT s.nextval FROM dual", "takes a number from a sequence"),
    ("tsql", "SELECT NEXT VALUE FOR s", "takes a number from a sequence"),
    ("spark", "INSERT OVERWRITE TABLE t SELECT * FROM s", "INSERT on t"),
]
OTHER = [
    ("postgres", "DROP TABLE IF EXISTS a.b, c CASCADE", "DROP TABLE on a.b"),
    ("postgres", "TRUNCATE t", "TRUNCATE on t"),
    ("postgres", "ALTER TABLE t ADD COLUMN x int", "ALTER TABLE on t"),
    ("postgres", "CREATE TABLE n AS SELECT 1", "CREATE TABLE on n"),
    ("postgres", "SELECT * INTO n FROM t", "SELECT INTO makes a table or a file"),
    ("postgres", "COPY t TO PROGRAM 'id'", "COPY with files or programs on t"),
    ("postgres", "SELECT pg_read_file('/etc/passwd')", "calls pg_read_file, which is not known to be harmless"),
    ("postgres", "SELECT evil.lower('x')", "calls evil.lower, which is not known to be harmless"),
    ("postgres", 'SELECT "My Func"(1)', 'calls "my func", which is not known to be harmless'),
    ("postgres", "EXPLAIN SELECT my_function(1)", "calls my_function, which is not known to be harmless"),
    ("postgres", "SELECT 1; DROP TABLE x", "DROP TABLE on x"),
    ("spark", "INSERT OVERWRITE DIRECTORY '/x' SELECT 1", "INSERT into a directory"),
    ("clickhouse", "ALTER TABLE t DELETE WHERE 1", "ALTER TABLE on t"),
]
UNREAD = [
    ("postgres", "GRANT ALL ON t TO PUBLIC"),
    ("sqlite", "PRAGMA journal_mode(off)"),
    ("postgres", "VACUUM FULL t"),
    ("postgres", "LISTEN c"),
    ("postgres", "DO 'BEGIN END'"),
    ("postgres", "CALL p()"),
    ("postgres", "EXECUTE p(1)"),
    ("postgres", "SELECT * FROM t WHERE a = 'unterminated"),
    ("postgres", "SELECT 1 SELECT 2"),
    ("postgres", "SELECT a OPERATOR(evil.=) b FROM t"),
    ("postgres", ""),
    ("postgres", "-- nothing"),
    ("postgres", "SELECT 1; \x00DROP TABLE t"),
    ("postgres", "SELECT 1;\u00a0DELETE FROM t"),
    ("postgres", "SELECT 1 --\rDELETE FROM t"),
    ("postgres", 'SELECT * FROM U&"d\\0061ta"'),
    ("postgres", "SHOW search_path, 'x'"),
    ("mysql", "/*!50000 DELETE FROM t */"),
    ("mysql", "SELECT /*+ SET_VAR(sql_mode='') */ 1"),
    ("mysql", "SELECT * FROM t INTO OUTFILE '/tmp/x'"),
    ("tsql", "SELECT 1\nDELETE FROM t"),
    ("tsql", "SELECT 1\nGO\nDROP TABLE t"),
    ("tsql", "UPDATE t SET a = 1 WHERE b = 2 DELETE FROM t"),
    ("tsql", "EXEC('DROP TABLE t')"),
    ("tsql", "xp_cmdshell 'whoami'"),
    ("duckdb", "SELECT * FROM '/etc/passwd'"),
    ("duckdb", "INSTALL httpfs"),
    ("duckdb", "SELECT * FROM data.csv"),
    ("oracle", "SELECT * FROM t@link"),
    ("spark", "SELECT * FROM parquet.`/etc/x`"),
    ("snowflake", "SELECT * FROM @stage"),
    ("redshift", "SELECT 'a\\' OR 1=1'"),
    (None, "SELECT TOP 3 * FROM t"),
]


@pytest.mark.parametrize(("dialect", "text"), READ)
def test_what_reads_is_a_query(dialect, text):
    facts = inspect_sql(text, dialect)
    assert (facts.verb, facts.parsed, facts.findings) == (QUERY, True, ())
    assert not any((facts.drops, facts.truncates, facts.unbounded_write))


@pytest.mark.parametrize(("dialect", "text", "said"), CHANGED)
def test_what_changes_rows_is_a_mutation_and_says_of_what(dialect, text, said):
    facts = inspect_sql(text, dialect)
    assert (facts.verb, facts.parsed) == (MUTATE, True)
    assert said in facts.findings


@pytest.mark.parametrize(("dialect", "text", "said"), OTHER)
def test_everything_else_is_admin_and_says_why(dialect, text, said):
    facts = inspect_sql(text, dialect)
    assert (facts.verb, facts.parsed) == (ADMIN, True)
    assert said in facts.findings


@pytest.mark.parametrize(("dialect", "text"), UNREAD)
def test_what_cannot_be_read_is_admin_and_may_do_anything(dialect, text):
    facts = inspect_sql(text, dialect)
    assert (facts.verb, facts.parsed) == (ADMIN, False)
    assert facts.drops
    assert facts.truncates
    assert facts.unbounded_write
    assert facts.findings
    assert all(names[-1] == "?" for names in (facts.tables, facts.columns, facts.functions))


def test_the_facts_of_a_statement():
    text = (
        'WITH x AS (SELECT a FROM "Sales"."Big Table") SELECT x.*, u.name, max(b) FROM x JOIN users u ON u.id = x.a; '
        "DELETE FROM log WHERE day < 3"
    )
    facts = inspect_sql(text, "postgres")
    assert set(facts.tables) == {'sales."big table"', "users", "log"}
    assert set(facts.columns) == {"a", "x.*", "u.name", "b", "u.id", "x.a", "day"}
    assert facts.functions == ("max",)
    assert facts.statements == ("select", "delete")


def test_what_destroys_is_told_apart():
    assert inspect_sql("DROP TABLE t", "postgres").drops
    assert inspect_sql("ALTER TABLE t DROP COLUMN x", "postgres").drops
    assert inspect_sql("ALTER TABLE t ALTER COLUMN x DROP NOT NULL", "postgres").drops
    assert inspect_sql("TRUNCATE t", "postgres").truncates
    assert inspect_sql("DELETE FROM t", "postgres").unbounded_write
    assert inspect_sql("DELETE FROM t", "postgres").findings == ("DELETE without WHERE on t",)
    assert not inspect_sql("DELETE FROM t WHERE a = 1", "postgres").unbounded_write


def test_several_texts_are_one_after_the_other():
    facts = inspect_sql(("SELECT 1 FROM a", "DELETE FROM b WHERE c = 1"), "postgres")
    assert (facts.verb, facts.tables) == (MUTATE, ("a", "b"))
    assert not inspect_sql(("SELECT 'a", "b'"), "postgres").parsed
    assert not inspect_sql((), "postgres").parsed


def test_without_a_dialect_the_worst_reading_counts():
    text = r"SELECT '\'; DROP TABLE t; --'"
    assert inspect_sql(text, "mysql").verb is QUERY
    assert inspect_sql(text, "postgres").verb is ADMIN
    assert inspect_sql(text).verb is ADMIN
    assert inspect_sql("SELECT a, b FROM s.t WHERE c = 'x'") == inspect_sql(
        "SELECT a, b FROM s.t WHERE c = 'x'", "postgres"
    )


def test_no_literal_stands_in_what_is_said():
    for dialect, text, _ in CHANGED + OTHER:
        facts = inspect_sql(text.replace("'", "'hunter2"), dialect)
        assert "hunter2" not in repr(facts)
    for dialect, text in UNREAD:
        assert "whoami" not in repr(inspect_sql(text, dialect))


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 -- " + "x" * MAX_SQL_CHARS,
        "SELECT 1;" * (MAX_SQL_STATEMENTS + 1),
        "SELECT " + "a," * (MAX_SQL_TOKENS // 2) + "a",
        "SELECT " + "(" * 4000,
        "SELECT * FROM a" + " JOIN a" * 2000,
        "SELECT " + "DATE(" * 500 + "1" + ")" * 500,
        "SELECT " + "CASE WHEN 1 THEN " * 1000,
        "/*" * 60,
        "'" * 30_001,
        "\\" * 30_000,
    ],
)
def test_what_would_take_long_is_not_read(text):
    for dialect in ("postgres", "tsql", None):
        assert not inspect_sql(text, dialect).parsed


def test_what_is_long_and_plain_is_read():
    assert inspect_sql("SELECT * FROM t WHERE id IN (" + ",".join(map(str, range(1000))) + ")", "postgres").parsed
    joined = "SELECT * FROM t0 " + " ".join(f"JOIN t{n} ON t{n}.id = t0.id" for n in range(1, 40))
    assert inspect_sql(joined, "postgres").verb is QUERY


anything = st.sampled_from(
    [(dialect, text) for dialect, text, *_ in [*READ, *CHANGED, *OTHER] if dialect != "bigquery"]
)


@given(anything, st.sampled_from(["; DROP TABLE zz", ";\n-- c\nDROP TABLE zz", "; SELECT 1; DROP TABLE zz"]))
def test_what_is_appended_never_goes_unseen(given_, tail):
    dialect, text = given_
    assert inspect_sql(text.rstrip("\n;") + "\n" + tail, dialect).drops


@given(anything, st.sampled_from(["\n", "\t ", " /* x */ ", "\n-- x\n"]), st.booleans())
def test_spelling_lowers_nothing(given_, between, upper):
    dialect, text = given_
    if any(mark in text for mark in "'\"`$#/"):
        return
    spelled = between.join(text.split(" "))
    assert inspect_sql(spelled.upper() if upper else spelled, dialect).verb >= inspect_sql(text, dialect).verb


@given(anything)
def test_explain_analyze_runs_what_it_explains(given_):
    dialect, text = given_
    before = inspect_sql(text, dialect).verb
    assert inspect_sql(f"EXPLAIN ANALYZE {text}", dialect).verb >= before


@given(st.text(max_size=60), st.sampled_from(["postgres", "mysql", "tsql", "duckdb", None]))
def test_any_text_has_facts(text, dialect):
    facts = inspect_sql(text, dialect)
    assert facts.parsed or facts.verb is ADMIN
