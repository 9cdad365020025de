"""SQL inspection on statements of our own, in every dialect: what databases do with them, and what people ask daily."""

from pathlib import Path

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb

HERE = Path(__file__).parent
VERBS = {verb.name.lower(): verb for verb in Verb}


def lines(name: str) -> list[str]:
    texts = (HERE / name).read_text("utf-8").splitlines()
    return [line.replace("\\n", "\n") for line in texts if line and not line.startswith("#")]


LABELLED = [
    (dialect, VERBS[verb], sql)
    for dialect, verb, sql in (line.split(" | ", 2) for line in lines("labelled_statements.txt"))
]
OWN = [line.split(" | ", 1) for line in lines("own_functions.txt")]
EVERYDAY = [(dialect, sql) for dialect, sql in (line.split(" | ", 1) for line in lines("everyday_queries.txt"))]


def test_no_statement_is_taken_for_less_than_it_does() -> None:
    for known in (True, False):
        missed = [row for row in LABELLED if inspect_sql(row[2], row[0] if known else None).verb < row[1]]
        assert not missed


def test_a_change_of_rows_is_no_more_than_that() -> None:
    changes = [(dialect, sql) for dialect, verb, sql in LABELLED if verb is Verb.MUTATE]
    assert not [row for row in changes if inspect_sql(row[1], row[0]).verb is Verb.ADMIN]


def test_what_people_ask_every_day_is_a_query() -> None:
    refused = [row for row in EVERYDAY if inspect_sql(row[1], row[0]).verb is not Verb.QUERY]
    assert not refused


def test_a_function_is_harmless_only_where_its_own_product_has_it_built_in() -> None:
    assert not [row for row in OWN if inspect_sql(row[1], row[0]).verb is not Verb.ADMIN]
