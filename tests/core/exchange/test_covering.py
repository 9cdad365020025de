"""What a caller owes in masking is masked in whatever comes back, or nothing of it comes back at all."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.exchange import Answer, Closed, Inspect, NoteMessages, Pass, ResponseHeadReceived
from extproc.core.limits import MAX_JSON_RESPONSE_BYTES
from leaks import leaks
from script import (
    NOW,
    POLICY,
    Script,
    asked,
    call,
    claims,
    conclusion,
    events,
    legacy,
    modern,
    released,
    reply,
    stream,
)

MAIL, SSE = "bob@example.com", "text/event-stream"
DETECTORS = "detectors:\n  mail: {patterns: ['[a-z]+@[a-z]+[.]com']}\n"


def masking(*rules, detectors=DETECTORS):
    return POLICY + "masking:\n" + "".join(f"  - {{{rule}}}\n" for rule in rules) + detectors


PII = masking("name: pii, servers: [sales-db], detect: [mail], fields: [{path: $..ssn}]")
UNRECORDED = PII.replace("payloads: masked", "payloads: none")
RESULT = {"content": [{"type": "text", "text": f"to {MAIL}"}], "structuredContent": {"ssn": "1", "a": MAIL}}
MASKED = {"content": [{"type": "text", "text": "to [mail]"}], "structuredContent": {"ssn": "[masked]", "a": "[mail]"}}
NOTE = {
    "jsonrpc": "2.0",
    "method": "notifications/progress",
    "params": {"progressToken": 1, "progress": 1, "message": MAIL},
}


def listening(text=PII, **who):
    script = Script(text, who=claims(**who) if who else None)
    script.bodiless("GET", {"accept": SSE})
    return script


@pytest.mark.parametrize("text", [PII, UNRECORDED], ids=["recorded", "not recorded"])
@pytest.mark.parametrize("era", [modern, legacy])
@pytest.mark.parametrize("media", ["application/json", SSE])
def test_a_result_is_masked_in_either_era_and_form_recorded_or_not(text, era, media):
    script = Script(text)
    assert script.forwarded(call("echo", era=era)).owes
    message = {"jsonrpc": "2.0", "id": 1, "result": RESULT}
    said = script.response(events(message) if media == SSE else json.dumps(message).encode(), media=media)
    assert said[0] == Inspect(headers={"content-type": media}, streams=media == SSE)
    out = released(said)
    assert json.loads(out.removeprefix(b"data: "))["result"] == MASKED
    assert conclusion(said).masked == {"mail": 2, "masked": 1}


def test_the_record_holds_the_payload_as_the_client_saw_it_and_counts_by_type():
    event = conclusion(asked(call("echo"), PII).response(reply(RESULT))).event
    assert (event["payload"], event["masked"]) == (MASKED, {"mail": 2, "masked": 1})
    decision = asked(call("echo"), PII).world.records[0]
    assert decision["masking"] == ["pii"]


def test_an_error_its_data_and_an_error_status_are_masked():
    body = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": MAIL, "data": {"ssn": 1}}}
    said = asked(call("echo"), PII).response(json.dumps(body).encode(), status=500)
    assert json.loads(released(said))["error"] == {"code": -1, "message": "[mail]", "data": {"ssn": "[masked]"}}
    assert conclusion(said).event["payload"]["message"] == "[mail]"


def test_whatever_comes_on_a_stream_is_masked_with_everything_that_is_owed_on_the_server():
    rules = masking("name: other, servers: [sales-db], tools: [list_tables], detect: [mail]")
    rules = rules.replace("    tools:\n", "    server_requests: [elicitation]\n    tools:\n", 1)
    question = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {"message": MAIL}}
    late = {"jsonrpc": "2.0", "id": 4, "result": {"content": [{"type": "text", "text": MAIL}]}}
    said = listening(rules).response(events(NOTE, question, late), media=SSE)
    assert not leaks(released(said), MAIL)
    assert released(said).count(b"[mail]") == 3
    assert conclusion(said).masked == {"mail": 3}


def test_a_call_that_no_rule_touches_is_left_alone():
    rules = masking("name: other, servers: [sales-db], tools: [list_tables], detect: [mail]")
    assert released(asked(call("echo"), rules).response(reply(RESULT))) == reply(RESULT)


def recorded(said):
    return [event for command in said if isinstance(command, NoteMessages) for event in command.events]


def test_each_message_of_a_stream_is_recorded_masked_with_its_own_counts():
    message = {"jsonrpc": "2.0", "id": 1, "result": RESULT}
    note, result = recorded(asked(call("echo"), PII).response(events(NOTE, message), media=SSE))
    assert (note["payload"]["message"], note["masked"]) == ("[mail]", {"mail": 1})
    assert result["payload"] == MASKED
    assert result["masked"] == {"mail": 2, "masked": 1}


def test_who_is_exempt_sees_a_stream_whole_and_its_record_does_not():
    text = PII.replace("fields:", "except: {groups: [data-analysts]}, fields:")
    said = asked(call("echo"), text).response(events(NOTE, {"jsonrpc": "2.0", "id": 1, "result": RESULT}), media=SSE)
    assert MAIL.encode() in released(said)
    assert MAIL not in json.dumps(recorded(said))


def test_who_is_exempt_sees_it_all_and_the_record_does_not():
    text = PII.replace("fields:", "except: {groups: [data-analysts]}, fields:")
    said = asked(call("echo"), text).response(reply(RESULT))
    assert json.loads(released(said))["result"] == RESULT
    assert conclusion(said).event["payload"] == MASKED
    assert conclusion(said).masked == {}


def test_a_rule_for_others_masks_the_record_too():
    text = masking("name: pii, servers: [sales-db], roles: [steward], detect: [mail]").replace(
        "roles:\n", "roles:\n  steward:\n    assigned_to: {groups: [s]}\n    grants: [{servers: [sales-db]}]\n", 1
    )
    event = conclusion(asked(call("echo"), text).response(reply({"content": [], "x": MAIL}))).event
    assert event["payload"] == {"content": [], "x": "[mail]"}


def test_a_sealed_state_is_not_recorded():
    state = {"resultType": "input_required", "requestState": "upstream", "inputRequests": {}}
    said = asked(call("echo"), PII).response(reply(state))
    assert "requestState" in json.loads(released(said))["result"]
    assert "requestState" not in conclusion(said).event["payload"]


# --- what cannot be masked -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [PII, UNRECORDED], ids=["recorded", "not recorded"])
@pytest.mark.parametrize("era", [modern, legacy])
def test_a_result_too_large_to_be_masked_is_withheld_and_never_streamed(text, era):
    script = Script(text)
    script.forwarded(call("echo", era=era))
    said = script.response(chunks=[MAIL.encode() + b" " * MAX_JSON_RESPONSE_BYTES, MAIL.encode()])
    assert json.loads(released(said))["error"]["data"]["reason"] == "withheld"
    assert not leaks(released(said), MAIL)


@pytest.mark.parametrize(
    "body", [b"", b"{", f'{{"jsonrpc":"2.0","id":1,"result":{{"a":"{MAIL}","a":1}}}}'.encode(), MAIL.encode()]
)
@pytest.mark.parametrize("text", [PII, UNRECORDED])
def test_what_cannot_be_read_is_withheld(body, text):
    said = asked(call("echo"), text).response(chunks=[body])
    assert json.loads(released(said))["error"]["code"] == -32603
    assert not leaks(released(said), MAIL)


@pytest.mark.parametrize(
    "request_of",
    [
        legacy("notifications/initialized", request_id=None),
        modern("notifications/cancelled", {"requestId": 1}, request_id=None),
    ],
)
@pytest.mark.parametrize(("status", "media"), [(202, "text/plain"), (200, "application/json"), (202, "")])
def test_a_receipt_comes_here_too_and_loses_its_words(request_of, status, media):
    script = Script(PII)
    headers, body = request_of
    message = json.loads(body)
    message.pop("id", None)
    assert script.forwarded((headers, json.dumps(message).encode())).owes
    said = script.response(chunks=[f'{{"a":"{MAIL}"}}'.encode()], status=status, media=media)
    assert released(said) == b""


@pytest.fixture
def poor(monkeypatch):
    """Policies of a kind, whose masks were made ready for no other test, where masking may cost nearly nothing."""
    monkeypatch.setattr("extproc.core.redaction.masker.MAX_MASKING_WORK", 200)
    return lambda text, name: text.replace("name: pii", f"name: {name}")


DEAR = {"content": [{"type": "text", "text": f"{MAIL} " * 100}]}


@pytest.mark.parametrize("media", ["application/json", SSE])
def test_what_costs_too_much_to_mask_is_withheld_and_says_why(poor, media):
    script = asked(call("echo"), poor(PII, f"poor-{media[:4]}"))
    message = {"jsonrpc": "2.0", "id": 1, "result": DEAR}
    said = script.response(events(message) if media == SSE else json.dumps(message).encode(), media=media)
    error = json.loads(released(said).split(b"data: ")[-1])["error"]
    assert error["data"] == {"reason": "masking_budget", "decision_id": "d-1"}
    assert error["message"].endswith("masking it costs more than one message may. Ask for less at a time.")
    assert not leaks(released(said), MAIL)
    end = conclusion(said)
    assert (end.result, end.masked) == ("withheld", {"unreadable": 1})
    assert (end.event["result"], end.event["reason"], end.event["payload"]) == ("withheld", "masking_budget", None)


def test_news_that_cost_too_much_end_the_stream(poor):
    script = listening(poor(PII, "poor-news"))
    dear = {**NOTE, "params": {**NOTE["params"], "message": f"{MAIL} " * 100}}
    said = script.response(events(dear, NOTE), media=SSE)
    assert released(said) == b""
    assert conclusion(said).event["reason"] == "masking_budget"


def test_what_only_the_record_would_pay_too_much_for_passes_and_is_on_record_by_its_digest(poor):
    text = poor(PII, "poor-record").replace("fields:", "except: {groups: [data-analysts]}, fields:")
    said = asked(call("echo"), text).response(reply(DEAR))
    assert json.loads(released(said))["result"] == DEAR
    event = conclusion(said).event
    assert (event["payload"], event["result"], event.get("reason")) == (None, "complete", None)
    dear = {**NOTE, "params": {**NOTE["params"], "message": f"{MAIL} " * 100}}
    (note,) = recorded(asked(call("echo"), text).response(events(dear), media=SSE))
    assert note["payload"] is None


def test_a_stream_that_breaks_off_in_the_middle_of_an_event_shows_nothing_of_it():
    script = asked(call("echo"), PII)
    script.play(ResponseHeadReceived(at=NOW, status=200, headers={"content-type": SSE}, bodiless=False))
    assert conclusion(script.play(Closed(at=NOW))).result == "cut"
    said = asked(call("echo"), PII).response(events(NOTE)[:-2], media=SSE)
    assert released(said) == b""


# --- headers ---------------------------------------------------------------------------------------------------------


def test_headers_that_could_carry_content_stay_here():
    said = asked(call("echo"), PII).response(
        reply(RESULT), media="application/json; note=x", x_trace=MAIL, cache_control=MAIL, allow="POST", etag="x"
    )
    assert said[0].headers == {"content-type": "application/json", "x-trace": None, "cache-control": None, "etag": None}
    script = asked(legacy("notifications/initialized", request_id=None), PII)
    assert script.response(None, status=202, media="", x_secret="1")[0] == Pass(
        headers={"content-type": None, "x-secret": None}
    )


def test_a_session_id_leaves_sealed_beside_them():
    handshake = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    said = asked(legacy("initialize", handshake), PII).response(reply({"instructions": MAIL}), mcp_session_id="up-1")
    assert said[0].headers["mcp-session-id"] not in {None, "up-1"}
    assert json.loads(released(said))["result"] == {"instructions": "[mail]"}


def test_a_page_is_refused_as_ever():
    assert isinstance(asked(call("echo"), PII).response(MAIL.encode(), media="text/html")[0], Answer)


# --- lists -----------------------------------------------------------------------------------------------------------


TOOLS = [
    {"name": "echo", "description": f"Ask {MAIL}.", "inputSchema": {}, "outputSchema": {"type": "object"}},
    {"name": "list_tables", "inputSchema": {}, "outputSchema": {"type": "object"}},
]


def test_a_tool_whose_results_are_masked_is_listed_without_the_schema_that_a_mask_would_not_fit():
    rules = masking("name: pii, servers: [sales-db], tools: [echo], detect: [mail]")
    for said in (
        asked(modern("tools/list"), rules).response(reply({"tools": TOOLS, "cacheScope": "public", "ttlMs": 9e9})),
        listening(rules).response(reply({"tools": TOOLS, "cacheScope": "public"}), media="application/json"),
    ):
        result = json.loads(released(said))["result"]
        assert result["tools"] == [{"name": "echo", "description": "Ask [mail].", "inputSchema": {}}, TOOLS[1]]
        assert result["cacheScope"] == "private"


def test_a_masked_result_is_made_for_one_caller():
    said = asked(modern("server/discover"), PII).response(
        reply({"instructions": "x", "cacheScope": "public", "ttlMs": 1})
    )
    assert json.loads(released(said))["result"] == {"instructions": "x", "cacheScope": "private", "ttlMs": 1}


def test_an_entry_that_is_named_by_what_must_not_be_seen_is_left_out_and_counted():
    resources = [{"uri": "schema://sales/a", "name": "a"}, {"uri": f"schema://sales/{MAIL}", "name": "b"}]
    said = asked(modern("resources/list"), PII).response(reply({"resources": resources}))
    assert [each["name"] for each in json.loads(released(said))["result"]["resources"]] == ["a"]
    assert conclusion(said).event["hidden"] == 1


def test_contents_that_come_without_being_asked_for_owe_what_their_own_uri_owes():
    rules = masking("name: pii, servers: [sales-db], resources: ['schema://sales/staff*'], detect: [mail]")
    contents = [{"uri": "schema://sales/orders", "text": MAIL}, {"uri": "schema://sales/staff", "text": MAIL}]
    read = modern("resources/read", {"uri": "schema://sales/orders"})
    said = asked(read, rules).response(reply({"contents": contents}))
    assert not leaks(released(said), MAIL)
    said = asked(read, rules).response(reply({"contents": contents[:1]}))
    assert leaks(released(said), MAIL)


def test_the_uri_that_was_asked_for_is_given_back_and_not_recorded():
    uri = f"schema://sales/{MAIL}"
    script = asked(modern("resources/read", {"uri": uri}), PII)
    said = script.response(reply({"contents": [{"uri": uri, "text": MAIL}]}))
    assert json.loads(released(said))["result"]["contents"] == [{"uri": uri, "text": "[mail]"}]
    assert not leaks(json.dumps([*script.world.records, conclusion(said).event]).encode(), MAIL)


# --- streams ---------------------------------------------------------------------------------------------------------


WHOLE = [
    events(NOTE, {"jsonrpc": "2.0", "id": 1, "result": RESULT}),
    events(NOTE, {"jsonrpc": "2.0", "id": 1, "result": RESULT}, end="\r\n\r\n"),
    b"\xef\xbb\xbf: " + MAIL.encode() + b"\n\nid: 7\nfoo: " + MAIL.encode() + b"\ndata:\n\n" + events(NOTE),
    b'data: {"jsonrpc":"2.0",\r\ndata: "id":1,"result":{"a":"' + MAIL.encode() + b'\xe2\x80\xa8\xc3\xa9"}}\r\n\r\n',
]


@given(st.sampled_from(WHOLE), st.lists(st.integers(0, 400), max_size=6))
def test_every_chunking_gives_the_same_bytes(whole, cuts):
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(bounds)]
    once = released(asked(call("echo"), PII).response(whole, media=SSE))
    assert released(asked(call("echo"), PII).response(chunks=chunks, media=SSE)) == once
    assert not leaks(once, MAIL)


@pytest.mark.parametrize("whole", WHOLE)
def test_byte_by_byte_as_well(whole):
    chunks = [whole[at : at + 1] for at in range(len(whole))]
    assert released(asked(call("echo"), PII).response(chunks=chunks, media=SSE)) == released(
        asked(call("echo"), PII).response(whole, media=SSE)
    )


def test_what_stands_beside_the_data_of_an_event_says_nothing():
    secret = MAIL.encode()
    lines = b"event: " + secret + b"\nid: " + secret + b"\nretry: 41111111\n\n"
    out = released(stream().response(lines + b"event: " + secret + b"\ndata: {}\n\n", media=SSE))
    assert out.startswith(b"id: ")
    assert not leaks(out, MAIL, "4111")
