"""A handle is opened for its owner; everybody else's is unknown, and no client value reaches the upstream as an id."""

import json

import pytest

from extproc.core.handles import Owner, Purpose, seal, seal_path
from script import RING, Script, answer_of, call, claims, legacy, modern

ANN = Owner(issuer="https://idp.example.com", subject="ann", server="sales-db")
SESSION = seal(RING, Purpose.SESSION, ANN, "up-1")
IN_SESSION = Owner(issuer=ANN.issuer, subject="ann", server="sales-db", session="up-1")


def in_session(method="tools/list", params=None, *, session=SESSION, **more):
    headers, body = legacy(method, params, **more)
    return headers | {"mcp-session-id": session}, body


def test_the_upstream_gets_its_own_session_id_back():
    assert Script().forwarded(in_session()).headers == {"mcp-session-id": "up-1", "last-event-id": None}


@pytest.mark.parametrize("session", ["up-1", "", "x", SESSION + "x", SESSION[:-1]])
def test_a_session_that_nobody_sealed_is_not_found(session):
    status, body = answer_of(Script().post(in_session(session=session)))
    assert (status, body["error"]["message"]) == (404, "Session not found.")


def test_the_session_of_somebody_else_is_not_found():
    script = Script(who=claims(subject="bob"))
    assert answer_of(script.post(in_session()))[0] == 404
    assert script.world.records[0]["reason"] == "session_unknown"


def test_without_a_session_no_session_header_reaches_the_upstream():
    assert Script().forwarded(legacy("tools/list")).headers == {"mcp-session-id": None, "last-event-id": None}


def test_in_the_modern_era_a_session_header_is_dropped():
    headers, body = modern("tools/list")
    forward = Script().forwarded((headers | {"mcp-session-id": "any", "last-event-id": "any"}, body))
    assert forward.headers == {"mcp-session-id": None, "last-event-id": None}


def test_a_session_ends_for_its_owner_only():
    headers = {"mcp-session-id": SESSION, "mcp-protocol-version": "2025-06-18"}
    (forward,) = Script().bodiless("DELETE", headers)
    assert forward.headers["mcp-session-id"] == "up-1"
    assert answer_of(Script(who=claims(subject="bob")).bodiless("DELETE", headers))[0] == 404


def resume(event, **who):
    headers = {"mcp-session-id": SESSION, "last-event-id": event, "accept": "text/event-stream"}
    return Script(who=claims(**who)).bodiless("GET", headers)


def test_a_stream_resumes_after_the_owners_own_event():
    (forward,) = resume(seal(RING, Purpose.EVENT, IN_SESSION, "7"))
    assert forward.headers == {"mcp-session-id": "up-1", "last-event-id": "7"}


@pytest.mark.parametrize(
    "event",
    ["7", seal(RING, Purpose.EVENT, Owner(issuer=ANN.issuer, subject="bob", server="sales-db", session="up-1"), "7")],
)
def test_a_stream_does_not_resume_after_anybody_elses_event(event):
    assert answer_of(resume(event))[0] == 404


def test_a_post_of_the_older_transport_needs_the_endpoint_that_its_owner_was_given():
    path = seal_path(RING, ANN, "/message?sessionId=s1")
    Script().forwarded(legacy("tools/list"), path=path)
    assert answer_of(Script(who=claims(subject="bob")).post(legacy("tools/list"), path=path))[0] == 404


UNSEALED = [
    "/message?sessionId=s1",
    "/messages/?session_id=s1",
    "/messages/?%73ession_id=s1",
    "/messages/?ses%53ion%5fid=s1",
    "/m?mcp_owner=x",
    "/m?mcp%5Fowner=x",
    "/m?SESSION=1",
    "/m?mcp_owner",
    "/m?sid=s1&mcp_owner",
    "/m?sid=s1&mcp_owner&x=1",
]


@pytest.mark.parametrize("path", UNSEALED)
def test_an_endpoint_that_nobody_was_given_is_not_found(path):
    assert answer_of(Script().post(legacy("tools/list"), path=path))[0] == 404


@pytest.mark.parametrize("path", UNSEALED)
def test_a_session_of_ones_own_does_not_open_the_endpoint_of_somebody_else(path):
    assert answer_of(Script().post(in_session(), path=path))[0] == 404


def test_two_sessions_in_one_message_are_refused_also_where_both_are_ones_own():
    assert answer_of(Script().post(in_session(), path=seal_path(RING, ANN, "/message?sessionId=s1")))[0] == 404


@pytest.mark.parametrize("path", [*UNSEALED, seal_path(RING, ANN, "/message?sessionId=s1")])
def test_a_message_that_claims_the_modern_era_does_not_open_an_endpoint_of_the_older_transport(path):
    assert answer_of(Script().post(call("echo"), path=path))[0] == 404


def test_a_path_that_envoy_does_not_tell_is_refused():
    script = Script()
    assert answer_of(script.post(legacy("ping"), path=""))[0] == 400
    assert script.world.records[0]["reason"] == "path_unknown"


@pytest.mark.parametrize("message", [call("echo"), legacy("tools/list")])
@pytest.mark.parametrize("path", ["/mcp?read_only=false", "/mcp?x", "/mcp?_method=GET", "/mcp??", "/mcp?"])
def test_parameters_that_no_rule_would_see_do_not_reach_the_server(path, message):
    script = Script()
    status, body = answer_of(script.post(message, path=path))
    assert (status, body["error"]["message"]) == (
        400,
        "Parameters in the address are not accepted here: leave out what is behind its ?.",
    )
    assert script.world.records[0]["reason"] == "query_parameters"


def test_neither_do_they_on_a_stream_or_at_the_end_of_a_session():
    headers = {"mcp-session-id": SESSION, "mcp-protocol-version": "2025-06-18", "accept": "text/event-stream"}
    for method in ("GET", "DELETE"):
        assert answer_of(Script().bodiless(method, headers, path="/mcp?x=1"))[0] == 400


def response(request_id, **more):
    headers, _ = legacy("x")
    body = json.dumps({"jsonrpc": "2.0", "id": request_id, "result": {"action": "accept"}, **more}).encode()
    return headers | {"mcp-session-id": SESSION}, body


@pytest.mark.parametrize("original", ["7", '"7"', '"a b"'])
def test_a_response_goes_up_under_the_id_that_was_asked_with(original):
    forward = Script().forwarded(response(seal(RING, Purpose.REQUEST, IN_SESSION, original)))
    assert json.loads(forward.body) == {"jsonrpc": "2.0", "id": json.loads(original), "result": {"action": "accept"}}


@pytest.mark.parametrize(
    "request_id", [7, "7", seal(RING, Purpose.REQUEST, ANN, "7"), seal(RING, Purpose.EVENT, IN_SESSION, "7")]
)
def test_a_response_to_what_was_never_asked_in_this_session_is_refused(request_id):
    status, body = answer_of(Script().post(response(request_id)))
    assert (status, body["error"]["message"]) == (400, "This response answers no open request.")
