"""Names as facts and findings write them: lower case, parts joined by dots, what is no plain word in double quotes."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from sqlglot import exp

__all__ = ["column_name", "name_of", "table_name"]

_PLAIN: Final = re.compile(r"[^\W\d][\w$#@]*")
_LONGEST: Final = 128


def name_of(parts: Iterable[str]) -> str:
    """One name of its parts; no control character and no quote is left in it."""
    return ".".join(_part(part) for part in parts if part)


def table_name(table: exp.Table) -> str:
    """The table as it is written, with its schema and catalog."""
    return name_of(part.name for part in table.parts)


def column_name(column: exp.Column) -> str:
    """The column as it is written, ``*`` for all."""
    parts = [part.name for part in column.parts]
    return (
        "*"
        if parts == ["*"]
        else ".".join([*map(_part, filter(None, parts[:-1])), parts[-1] if parts[-1] == "*" else _part(parts[-1])])
    )


def _part(part: str) -> str:
    return _written(part.lower()[:_LONGEST])


@lru_cache(maxsize=2048)
def _written(lowered: str) -> str:
    if _PLAIN.fullmatch(lowered):
        return lowered
    cleaned = "".join(char if char.isprintable() and char != '"' else "?" for char in lowered)
    return f'"{cleaned}"'
