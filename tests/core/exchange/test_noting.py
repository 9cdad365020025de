"""Each message of a stream is on record by itself, before it leaves."""

import json

import pytest

from extproc.core.exchange import Conclude, NoteMessages, Release, ResponseBodyReceived, ResponseHeadReceived
from extproc.core.limits import MAX_PAYLOAD_EVENT_BYTES
from script import NOW, POLICY, RING, asked, call, conclusion, events, legacy, released, stream

SSE = "text/event-stream"
PROGRESS = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "t", "progress": 1}}
RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}


def notes(said):
    """The messages that are to be stored, in order."""
    return [event for command in said if isinstance(command, NoteMessages) for event in command.events]


def test_each_message_of_a_stream_is_on_record_by_itself_before_it_leaves():
    script = asked(call("echo"))
    script.play(ResponseHeadReceived(at=NOW, status=200, headers={"content-type": SSE}, bodiless=False))
    first = script.play(ResponseBodyReceived(at=NOW + 1, chunk=events(PROGRESS), last=False))
    assert [type(command) for command in first] == [NoteMessages, Release]
    (event,) = notes(first)
    assert (event["at"], event["number"], event["message"]) == (NOW + 1, 0, "notification")
    assert (event["method"], event["payload"]) == ("notifications/progress", PROGRESS["params"])
    rest = script.play(ResponseBodyReceived(at=NOW + 2, chunk=events(PROGRESS, RESULT), last=True))
    assert [type(command) for command in rest] == [NoteMessages, Release, Conclude]
    second, third = notes(rest)
    assert (second["number"], third["number"], third["at"]) == (1, 2, NOW + 2)
    assert (third["message"], third["method"], third["id"], third["payload"]) == ("response", None, 1, {"content": []})
    assert third["digest"] == RING.digests.of_bytes(json.dumps(RESULT).encode())
    assert all(each["decision"] == "d-1" for each in (event, second, third))


@pytest.mark.parametrize("level", ["digest", "none"])
def test_a_lower_level_records_no_message_of_a_stream(level):
    said = asked(call("echo"), POLICY.replace("masked", level)).response(events(PROGRESS, RESULT), media=SSE)
    assert not notes(said)
    if level == "digest":
        assert conclusion(said).event["messages"] == 2


def test_what_is_dropped_from_a_stream_is_no_message_of_it():
    said = asked(call("echo")).response(events({**RESULT, "id": 2}, RESULT, end="\n\n: alive\n\n"), media=SSE)
    (event,) = notes(said)
    assert (event["id"], event["number"]) == (1, 0)


def test_an_answer_without_a_result_of_its_own_records_none_of_an_earlier_one():
    script = stream()
    said = script.response(events(RESULT, {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}), media=SSE)
    assert [each["payload"] for each in notes(said)] == [{"content": []}, None]


def test_tokens_in_a_stream_are_masked_in_the_record_only():
    secret = "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
    news = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": secret}}
    said = asked(call("echo")).response(events(news, RESULT), media=SSE)
    assert b"eyJzdWIi" in released(said)
    assert "eyJzdWIi" not in json.dumps(notes(said))


def test_a_large_message_is_on_record_with_its_size_alone():
    long = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": "x" * MAX_PAYLOAD_EVENT_BYTES}]}}
    (event,) = notes(asked(call("echo")).response(events(long), media=SSE))
    assert (event["payload"], event["payload_cut"]) == (None, {"bytes": len(json.dumps(long))})


def test_what_passed_before_a_message_that_cannot_be_read_is_on_record():
    said = asked(call("echo")).response(events(PROGRESS) + b"data: {broken\n\n", media=SSE)
    assert [each["method"] for each in notes(said)] == ["notifications/progress"]
    assert [type(command) for command in said[1:]] == [NoteMessages, Release, Release, Conclude]
    assert conclusion(said).event["result"] == "withheld"


def test_a_question_in_a_stream_bears_the_servers_own_id_and_one_taken_back_too():
    ping = {"jsonrpc": "2.0", "id": "s-1", "method": "ping", "params": {}}
    gone = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "s-1"}}
    said = asked(call("echo", era=legacy)).response(events(ping, gone, RESULT), media=SSE)
    asked_, cancelled, _ = notes(said)
    assert b'"s-1"' not in released(said)
    assert (asked_["message"], asked_["id"], asked_["payload"]) == ("request", "s-1", {})
    assert cancelled["payload"] == {"requestId": "s-1"}
