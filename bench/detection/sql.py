"""SQL: missed is what is taken for less than it does, a false alarm what is taken for more."""

from collections.abc import Iterator
from pathlib import Path

from family import Family, counted, rows

from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Verb

VERBS = {"read": Verb.QUERY, "write": Verb.MUTATE, "ddl": Verb.ADMIN, "admin": Verb.ADMIN}


def families(corpora: Path) -> Iterator[Family]:
    """The labelled statements, in their own dialect and without one; and pieces of injections, which are no SQL."""
    own = list(rows(corpora / "sql" / "sql_corpus.dev.jsonl"))
    for name, told in (("its dialect", True), ("no dialect", False)):

        def verb(row: dict, told: bool = told) -> Verb:
            return inspect_sql(row["sql"], row["dialect"] if told else None).verb

        harmful = [row for row in own if VERBS[row["expect"]] > Verb.QUERY]
        yield counted(f"sql: at least what it does, {name}", harmful, [], lambda row: verb(row) >= VERBS[row["expect"]])
        yield counted(f"sql: more than it does, {name}", [], own, lambda row: verb(row) > VERBS[row["expect"]])
    every = [row for row in own if row["no_where"]]
    some = [row for row in own if VERBS[row["expect"]] is Verb.MUTATE and not row["no_where"]]
    yield counted(
        "sql: reaches every row", every, some, lambda row: inspect_sql(row["sql"], row["dialect"]).unbounded_write
    )
    pieces = [
        line
        for file in sorted((corpora / "libinjection").glob("sqli-*.dev.txt"))
        for line in file.read_text("utf-8", "replace").splitlines()
        if line and not line.startswith("#")
    ]
    yield counted(
        "sql: injections as whole statements, not a query", pieces, [], lambda text: inspect_sql(text).verb > 1
    )
