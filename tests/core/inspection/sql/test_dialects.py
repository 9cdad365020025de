import pytest
from sqlglot.dialects.dialect import Dialect

from extproc.core.access import DIALECTS
from extproc.core.inspection.sql import inspect_sql
from extproc.core.inspection.sql.dialects import SPELLINGS, WORST_OF
from extproc.core.model import Verb


def test_every_dialect_that_a_policy_may_name_has_a_spelling_and_a_grammar():
    assert tuple(SPELLINGS) == DIALECTS
    assert set(WORST_OF) <= set(DIALECTS)
    for name, spelling in SPELLINGS.items():
        assert spelling.name == name
        Dialect.get_or_raise(spelling.grammar)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_plain_sql_is_the_same_in_all(dialect):
    assert inspect_sql("SELECT a, count(*) FROM s.t WHERE b = 'x' -- c\nGROUP BY a", dialect).verb is Verb.QUERY
    assert inspect_sql("DELETE FROM t WHERE b = 'x'", dialect).verb is Verb.MUTATE
    assert inspect_sql("DROP TABLE t", dialect).drops


def test_a_quoted_name_is_that_of_a_built_in_function_only_in_the_case_of_its_product():
    written = ("lower", "LOWER", "Lower", "a.b")
    for dialect, expected in (("postgres", "lower"), ("oracle", "LOWER"), ("mysql", ""), ("tsql", "lower LOWER Lower")):
        assert [name for name in written[:3] if SPELLINGS[dialect].may_be_built_in(name)] == expected.split()
    assert not SPELLINGS["bigquery"].may_be_built_in(written[3])
