import json

import pytest
from mcp_types import CallToolResult
from mcp_types.jsonrpc import JSONRPCError, JSONRPCResponse

from extproc.core.model import Decision, Effect, Era, Message, MessageKind, RequestId, Verb
from extproc.core.rejection import DENIED, INTERNAL_ERROR, Rejection
from extproc.core.wire import replies

DECISION = Decision(effect=Effect.DENY, rule="deny:no-dumps", reason="denied", message="Dumps are blocked here.")
JSON_TYPE = ("content-type", "application/json")


def message(method: str, kind: MessageKind, era: Era = Era.LEGACY, request_id: RequestId | None = None) -> Message:
    return Message(
        kind=kind,
        method=method,
        era=era,
        revision="2025-11-25",
        verb=Verb.QUERY,
        targets=(),
        id=request_id,
        body=b"secret",
    )


@pytest.mark.parametrize("era", Era)
@pytest.mark.parametrize("request_id", [0, "1", 10**30])
def test_a_denied_tool_call_is_a_result_that_the_model_reads(era, request_id):
    reply = replies.denial(message("tools/call", MessageKind.REQUEST, era, request_id), DECISION, "d-1")
    assert (reply.status, reply.headers) == (200, (JSON_TYPE,))
    response = JSONRPCResponse.model_validate_json(reply.body)
    assert response.id == request_id
    result = CallToolResult.model_validate(response.result)
    assert result.is_error is True
    text = response.result["content"][0]["text"]
    assert text == "Dumps are blocked here. (decision d-1)"
    assert response.result.get("resultType") == ("complete" if era is Era.MODERN else None)


@pytest.mark.parametrize(
    "method", ["tools/list", "initialize", "resources/read", "server/discover", "subscriptions/listen"]
)
def test_any_other_denied_request_is_an_error_of_our_own(method):
    reply = replies.denial(message(method, MessageKind.REQUEST, request_id=7), DECISION, "d-1")
    assert (reply.status, reply.headers) == (200, (JSON_TYPE,))
    error = JSONRPCError.model_validate_json(reply.body)
    assert (error.id, error.error.code, error.error.message) == (7, DENIED, "Dumps are blocked here.")
    assert error.error.data == {"rule": "deny:no-dumps", "reason": "denied", "decision_id": "d-1"}


@pytest.mark.parametrize(
    ("kind", "status"),
    [(MessageKind.NOTIFICATION, 400), (MessageKind.RESPONSE, 400), (MessageKind.STREAM, 405), (MessageKind.END, 405)],
)
def test_what_nobody_waits_for_is_denied_by_status_and_never_by_one_that_means_login(kind, status):
    reply = replies.denial(message("x", kind, request_id="s1"), DECISION, "d-1")
    assert reply.status == status
    assert json.loads(reply.body)["id"] is None
    assert (("allow", "POST") in reply.headers) == (status == 405)


def test_a_denial_without_words_says_what_to_do_and_nothing_of_what_exists():
    silent = Decision(effect=Effect.DENY, rule="default", reason="no_grant")
    reply = replies.denial(message("tools/call", MessageKind.REQUEST, request_id=1), silent, "d")
    assert b"Do not retry" in reply.body
    assert b"secret" not in reply.body


def test_a_refusal_carries_its_status_code_and_data():
    rejection = Rejection(status=400, code=-32022, message="no", reason="r", id="a", data={"supported": ["x"]})
    reply = replies.refusal(rejection)
    assert (reply.status, reply.headers) == (400, (JSON_TYPE,))
    error = {"code": -32022, "message": "no", "data": {"supported": ["x"]}}
    assert json.loads(reply.body) == {"jsonrpc": "2.0", "id": "a", "error": error}


def test_a_refusal_without_a_readable_id_answers_null():
    reply = replies.refusal(Rejection(status=400, code=-32700, message="no", reason="r"))
    assert json.loads(reply.body) == {"jsonrpc": "2.0", "id": None, "error": {"code": -32700, "message": "no"}}


def test_a_challenge_is_sent_with_a_401():
    reply = replies.refusal(Rejection(status=401, code=-32600, message="no", reason="r", challenge='Bearer realm="x"'))
    assert reply.headers == (JSON_TYPE, ("www-authenticate", 'Bearer realm="x"'))


@pytest.mark.parametrize(("reason", "allow"), [("post_only", "POST"), ("http_method", "DELETE, GET, POST")])
def test_a_405_says_what_is_allowed(reason, allow):
    reply = replies.refusal(Rejection(status=405, code=-32600, message="no", reason=reason))
    assert ("allow", allow) in reply.headers


def test_a_withheld_response_is_an_error_under_the_callers_id():
    error = JSONRPCError.model_validate_json(replies.withheld("x", "d-1"))
    assert (error.id, error.error.code) == ("x", INTERNAL_ERROR)
    assert error.error.data == {"reason": "withheld", "decision_id": "d-1"}
    assert error.error.message == "The response was withheld by the gateway"
    why = JSONRPCError.model_validate_json(replies.withheld("x", "d-1", replies.MASKING_BUDGET)).error
    assert why.data == {"reason": "masking_budget", "decision_id": "d-1"}
    assert "Ask for less at a time" in why.message
