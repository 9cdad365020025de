"""SQL inspection on statements that were labelled by hand; skipped where those are not at hand."""

import json

import pytest

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb

VERBS = {"read": Verb.QUERY, "write": Verb.MUTATE, "ddl": Verb.ADMIN, "admin": Verb.ADMIN}
MOST_OVER = 0.10


@pytest.fixture
def labelled(corpora):
    path = corpora / "sql" / "sql_corpus.dev.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_nothing_is_taken_for_less_than_it_does(labelled):
    under = [row["sql"] for row in labelled if inspect_sql(row["sql"], row["dialect"]).verb < VERBS[row["expect"]]]
    assert not under
    under = [row["sql"] for row in labelled if inspect_sql(row["sql"]).verb < VERBS[row["expect"]]]
    assert not under


def test_little_is_taken_for_more_than_it_does(labelled):
    over = [row["sql"] for row in labelled if inspect_sql(row["sql"], row["dialect"]).verb > VERBS[row["expect"]]]
    assert len(over) <= MOST_OVER * len(labelled), over


def test_every_write_to_all_rows_is_told(labelled):
    missed = [
        row["sql"]
        for row in labelled
        if row["no_where"] and not inspect_sql(row["sql"], row["dialect"]).unbounded_write
    ]
    assert not missed


def test_the_tables_are_those_that_stand_there(labelled):
    for row in labelled:
        facts = inspect_sql(row["sql"], row["dialect"])
        if facts.parsed and row["tables"] is not None:
            assert sorted(facts.tables) == sorted(row["tables"]), row["sql"]
