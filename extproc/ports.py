"""The Protocols between the corridor and the edges: what an adapter must keep.

An adapter that cannot keep its promise raises ``StoreError``; the corridor turns that into a refusal.
"""

from collections.abc import Mapping
from typing import Protocol

from extproc.core.model import Json

__all__ = ["Counters", "Journal", "StoreError"]


class StoreError(Exception):
    """Something could not be stored or counted; the message names what and why, never a value."""


class Journal(Protocol):
    """Where audit events go, in order."""

    async def append(self, event: Mapping[str, Json]) -> None:
        """Return once the event is stored as durably as the setting asks.

        Raises:
            StoreError: it is not stored; nothing of it will appear later.
        """


class Counters(Protocol):
    """Counts shared by all workers of a node."""

    async def take(self, key: str, *, calls: int, seconds: int, now: float) -> bool:
        """Count one call under ``key``; False if ``calls`` within the last ``seconds`` are used up already.

        Raises:
            StoreError: the count is not known; the call must be refused.
        """

    async def count(self, key: str, *, seconds: int, now: float) -> int:
        """Count one call under ``key`` and return how many came before it, forgetting after ``seconds`` of silence.

        Raises:
            StoreError: the count is not known; the call must be refused.
        """
