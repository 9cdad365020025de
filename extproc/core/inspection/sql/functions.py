"""Which functions only compute: those that the product behind a dialect has built in, by its own documentation.

An allow-list: what is not on it may write, read files, run text, reach the network or wait, so a call of it is
administrative. It follows the dialect, since a name that another product has built in may be a function of the user's
own, which can do anything. Where no dialect is named, each of the products may be meant: functions are harmless if one
of them has them all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from extproc.core.access import DIALECTS
from extproc.core.inspection.sql.products import (
    bigquery,
    clickhouse,
    duckdb,
    mysql,
    oracle,
    postgres,
    redshift,
    shared,
    snowflake,
    spark,
    sqlite,
    trino,
    tsql,
)

__all__ = ["ANY", "CATALOGUES", "Catalogue", "unknown_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What a product has built in, by lower-case names."""

    harmless: frozenset[str]
    """Functions that only compute."""
    types: frozenset[str]
    """Types, after which a parenthesis is no call."""
    advancing: frozenset[str] = frozenset()
    """Functions that move a sequence on, which is a change and no more."""
    schemas: frozenset[str] = frozenset()
    """Schemas whose functions are the ones that go by the bare name."""


_MARIADB: Final = (mysql.NAMES - mysql.NOT_MARIADB) | mysql.ONLY_MARIADB
_NAMES: Final = {
    "postgres": (postgres.NAMES, postgres.TYPES),
    "mysql": (mysql.NAMES, mysql.TYPES),
    "mariadb": (_MARIADB, mysql.TYPES),
    "sqlite": (sqlite.NAMES, sqlite.TYPES),
    "tsql": (tsql.NAMES, tsql.TYPES),
    "oracle": (oracle.NAMES, oracle.TYPES),
    "bigquery": (bigquery.NAMES, bigquery.TYPES),
    "snowflake": (snowflake.NAMES, snowflake.TYPES),
    "clickhouse": (clickhouse.NAMES, clickhouse.TYPES),
    "duckdb": (duckdb.NAMES, duckdb.TYPES),
    "redshift": (redshift.NAMES, redshift.TYPES),
    "databricks": (spark.NAMES | spark.ONLY_DATABRICKS, spark.TYPES),
    "spark": (spark.NAMES, spark.TYPES),
    "trino": (trino.NAMES, trino.TYPES),
}
_ADVANCING: Final = dict.fromkeys(("postgres", "mariadb", "duckdb"), frozenset({"nextval", "setval"}))
_SCHEMAS: Final = dict.fromkeys(("postgres", "redshift", "duckdb"), frozenset({"pg_catalog"}))
_NONE: Final = frozenset[str]()

CATALOGUES: Final[Mapping[str, Catalogue]] = MappingProxyType(
    {
        name: Catalogue(
            harmless=shared.NAMES | _NAMES[name][0],
            types=_NAMES[name][1],
            advancing=_ADVANCING.get(name, _NONE),
            schemas=_SCHEMAS.get(name, _NONE),
        )
        for name in DIALECTS
    }
)
"""What the product of each dialect has built in."""


def _of_all() -> Catalogue:
    each = CATALOGUES.values()
    return Catalogue(
        harmless=frozenset[str]().union(*(catalogue.harmless for catalogue in each)),
        types=frozenset[str]().union(*(catalogue.types for catalogue in each)),
        advancing=frozenset[str]().union(*(catalogue.advancing for catalogue in each)),
        schemas=frozenset[str]().union(*(catalogue.schemas for catalogue in each)),
    )


ANY: Final = _of_all()
"""What one product or another has built in: what stands for them all where no dialect is named."""


def unknown_of(names: Iterable[str], dialect: str | None) -> frozenset[str]:
    """Those of the functions that are not known to be harmless; without a dialect, to the product that knows the most.

    Not to each of the products, since a function of one is unknown to most others, and not to all of them together:
    functions that no product has side by side cannot all be built in.
    """
    called = frozenset(names)
    catalogues = CATALOGUES.values() if dialect is None else (CATALOGUES[dialect],)
    return min((called - each.harmless - each.advancing for each in catalogues), key=len)
