"""The audit events of what a server says on the way of its answer: each message of a stream, each question."""

from extproc.core import audit
from extproc.core.exchange.call import Call
from extproc.core.exchange.questions import Question
from extproc.core.exchange.visible import Said
from extproc.core.limits import MAX_PAYLOAD_EVENT_BYTES
from extproc.core.model import Json
from extproc.core.redaction import tokens

__all__ = ["message", "question"]


def question(call: Call, asked: Question, at: int) -> dict[str, Json]:
    """The event of something that the server asks of the client."""
    return audit.server_asked(
        at=at,
        decision_id=call.decision_id,
        server=call.owner.server,
        session=call.owner.session or None,
        issuer=call.owner.issuer,
        subject=call.owner.subject,
        asks=asked.kind,
        host=asked.host,
        effect=asked.effect,
        reason=asked.reason,
        trace=call.message.trace_id,
    )


def message(call: Call, said: Said, raw: bytes, at: int, *, number: int) -> dict[str, Json]:
    """The event of message ``number`` of a stream, which leaves as ``raw``."""
    return audit.message(
        at=at,
        decision_id=call.decision_id,
        server=call.owner.server,
        session=call.owner.session or None,
        trace=call.message.trace_id,
        number=number,
        kind=said.kind.value,
        method=said.method,
        id=said.id,
        raw=raw,
        digest=call.ring.digests.of_bytes(raw),
        payload=tokens.mask(said.payload) if len(raw) <= MAX_PAYLOAD_EVENT_BYTES else None,
        masked=said.masked,
    )
