import pytest

from extproc.core.inspection.sql import inspect_sql


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "DELETE FROM t WHERE 1=1"),
        ("postgres", "DELETE FROM t WHERE true OR a = 1"),
        ("postgres", "DELETE FROM t WHERE (a = a) AND (2 > 1)"),
        ("postgres", "DELETE FROM t WHERE a >= a"),
        ("postgres", "DELETE FROM t WHERE a LIKE '%'"),
        ("postgres", "UPDATE t SET a = 1"),
        ("postgres", "DELETE FROM t WHERE " + "(" * 60 + "a = 1" + ")" * 60),
        ("mysql", "DELETE a FROM a INNER JOIN b ON a.id = b.id"),
        ("tsql", "WITH c AS (SELECT * FROM t) DELETE FROM c"),
        ("tsql", "WITH c AS (SELECT * FROM t WHERE 1 = 1) DELETE FROM c"),
        ("postgres", "MERGE INTO t USING s ON 1 = 1 WHEN MATCHED THEN DELETE"),
        ("tsql", "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE THEN DELETE;"),
    ],
)
def test_what_reaches_every_row_is_unbounded(dialect, text):
    assert inspect_sql(text, dialect).unbounded_write


@pytest.mark.parametrize(
    ("dialect", "text"),
    [
        ("postgres", "DELETE FROM t WHERE a = 1"),
        ("postgres", "DELETE FROM t WHERE a = b AND 1 = 1"),
        ("postgres", "DELETE FROM t WHERE a LIKE 'x%'"),
        ("postgres", "DELETE FROM t WHERE EXISTS (SELECT 1 FROM s WHERE s.a = t.a)"),
        ("postgres", "UPDATE t SET a = 1 WHERE id IN (1, 2)"),
        ("tsql", "WITH c AS (SELECT * FROM t WHERE a = 1) DELETE FROM c"),
        ("postgres", "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE"),
        ("tsql", "MERGE INTO t USING s ON t.a = s.a WHEN NOT MATCHED BY SOURCE AND t.x = 1 THEN DELETE;"),
        ("postgres", "INSERT INTO t VALUES (1)"),
    ],
)
def test_what_reaches_some_rows_is_not(dialect, text):
    facts = inspect_sql(text, dialect)
    assert facts.parsed
    assert not facts.unbounded_write
