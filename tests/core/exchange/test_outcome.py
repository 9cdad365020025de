"""What came of a call, as it goes on record."""

import json

from extproc.core.exchange import Closed, ResponseHeadReceived
from extproc.core.limits import MAX_PAYLOAD_EVENT_BYTES
from script import NOW, POLICY, RING, asked, call, conclusion, released, reply, stream

SSE = "text/event-stream"


def test_a_result_is_recorded_with_its_status_size_and_digest():
    body = reply({"content": [{"type": "text", "text": "hi"}]})
    ended = conclusion(asked(call("echo")).response(body, content_length="99"))
    assert (ended.result, ended.nanoseconds) == ("complete", ended.event["duration_ns"])
    assert (ended.event["result"], ended.event["status"], ended.event["bytes"]) == ("complete", 200, len(body))
    assert ended.event["payload"] == {"content": [{"type": "text", "text": "hi"}]}
    assert ended.event["digest"] == RING.digests.of_bytes(body)
    assert (ended.event["decision"], ended.event["hidden"], ended.event["masked"]) == ("d-1", 0, {})
    assert "messages" not in ended.event


def test_an_error_is_recorded_as_one():
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": "m"}}).encode()
    event = conclusion(asked(call("echo")).response(body)).event
    assert (event["result"], event["payload"]) == ("error", {"code": -1, "message": "m"})


def test_tokens_in_a_result_are_masked_in_the_record_only():
    secret = "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
    said = asked(call("echo")).response(reply({"content": [{"type": "text", "text": secret}]}))
    assert b"eyJzdWIi" in released(said)
    assert "eyJzdWIi" not in json.dumps(conclusion(said).event)


def test_the_digest_level_keeps_size_and_digest_of_a_result_alone():
    event = conclusion(asked(call("echo"), POLICY.replace("masked", "digest")).response(reply({}))).event
    assert (event["payload"], event["digest"]) == (None, RING.digests.of_bytes(reply({})))


def test_the_payload_of_a_large_result_is_not_recorded():
    text = "x" * MAX_PAYLOAD_EVENT_BYTES
    event = conclusion(asked(call("echo")).response(reply({"content": [{"type": "text", "text": text}]}))).event
    assert event["payload"] is None
    assert event["bytes"] > MAX_PAYLOAD_EVENT_BYTES


def test_a_client_that_leaves_a_stream_is_recorded():
    script = stream()
    script.play(ResponseHeadReceived(at=NOW, status=200, headers={"content-type": SSE}, bodiless=False))
    assert conclusion(script.play(Closed(at=NOW))).result == "cut"
