"""Calls that go on over several rounds: what travels in requestState."""

import json

import pytest

from extproc.core.exchange import (
    Answer,
    BodyReceived,
)
from held import CONSOLE, DROP, HELD, SECOND, Desk, script, state_after_first_round, urls
from script import ASKING, NOW, POLICY, Script, answer_of, call, claims, legacy, modern, reply


@pytest.mark.parametrize("change", ["tampered", "another tool", "another argument", "another user", "late", "nonsense"])
def test_a_state_that_is_not_of_this_call_is_refused(change):
    desk = Desk()
    state = state_after_first_round(Desk(says=None))
    played = script(desk=desk, console=CONSOLE)
    match change:
        case "tampered":
            said = played.post(urls(requestState=("A" if state[0] != "A" else "B") + state[1:]))
        case "another tool":
            said = played.post(urls("list_tables", requestState=state))
        case "another argument":
            said = played.post(urls(arguments={"table": "orders "}, requestState=state))
        case "another user":
            said = played.post(urls(requestState=state), claims=claims(subject="bob", groups=("stewards",)))
        case "late":
            headers, body = urls(requestState=state)
            played.begin(headers)
            said = played.play(BodyReceived(at=NOW + 901 * SECOND, body=body))
        case _:
            said = played.post(urls(requestState=17))
    status, body = answer_of(said)
    assert (status, body["error"]["code"]) == (400, -32602)
    assert played.world.asks == []


def test_an_upstream_that_asks_back_finds_the_same_approval_once():
    desk = Desk()
    played = script(desk=desk)
    played.post(DROP)
    asked_back = {"resultType": "input_required", "requestState": "theirs"}
    said = played.response(reply(asked_back))
    state = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))["result"]["requestState"]
    assert state != "theirs"
    going_on = call("drop_table", {"table": "orders"})
    params = json.loads(going_on[1])["params"] | {"requestState": state, "inputResponses": {"a": {"action": "accept"}}}
    again = script(desk=desk)
    (forward,) = again.post(modern("tools/call", params))
    assert json.loads(forward.body)["params"]["requestState"] == "theirs"
    assert again.world.records[-1]["reason"] == "approved"
    replayed = script(desk=desk)
    (told,) = replayed.post(modern("tools/call", params))
    assert isinstance(told, Answer)


def test_a_state_of_an_unapproved_call_is_sealed_to_its_owner_too():
    played = Script()
    played.forwarded(call("echo"))
    said = played.response(reply({"resultType": "input_required", "requestState": "theirs"}))
    state = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))["result"]["requestState"]
    params = {"name": "echo", "arguments": {}, "requestState": state}
    assert json.loads(Script().forwarded(modern("tools/call", params)).body)["params"]["requestState"] == "theirs"
    (told,) = Script(who=claims(subject="bob")).post(modern("tools/call", params))
    assert told.reply.status == 400


def test_a_state_too_large_to_travel_is_withheld():
    played = Script()
    played.forwarded(call("echo"))
    said = played.response(reply({"resultType": "input_required", "requestState": "x" * (64 << 10)}))
    body = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))
    assert body["error"]["data"]["reason"] == "withheld"


def test_where_responses_pass_unseen_their_states_do_too():
    unseen = POLICY.replace("payloads: masked", "payloads: none")
    params = {"name": "echo", "arguments": {}, "requestState": "theirs"}
    forward = Script(unseen).forwarded(modern("tools/call", params))
    assert forward.body is None


QUESTION = {"method": "elicitation/create", "params": {"message": "Which one?", "requestedSchema": {"type": "object"}}}


CAN_BE_ASKED = {"_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}}}}}
ANSWER = {"action": "accept", "content": {"table": "orders"}}


def asked_back(**more):
    """The state of a call whose upstream asks under the key ``which``."""
    played = Script(ASKING)
    played.forwarded(modern("tools/call", {"name": "echo", "arguments": {}} | CAN_BE_ASKED))
    said = played.response(reply({"resultType": "input_required", "inputRequests": {"which": QUESTION}} | more))
    result = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))["result"]
    assert set(result["inputRequests"]) == {"which"}
    return result["requestState"]


@pytest.mark.parametrize("theirs", [{}, {"requestState": "theirs"}])
def test_only_answers_to_what_the_upstream_asked_go_on_to_it(theirs):
    params = {
        "name": "echo",
        "arguments": {},
        "requestState": asked_back(**theirs),
        "inputResponses": {"which": ANSWER, "more": {"action": "accept", "content": {"smuggled": "value"}}},
    } | CAN_BE_ASKED
    sent = json.loads(Script(ASKING).forwarded(modern("tools/call", params)).body)["params"]
    assert sent["inputResponses"] == {"which": ANSWER}
    assert sent.get("requestState") == theirs.get("requestState")


def test_without_a_state_an_answer_is_the_upstream_s_to_judge():
    params = {"name": "echo", "arguments": {}, "inputResponses": {"which": ANSWER}}
    assert Script().forwarded(modern("tools/call", params)).body is None


def test_an_approved_call_takes_no_answer_along_that_its_approver_never_saw():
    state = state_after_first_round(Desk(says=None))
    played = script(desk=Desk(), console=CONSOLE)
    (forward,) = played.post(urls(requestState=state, inputResponses={"which": ANSWER}))
    assert "inputResponses" not in json.loads(forward.body)["params"]


def test_a_call_that_is_approved_at_once_takes_none_along_either():
    played = script(desk=Desk())
    (forward,) = played.post(
        modern("tools/call", {"name": "drop_table", "arguments": {"table": "orders"}, "inputResponses": {"a": ANSWER}})
    )
    params = json.loads(forward.body)["params"]
    assert "inputResponses" not in params
    assert params["arguments"] == {"table": "orders"}


UNSEEN = {"_meta": {"com.example/cascade": True, "progressToken": 7, "baggage": "tenant=other"}}


def meta_of(forward):
    return {name for name in json.loads(forward.body)["params"]["_meta"] if not name.startswith("io.modelcontext")}


def test_what_stands_in_meta_and_no_approver_sees_is_no_part_of_an_approved_call():
    params = {"name": "drop_table", "arguments": {"table": "orders"}}
    played = script(desk=Desk())
    (forward,) = played.post(modern("tools/call", params | UNSEEN))
    assert meta_of(forward) == {"progressToken"}
    assert json.loads(forward.body)["params"]["arguments"] == {"table": "orders"}
    (forward,) = script(desk=Desk()).post(legacy("tools/call", params | {"_meta": {"com.example/cascade": True}}))
    assert json.loads(forward.body)["params"]["_meta"] == {}


def test_a_call_that_no_human_answers_for_keeps_what_its_meta_holds():
    assert Script().forwarded(modern("tools/call", {"name": "echo", "arguments": {}} | UNSEEN)).body is None


def test_a_later_round_of_an_approved_call_brings_nothing_unseen_either():
    desk = Desk()
    played = script(desk=desk)
    played.post(DROP)
    said = played.response(reply({"resultType": "input_required", "requestState": "theirs"}))
    state = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))["result"]["requestState"]
    params = {"name": "drop_table", "arguments": {"table": "orders"}, "requestState": state}
    (forward,) = script(desk=desk).post(modern("tools/call", params | UNSEEN))
    assert meta_of(forward) == {"progressToken"}
    assert json.loads(forward.body)["params"]["requestState"] == "theirs"


def test_a_state_that_nobody_sealed_is_no_part_of_an_approved_call_also_where_responses_pass_unseen():
    params = {"name": "drop_table", "arguments": {"table": "orders"}, "requestState": "mine"}
    played = script(HELD.replace("payloads: masked", "payloads: none"))
    (forward,) = played.post(modern("tools/call", params))
    assert "requestState" not in json.loads(forward.body)["params"]
