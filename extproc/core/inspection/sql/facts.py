"""``inspect_sql``: from a text to facts, over all its statements and, where no dialect is said, over several readings."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from extproc.core.access import SqlFacts
from extproc.core.inspection.sql.dialects import SPELLINGS, WORST_OF
from extproc.core.inspection.sql.judging import UNREADABLE, Effect, Statement, judge
from extproc.core.inspection.sql.lexing import statements_of, tokens_of
from extproc.core.limits import MAX_SQL_CHARS, MAX_SQL_STATEMENTS
from extproc.core.model import Verb

__all__ = ["inspect_sql"]

_EXPLAIN: Final = re.compile(
    r"(?:\s|--[^\n]*\n|/\*(?:[^*/]|\*(?!/)|/(?!\*))*\*/)*+"
    r"EXPLAIN\s+(?:QUERY\s+PLAN\s+(?:FOR\s+)?)?(?P<options>\((?:[^()'\"]*)\)\s*|(?:(?:ANALYZE|ANALYSE|VERBOSE)\s+)*)",
    re.IGNORECASE,
)
_PREPARE: Final = re.compile(r"\s*PREPARE\s+\w+\s*(?:\([\w\s,]*\)\s*)?AS\s+(?=\w)", re.IGNORECASE)
_REPLACE: Final = re.compile(r"\s*REPLACE\s+(?=INTO\s)", re.IGNORECASE)
_RUNS: Final = re.compile(r"\bANALY[ZS]E\b(?!\s*(?:=\s*)?(?:false|off|0)\b)", re.IGNORECASE)
_UNKNOWN: Final = ("?",)
_MOST_FINDINGS: Final = 10


def inspect_sql(text: str, dialect: str | None = None) -> SqlFacts:
    """What the SQL of ``text`` does; total. ``dialect`` is one of ``access.DIALECTS``; None: the worst of several."""
    if len(text) > MAX_SQL_CHARS:
        return _facts([UNREADABLE])
    return _inspected(text, dialect)


@lru_cache(maxsize=512)
def _inspected(text: str, dialect: str | None) -> SqlFacts:
    if dialect is not None:
        return _facts(_read(text, dialect))
    readings = [_facts(_read(text, each)) for each in WORST_OF]
    worst = max(readings, key=lambda facts: (facts.verb.value, not facts.parsed))
    merged = {
        name: tuple(dict.fromkeys(item for facts in readings for item in getattr(facts, name)))
        for name in ("tables", "columns", "functions")
    }
    flags = {name: any(getattr(facts, name) for facts in readings) for name in ("drops", "truncates", "unbounded_write")}
    return SqlFacts(
        verb=worst.verb,
        parsed=all(facts.parsed for facts in readings),
        statements=worst.statements,
        findings=worst.findings,
        **merged,
        **flags,
    )


def _read(text: str, dialect: str) -> Sequence[Statement]:
    """Each statement of the text, as one dialect reads it."""
    explained = _EXPLAIN.match(text)
    inner = text[explained.end() :] if explained is not None else text
    # what these do is what stands behind them: a later EXECUTE is ADMIN, and REPLACE inserts, over old rows too
    prepared = _PREPARE.match(inner)
    inner = inner[prepared.end() :] if prepared is not None else inner
    replacing = _REPLACE.match(inner)
    inner = f"INSERT {inner[replacing.end() :]}" if replacing is not None else inner
    tokens = tokens_of(inner, SPELLINGS[dialect].name)
    if tokens is None:
        return [UNREADABLE]
    parts = statements_of(tokens)
    if not parts or len(parts) > MAX_SQL_STATEMENTS:
        return [UNREADABLE]
    found = [judge(part, inner, dialect) for part in parts]
    if explained is not None and not _RUNS.search(explained["options"]):
        found[0] = _only_planned(found[0])
    return found


def _only_planned(statement: Statement) -> Statement:
    """A statement that EXPLAIN plans and does not run; planning may call functions, and what is unread stays so."""
    if not statement.parsed or any(effect.kind == "call" for effect in statement.effects):
        return statement
    return Statement(
        effects=(Effect(verb=Verb.QUERY, kind="explain"),),
        tables=statement.tables,
        columns=statement.columns,
        functions=statement.functions,
    )


def _facts(statements: Sequence[Statement]) -> SqlFacts:
    effects = [effect for statement in statements for effect in statement.effects]
    parsed = all(statement.parsed for statement in statements)
    verb = max((effect.verb for effect in effects), key=lambda each: each.value)
    missing = () if parsed else _UNKNOWN
    return SqlFacts(
        verb=verb if parsed else Verb.ADMIN,
        parsed=parsed,
        statements=tuple(_kind(statement) for statement in statements),
        tables=_all(statement.tables for statement in statements) + missing,
        columns=_all(statement.columns for statement in statements) + missing,
        functions=_all(statement.functions for statement in statements) + missing,
        drops=not parsed or any(effect.kind == "drop" for effect in effects),
        truncates=not parsed or any(effect.kind == "truncate" for effect in effects),
        unbounded_write=not parsed or any(effect.unbounded for effect in effects),
        findings=tuple(dict.fromkeys(effect.said for effect in effects if effect.said))[:_MOST_FINDINGS],
    )


def _kind(statement: Statement) -> str:
    return max(statement.effects, key=lambda effect: effect.verb.value).kind


def _all(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in names for name in group))
