"""``inspect_sql``: from a text to facts, over all its statements, and over several readings without a dialect."""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from extproc.core.access import SqlFacts
from extproc.core.inspection.sql.costs import is_costly
from extproc.core.inspection.sql.dialects import SPELLINGS, WORST_OF
from extproc.core.inspection.sql.judging import UNREADABLE, Effect, Statement, judge
from extproc.core.inspection.sql.lexing import statements_of, tokens_of
from extproc.core.limits import MAX_SQL_CHARS, MAX_SQL_STATEMENTS, MAX_SQL_TOKENS
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


def inspect_sql(text: str | tuple[str, ...], dialect: str | None = None) -> SqlFacts:
    """What the SQL of ``text``, or of all of several texts, does; total.

    ``dialect`` is one of ``access.DIALECTS``; None: the worst of several.
    """
    texts = (text,) if isinstance(text, str) else text
    if not texts or sum(map(len, texts)) > MAX_SQL_CHARS or len(texts) > MAX_SQL_STATEMENTS:
        return _facts([UNREADABLE])
    return _inspected(texts, dialect)


@lru_cache(maxsize=512)
def _inspected(texts: tuple[str, ...], dialect: str | None) -> SqlFacts:
    most = MAX_SQL_TOKENS // (1 if dialect is not None else 4)
    readings = [
        _facts([statement for text in texts for statement in _read(text, each, most, is_named=dialect is not None)])
        for each in (WORST_OF if dialect is None else (dialect,))
    ]
    return readings[0] if len(readings) == 1 else _worst(readings)


def _worst(readings: Sequence[SqlFacts]) -> SqlFacts:
    """One that has the verb of the worst, and whatever any of them found."""
    worst = max(readings, key=lambda facts: (facts.verb.value, not facts.parsed))
    return SqlFacts(
        verb=worst.verb,
        parsed=all(facts.parsed for facts in readings),
        statements=worst.statements,
        tables=_merged(facts.tables for facts in readings),
        columns=_merged(facts.columns for facts in readings),
        functions=_merged(facts.functions for facts in readings),
        drops=any(facts.drops for facts in readings),
        truncates=any(facts.truncates for facts in readings),
        unbounded_write=any(facts.unbounded_write for facts in readings),
        findings=worst.findings,
    )


def _read(text: str, dialect: str, most: int, *, is_named: bool) -> Sequence[Statement]:
    """Each statement of the text, as one dialect reads it; of more than ``most`` tokens nothing is read."""
    explained = _EXPLAIN.match(text)
    inner = text[explained.end() :] if explained is not None else text
    # what these do is what stands behind them: a later EXECUTE is ADMIN, and REPLACE inserts, over old rows too
    prepared = _PREPARE.match(inner)
    inner = inner[prepared.end() :] if prepared is not None else inner
    replacing = _REPLACE.match(inner)
    inner = f"INSERT {inner[replacing.end() :]}" if replacing is not None else inner
    tokens = tokens_of(inner, SPELLINGS[dialect].name)
    if tokens is None or len(tokens) > most or is_costly(tokens):
        return [UNREADABLE]
    parts = statements_of(tokens)
    if not parts or len(parts) > MAX_SQL_STATEMENTS:
        return [UNREADABLE]
    found = [judge(part, inner, dialect, is_named=is_named) for part in parts]
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


def _merged(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    """Each once, and what stands for those that are missing last."""
    found = _all(names)
    return (*(name for name in found if name not in _UNKNOWN), *(_UNKNOWN if "?" in found else ()))


def _all(names: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for group in names for name in group))
