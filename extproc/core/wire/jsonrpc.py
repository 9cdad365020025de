"""The JSON-RPC 2.0 envelope by closed key sets.

One message per body, one kind per message: a batch, a message with both ``method`` and ``result``, an unknown or
disguised member, an id that is not an integer or a string is refused, because implementations disagree on what such a
message is. Looks at the envelope only; what a method's parameters may be is methods.py's. JSON-RPC 2.0 sections 4 to 6;
MCP removed batches in 2025-06-18, and real servers still run them (so they are never passed on).
"""

from typing import Final

import msgspec

from extproc.core.limits import MAX_ID_CHARS, MAX_METHOD_CHARS
from extproc.core.model import Json, MessageKind, RequestId
from extproc.core.rejection import INVALID_REQUEST, Rejection
from extproc.core.wire import strict_json

__all__ = ["Envelope", "ServerMessage", "is_id", "open_envelope", "read_server_message", "readable_id"]

_MEMBERS: Final = frozenset({"jsonrpc", "id", "method", "params", "result", "error"})
_REQUEST: Final = frozenset({"jsonrpc", "id", "method", "params"})
_RESULT: Final = frozenset({"jsonrpc", "id", "result"})
_ERROR: Final = frozenset({"jsonrpc", "id", "error"})


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """An opened envelope; ``method`` is empty on a response, ``id`` None on a notification."""

    kind: MessageKind
    id: RequestId | None
    method: str
    params: dict[str, Json]


class ServerMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One message of the upstream; ``value`` is the whole object."""

    kind: MessageKind
    id: RequestId | None
    method: str | None
    value: dict[str, Json]


def open_envelope(value: Json, *, null_id: bool = False) -> Envelope | Rejection:
    """Classify a decoded body; refuses all but the exact shapes (``null_id``: an error may answer no id)."""
    if value.__class__ is list:
        return _refused("batch", "batches are not supported")
    if value.__class__ is not dict:
        return _refused("not_an_object", "the body is not an object")
    members = value.keys()
    if not members <= _MEMBERS:
        return _refused("unknown_member", "the message has an unknown member")
    if value.get("jsonrpc") != "2.0":
        return _refused("version", "jsonrpc must be 2.0")
    if "method" in members:
        return _open_request(value)
    if members not in (_RESULT, _ERROR):
        return _refused("shape", "a message is a request, a notification or a response")
    if not (is_id(value["id"]) or (null_id and value["id"] is None and "error" in members)):
        return _refused("id", "id must be an integer or a short string")
    if value.get("error", value.get("result")).__class__ is not dict:  # MCP: every result is an object
        return _refused("shape", "result and error are objects")
    return Envelope(kind=MessageKind.RESPONSE, id=value["id"], method="", params={})


def read_server_message(raw: bytes) -> ServerMessage | Rejection:
    """Read one whole message of the upstream; refuses what ``open_envelope`` refuses.

    Rows and documents may well have keys that differ in case alone, so only equal keys are refused here.
    """
    document = strict_json.read(raw, twins=True)
    if isinstance(document, Rejection):
        return document
    envelope = open_envelope(document.value, null_id=True)
    if isinstance(envelope, Rejection):
        return envelope
    return ServerMessage(kind=envelope.kind, id=envelope.id, method=envelope.method or None, value=document.value)


def is_id(value: Json) -> bool:
    """Whether a value is a JSON-RPC id that comes back unchanged from every implementation."""
    # ``True`` is an ``int`` to isinstance, and would answer for id 1.
    return value.__class__ is int or (value.__class__ is str and len(value) <= MAX_ID_CHARS)


def readable_id(value: Json) -> RequestId | None:
    """The id to answer a refused body with, None where there is none to be trusted."""
    found = value.get("id") if value.__class__ is dict and "method" in value else None
    return found if is_id(found) else None


def _open_request(value: dict[str, Json]) -> Envelope | Rejection:
    if not value.keys() <= _REQUEST:
        return _refused("shape", "a message has either a method, a result or an error")
    method = value["method"]
    if method.__class__ is not str or not 0 < len(method) <= MAX_METHOD_CHARS:
        return _refused("method", "method must be a short string")
    params = value.get("params", {})
    if params.__class__ is not dict:
        return _refused("params", "params must be an object")
    if "id" not in value:
        return Envelope(kind=MessageKind.NOTIFICATION, id=None, method=method, params=params)
    if not is_id(value["id"]):
        return _refused("id", "id must be an integer or a short string")
    return Envelope(kind=MessageKind.REQUEST, id=value["id"], method=method, params=params)


def _refused(reason: str, what: str) -> Rejection:
    return Rejection(status=400, code=INVALID_REQUEST, message=f"Invalid request: {what}", reason=reason)
