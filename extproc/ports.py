"""The Protocols between the corridor and the edges: what an adapter must keep.

An adapter that cannot keep its promise raises ``StoreError``; the corridor turns that into a refusal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec

from extproc.core.model import Json
from extproc.core.shared_state import Elevation, Pin, Revocation, SharedState
from extproc.core.tickets import Ticket

if TYPE_CHECKING:  # the corridor with all it judges by takes half a second to load, and the supervisor needs none of it
    from extproc.core.exchange import ApprovalAnswered, ApprovalRefused, ApprovalUsed, AskApproval, UseApproval

__all__ = [
    "Approvals",
    "Aside",
    "Counters",
    "IndexLag",
    "IndexStatus",
    "Journal",
    "Metrics",
    "RecogniserError",
    "Record",
    "RecordsRefusedError",
    "SharedStore",
    "Sink",
    "SinkError",
    "SinkStatus",
    "StoreError",
    "TicketStore",
]


T = TypeVar("T")


class StoreError(Exception):
    """Something could not be stored or counted; the message names what and why, never a value."""


class RecogniserError(Exception):
    """Names and places cannot be looked for; the message names why, never a text."""


class SinkError(Exception):
    """A sink did not take records, or nobody knows whether it did; the message names what and why, never a value."""


class RecordsRefusedError(SinkError):
    """A sink answered that it does not take these records; to wait does not help."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One event of one journal, on its way to the index or a sink.

    ``journal`` is the name of the journal's directory (``<node>-<worker>``), ``seq`` its number there; together they
    are its idempotency key. ``hash`` is the hash of its line, ``event`` the event and ``encoded`` its canonical bytes.
    """

    journal: str
    seq: int
    hash: str
    event: dict[str, Json]
    encoded: bytes


class Sink(Protocol):
    """Where copies of the records go: at least once, and in the order of each journal."""

    async def deliver(self, records: Sequence[Record]) -> None:
        """Return once all of them are stored there; what is given a second time must not count twice.

        Raises:
            SinkError: give them all again later.
        """

    async def close(self) -> None:
        """Let go of connections."""


class SinkStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How a sink is: records delivered over all, records that wait, and its last error if that is not over.

    ``positions`` has, for each journal, the number of the next record; ``skipped`` counts records that somebody told it
    to go on without, the last one with its journal and number there. Times are in nanoseconds since the epoch.
    """

    name: str
    positions: dict[str, int]
    delivered: int
    delivered_at: int | None
    behind: int
    error: str | None
    error_at: int | None
    skipped: int = 0
    last_skipped: tuple[str, int] | None = None


class IndexLag(msgspec.Struct, frozen=True, kw_only=True):
    """What of a journal is not in the index yet, and for how many seconds at most; 0 of both where nothing is."""

    journal: str
    records: int
    seconds: float


class IndexStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far the index is; ``failing`` while it cannot be kept up."""

    lags: Sequence[IndexLag]
    failing: bool


class Journal(Protocol):
    """Where audit events go, in order."""

    async def append(self, *events: Mapping[str, Json]) -> None:
        """Return once the events are stored, in this order, as durably as the setting asks.

        Raises:
            StoreError: none is stored; nothing of them will appear later.
        """


class Aside(Protocol):
    """Runs a call that may ask for names and places, without holding up the loop while the answer is worked out."""

    @property
    def is_loaded(self) -> bool:
        """Whether any call may ask."""

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """What ``work`` returns."""


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


class Approvals(Protocol):
    """Where held calls wait for humans; ``StoreError`` where it cannot be told, and then nothing runs."""

    async def ask(self, command: AskApproval) -> ApprovalAnswered | ApprovalRefused:
        """Put the question, and wait for its answer as long as the command says."""

    async def use(self, command: UseApproval) -> ApprovalUsed | ApprovalRefused:
        """Use an approval up for exactly one call."""


class Metrics(Protocol):
    """What the processor counts; label values are bounded by the policy, never by what a client sends."""

    def decided(self, *, server: str, verb: str, effect: str, seconds: float) -> None:
        """One decision was answered ``seconds`` after Envoy's first message; effect: allow, deny, shadow, reject."""

    def concluded(self, *, server: str, result: str, seconds: float) -> None:
        """One response ended. ``result``: complete, error, withheld, cut."""

    def masked(self, *, server: str, counts: Mapping[str, int]) -> None:
        """So many values were masked in one request or response, by the type of what was found."""

    def asked(self, *, server: str, kind: str, effect: str) -> None:
        """A server asked something of a client. ``kind``: sampling, roots, elicitation, other; effect as decided."""

    def aborted(self, *, reason: str) -> None:
        """One ext_proc stream ended with an error status. ``reason``: a word from a closed set."""

    def streams(self, change: int) -> None:
        """``change`` ext_proc streams were opened (+) or closed (-)."""

    def journal_failed(self) -> None:
        """Something could not be stored or counted."""


class TicketStore(Protocol):
    """The tickets of all nodes; ``StoreError`` where the store does not answer, and then nothing runs."""

    async def add(self, ticket: Ticket, *, most: int | None = None) -> Ticket | None:
        """Store a new ticket; where one of the same digest waits or is approved already, give that one back instead.

        None where ``most`` tickets of the requester are pending already, however many nodes ask at once.
        """

    async def get(self, id: str) -> Ticket | None:  # noqa: A002 - the ticket's own word
        """The ticket of this id as it was last stored."""

    async def find(self, digest: str) -> Ticket | None:
        """The newest ticket of this digest, whatever its state."""

    async def exchange(self, old: Ticket, new: Ticket) -> bool:
        """Put ``new`` in the place of ``old`` if that is still the stored revision; False where somebody was faster.

        Atomic over all workers and nodes: of any number of exchanges of one revision exactly one is True.
        """

    async def waiting(self) -> Sequence[Ticket]:
        """All tickets that are pending or approved, the oldest first."""

    async def due(self, at: int, requester: tuple[str, str] | None = None) -> Sequence[Ticket]:
        """Those of them whose time is over at ``at``, and approved ones that ask for a role; of one (issuer, subject).

        However many wait, only these are in memory at once: each holds all its arguments.
        """

    async def forget(self, is_over: Callable[[Ticket], bool]) -> int:
        """Delete those that are no longer open and of which ``is_over`` is true; how many."""

    async def pending(self) -> Sequence[str]:
        """The ids of all pending tickets, the oldest first."""

    async def latest(self, *, limit: int, before: int | None = None) -> Sequence[Ticket]:
        """The newest tickets of any state, created before ``before`` (nanoseconds since the epoch)."""

    async def changed(self, id: str, *, after: int, seconds: float) -> Ticket | None:  # noqa: A002
        """Wait until the ticket has a higher revision than ``after``, at most ``seconds``; the ticket as it is then."""


class SharedStore(Protocol):
    """Revocations, elevations and pins of all nodes, with a copy in memory for the data path.

    Changes reach every worker of every node within a second. ``StoreError`` where the store does not answer.
    """

    @property
    def current(self) -> SharedState:
        """The copy; its ``as_of`` is the last instant at which the store confirmed it."""

    def on_change(self, told: Callable[[SharedState], None]) -> None:
        """Have ``told`` called on the loop after every change of the copy."""

    async def revoke(self, revocation: Revocation) -> None:
        """Add a revocation; in force on this process when it returns."""

    async def lift(self, id: str) -> bool:  # noqa: A002
        """End a revocation; False where there is none of this id."""

    async def lend(self, elevation: Elevation) -> None:
        """Add an elevation."""

    async def end_loan(self, id: str) -> bool:  # noqa: A002
        """End an elevation before its time; False where there is none of this id."""

    async def note(self, seen: Pin, *, pins_first: bool) -> str | None:
        """Keep a definition that was seen; says ``pinned``, ``found``, ``changed``, ``restored``, or None: known."""

    async def approve(self, pin: Pin) -> bool:
        """Approve exactly this definition; False where it is no longer the one that waits."""
