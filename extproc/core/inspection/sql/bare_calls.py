"""Calls without parentheses: Oracle runs a function of a package where ``package.function`` stands like a column.

A column is one whose qualifier is a table or an alias in scope, as Oracle resolves names (SQL Language Reference,
"Syntax for Schema Objects and Parts in SQL Statements"); every other qualified name is taken for a call. A bare name
could be a call as well, but only of a function that the caller's own schema has: it is taken for one where nothing but
``DUAL`` is in scope, which has no column beside ``DUMMY``.
"""

from collections.abc import Iterator
from typing import Final

from sqlglot import exp

from extproc.core.inspection.sql.nodes import Nodes

__all__ = ["bare_calls"]

# pseudocolumns and functions of Oracle that are written like columns, and what sequences have
_TOLD_WORDS: Final = """
COLUMN_VALUE CONNECT_BY_ISCYCLE CONNECT_BY_ISLEAF CURRENT_DATE CURRENT_TIMESTAMP CURRVAL DBTIMEZONE DEFAULT DUMMY LEVEL
LOCALTIMESTAMP NEXTVAL OBJECT_ID OBJECT_VALUE ORA_ROWSCN ROWID ROWNUM SESSIONTIMEZONE SYSDATE SYSTIMESTAMP UID USER
VERSIONS_ENDSCN VERSIONS_ENDTIME VERSIONS_OPERATION VERSIONS_STARTSCN VERSIONS_STARTTIME VERSIONS_XID XMLDATA
"""
_TOLD: Final = frozenset(_TOLD_WORDS.lower().split())
_AROUND: Final = (exp.From, exp.Join, exp.Update, exp.Delete, exp.Merge)
_DUAL: Final = frozenset({"dual", "sys.dual"})


def bare_calls(nodes: Nodes) -> Iterator[str]:
    """The functions that a statement may call without parentheses, lower case with their qualifiers, in order."""
    for column in nodes.of(exp.Column):
        parts = [part.name.lower() for part in column.parts]
        if parts[-1] in _TOLD or isinstance(column.this, exp.Star):
            continue
        visible = list(_visible(column))
        if len(parts) > 1:
            if not any(_fits(source, parts[:-1]) for source in visible):
                yield ".".join(parts)
        elif not column.this.quoted and visible and all(_written(source) in _DUAL for source in visible):
            yield parts[0]


def _visible(column: exp.Column) -> Iterator[exp.Expr]:
    """The tables, queries and targets whose columns may stand where this one does."""
    node: exp.Expr = column
    while node.parent is not None:
        node = node.parent
        yield from _sources(node)
        # an inline view sees nothing of what stands around it
        if isinstance(node, exp.CTE) or (isinstance(node, exp.Subquery) and isinstance(node.parent, _AROUND)):
            return


def _sources(node: exp.Expr) -> Iterator[exp.Expr]:
    if isinstance(node, exp.Update | exp.Delete | exp.Merge):
        for key in ("this", "using"):
            found = node.args.get(key)
            # several, or joined ones, are no syntax of Oracle; read for others, their columns are columns too
            for source in found if isinstance(found, list) else [found]:
                if isinstance(source, exp.Expr):
                    yield from (source, *(join.this for join in source.args.get("joins") or ()))
    elif isinstance(node, exp.Table) and node.args.get("joins"):
        yield node
    if isinstance(source := node.args.get("from_"), exp.From):
        yield source.this
    yield from (join.this for join in node.args.get("joins") or ())


def _fits(source: exp.Expr, qualifier: list[str]) -> bool:
    """Whether a qualifier names the source: its alias, or the table itself; an attribute of an object may follow."""
    if source.alias:
        return qualifier[0] == source.alias.lower()
    if isinstance(source, exp.Subquery) and not isinstance(source.this, exp.Query):  # joins in parentheses
        return any(_fits(each, qualifier) for each in (source.this, *_sources(source.this)))
    if not isinstance(source, exp.Table):
        return False
    parts = [part.name.lower() for part in source.parts]
    return qualifier[0] == parts[-1] or qualifier[: len(parts)] == parts or qualifier[-1:] == parts


def _written(source: exp.Expr) -> str:
    return ".".join(part.name.lower() for part in source.parts) if isinstance(source, exp.Table) else ""
