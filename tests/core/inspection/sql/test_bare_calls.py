"""Calls without parentheses in Oracle: a qualified name that is no column of anything in scope (issue 3)."""

import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("SELECT dbms_x.f FROM dual", "dbms_x.f"),
        ("SELECT DBMS_X.F AS name FROM t", "dbms_x.f"),
        ("SELECT hr.pkg.fn FROM dual", "hr.pkg.fn"),
        ("SELECT hr.pkg.fn FROM t WHERE hr.pkg.fn = 1", "hr.pkg.fn"),
        ("SELECT a FROM t WHERE pkg.f > 1", "pkg.f"),
        ("SELECT a FROM t ORDER BY pkg.f", "pkg.f"),
        ("SELECT * FROM TABLE(pkg.f)", "pkg.f"),
        ("INSERT INTO t SELECT pkg.f FROM dual", "pkg.f"),
        ("INSERT INTO t (a) VALUES (pkg.f)", "pkg.f"),
        ("UPDATE t SET a = pkg.f WHERE t.b = 1", "pkg.f"),
        ("DELETE FROM t WHERE a = pkg.f", "pkg.f"),
        ("MERGE INTO t USING s ON (t.a = s.a) WHEN MATCHED THEN UPDATE SET t.b = pkg.f", "pkg.f"),
        # an alias counts only where it is in scope, and is no part of a longer name
        ("SELECT pkg.f FROM dual WHERE EXISTS (SELECT 1 FROM dual pkg)", "pkg.f"),
        ("SELECT x.a FROM dual pkg, (SELECT pkg.f a FROM dual) x", "pkg.f"),
        ("SELECT x.a FROM dual pkg JOIN (SELECT pkg.f a FROM dual) x ON 1 = 1", "pkg.f"),
        ("WITH c AS (SELECT pkg.f a FROM dual) SELECT c.a FROM c, dual pkg", "pkg.f"),
        ("SELECT hr.pkg.fn FROM dual pkg", "hr.pkg.fn"),
        ("INSERT INTO pkg SELECT pkg.f FROM dual", "pkg.f"),
        (
            "MERGE INTO t pkg USING (SELECT pkg.f a FROM dual) s ON (1 = s.a) WHEN MATCHED THEN UPDATE SET b = 1",
            "pkg.f",
        ),
        ("UPDATE (SELECT pkg.f a FROM t) pkg SET pkg.a = 1 WHERE pkg.a = 2", "pkg.f"),
        ("SELECT 1 FROM (SELECT a FROM pkg) WHERE pkg.f = 1", "pkg.f"),
        ("SELECT emp.f FROM emp e", "emp.f"),
        ("DELETE FROM t USING s WHERE t.a = s.a AND pkg.f = 1", "pkg.f"),
        ("UPDATE a JOIN b ON a.i = b.i SET a.x = pkg.f WHERE b.y = 2", "pkg.f"),
        # DUAL has one column
        ("SELECT f FROM dual", "f"),
        ("SELECT f FROM sys.dual d", "f"),
    ],
)
def test_a_name_that_is_no_column_in_scope_is_a_call(text, call):
    facts = inspect_sql(text, "oracle")
    assert (facts.verb, call in facts.functions) == (Verb.ADMIN, True)
    assert f"calls {call}, which is not known to be harmless" in facts.findings
    assert inspect_sql(text).verb is Verb.ADMIN


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("SELECT t.a, t.* FROM t", Verb.QUERY),
        ("SELECT s.t.a FROM s.t", Verb.QUERY),
        ("SELECT t.a FROM s.t", Verb.QUERY),
        ("SELECT hr.emp.name FROM emp", Verb.QUERY),
        ("SELECT x.y, x.object.attribute FROM t x", Verb.QUERY),
        ("SELECT a.x, b.y FROM a JOIN b ON a.i = b.i", Verb.QUERY),
        ("SELECT a.x, b.y FROM (a JOIN b ON a.i = b.i)", Verb.QUERY),
        ("SELECT a.x FROM (t a JOIN b ON a.i = b.i) JOIN c ON a.k = c.k", Verb.QUERY),
        ("SELECT a.x, u.y FROM a, TABLE(a.items) u", Verb.QUERY),
        ("SELECT e.n FROM emp e WHERE EXISTS (SELECT 1 FROM dept d WHERE d.id = e.dept)", Verb.QUERY),
        ("SELECT (SELECT x.a FROM dual) FROM t x", Verb.QUERY),
        ("SELECT (SELECT a FROM dual) FROM t", Verb.QUERY),
        ("SELECT a FROM t, LATERAL (SELECT t.b FROM dual) l", Verb.QUERY),
        ("SELECT q.a FROM (SELECT a FROM t) q ORDER BY q.a", Verb.QUERY),
        ("WITH c AS (SELECT a FROM t) SELECT c.a FROM c", Verb.QUERY),
        ("SELECT a FROM t START WITH t.p IS NULL CONNECT BY PRIOR t.id = t.p", Verb.QUERY),
        ("SELECT sysdate, user, rownum, dummy FROM dual", Verb.QUERY),
        ("UPDATE emp e SET e.sal = 1 WHERE e.id = 2", Verb.MUTATE),
        ("DELETE FROM emp e WHERE e.id = 2", Verb.MUTATE),
        ("INSERT INTO t (a) SELECT s.a FROM s", Verb.MUTATE),
        ("MERGE INTO t USING s ON (t.a = s.a) WHEN MATCHED THEN UPDATE SET t.b = s.b", Verb.MUTATE),
        ("MERGE INTO t x USING (SELECT a FROM s) y ON (x.a = y.a) WHEN MATCHED THEN UPDATE SET x.b = y.a", Verb.MUTATE),
        ("SELECT seq.nextval FROM dual", Verb.MUTATE),
    ],
)
def test_columns_are_columns(text, verb):
    assert inspect_sql(text, "oracle").verb is verb


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM t USING s WHERE t.id = s.id",
        "DELETE FROM t USING s JOIN u ON s.a = u.a WHERE t.id = u.id",
        "UPDATE a JOIN b ON a.id = b.id SET a.x = 1 WHERE b.y = 2",
    ],
)
def test_columns_of_tables_beside_a_changed_one_are_columns_where_no_dialect_is_named(text):
    assert inspect_sql(text).verb is Verb.MUTATE


def test_other_databases_want_parentheses():
    assert inspect_sql("SELECT record.field FROM t", "bigquery").verb is Verb.QUERY
    assert inspect_sql("SELECT f FROM dual", "mysql").verb is Verb.QUERY
