"""What stands in a member of an event, whoever wrote it: of the kind that is asked for, or nothing of it."""

from collections.abc import Mapping

from extproc.core.model import Json

__all__ = ["members_of", "number_in", "text_of"]


def text_of(value: Json) -> str:
    """The value as text; nothing of None."""
    return "" if value is None else str(value)


def number_in(value: Json) -> int:
    """The value if it is an integer, or 0."""
    return value if isinstance(value, int) else 0


def members_of(value: Json) -> Mapping[str, Json]:
    """The members of an object; none of anything else."""
    return value if isinstance(value, Mapping) else {}
