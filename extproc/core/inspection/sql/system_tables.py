"""Writes to the tables in which a database keeps itself: users, rights, definitions. They are administration."""

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

__all__ = ["system_targets"]

_SCHEMAS_WORDS: Final = """
ACCOUNT_USAGE AUDSYS CTXSYS DBSNMP INFORMATION_SCHEMA LBACSYS MASTER MDSYS MODEL MSDB MYSQL PERFORMANCE_SCHEMA
PG_CATALOG PG_TOAST SYS SYSMAN SYSTEM XDB
"""
_SCHEMAS: Final = frozenset(_SCHEMAS_WORDS.lower().split())
_PREFIXES: Final = ("pg_", "sqlite_", "stl_", "stv_", "svv_")
_NAMES: Final = frozenset({"sysobjects", "syscolumns", "sysusers", "sysdatabases", "syslogins", "sysxlogins"})


def system_targets(change: exp.Expr, ctes: dict[str, exp.Expr]) -> Iterator[exp.Table]:
    """The tables of the database itself among those that an INSERT, UPDATE, DELETE or MERGE may change."""
    for table in _targets(change, ctes):
        parts = [part.name.lower() for part in table.parts]
        name = table.name.lower()
        if not _SCHEMAS.isdisjoint(parts[:-1]) or name in _NAMES or name.startswith(_PREFIXES):
            yield table


def _targets(change: exp.Expr, ctes: dict[str, exp.Expr]) -> Iterator[exp.Table]:
    """What is written to: by its own name, by the alias of a table beside it, or through a common table expression."""
    target = change.this
    written = [*(target.find_all(exp.Table) if target is not None else ()), *(change.args.get("tables") or ())]
    names = {table.name.lower() for table in written if isinstance(table, exp.Table)}
    for key in ("from", "from_", "using", "joins"):
        beside = change.args.get(key)
        for node in beside if isinstance(beside, list) else [beside]:
            found = node.find_all(exp.Table) if isinstance(node, exp.Expr) else ()
            written += [table for table in found if table.alias and table.alias.lower() in names]
    for name in names & ctes.keys():
        written += ctes[name].find_all(exp.Table)
    yield from (table for table in written if isinstance(table, exp.Table))
