"""The access request that policy judges: principal + action + resource + arguments + facts.

Facts are what inspection found in the arguments. They are values without behaviour; the room ``inspection`` makes
them, ``policy`` reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from extproc.core.model import Client, Json, Principal, Target, Verb, empty

__all__ = ["DIALECTS", "NOBODY", "NO_FACTS", "AccessRequest", "Facts", "ShellFacts", "SqlFacts"]

DIALECTS: Final = (
    "postgres",
    "mysql",
    "mariadb",
    "sqlite",
    "tsql",
    "oracle",
    "bigquery",
    "snowflake",
    "clickhouse",
    "duckdb",
    "redshift",
    "databricks",
    "spark",
    "trino",
)
"""The dialects of SQL that a tool may be said to speak; inspection knows how each spells, calls and names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlFacts:
    """What the SQL of one call does, over all its statements.

    ``verb`` is the strictest of the statements. ``parsed`` false means that some of it could not be read: ``verb`` is
    then ``ADMIN``, ``drops``, ``truncates`` and ``unbounded_write`` are true, since they cannot be ruled out, and a
    name ``?`` stands among tables, columns and functions for those that are missing. ``tables`` are lower-case names
    with their schema as written (``sales.orders``), without the names of common table expressions; ``columns``
    lower-case names, qualified where written so, ``*`` for all of them. A part of a name that is no plain word stands
    in double quotes (``"sales.orders"`` is one name, not two). ``statements`` is the kind of each statement in order,
    that of its strongest effect (``select``, ``delete``); ``functions`` lower-case names as written.
    ``unbounded_write`` is an UPDATE, DELETE or MERGE that reaches every row. ``findings`` are short sentences for a
    refusal (``DELETE without WHERE on sales.orders``), without any literal.
    """

    verb: Verb
    parsed: bool
    statements: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    drops: bool = False
    truncates: bool = False
    unbounded_write: bool = False
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellFacts:
    """What a shell command line runs, through wrappers, pipes, lists, substitutions and redirects.

    ``verb`` is the strictest of its parts. ``parsed`` false means that some of it could not be read: ``verb`` is then
    ``ADMIN``, and ``network`` and ``destructive`` are true, since they cannot be ruled out. ``commands`` are the names
    that would run, in order, without their folder (``/bin/rm`` is ``rm``), ``?`` for one only known at run time;
    ``unknown`` those of them that nobody reviewed; ``writes`` the paths that redirects and known commands write, remove
    or change, as written; ``network`` whether something talks to the network; ``destructive`` whether something removes
    or breaks what cannot be brought back, opens the machine to others, or hands control to text that nobody saw (a pipe
    into an interpreter). ``findings`` are short sentences for a refusal (``rm -r on /``), without any other argument;
    there is one if and only if the command is destructive.
    """

    verb: Verb
    parsed: bool
    commands: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    network: bool = False
    destructive: bool = False
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What inspection found in the arguments of one target; None where the policy asks for no such inspection."""

    sql: SqlFacts | None = None
    shell: ShellFacts | None = None

    @property
    def found(self) -> tuple[SqlFacts | ShellFacts, ...]:
        """Those that there are."""
        return tuple(each for each in (self.sql, self.shell) if each is not None)


NO_FACTS: Final = Facts()
"""The facts of a thing that is not inspected, shared."""
NOBODY: Final = Client()
"""A client that says nothing of itself, shared."""


class AccessRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Principal + action + resource + arguments + facts: what policy judges.

    ``session_calls`` is the number of earlier calls in the session, 0 where no condition asks for it.
    """

    principal: Principal
    server: str
    method: str
    verb: Verb
    target: Target
    arguments: Mapping[str, Json] = msgspec.field(default_factory=empty)
    client: Client = NOBODY
    session_calls: int = 0
    facts: Facts = NO_FACTS
