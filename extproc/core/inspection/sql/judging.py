"""What one statement does: its effects, each with a verb and a sentence, from its tree and its tokens.

Reading and changing rows is known; everything else that databases can do is ``ADMIN``, whether it is known or not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError

from extproc.core.inspection.sql.bare_calls import bare_calls
from extproc.core.inspection.sql.calls import Call, calls_in
from extproc.core.inspection.sql.cross_check import unaccounted
from extproc.core.inspection.sql.dialects import SPELLINGS
from extproc.core.inspection.sql.functions import ANY, CATALOGUES, unknown_of
from extproc.core.inspection.sql.lexing import Token, word_of
from extproc.core.inspection.sql.naming import column_name, name_of, table_name
from extproc.core.inspection.sql.nodes import Nodes
from extproc.core.inspection.sql.system_tables import system_targets
from extproc.core.inspection.sql.writes import reaches_all
from extproc.core.model import Verb

__all__ = ["UNREADABLE", "Effect", "Statement", "judge"]

# it would log the text of what it does not understand, literals and all (invariant 8)
sqlglot.logger.disabled = True

_CHANGES: Final = {exp.Insert: "insert", exp.Update: "update", exp.Delete: "delete", exp.Merge: "merge"}
_SCHEMA: Final = {
    exp.Create: "create",
    exp.Drop: "drop",
    exp.Alter: "alter",
    exp.TruncateTable: "truncate",
}
_QUIET: Final = (exp.Transaction, exp.Commit, exp.Rollback, exp.Show, exp.Values, exp.Declare)
_STRANGE: Final = (exp.Command, exp.Set, exp.Use, exp.Grant, exp.Copy, exp.Operator, exp.LoadData, exp.Pragma)
_ODD_TABLE: Final = re.compile(r"[/\\:.*?]")
_WILD_TABLE: Final = re.compile(r"[\w-]*\*|information_schema\.\w+", re.IGNORECASE)
_PLAIN_WORD: Final = re.compile(r"[A-Z]{2,20}")
_PLAIN_REST: Final = re.compile(r"[\w\s.,%=]*")
_MOST_PARTS: Final = 3
# what DuckDB takes for the ending of a file, in a name with dots too
_FILES: Final = frozenset({"csv", "tsv", "parquet", "json", "jsonl", "ndjson", "gz", "zst", "xlsx"})
# the pragmas of SQLite that only tell; most others set something when a value stands in the parentheses
_ASKS: Final = re.compile(
    r"PRAGMA (?:\w+ \. )?(?:(?:table_x?info|index_list|index_x?info|foreign_key_list) \( \w+ \)"
    r"|table_list|database_list|collation_list|function_list|module_list|pragma_list|compile_options)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One thing that a statement does; ``said`` is the sentence for a refusal, empty for reading."""

    verb: Verb
    kind: str
    said: str = ""
    unbounded: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What is known of one statement; not ``parsed``: its tables, columns and functions may lack something."""

    effects: tuple[Effect, ...]
    parsed: bool = True
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


UNREADABLE: Final = Statement(
    effects=(Effect(verb=Verb.ADMIN, kind="unknown", said="SQL that could not be read"),), parsed=False
)


def judge(tokens: Sequence[Token], text: str, dialect: str, *, is_named: bool = True) -> Statement:
    """What the statement of ``tokens``, a part of ``text``, does; not ``is_named``: the dialect is one of several."""
    try:
        trees = Dialect.get_or_raise(SPELLINGS[dialect].grammar).parser().parse(list(tokens), text)
        if len(trees) != 1 or trees[0] is None:
            return UNREADABLE
        return _Judge(trees[0], tokens, dialect=dialect, is_named=is_named).statement()
    except (SqlglotError, RecursionError, ValueError, AttributeError, TypeError, IndexError, KeyError):
        # a parser that fails in its own way has not read it either
        return UNREADABLE


class _Judge:
    """One statement."""

    def __init__(self, tree: exp.Expr, tokens: Sequence[Token], *, dialect: str, is_named: bool) -> None:
        self._tree = tree
        self._nodes = Nodes(tree)
        self._tokens = tokens
        self._spelling = SPELLINGS[dialect]
        self._product = dialect if is_named else None
        self._built_in = CATALOGUES[dialect] if is_named else ANY
        self._ctes = {cte.alias.lower(): cte.this for cte in self._nodes.of(exp.CTE)}

    def statement(self) -> Statement:
        """All of it."""
        if isinstance(self._tree, exp.Command):
            return self._command()
        tables = tuple(dict.fromkeys(self._tables()))
        effects = [*self._root(), *self._changes(), *self._strangers()]
        functions: tuple[str, ...] = ()
        if all(effect.verb is not Verb.ADMIN for effect in effects):
            calls = list(self._called())
            functions = tuple(dict.fromkeys(call.name for call in calls))
            effects += self._calls(functions, {call.name for call in calls if call.is_own})
            effects += self._uncovered(writes=any(effect.kind != "select" for effect in effects))
        effects += self._system_writes()
        return Statement(
            effects=tuple(effects),
            parsed=all(effect.kind != "unknown" for effect in effects),
            tables=tables,
            columns=tuple(dict.fromkeys(self._columns())),
            functions=functions,
        )

    def _command(self) -> Statement:
        rest = self._tree.expression.name if self._tree.expression is not None else ""
        if self._spelling.semicolons and word_of(self._tokens[0]) == "SHOW" and _PLAIN_REST.fullmatch(rest):
            return Statement(effects=(Effect(verb=Verb.QUERY, kind="show"),))
        return Statement(effects=(self._opaque(),), parsed=False)

    def _opaque(self) -> Effect:
        """A statement that is not about rows: by its first word, where that is a plain one."""
        word = word_of(self._tokens[0])
        said = f"{word} is not for data" if _PLAIN_WORD.fullmatch(word) else "a statement that is not understood"
        return Effect(verb=Verb.ADMIN, kind="unknown", said=said)

    def _root(self) -> Iterator[Effect]:
        tree = self._tree
        match tree:
            case exp.Query():
                yield Effect(verb=Verb.QUERY, kind="select")
            case exp.Describe() if isinstance(tree.this, exp.Table):
                yield Effect(verb=Verb.QUERY, kind="describe")
            case exp.Pragma() if _ASKS.fullmatch(" ".join(str(token.text) for token in self._tokens)):
                yield Effect(verb=Verb.QUERY, kind="pragma")
            case exp.Summarize() if isinstance(tree.this, exp.Table | exp.Query):
                yield Effect(verb=Verb.QUERY, kind="describe")
            case exp.Pivot():
                yield Effect(verb=Verb.QUERY, kind="select")
            case exp.MultitableInserts():
                return  # each of them is an INSERT of its own
            case exp.Copy():
                yield self._copy(tree)
            case _ if isinstance(tree, _QUIET):
                yield Effect(verb=Verb.QUERY, kind=tree.key)
            case _ if type(tree) not in _CHANGES and type(tree) not in _SCHEMA:
                yield self._opaque()

    def _copy(self, tree: exp.Copy) -> Effect:
        words = [word_of(token) for token in self._tokens]
        target = f" on {table_name(tree.this)}" if isinstance(tree.this, exp.Table) else ""
        if words[-2:] == ["TO", "STDOUT"]:
            return Effect(verb=Verb.QUERY, kind="select")
        if words[-2:] == ["FROM", "STDIN"]:
            return Effect(verb=Verb.MUTATE, kind="copy", said=f"COPY{target}")
        return Effect(verb=Verb.ADMIN, kind="copy", said=f"COPY with files or programs{target}")

    def _changes(self) -> Iterator[Effect]:
        for node in self._nodes.of(*_CHANGES):
            kind = _CHANGES[type(node)]
            if isinstance(node.this, exp.Directory):
                yield Effect(verb=Verb.ADMIN, kind=kind, said="INSERT into a directory")
            if isinstance(node.parent, exp.When):
                continue  # what a MERGE does to its own table
            everything = kind != "insert" and reaches_all(node, self._ctes)
            how = " of every row" if kind == "merge" else " without WHERE"
            said = f"{kind.upper()}{how if everything else ''}{self._on(node)}"
            yield Effect(verb=Verb.MUTATE, kind=kind, said=said, unbounded=everything)
        for node in self._nodes.of(*_SCHEMA):
            kind = _SCHEMA[type(node)]
            thing = str(node.args.get("kind") or "").upper()
            thing = f" {thing}" if _PLAIN_WORD.fullmatch(thing) else ""
            yield Effect(verb=Verb.ADMIN, kind=kind, said=f"{kind.upper()}{thing}{self._on(node)}")
            if kind == "alter" and node.find(exp.Drop) is None and "DROP" in map(word_of, self._tokens):
                yield Effect(verb=Verb.ADMIN, kind="drop", said=f"DROP{self._on(node)}")
        nextval = any(column.name.lower() == "nextval" for column in self._nodes.of(exp.Column))
        if nextval or self._nodes.of(exp.NextValueFor):
            yield Effect(verb=Verb.MUTATE, kind="select", said="takes a number from a sequence")

    def _system_writes(self) -> Iterator[Effect]:
        for node in self._nodes.of(*_CHANGES):
            for table in system_targets(node, self._ctes):
                kind = _CHANGES[type(node)]
                said = f"{kind.upper()} on {table_name(table)}, where the database keeps itself"
                yield Effect(verb=Verb.ADMIN, kind=kind, said=said)

    def _strangers(self) -> Iterator[Effect]:
        """What stands inside of a statement and is more than reading."""
        for into in self._nodes.of(exp.Into):
            if not isinstance(into.this.this if into.this is not None else None, exp.Parameter):
                yield Effect(verb=Verb.ADMIN, kind="create", said="SELECT INTO makes a table or a file")
        if any(node is not self._tree for node in self._nodes.of(*_STRANGE)):
            yield Effect(verb=Verb.ADMIN, kind="unknown", said="a statement inside of another that is not understood")
        if self._nodes.of(exp.QueryTransform):
            yield Effect(verb=Verb.ADMIN, kind="call", said="TRANSFORM, which runs a program")
        for table in self._nodes.of(exp.Table):
            if isinstance(table.parent, exp.Into):
                continue
            parts = table.parts
            names = [part for part in parts if isinstance(part, exp.Identifier)]
            is_function = isinstance(table.this, exp.Func)
            odd = any(map(self._is_odd, names))
            odd = odd or (len(names) > 1 and names[-1].name.lower() in _FILES)
            if not is_function and (len(names) < len(parts) or len(parts) > _MOST_PARTS or odd or not parts):
                yield Effect(
                    verb=Verb.ADMIN, kind="unknown", said="a table that is a file, a link or a place elsewhere"
                )

    def _is_odd(self, part: exp.Identifier) -> bool:
        """Whether a part of a table's name may be a file, a link or a place elsewhere."""
        if not part.quoted:
            return "@" in part.name
        return bool(_ODD_TABLE.search(part.name)) and not (
            self._spelling.wild_tables and _WILD_TABLE.fullmatch(part.name)
        )

    def _called(self) -> Iterator[Call]:
        yield from calls_in(self._tokens, self._nodes, self._spelling, self._built_in)
        if self._spelling.bare_calls:
            yield from (Call(name=name) for name in bare_calls(self._nodes))

    def _calls(self, functions: Sequence[str], own: set[str]) -> Iterator[Effect]:
        unknown = unknown_of(functions, self._product) | own
        for name in functions:
            if name in unknown:
                said = f"calls {name_of(name.split('.'))}, which is not known to be harmless"
                yield Effect(verb=Verb.ADMIN, kind="call", said=said)
            elif name in self._built_in.advancing:
                yield Effect(verb=Verb.MUTATE, kind="select", said=f"calls {name}")

    def _uncovered(self, *, writes: bool) -> Iterator[Effect]:
        for word in unaccounted(self._tokens, self._nodes, writes=writes, semicolons=self._spelling.semicolons):
            yield Effect(verb=Verb.ADMIN, kind="unknown", said=f"{word} in a place where it may begin a statement")

    def _on(self, node: exp.Expr) -> str:
        target = node.this.this if isinstance(node.this, exp.Schema) else node.this
        if target is None or isinstance(node, exp.TruncateTable):
            target = next(iter(node.args.get("tables") or node.expressions), None)
        return f" on {table_name(target)}" if isinstance(target, exp.Table) and target.name else ""

    def _tables(self) -> Iterator[str]:
        for table in self._nodes.of(exp.Table):
            if isinstance(table.this, exp.Func | exp.Parameter) or not table.name:
                continue
            if table.db or table.name.lower() not in self._ctes:
                yield table_name(table)

    def _columns(self) -> Iterator[str]:
        for column in self._nodes.of(exp.Column):
            yield column_name(column)
        for star in self._nodes.of(exp.Star):
            if not isinstance(star.parent, exp.Count | exp.Column):
                yield "*"
        for schema in self._nodes.of(exp.Schema):
            yield from (name_of([each.name]) for each in schema.expressions if isinstance(each, exp.Identifier))
