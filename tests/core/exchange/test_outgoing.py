"""What a client says is masked before it is judged and forwarded, or stopped; what names a thing is left alone."""

import base64
import json

import pytest

from extproc.core.exchange import Answer
from extproc.core.handles import Owner, Purpose, seal
from leaks import leaks
from script import POLICY, RING, Script, answer_of, asked, call, legacy, modern, reply

MAIL = "bob@example.com"
OWN = "detectors:\n  mail: {patterns: ['[a-z]+@[a-z]+[.]com']}\n"
ANN = Owner(issuer="https://idp.example.com", subject="ann", server="sales-db", session="up-1")


def rules(*entries):
    lines = (f"  - {{name: out{n}, servers: [sales-db], detect: [mail], {entry}}}\n" for n, entry in enumerate(entries))
    return POLICY + "masking:\n" + "".join(lines) + OWN


MASKING = rules("on: requests, fields: [{path: $.pin}]")
BLOCKING = rules("on: requests, action: block, message: Ask legal.")


def sent(request, text=MASKING, **head):
    """What is forwarded in the place of the request."""
    script = Script(text)
    forward = script.forwarded(request, **head)
    assert not leaks(json.dumps(script.world.records).encode(), MAIL)
    return json.loads(forward.body) if forward.body is not None else None


def test_arguments_are_masked_before_they_are_judged_forwarded_and_recorded():
    arguments = {"text": f"to {MAIL}", "pin": 1234, "list": [json.dumps({"a": MAIL})]}
    script = Script(MASKING)
    forward = script.forwarded(call("echo", arguments))
    body = json.loads(forward.body)
    assert body["params"]["arguments"] == {"text": "to [mail]", "pin": "[masked]", "list": ['{"a": "[mail]"}']}
    assert (body["jsonrpc"], body["id"], body["method"]) == ("2.0", 1, "tools/call")
    (event,) = script.world.records
    assert (event["masked"], event["rewritten"], event["masking"]) == ({"mail": 2, "masked": 1}, True, ["out0"])
    assert event["arguments"] == body["params"]["arguments"]
    assert event["body_bytes"] == len(forward.body)
    assert script.exchange.verdict.masked == {"mail": 2, "masked": 1}
    judged = MASKING.replace("tools: [echo,", "when: 'arguments.pin == \"[masked]\"', tools: [echo,")
    assert sent(call("echo", {"pin": 1}), judged)


@pytest.mark.parametrize("entry", ["on: requests", "on: requests, action: block", "on: responses"])
def test_a_request_that_costs_too_much_to_mask_does_not_leave(entry, monkeypatch):
    monkeypatch.setattr("extproc.core.redaction.masker.MAX_MASKING_WORK", 200)
    text = rules(entry).replace("name: out0", f"name: poor-{len(entry)}")
    script = Script(text)
    (answer,) = script.post(call("echo", {"text": f"{MAIL} " * 100}))
    (event,) = script.world.records
    assert not leaks(json.dumps(event).encode(), MAIL)
    assert event["arguments"] == "[unreadable]"
    if entry == "on: responses":  # nothing is owed on the way there, only by the record
        assert event["effect"] == "allow"
        return
    assert (event["effect"], event["reason"]) == ("deny", "must_not_leave")
    said = json.loads(answer.reply.body)["result"]["content"][0]["text"]
    assert "found unreadable in the request" in said
    assert ("more work to mask" in said) is ("block" not in entry)


def test_a_request_that_says_nothing_of_it_goes_as_it_came():
    assert sent(call("echo", {"text": "hello"})) is None
    assert sent(call("echo", {"text": MAIL}), rules("on: responses")) is None
    assert sent(call("echo", {"text": "hello"}), BLOCKING) is None
    assert sent(legacy("ping")) is None


def test_responses_of_such_a_call_pass_unmasked_and_are_recorded_masked():
    script = asked(call("echo"), MASKING)
    said = script.response(reply({"content": [], "x": MAIL}))
    assert leaks(said[1].body, MAIL)
    assert not leaks(json.dumps(said[-1].event).encode(), MAIL)


@pytest.mark.parametrize(
    ("request_of", "member"),
    [
        (modern("prompts/get", {"name": "summarise", "arguments": {"text": MAIL}}), "arguments"),
        (modern("completion/complete", {"ref": {"type": "ref/prompt", "name": "summarise"}, "argument": {"name": "a", "value": MAIL}, "context": {"arguments": {"b": MAIL}}}), "argument"),
        (legacy("notifications/progress", {"progressToken": 1, "progress": 1, "message": MAIL}, request_id=None), "message"),
        (legacy("notifications/cancelled", {"requestId": 1, "reason": MAIL}, request_id=None), "reason"),
        (modern("tools/call", {"name": "echo", "_meta": {"vendor": MAIL}}), "_meta"),
    ],
)  # fmt: skip
def test_everything_that_a_client_says_is_masked(request_of, member):
    body = sent(request_of)
    assert not leaks(json.dumps(body).encode(), MAIL)
    assert "[mail]" in json.dumps(body["params"][member])
    assert ("id" in body) == ("id" in json.loads(request_of[1]))


def test_what_a_client_answers_is_masked_too():
    handle = seal(RING, Purpose.REQUEST, ANN, "7")
    session = seal(RING, Purpose.SESSION, Owner(issuer=ANN.issuer, subject="ann", server="sales-db"), "up-1")
    answer = {"jsonrpc": "2.0", "id": handle, "result": {"action": "accept", "content": {"name": MAIL, "pin": 1}}}
    request = ({"mcp-protocol-version": "2025-06-18", "mcp-session-id": session}, json.dumps(answer).encode())
    body = sent(request)
    assert body == {"jsonrpc": "2.0", "id": 7, "result": {"action": "accept", "content": {"name": "[mail]", "pin": 1}}}


def test_an_answer_in_a_further_round_is_masked_and_goes_on_with_the_same_call():
    arguments = {"text": MAIL}
    open_to_questions = MASKING.replace("    tools:\n", "    server_requests: [elicitation]\n    tools:\n", 1)
    question = {"method": "elicitation/create", "params": {"message": "?", "requestedSchema": {"type": "object"}}}
    can = {"_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}}
    first = asked(modern("tools/call", {"name": "echo", "arguments": arguments} | can), open_to_questions)
    state = {"resultType": "input_required", "requestState": "upstream", "inputRequests": {"q": question}}
    said = b"".join(command.body for command in first.response(reply(state)) if hasattr(command, "body"))
    sealed = json.loads(said)["result"]["requestState"]
    more = {"requestState": sealed, "inputResponses": {"q": {"action": "accept", "content": {"a": MAIL}}}}
    body = sent(modern("tools/call", {"name": "echo", "arguments": arguments} | can | more), open_to_questions)
    assert body["params"]["requestState"] == "upstream"
    assert body["params"]["inputResponses"] == {"q": {"action": "accept", "content": {"a": "[mail]"}}}
    assert body["params"]["arguments"] == {"text": "[mail]"}


def test_what_names_a_thing_is_not_changed():
    uri = f"schema://sales/{MAIL}"
    assert sent(modern("resources/read", {"uri": uri})) is None
    assert sent(modern("tools/list", {"cursor": MAIL})) is None


# --- refusals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [MAIL, {"deep": [MAIL]}, base64.b64encode(f"to {MAIL} now".encode()).decode()])
def test_a_rule_that_blocks_refuses_with_its_name_and_the_type_and_never_the_value(value):
    script = Script(BLOCKING)
    (answer,) = script.post(call("echo", {"text": value}))
    status, body = answer_of([answer])
    assert (status, body["result"]["isError"]) == (200, True)
    said = body["result"]["content"][0]["text"]
    assert "rule `masking:out0` found mail in the request. Ask legal." in said
    (event,) = script.world.records
    assert (event["effect"], event["rule"], event["reason"]) == ("deny", "masking:out0", "must_not_leave")
    assert not leaks(answer.reply.body + json.dumps(event).encode(), MAIL)


def test_without_the_operators_words_a_refusal_says_what_to_do():
    (answer,) = Script(rules("on: both, action: block")).post(call("echo", {"text": MAIL}))
    assert "Leave it out" in answer_of([answer])[1]["result"]["content"][0]["text"]


def test_what_is_denied_anyway_is_denied_for_that():
    (answer,) = Script(BLOCKING).post(call("drop_table", {"text": MAIL}))
    assert "masking" not in answer.reply.body.decode()


def test_a_block_in_shadow_mode_is_recorded_and_masks_go_on():
    text = rules("on: requests", "on: requests, action: block").replace("version: 1", "version: 1\nmode: shadow")
    script = Script(text)
    forward = script.forwarded(call("echo", {"text": MAIL}))
    assert json.loads(forward.body)["params"]["arguments"] == {"text": "[mail]"}
    assert script.world.records[0]["effect"] == "shadow"


@pytest.mark.parametrize("value", [MAIL, f"=?base64?{base64.b64encode(MAIL.encode()).decode()}?="])
@pytest.mark.parametrize("text", [MASKING, BLOCKING])
def test_what_stands_in_a_mirrored_header_cannot_be_masked_and_is_refused(value, text):
    headers, body = call("echo", {"text": MAIL})
    (answer,) = Script(text).post((headers | {"mcp-param-text": value}, body))
    assert isinstance(answer, Answer)
    assert "found mail" in answer.reply.body.decode()
    (answer,) = Script(MASKING).post(
        (call("echo", {"pin": "12"})[0] | {"mcp-param-pin": "12"}, call("echo", {"pin": "12"})[1])
    )
    assert "Mcp-Param" in answer.reply.body.decode()
