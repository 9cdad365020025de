"""How a denial reaches the client: in the answer to its request, or on the stream where it waits for answers.

In the transport of 2024-11-05 the answer to a POST is a mere receipt, and a client that is refused there waits for
ever. The stream may be held by another worker. So the refusal itself goes the way of the answers: sealed to its owner
as the id of a ping, which the server echoes on the stream, where it is opened and takes the place of the ping's
answer (``visible``). Nothing of the refused request goes with it; the ping is ours.
"""

from extproc.core.exchange.commands import Answer, Forward
from extproc.core.handles import KeyRing, Owner, Purpose, open_handle, seal
from extproc.core.limits import MAX_ID_CHARS
from extproc.core.model import Decision, Json, Message, MessageKind
from extproc.core.rejection import Rejection
from extproc.core.wire import replies, strict_json

__all__ = ["refusal_in", "refused"]


def refused(
    message: Message, decision: Decision, owner: Owner, ring: KeyRing, *, decision_id: str, elsewhere: bool
) -> Answer | Forward:
    """The command that tells the client of a denial; ``elsewhere``: its answers come on another stream."""
    reply = replies.denial(message, decision, decision_id)
    if elsewhere and message.kind is MessageKind.REQUEST:
        ping_id = seal(ring, Purpose.REFUSAL, owner, reply.body.decode())
        if len(ping_id) <= MAX_ID_CHARS:
            ping = strict_json.encode({"jsonrpc": "2.0", "id": ping_id, "method": "ping"})
            none = {"mcp-session-id": None, "last-event-id": None}
            return Forward(rule=decision.rule, decision_id=decision_id, headers=none, body=ping, owes=False, until=None)
    return Answer(reply=reply, rule=decision.rule, decision_id=decision_id)


def refusal_in(request_id: Json, owner: Owner, ring: KeyRing) -> dict[str, Json] | None:
    """The refusal that a response carries as its id, None where it carries none."""
    body = open_handle(ring, Purpose.REFUSAL, owner, request_id) if isinstance(request_id, str) else None
    document = strict_json.read(body.encode()) if body is not None else None
    return None if document is None or isinstance(document, Rejection) else document.value
