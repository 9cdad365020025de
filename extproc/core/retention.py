"""How long records are kept: for each server, and for all else.

What proves the rest is never taken out: seals, the records of what was taken out, where writers began, and what a crash
cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

__all__ = ["FOR_EVER", "Retention"]

_PROOFS: Final = frozenset({"sealed", "purged", "opened", "recovered", "unsynced"})
_NANO: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """Seconds from the time of a record; None keeps it for ever. ``servers`` goes before ``seconds``."""

    seconds: int | None = None
    servers: Mapping[str, int] = field(default_factory=dict)

    @property
    def ends(self) -> bool:
        """Whether anything is ever over."""
        return self.seconds is not None or bool(self.servers)

    def of(self, server: str) -> int | None:
        """For how many seconds what belongs to a server is kept."""
        return self.servers.get(server, self.seconds)

    def until(self, event: Mapping[str, object]) -> int | None:
        """When the time of a record is over, in nanoseconds since the epoch; None never."""
        at, server = event.get("at"), event.get("server")
        if event.get("kind") in _PROOFS or not isinstance(at, int):
            return None
        seconds = self.of(server) if isinstance(server, str) else self.seconds
        return None if seconds is None else at + seconds * _NANO


FOR_EVER: Final = Retention()
