"""Names and places in what passes: in every form of a response, in requests, in what is recorded, and in any chunking."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.exchange import Answer
from leaks import leaks
from named import Naming
from script import POLICY, Script, call, conclusion, events, released, reply

SSE = "text/event-stream"
WHO, WHERE = "Ann Lee", "Oslo"
RULE = "masking:\n  - {name: people, servers: [sales-db], detect: [person_name, place]%s}\n"
NAMES = POLICY + RULE % ""
RESULT = {
    "content": [{"type": "text", "text": json.dumps({"who": WHO, "note": f"{WHO} of {WHERE}"})}],
    "structuredContent": {"rows": [{"who": WHO, "n": 1}]},
}
NOTE = {
    "jsonrpc": "2.0",
    "method": "notifications/progress",
    "params": {"progressToken": 1, "progress": 1, "message": f"asking {WHO}"},
}


def asked(text=NAMES, arguments=None, **more):
    script = Script(text, **more)
    assert script.forwarded(call("echo", arguments)).owes
    return script


@pytest.mark.parametrize("media", ["application/json", SSE])
def test_a_result_is_masked_and_so_is_its_record(media):
    script = asked()
    message = {"jsonrpc": "2.0", "id": 1, "result": RESULT}
    whole = events(NOTE, message) if media == SSE else json.dumps(message).encode()
    said = script.response(whole, media=media)
    out = released(said)
    assert not leaks(out, WHO, WHERE)
    assert out.count(b"[person_name]") == (4 if media == SSE else 3)
    assert conclusion(said).masked == {"person_name": 3 + (media == SSE), "place": 1}
    recorded = [conclusion(said).event, *script.world.records, *(getattr(each, "events", ()) for each in said)]
    assert not leaks(json.dumps(recorded, default=str).encode(), WHO, WHERE)


def test_arguments_are_recorded_without_names_and_leave_without_them_where_the_rule_says_so():
    script = Script(NAMES)
    assert script.forwarded(call("echo", {"text": f"find {WHO}"})).body is None
    assert not leaks(json.dumps(script.world.records).encode(), WHO)
    script = Script(POLICY + RULE % ", on: requests")
    sent = script.forwarded(call("echo", {"text": f"find {WHO}"})).body
    assert json.loads(sent)["params"]["arguments"] == {"text": "find [person_name]"}


def test_a_request_with_a_name_is_refused_where_the_rule_says_so():
    blocking = POLICY + RULE % ", on: requests, action: block"
    assert isinstance(Script(blocking).post(call("echo", {"text": f"find {WHO}"}))[0], Answer)
    unread = Script(blocking, recogniser=Naming(fails="nothing"))
    assert isinstance(unread.post(call("echo", {"text": "find nothing here"}))[0], Answer)
    Script(blocking).forwarded(call("echo", {"text": "find it"}))


def test_where_the_recogniser_fails_the_text_is_withheld_and_counted():
    said = asked(recogniser=Naming(fails=WHERE)).response(reply(RESULT))
    result = json.loads(released(said))["result"]
    # the words of one message are read at once: where that fails, none of them is vouched for
    assert result["structuredContent"] == {"rows": [{"who": "[unreadable]", "n": 1}]}
    assert not leaks(released(said), WHO, WHERE)
    assert conclusion(said).masked == {"unreadable": 3}


WHOLE = [
    events(NOTE, {"jsonrpc": "2.0", "id": 1, "result": RESULT}),
    events(NOTE, NOTE, {"jsonrpc": "2.0", "id": 1, "result": RESULT}, end="\r\n\r\n"),
]


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 900), max_size=6))
def test_every_chunking_gives_the_same_bytes(whole, cuts):
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(bounds)]
    assert released(asked().response(chunks=chunks, media=SSE)) == released(asked().response(whole, media=SSE))
