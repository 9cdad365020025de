"""The client's handles, turned back into the upstream's own ids before a message is judged.

A handle that is not this caller's is unknown: session, event and endpoint handles give 404 as the specification says
(MCP 2025-11-25 basic/transports, session management), a response to a request that was never asked gives 400. In the
modern era there are no sessions, and what a client sends as one never reaches the upstream.
"""

from collections.abc import Mapping
from urllib.parse import unquote

import msgspec
from msgspec.structs import replace

from extproc.core.exchange.questions import answered_for
from extproc.core.exchange.rounds import Round, resume
from extproc.core.exchange.snapshot import Snapshot
from extproc.core.handles import OWNER_PARAMETER, KeyRing, Owner, Purpose, open_handle, open_path
from extproc.core.model import Era, Message, MessageKind, RequestHead
from extproc.core.rejection import INVALID_REQUEST, Rejection
from extproc.core.wire import strict_json

__all__ = ["Opened", "marked", "opened", "unmarked"]

SESSION_HEADER = "mcp-session-id"
EVENT_HEADER = "last-event-id"
_OPENS_URLS = "\0url"
_PARAMETERS = "Parameters in the address are not accepted here: leave out what is behind its ?."
# a session id is visible ASCII (MCP 2025-11-25 basic/transports), so no id ends like this
_SEAL = OWNER_PARAMETER.rstrip("=")
# the seal's parameter also without a value: that is enough for an Envoy route that asks for it


class Opened(msgspec.Struct, frozen=True, kw_only=True):
    """The message as the upstream should get it, its owner with the session, and the headers to set or remove.

    ``answered_elsewhere``: the answer comes on another stream (the 2024-11-05 transport). ``opens_urls``: the client
    said so when the session began. ``round`` is what the message goes on with, None where it begins something.
    """

    message: Message
    owner: Owner
    headers: Mapping[str, str | None]
    answered_elsewhere: bool
    opens_urls: bool = False
    round: Round | None = None


def opened(message: Message, head: RequestHead, owner: Owner, snapshot: Snapshot, at: int) -> Opened | Rejection:
    """Open every handle that a message carries; refuses one that is not this owner's, and a path that is not told.

    What else stands behind a ``?`` is refused: a server may take settings from there, and no rule would see them.
    """
    ring = snapshot.ring
    if not head.path.startswith("/"):  # Envoy does not tell it, and it might name any session
        return _refused(message, 400, "Invalid request: no path", "path_unknown")
    headers: dict[str, str | None] = {SESSION_HEADER: None, EVENT_HEADER: None}
    legacy, in_path = message.era is Era.LEGACY, _names_a_session(head.path)
    handle, opens_urls = head.headers.get(SESSION_HEADER) if legacy else None, False
    event = head.headers.get(EVENT_HEADER) if legacy else None
    if in_path and (handle is not None or not legacy):
        # a server of the older transport goes by the path, whatever the headers claim: two sessions are none
        return _unknown_session(message)
    if not in_path and "?" in head.path:  # also alone: it would stand behind what the route itself says there
        return _refused(message, 400, _PARAMETERS, "query_parameters")
    if handle is not None or in_path:
        session = (
            open_path(ring, owner, head.path) if in_path else open_handle(ring, Purpose.SESSION, owner, handle or "")
        )
        if session is None:
            return _unknown_session(message)
        session, opens_urls = unmarked(session)
        headers[SESSION_HEADER] = None if in_path else session
        owner = replace(owner, session=session)
    if event is not None:
        headers[EVENT_HEADER] = open_handle(ring, Purpose.EVENT, owner, event)
        if headers[EVENT_HEADER] is None:
            return _unknown_session(message)
    continued = _continued(message, owner, snapshot, at)
    if isinstance(continued, Rejection):
        return continued
    message, going_on = continued
    return Opened(
        message=message,
        owner=owner,
        headers=headers,
        answered_elsewhere=in_path,
        opens_urls=opens_urls,
        round=going_on,
    )


def _continued(message: Message, owner: Owner, snapshot: Snapshot, at: int) -> tuple[Message, Round | None] | Rejection:
    """What answers or goes on with something earlier, in the upstream's own words for it."""
    if message.kind is MessageKind.RESPONSE:
        restored = _restored(message, owner, snapshot.ring)
        return restored if isinstance(restored, Rejection) else (restored, None)
    return resume(message, owner, snapshot, at) if "requestState" in message.params else (message, None)


def marked(session: str, *, opens_urls: bool) -> str:
    """What is sealed in the place of a session id: the id, and whether its client opens URLs for its human."""
    return f"{session}{_OPENS_URLS}" if opens_urls else session


def unmarked(sealed: str) -> tuple[str, bool]:
    """The session id, and whether its client opens URLs."""
    return sealed.removesuffix(_OPENS_URLS), sealed.endswith(_OPENS_URLS)


def _names_a_session(path: str) -> bool:
    _, asks, told = path.partition("?")
    if not asks:
        return _SEAL in path
    # the 2024-11-05 transport: SDK servers call it sessionId or session_id, and decode what is percent-encoded
    query = unquote(told).lower()
    return "session" in query or _SEAL in path or _SEAL in query


def _restored(message: Message, owner: Owner, ring: KeyRing) -> Message | Rejection:
    """A posted response under the id by which the upstream asked."""
    handle = str(message.id)
    withheld = open_handle(ring, Purpose.WITHHELD, owner, handle)
    original = open_handle(ring, Purpose.REQUEST, owner, handle) if withheld is None else withheld
    request_id = strict_json.read(original.encode()) if original is not None else None
    document = strict_json.read(message.body)
    if request_id is None or isinstance(request_id, Rejection) or isinstance(document, Rejection):
        return Rejection(
            status=400,
            code=INVALID_REQUEST,
            message="This response answers no open request.",
            reason="response_unasked",
        )
    if withheld is not None:
        return answered_for(message, request_id.value)
    body = strict_json.encode({**document.value, "id": request_id.value})
    return replace(message, body=body, rewritten=True)


def _unknown_session(message: Message) -> Rejection:
    return _refused(message, 404, "Session not found.", "session_unknown")


def _refused(message: Message, status: int, words: str, reason: str) -> Rejection:
    return Rejection(status=status, code=INVALID_REQUEST, message=words, reason=reason, id=message.id)
