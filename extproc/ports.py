"""The Protocols between the corridor and the edges: what an adapter must keep.

An adapter that cannot keep its promise raises ``StoreError``; the corridor turns that into a refusal.
"""

from collections.abc import Mapping
from typing import Protocol

from extproc.core.model import Json

__all__ = ["Counters", "Journal", "Metrics", "StoreError"]


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


class Metrics(Protocol):
    """What the processor counts; label values are bounded by the policy, never by what a client sends."""

    def decided(self, *, server: str, verb: str, effect: str, seconds: float) -> None:
        """One decision was answered ``seconds`` after Envoy's first message; effect: allow, deny, shadow, reject."""

    def concluded(self, *, server: str, result: str, seconds: float) -> None:
        """One response ended. ``result``: complete, error, withheld, cut."""

    def aborted(self, *, reason: str) -> None:
        """One ext_proc stream ended with an error status. ``reason``: a word from a closed set."""

    def streams(self, change: int) -> None:
        """``change`` ext_proc streams were opened (+) or closed (-)."""

    def journal_failed(self) -> None:
        """Something could not be stored or counted."""
