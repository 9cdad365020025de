"""Words that may begin a statement, where the parser took them for something else."""

import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1 DELETE FROM t",
        "SELECT a FROM t UPDATE u SET a = 1",
        "SELECT 1 EXEC",
        "UPDATE t SET a = 1 FROM t DELETE FROM u",
        "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE DROP TABLE x;",
    ],
)
def test_sql_server_ends_no_statement_so_a_second_one_is_looked_for(text):
    assert inspect_sql(text, "tsql").verb is Verb.ADMIN


@pytest.mark.parametrize(
    "text",
    [
        "SELECT comment, [delete], copy FROM t",
        "SELECT a.update FROM a",
        "SELECT REPLACE(a, 'x', 'y') FROM t FOR XML PATH",
        "SELECT @set FROM t",
    ],
)
def test_names_and_calls_are_no_statements(text):
    assert inspect_sql(text, "tsql").verb is Verb.QUERY


def test_elsewhere_such_a_word_must_be_a_name():
    assert inspect_sql("SELECT comment, load, use FROM t AS copy", "postgres").verb is Verb.QUERY
    assert inspect_sql("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET a = 1", "tsql").parsed
