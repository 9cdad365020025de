import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.inspection.sql.judging import UNREADABLE, judge
from extproc.core.inspection.sql.lexing import tokens_of
from extproc.core.model import Verb


def judged(text, dialect="postgres"):
    return judge(tokens_of(text, dialect), text, dialect)


def test_a_statement_has_an_effect_for_each_thing_it_does():
    effects = judged("WITH d AS (DELETE FROM a WHERE x = 1 RETURNING *) INSERT INTO b SELECT * FROM d").effects
    assert {(effect.kind, effect.verb) for effect in effects} == {("delete", Verb.MUTATE), ("insert", Verb.MUTATE)}


def test_two_statements_are_not_one():
    assert judged("SELECT 1; SELECT 2") == UNREADABLE
    assert judged("SELECT FROM FROM") == UNREADABLE


@pytest.mark.parametrize(
    ("dialect", "text", "said"),
    [
        ("postgres", "LISTEN c", "LISTEN is not for data"),
        ("postgres", "GRANT ALL ON t TO PUBLIC", "GRANT is not for data"),
        ("mysql", "KILL 5", "KILL is not for data"),
        ("mysql", "SET GLOBAL x = 1", "SET is not for data"),
        ("tsql", "xp_cmdshell 'x'", "a statement that is not understood"),
    ],
)
def test_what_is_not_for_data_is_named_by_its_first_word(dialect, text, said):
    facts = inspect_sql(text, dialect)
    assert facts.verb is Verb.ADMIN
    assert not facts.parsed
    assert said in facts.findings


def test_a_deep_statement_is_not_read():
    assert inspect_sql("SELECT " + "(" * 900 + "1" + ")" * 900, "postgres").verb is Verb.ADMIN
