"""SQL inspection: what a text does to a database, without running it."""

from extproc.core.inspection.sql.facts import inspect_sql

__all__ = ["inspect_sql"]
