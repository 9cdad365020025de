"""A call that may go upstream: what its response is seen, masked and recorded by."""

from collections.abc import Callable, Iterable

import msgspec

from extproc.core import catalog
from extproc.core.definitions import Definitions
from extproc.core.handles import KeyRing, Owner
from extproc.core.masking import Masking
from extproc.core.model import Decision, Message, MessageKind, Recording, Target
from extproc.core.policy.server_requests import NOTHING_OPEN, ServerRequests
from extproc.core.tickets import Ticket

__all__ = ["Call"]


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """What was allowed to go upstream, with all that its response needs."""

    message: Message
    decision: Decision
    owner: Owner
    ring: KeyRing
    sees: catalog.Sees
    decision_id: str
    started: int
    owed: Callable[[Iterable[Target]], Masking]
    """What the caller owes in masking on these things."""
    used: Ticket | None = None
    """The approval that the call ran on."""
    definitions: Definitions | None = None
    """What the server's tools are held to; None where to nothing."""
    asks: ServerRequests = NOTHING_OPEN
    """What the server may ask of the client."""
    shadow: bool = False
    """Whether what it may not ask passes all the same."""
    opens_urls: bool = False
    """Whether the client opens URLs for its human: it says so now, or did when the session began."""
    can_be_asked: bool = False
    """Whether the client announces that the answer may ask it for something."""

    @property
    def is_recorded(self) -> bool:
        """Whether what it gets is to be kept, and not its digest alone."""
        return self.decision.obligations.recording is Recording.MASKED

    @property
    def is_stream(self) -> bool:
        """Whether messages arrive that answer no request of this exchange."""
        return self.message.kind is MessageKind.STREAM
