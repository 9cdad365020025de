"""The access request that policy judges: principal + action + resource + arguments + facts.

Facts are what inspection found in the arguments. They are values without behaviour; the room ``inspection`` makes
them, ``policy`` reads them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from extproc.core.model import Client, Json, Principal, Target, Verb, empty

__all__ = [
    "DIALECTS",
    "NOBODY",
    "NO_FACTS",
    "AccessRequest",
    "CallFacts",
    "Facts",
    "InnerCall",
    "ShellFacts",
    "SqlFacts",
    "audiences_of",
    "is_meant_for",
]

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
class InnerCall:
    """One call that a tool would make of another: which, on which server, with what, and what was found in that."""

    server: str
    tool: str
    arguments: Mapping[str, Json]
    facts: "Facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """What a tool that calls other tools is told to call, in order.

    ``verb`` is the strictest of the calls. ``fault`` is why the arguments do not name them as the policy says, in words
    without any argument's text: then there are no calls, and ``verb`` is ``ADMIN``. ``findings`` name the tools, and
    what was found in each call.
    """

    verb: Verb
    calls: tuple[InnerCall, ...] = ()
    fault: str = ""
    findings: tuple[str, ...] = ()

    @property
    def parsed(self) -> bool:
        """Whether all calls are known."""
        return not self.fault

    @property
    def every(self) -> Iterator[InnerCall]:
        """The calls, each with those inside of it."""
        for call in self.calls:
            yield call
            if call.facts.calls is not None:
                yield from call.facts.calls.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What inspection found in the arguments of one target; None where the policy asks for no such inspection."""

    sql: SqlFacts | None = None
    shell: ShellFacts | None = None
    calls: CallFacts | None = None

    @property
    def found(self) -> tuple[SqlFacts | ShellFacts | CallFacts, ...]:
        """Those that there are."""
        return tuple(each for each in (self.sql, self.shell, self.calls) if each is not None)


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


def audiences_of(claims: Mapping[str, Json]) -> Sequence[Json]:
    """The value or values of ``aud`` (RFC 7519 section 4.1.3)."""
    audience = claims.get("aud")
    return audience if isinstance(audience, list) else [audience]


def is_meant_for(audiences: frozenset[str], principal: Principal) -> bool:
    """Whether a principal's token is one for a server with these audiences: any, where it has none of its own."""
    return not audiences or not principal.claims or not audiences.isdisjoint(audiences_of(principal.claims))
