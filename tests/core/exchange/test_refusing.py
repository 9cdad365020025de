"""In the transport of 2024-11-05 a refusal goes the way of the answers, sealed, and nothing of the request goes with it."""

import json

import pytest

from extproc.core.exchange import Answer, Forward
from extproc.core.handles import Owner, Purpose, seal, seal_path
from extproc.core.limits import MAX_ID_CHARS
from script import RING, Script, World, answer_of, call, claims, events, legacy, released, stream

PATH = "/message?sessionId=s1"
ANN = Owner(issuer="https://idp.example.com", subject="ann", server="sales-db")
SSE = "text/event-stream"


def denied(request, *, path=PATH, **more):
    script = Script(**more)
    (command,) = script.post(request, path=seal_path(RING, ANN, path))
    assert script.world.records[0]["effect"] == "deny"
    assert script.exchange.over
    return command


def on_stream(message, *, path=PATH, **who):
    """What the client reads on its stream when the server answers with this message."""
    endpoint = f"event: endpoint\ndata: {path}\n\n".encode()
    out = released(stream(**who).response(endpoint + events(message), media=SSE))
    rest = out.split(b"\n\n", 1)[1]
    return json.loads(rest.removeprefix(b"data: ")) if rest else None


@pytest.mark.parametrize("request_id", [7, "7"])
@pytest.mark.parametrize("answer", ["result", "error"])
def test_a_refusal_comes_out_where_the_client_waits_for_its_answer(request_id, answer):
    forward = denied(call("drop_table", {"table": "canary"}, era=legacy, request_id=request_id))
    assert isinstance(forward, Forward)
    ping = json.loads(forward.body)
    assert (ping["method"], ping.keys()) == ("ping", {"jsonrpc", "id", "method"})
    assert b"drop_table" not in forward.body
    assert b"canary" not in forward.body
    shown = on_stream({"jsonrpc": "2.0", "id": ping["id"], answer: {"code": -1, "message": "m"}})
    assert (shown["id"], shown["result"]["isError"]) == (request_id, True)
    assert "drop_table" in shown["result"]["content"][0]["text"]


def test_a_refusal_is_read_by_its_owner_on_its_own_stream_alone():
    ping = json.loads(denied(call("drop_table", era=legacy)).body)
    pong = {"jsonrpc": "2.0", "id": ping["id"], "result": {}}
    assert on_stream(pong, path="/message?sessionId=s2") == pong
    other = Script(who=claims(subject="bob"))
    other.bodiless("GET", {"accept": SSE})
    assert b"isError" not in released(other.response(b"event: endpoint\ndata: /m\n\n" + events(pong), media=SSE))


@pytest.mark.parametrize("handle", ["x", seal(RING, Purpose.REFUSAL, ANN, "no json")])
def test_an_id_that_is_no_refusal_stays_an_id(handle):
    pong = {"jsonrpc": "2.0", "id": handle, "result": {}}
    assert json.loads(released(stream().response(events(pong), media=SSE)).removeprefix(b"data: ")) == pong


def test_a_notification_waits_for_nothing_and_is_answered_at_once():
    script = Script(who=claims(groups=["nobody"]))
    (command,) = script.post(legacy("notifications/initialized", request_id=None), path=seal_path(RING, ANN, PATH))
    assert isinstance(command, Answer)


def test_a_refusal_too_long_for_an_id_is_answered_at_once():
    command = denied(call("drop_table", era=legacy, request_id="x" * MAX_ID_CHARS))
    assert isinstance(command, Answer)


def test_in_every_other_transport_a_refusal_answers_its_request_and_nothing_goes_upstream():
    (command,) = Script().post(call("drop_table", era=legacy))
    assert answer_of([command])[1]["result"]["isError"]


def test_a_refusal_that_cannot_be_recorded_is_told_at_once_and_nothing_goes_upstream():
    script = Script(world=World(stored=False))
    said = script.post(call("drop_table", era=legacy), path=seal_path(RING, ANN, PATH))
    assert answer_of(said)[0] == 503
