"""What came of a call that went upstream: counted while its response passes, and told at the end."""

from dataclasses import dataclass, field

from extproc.core import audit
from extproc.core.audit.correlation import Correlation
from extproc.core.audit.digests import RunningDigest
from extproc.core.exchange.commands import Command, Conclude, NoteDefinitions
from extproc.core.exchange.visible import Visible
from extproc.core.limits import MAX_PAYLOAD_EVENT_BYTES
from extproc.core.model import Json, Recording
from extproc.core.redaction import tokens
from extproc.core.wire.replies import MASKING_BUDGET

__all__ = ["Outcome"]


@dataclass(slots=True)
class Outcome:
    """The outcome of one response, as far as it has come."""

    visible: Visible
    status: int = 0
    result: str | None = None
    """withheld, error or cut where that is settled; otherwise the messages tell."""
    messages: int | None = None
    """The messages of a stream that have left; None of any other response."""
    _bytes: int = 0
    _digest: RunningDigest = field(init=False)

    def __post_init__(self) -> None:
        self._digest = RunningDigest(self.visible.call.ring.digests)

    def count_bytes(self, body: bytes) -> None:
        """Bytes that leave for the client."""
        self._bytes += len(body)
        self._digest.update(body)

    def count_message(self) -> int:
        """The number of a message of a stream that leaves."""
        number = self.messages or 0
        self.messages = number + 1
        return number

    def concluded(self, at: int) -> tuple[Command, ...]:
        """Tell it: the definitions of tools that were new, and the audit event where one is kept."""
        call = self.visible.call
        news: tuple[Command, ...] = ()
        if self.visible.seen:
            during = Correlation.of(call.decision_id, call.owner.session, call.message.trace_id)
            news = (NoteDefinitions(seen=tuple(self.visible.seen), during=during),)
        result = self.result or ("error" if self.visible.failed else "complete")
        duration = max(at - call.started, 0)
        is_kept = call.decision.obligations.recording is not Recording.NONE
        event = self._event(at, result, duration) if is_kept else None
        return (*news, Conclude(event=event, result=result, nanoseconds=duration, masked=self.visible.masked))

    def _event(self, at: int, result: str, duration: int) -> dict[str, Json]:
        call = self.visible.call
        # of a stream each message is on record by itself
        whole = self.messages is None and self._bytes <= MAX_PAYLOAD_EVENT_BYTES
        return audit.concluded(
            at=at,
            decision_id=call.decision_id,
            server=call.owner.server,
            session=call.owner.session or None,
            status=self.status,
            result=result,
            bytes=self._bytes,
            digest=self._digest.said(),
            payload=tokens.mask(self.visible.payload) if whole else None,
            duration_ns=duration,
            hidden=self.visible.hidden,
            masked=self.visible.masked,
            reason=MASKING_BUDGET if self.visible.exhausted else None,
            trace=call.message.trace_id,
            messages=self.messages,
        )
