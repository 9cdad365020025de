"""Clients of databases: the SQL in their options, by its words alone.

Whoever wants SQL to be understood gives the database a tool of its own with ``verb: sql``. Here only three things are
told apart: what surely reads, what surely destroys, and everything else, which is admin.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from extproc.core.inspection.shell.arguments import has, operands, values
from extproc.core.inspection.shell.effects import Effect, finding, joined
from extproc.core.inspection.shell.known.listing import listed
from extproc.core.inspection.shell.scope import Scope
from extproc.core.inspection.shell.words import Word
from extproc.core.model import Verb

__all__ = ["DATABASES", "ask"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Client:
    """``sql`` options are followed by statements; ``behind`` operands come before statements, None where none do."""

    sql: tuple[str, ...]
    takes: tuple[str, ...] = ()
    behind: int | None = None


_PSQL: Final = _Client(
    sql=("-c", "--command"), takes=("-d", "-h", "-p", "-U", "-f", "-v", "-o", "-F", "-P", "-R", "-T")
)
_MYSQL: Final = _Client(sql=("-e", "--execute"), takes=("-u", "-h", "-P", "-D", "-S"))
_SQLITE: Final = _Client(sql=("-cmd",), takes=("-separator", "-newline", "-nullvalue", "-init"), behind=1)
_QUERY: Final = _Client(sql=("-q", "-Q", "--query", "-e", "--execute", "-execute", "--command"))

DATABASES: Final = {
    **dict.fromkeys(("psql", "pgcli", "usql", "ysqlsh", "gpsql"), _PSQL),
    **dict.fromkeys(("mysql", "mariadb", "mycli", "cqlsh", "hive", "spark-sql", "cockroach"), _MYSQL),
    **dict.fromkeys(("sqlite3", "sqlite", "litecli"), _SQLITE),
    "duckdb": _Client(sql=("-c", "-s", "-cmd"), behind=1),
    **dict.fromkeys(("clickhouse-client", "clickhouse", "sqlcmd", "snowsql", "trino", "presto", "beeline"), _QUERY),
    **dict.fromkeys(("influx", "isql", "sqlplus", "osql", "db2", "vsql", "nzsql", "bteq"), _QUERY),
    **dict.fromkeys(("mongosh", "mongo"), _Client(sql=("--eval",), takes=("--host", "--port", "-u", "-p", "--quiet"))),
}
_DOCUMENTS: Final = frozenset({"mongosh", "mongo"})
_LOCAL: Final = frozenset({"sqlite3", "sqlite", "litecli", "duckdb"})
_SHELL: Final = re.compile(r"(?:^|\n|;)\s*(?:\\!|\.(?:shell|system)\b|system\s|!)|\\(?:g|o|copy)\b.*\|", re.IGNORECASE)
_DESTROYS: Final = re.compile(
    r"\b(?:drop|truncate|shutdown|purge|flush)\b|\b(?:delete|update)\b(?![^;]*\bwhere\b)", re.IGNORECASE
)
_READS: Final = re.compile(
    r"\s*(?:select|show|describe|desc|values|use|\\(?:d|l|z|conninfo)|\.(?:tables|schema|dbinfo))\b", re.IGNORECASE
)
_CHANGES: Final = re.compile(
    r"\b(?:insert|update|delete|merge|replace|upsert|alter|create|grant|revoke|call|exec|execute|do|copy|into|load"
    r"|attach|detach|lock|vacuum|reindex|refresh|import|install|outfile|dumpfile|for)\b",
    re.IGNORECASE,
)
_CALL: Final = re.compile(r"\b(\w+)\s*\(")
_PURE: Final = listed(
    "count sum avg min max coalesce now date lower upper length round cast distinct in exists and or not over abs "
    "floor ceil substr substring trim concat extract date_trunc row_number rank dense_rank lag lead array_agg "
    "string_agg json_agg nullif greatest least from on as where select values year month day current_timestamp "
    "current_date version"
)
_DOCUMENT_READS: Final = re.compile(
    r"\s*(?:show \w+|(?:db(?:\.\w+)*|rs)\.(?:find|findOne|count|countDocuments|estimatedDocumentCount|distinct|stats"
    r"|status|getIndexes|getName|version|getCollectionNames)\([^;()]*\)"
    r"(?:\.(?:limit|sort|skip|pretty|toArray|count)\([^;()]*\))*)\s*"
)


def ask(name: str, words: Sequence[Word], scope: Scope) -> Effect:
    """The effect of a client of a database: that of the statements it is given, admin where they are not seen."""
    client = DATABASES[name]
    given = list(values(words, client.sql))
    rest = operands(words, frozenset((*client.sql, *client.takes)))
    given += rest[client.behind :] if client.behind is not None else []
    if scope.feed.word is not None:
        given.append(scope.feed.word)
    unseen = not given or has(words, ("-f", "--file", "-i", "-init", "--source"))
    own = Effect(verb=Verb.ADMIN if unseen else Verb.QUERY, network=name not in _LOCAL)
    return joined(own, *(_stated(name, word) for word in given))


def _stated(name: str, word: Word) -> Effect:
    text = word.text
    if _SHELL.search(text):
        return finding(f"a shell out of {name}")
    if word.is_dynamic:
        return Effect(verb=Verb.ADMIN)
    if name in _DOCUMENTS:
        reads = _DOCUMENT_READS.fullmatch(text) is not None
        return Effect() if reads else finding(f"a change or code through {name}")
    if _DESTROYS.search(text):
        return finding(f"a statement through {name} that destroys or reaches every row")
    statements = [statement for statement in text.split(";") if statement.strip()]
    pure = all(call.lower() in _PURE for call in _CALL.findall(text))
    reads = pure and not _CHANGES.search(text) and all(map(_READS.match, statements))
    return Effect(verb=Verb.QUERY if reads else Verb.ADMIN)
