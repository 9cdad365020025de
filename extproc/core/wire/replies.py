"""Every answer that is made here, in the shapes that real SDK clients survive.

A tool call that policy denies is a result with ``isError``, so that the model reads why; any other denied request is a
JSON-RPC error with our own code; what nobody waits for gets a status. A 401 or 403 would start an OAuth flow, and a 404
on a legacy session would start a new session, so a denial is neither. Never tells whether a hidden thing exists: a
denial holds the decision's words, the rule and the id, and nothing of the server's. DESIGN section 7; MCP 2026-07-28
basic/index and server/tools "Error Handling"; JSON-RPC 2.0 section 5.
"""

from collections.abc import Mapping
from typing import Final

from extproc.core.model import Decision, Era, Json, Message, MessageKind, Reply, RequestId
from extproc.core.rejection import DENIED, INTERNAL_ERROR, Rejection
from extproc.core.wire.strict_json import encode

__all__ = [
    "MASKING_BUDGET",
    "URL_REQUIRED",
    "denial",
    "denial_message",
    "input_required",
    "refusal",
    "url_required",
    "withheld",
    "withheld_message",
]

URL_REQUIRED: Final = -32042
"""URLElicitationRequiredError of MCP 2025-11-25."""
MASKING_BUDGET: Final = "masking_budget"
"""Why a response is withheld that would cost more to mask than one message may."""
_WITHHELD_FOR: Final = {
    MASKING_BUDGET: ": masking it costs more than one message may. Ask for less at a time.",
    "cut": ": your access ended before it did.",
}

_JSON: Final = ("content-type", "application/json")
_ALLOW: Final = {"post_only": "POST"}
_ALL_METHODS: Final = "DELETE, GET, POST"
_UNANSWERED: Final = {
    # Clients take 405 on a GET or DELETE as "not offered" and go on; a notification that fails is reported at most.
    MessageKind.STREAM: 405,
    MessageKind.END: 405,
    MessageKind.NOTIFICATION: 400,
    MessageKind.RESPONSE: 400,
}


def refusal(rejection: Rejection) -> Reply:
    """Answer a rejection with its status, code and words."""
    headers = [_JSON]
    if rejection.challenge is not None:
        headers.append(("www-authenticate", rejection.challenge))
    if rejection.status == 405:
        headers.append(("allow", _ALLOW.get(rejection.reason, _ALL_METHODS)))
    body = _error(rejection.id, rejection.code, rejection.message, rejection.data)
    return Reply(status=rejection.status, body=body, headers=tuple(headers))


def denial(message: Message, decision: Decision, decision_id: str) -> Reply:
    """Answer a denied message as its sender can take it."""
    body = encode(denial_message(message, decision, decision_id))
    if message.method == "tools/call":
        return Reply(status=200, body=body, headers=(_JSON,))
    status = _UNANSWERED.get(message.kind, 200)
    headers = (_JSON, ("allow", "POST")) if status == 405 else (_JSON,)
    return Reply(status=status, body=body, headers=headers)


def denial_message(message: Message, decision: Decision, decision_id: str) -> dict[str, Json]:
    """The message of ``denial``."""
    if message.method == "tools/call":
        return _tool_result(message, decision, decision_id)
    facts = {"rule": decision.rule, "reason": decision.reason, "decision_id": decision_id}
    answered = message.id if message.kind is MessageKind.REQUEST else None
    return _error_message(answered, DENIED, _words(decision), facts)


def withheld(request_id: RequestId | None, decision_id: str, reason: str = "withheld") -> bytes:
    """The body that stands for a response that could not be read, and so must not be passed on (invariant 5)."""
    return encode(withheld_message(request_id, decision_id, reason))


def withheld_message(request_id: RequestId | None, decision_id: str, reason: str = "withheld") -> dict[str, Json]:
    """The message of ``withheld``; ``reason`` is a stable word."""
    facts = {"reason": reason, "decision_id": decision_id}
    words = f"The response was withheld by the gateway{_WITHHELD_FOR.get(reason, '')}"
    return _error_message(request_id, INTERNAL_ERROR, words, facts)


def input_required(message: Message, state: str, requests: Mapping[str, Json] | None) -> Reply:
    """A round of a modern call that is not over (patterns/mrtr): with requests to its human, or to ask again."""
    result: dict[str, Json] = {"resultType": "input_required", "requestState": state}
    if requests:
        result["inputRequests"] = dict(requests)
    return Reply(status=200, body=encode({"jsonrpc": "2.0", "id": message.id, "result": result}), headers=(_JSON,))


def url_required(message: Message, elicitation: Mapping[str, Json]) -> Reply:
    """What sends the human of a 2025-11-25 client to a page (URLElicitationRequiredError)."""
    body = _error(message.id, URL_REQUIRED, str(elicitation["message"]), {"elicitations": [dict(elicitation)]})
    return Reply(status=200, body=body, headers=(_JSON,))


def _tool_result(message: Message, decision: Decision, decision_id: str) -> dict[str, Json]:
    text = f"{_words(decision)} (decision {decision_id})"
    result: dict[str, Json] = {"content": [{"type": "text", "text": text}], "isError": True}
    if message.era is Era.MODERN:
        result["resultType"] = "complete"
    return {"jsonrpc": "2.0", "id": message.id, "result": result}


def _words(decision: Decision) -> str:
    return decision.message or "Access denied by policy. Do not retry; ask the administrator for access."


def _error(request_id: RequestId | None, code: int, message: str, facts: Mapping[str, Json]) -> bytes:
    return encode(_error_message(request_id, code, message, facts))


def _error_message(request_id: RequestId | None, code: int, message: str, facts: Mapping[str, Json]) -> dict[str, Json]:
    error: dict[str, Json] = {"code": code, "message": message}
    if facts:
        error["data"] = dict(facts)
    # An id that could not be read is null, not absent (JSON-RPC 2.0 section 5).
    return {"jsonrpc": "2.0", "id": request_id, "error": error}
