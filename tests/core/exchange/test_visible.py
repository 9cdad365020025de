"""One message of the server at a time: what is listed, asked and told is only what the caller may see."""

import json

from extproc.core.handles import Owner, Purpose, open_handle, seal
from script import ASKING, POLICY, RING, asked, call, conclusion, events, legacy, modern, released, reply, stream

UNRECORDED = POLICY.replace("masked", "none")
ANN = Owner(issuer="https://idp.example.com", subject="ann", server="sales-db")
SSE = "text/event-stream"
RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}


def test_a_list_is_cut_to_what_the_caller_may_use_also_without_recording():
    listed = {"resultType": "complete", "tools": [{"name": "echo"}, {"name": "drop_table"}, {"name": "list_tables"}]}
    said = asked(modern("tools/list"), UNRECORDED).response(reply(listed | {"ttlMs": 9e9, "cacheScope": "public"}))
    result = json.loads(released(said))["result"]
    assert [tool["name"] for tool in result["tools"]] == ["echo", "list_tables"]
    assert result["cacheScope"] == "private"
    assert conclusion(said).event is None


def test_a_list_in_a_shape_that_cannot_be_cut_is_withheld():
    said = asked(modern("tools/list")).response(reply([{"name": "drop_table"}]))
    assert b"drop_table" not in released(said)
    assert conclusion(said).result == "withheld"


def test_what_was_hidden_is_counted():
    said = asked(modern("tools/list")).response(reply({"tools": [{"name": "echo"}, {"name": "drop_table"}]}))
    event = conclusion(said).event
    assert event["hidden"] == 1
    assert [tool["name"] for tool in event["payload"]["tools"]] == ["echo"]


def test_contents_of_a_uri_that_may_not_be_read_are_left_out():
    said = asked(modern("resources/read", {"uri": "schema://sales/orders"})).response(
        reply({"contents": [{"uri": "schema://sales/orders"}, {"uri": "schema://hr/staff"}]})
    )
    assert json.loads(released(said))["result"]["contents"] == [{"uri": "schema://sales/orders"}]


def test_completions_do_not_name_hidden_resources():
    params = {
        "ref": {"type": "ref/resource", "uri": "schema://sales/{table}"},
        "argument": {"name": "table", "value": ""},
    }
    said = asked(modern("completion/complete", params)).response(reply({"completion": {"values": ["orders", "../hr"]}}))
    assert json.loads(released(said))["result"]["completion"]["values"] == ["orders"]


def test_a_second_answer_and_an_answer_nobody_asked_for_are_dropped():
    stray = {"jsonrpc": "2.0", "id": 99, "result": {"stray": True}}
    said = asked(call("echo")).response(events(stray, RESULT, RESULT), media=SSE)
    assert released(said) == events(RESULT)


def test_a_request_of_the_server_leaves_under_a_handle_that_only_its_owner_can_answer():
    question = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {"message": "m"}}
    cancelled = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
    session = seal(RING, Purpose.SESSION, ANN, "up-1")
    headers, body = call("echo", era=legacy)
    script = asked((headers | {"mcp-session-id": session}, body), ASKING)
    first, second = released(script.response(events(question, cancelled, RESULT), media=SSE)).split(b"\n\n")[:2]
    handle = json.loads(first[6:])["id"]
    assert json.loads(second[6:])["params"]["requestId"] == handle
    owner = Owner(issuer=ANN.issuer, subject="ann", server="sales-db", session="up-1")
    assert open_handle(RING, Purpose.REQUEST, owner, handle) == "7"


def test_in_the_modern_era_a_request_of_the_server_is_dropped():
    question = {"jsonrpc": "2.0", "id": 7, "method": "roots/list"}
    assert released(asked(call("echo")).response(events(question, RESULT), media=SSE)) == events(RESULT)


def test_news_of_a_hidden_resource_are_dropped():
    def news(uri):
        return {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}}

    script = stream()
    said = script.response(events(news("schema://hr/staff"), news("schema://sales/orders"), news(7)), media=SSE)
    assert released(said) == events(news("schema://sales/orders"))


def test_a_uri_that_no_request_may_name_is_seen_by_nobody():
    """Patterns compare text: ``schema://sales/*`` would cover a path that leads out of ``sales`` again."""
    odd = ["schema://sales/../hr/staff", "schema://sales/%2e%2e/hr", "schema://sales/a b", ""]
    news = [{"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}} for uri in odd]
    assert released(stream().response(events(*news), media=SSE)) == b""
    listed = {"resources": [{"uri": uri} for uri in (*odd, "schema://sales/orders")]}
    said = asked(modern("resources/list")).response(reply(listed))
    assert json.loads(released(said))["result"]["resources"] == [{"uri": "schema://sales/orders"}]


def test_a_notification_without_params_passes():
    note = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    assert released(stream().response(events(note), media=SSE)) == events(note)


def test_a_list_on_a_resumed_stream_is_known_by_its_looks():
    late = {"jsonrpc": "2.0", "id": 4, "result": {"tools": [{"name": "echo"}, {"name": "drop_table"}]}}
    read = {"jsonrpc": "2.0", "id": 5, "result": {"contents": [{"uri": "schema://hr/staff"}]}}
    plain = {"jsonrpc": "2.0", "id": 6, "result": {"content": []}}
    out = released(stream().response(events(late, read, plain), media=SSE)).split(b"\n\n")
    assert json.loads(out[0][6:])["result"]["tools"] == [{"name": "echo"}]
    assert json.loads(out[1][6:])["result"]["contents"] == []
    assert json.loads(out[2][6:]) == plain
