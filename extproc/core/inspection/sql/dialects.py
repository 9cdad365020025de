"""How each dialect spells SQL, as its own documentation says, and which grammar of sqlglot reads it.

Where a literal, a name or a comment ends decides what is a statement and what is text; so this is not left to the
parser, whose lexer differs from the databases in places. What a server setting can change is either read both ways as
one (a doubled quote) or refused (``refuses_escaped_quotes``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from extproc.core.access import DIALECTS

__all__ = ["SPELLINGS", "WORST_OF", "Spelling"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelling:
    """The lexical rules of one dialect; ``grammar`` is sqlglot's name for it."""

    name: str
    grammar: str
    strings: str = "'"
    """The characters that delimit strings."""
    names: str = '"'
    """The characters that delimit names; ``[`` ends with ``]``."""
    escapes: bool = False
    """A backslash in a string takes the next character with it."""
    triples: bool = False
    """Strings may be delimited by three quotes."""
    plain_prefixes: frozenset[str] = frozenset({"n", "x", "b"})
    """Words that belong to the string they touch, and change nothing of where it ends."""
    escape_prefix: str = ""
    """The word after which a backslash escapes although it does not elsewhere."""
    raw_prefix: str = ""
    """The word after which it does not although it does elsewhere."""
    quoting_prefixes: frozenset[str] = frozenset()
    """Words after which a string chooses its own delimiters: ``q'[...]'``."""
    line_comments: tuple[str, ...] = ("--",)
    dashes_need_space: bool = False
    """Two dashes begin a comment only before white space: ``1--1`` is 2."""
    nested_comments: bool = False
    """Known for certain to nest. In all others a comment inside of a comment is refused."""
    executable_comments: bool = False
    """``/*! ... */`` is code to some servers, and a hint may set a variable."""
    dollars: str = ""
    """``tag``: ``$tag$ ... $tag$`` is a string; ``bare``: only ``$$ ... $$``; nothing: a dollar is a sign."""
    refuses_escaped_quotes: str = ""
    """Delimiters inside of which a backslash before a quote is refused: a server setting says what it means."""
    semicolons: bool = True
    """Nothing else ends a statement."""
    wild_tables: bool = False
    """A name in quotes may end in ``*`` and stand for several tables, or have a view of INFORMATION_SCHEMA in it."""
    bare_calls: bool = False
    """A function may be called without parentheses, and then looks like a column."""
    quoted_built_ins: str = "any"
    """The case in which a built-in function may be written in quotes, ``lower``, ``upper`` or ``any``; or ``none``."""

    def may_be_built_in(self, quoted: str) -> bool:
        """Whether a function called by this name in quotes may be a built-in one; any other is the user's own."""
        match self.quoted_built_ins:
            case "lower":
                return quoted == quoted.lower()
            case "upper":
                return quoted == quoted.upper()
            case "any":
                return "." not in quoted  # a path in BigQuery
        return False


def _spellings() -> dict[str, Spelling]:
    known = (
        Spelling(
            name="postgres",
            grammar="postgres",
            escape_prefix="e",
            nested_comments=True,
            dollars="tag",
            quoted_built_ins="lower",
        ),
        *(
            Spelling(
                name=name,
                grammar="mysql",
                strings="'\"",
                names="`",
                escapes=True,
                line_comments=("--", "#"),
                dashes_need_space=True,
                executable_comments=True,
                quoted_built_ins="none",
            )
            for name in ("mysql", "mariadb")
        ),
        Spelling(name="sqlite", grammar="sqlite", names='"`['),
        Spelling(name="tsql", grammar="tsql", names='"[', nested_comments=True, semicolons=False),
        Spelling(
            name="oracle",
            grammar="oracle",
            bare_calls=True,
            quoting_prefixes=frozenset({"q", "nq"}),
            quoted_built_ins="upper",
        ),
        Spelling(
            name="bigquery",
            grammar="bigquery",
            strings="'\"",
            names="`",
            escapes=True,
            triples=True,
            plain_prefixes=frozenset({"r", "b", "rb", "br"}),
            wild_tables=True,
            line_comments=("--", "#"),
        ),
        Spelling(
            name="snowflake",
            grammar="snowflake",
            escapes=True,
            line_comments=("--", "//"),
            dollars="bare",
            quoted_built_ins="upper",
        ),
        Spelling(
            name="clickhouse",
            grammar="clickhouse",
            names='"`',
            escapes=True,
            line_comments=("--", "#"),
            dollars="tag",
        ),
        Spelling(name="duckdb", grammar="duckdb", escape_prefix="e", dollars="tag"),
        Spelling(
            name="redshift",
            grammar="redshift",
            escape_prefix="e",
            dollars="tag",
            refuses_escaped_quotes="'",
        ),
        *(
            Spelling(
                name=name,
                grammar=name,
                strings="'\"",
                names="`",
                escapes=True,
                raw_prefix="r",
                plain_prefixes=frozenset({"x"}),
                refuses_escaped_quotes='"',
            )
            for name in ("databricks", "spark")
        ),
        Spelling(name="trino", grammar="trino"),
    )
    by_name = {spelling.name: spelling for spelling in known}
    return {name: by_name[name] for name in DIALECTS}


SPELLINGS: Final[Mapping[str, Spelling]] = MappingProxyType(_spellings())
"""The spelling of every dialect that a policy may name."""

WORST_OF: Final = ("postgres", "mysql", "sqlite", "tsql", "oracle", "bigquery", "snowflake")
"""What a text is read as where no dialect is said: each of them, and the worst reading counts.

Between them they hold every way that the dialects differ in ending a literal or a comment: doubled quotes and
backslashes, dollar quotes, triple quotes and chosen ones, ``#`` and ``//`` comments, nested ones, and statements
without a semicolon.
"""
