"""How large a value may be in an audit event; nothing is cut silently."""

from collections.abc import Mapping

from extproc.core.audit.chain import encode
from extproc.core.model import Json

__all__ = ["fit"]


def fit(value: Json, limit: int) -> tuple[Json, dict[str, Json] | None]:
    """The value, or the members of it that fit into ``limit`` bytes, with a note of what is missing.

    Whole members only: half a token is no longer recognised as one by whoever masks later.
    """
    size = len(encode(value))
    if size <= limit:
        return value, None
    if not isinstance(value, Mapping):
        return None, {"bytes": size}
    kept: dict[str, Json] = {}
    room = limit - 1
    for name, member in value.items():
        room_after = room - len(encode(name)) - len(encode(member)) - 2
        if room_after >= 0:
            kept[name] = member
            room = room_after
    return kept, {"bytes": size, "members": len(value) - len(kept)}
