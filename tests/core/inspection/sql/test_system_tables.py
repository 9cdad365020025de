"""Writing where a database keeps itself is administration, whatever the rows are (issue 3)."""

import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb


@pytest.mark.parametrize(
    ("dialect", "text", "table"),
    [
        ("mysql", "INSERT INTO mysql.user VALUES (1)", "mysql.user"),
        ("mysql", "INSERT INTO `MySQL`.`user` (a) VALUES (1)", "mysql.user"),
        ("mysql", "REPLACE INTO mysql.db VALUES (1)", "mysql.db"),
        (
            "mysql",
            "UPDATE performance_schema.setup_consumers SET a = 1 WHERE b = 2",
            "performance_schema.setup_consumers",
        ),
        ("mysql", "UPDATE t JOIN mysql.user u ON t.a = u.a SET u.x = 1 WHERE t.b = 2", "mysql.user"),
        ("mysql", "DELETE u FROM t JOIN mysql.user u ON t.a = u.a WHERE t.b = 2", "mysql.user"),
        ("mysql", "DELETE FROM u USING mysql.user AS u WHERE u.a = 1", "mysql.user"),
        ("postgres", "UPDATE pg_catalog.pg_class SET relname = 'x' WHERE oid = 2", "pg_catalog.pg_class"),
        ("postgres", "INSERT INTO pg_authid VALUES (1)", "pg_authid"),
        ("postgres", "WITH x AS (DELETE FROM pg_depend WHERE objid = 1 RETURNING *) SELECT * FROM x", "pg_depend"),
        ("postgres", "DELETE FROM information_schema.tables WHERE a = 1", "information_schema.tables"),
        ("oracle", "UPDATE SYS.USER$ SET a = 1 WHERE b = 2", "sys.user$"),
        ("sqlite", "UPDATE sqlite_master SET sql = '' WHERE name = 't'", "sqlite_master"),
        ("sqlite", "DELETE FROM main.sqlite_sequence WHERE name = 't'", "main.sqlite_sequence"),
        ("tsql", "DELETE FROM sys.tables WHERE a = 1", "sys.tables"),
        ("tsql", "UPDATE u SET u.a = 1 FROM msdb.dbo.jobs u WHERE u.b = 2", "msdb.dbo.jobs"),
        ("tsql", "WITH c AS (SELECT * FROM sys.x) DELETE FROM c WHERE a = 1", "sys.x"),
        ("tsql", "INSERT INTO sysusers (a) VALUES (1)", "sysusers"),
        ("tsql", "MERGE INTO sys.x USING s ON x.a = s.a WHEN MATCHED THEN UPDATE SET b = 1;", "sys.x"),
    ],
)
def test_a_write_to_the_database_itself_is_admin(dialect, text, table):
    facts = inspect_sql(text, dialect)
    assert facts.verb is Verb.ADMIN
    assert any(finding.endswith(f" on {table}, where the database keeps itself") for finding in facts.findings)


@pytest.mark.parametrize(
    ("text", "verb"),
    [
        ("SELECT relname FROM pg_catalog.pg_class", Verb.QUERY),
        ("SELECT table_name FROM information_schema.tables FOR UPDATE", Verb.QUERY),
        ("INSERT INTO t SELECT relname FROM pg_class", Verb.MUTATE),
        ("UPDATE t SET a = (SELECT max(oid) FROM pg_catalog.pg_class) WHERE b = 1", Verb.MUTATE),
        ("DELETE FROM t USING pg_class c WHERE t.a = c.oid", Verb.MUTATE),
        ("INSERT INTO my.system_log VALUES (1)", Verb.MUTATE),
        ("INSERT INTO sales.sys VALUES (1)", Verb.MUTATE),
    ],
)
def test_reading_it_is_reading_and_other_tables_are_data(text, verb):
    assert inspect_sql(text, "postgres").verb is verb
