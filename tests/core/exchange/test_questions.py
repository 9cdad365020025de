"""What a server asks of the client: what is not open never reaches it, and both sides are told."""

import json

import pytest

from extproc.core.audit.begun import SCHEMA_VERSION
from extproc.core.exchange import NoteQuestion, Release
from extproc.core.handles import Owner, Purpose, open_handle
from script import (
    ASKING,
    POLICY,
    RING,
    Script,
    answer_of,
    asked,
    call,
    conclusion,
    events,
    legacy,
    modern,
    released,
    reply,
    stream,
)

ANN = Owner(issuer="https://idp.example.com", subject="ann", server="sales-db")
SSE = "text/event-stream"
LOGIN = "https://login.example.com/start?for=ann"
URLS = POLICY.replace("    tools:\n", "    elicitation_hosts: [login.example.com]\n    tools:\n", 1)
UNRECORDED = POLICY.replace("masked", "none")
SHADOW = "mode: shadow\n" + POLICY
MUTATING = POLICY.replace("verbs: [query]", "verbs: [query, mutate]").replace(', tools: [echo, "list_*"]', "")
ASKS = {
    "sampling": {"method": "sampling/createMessage", "params": {"systemPrompt": "INJECTED", "messages": []}},
    "roots": {"method": "roots/list"},
    "form": {"method": "elicitation/create", "params": {"message": "INJECTED", "requestedSchema": {}}},
    "url": {"method": "elicitation/create", "params": {"mode": "url", "url": LOGIN, "message": "INJECTED"}},
    "task": {"method": "tasks/get", "params": {"taskId": "INJECTED"}},
}
DONE = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}


def request(kind, request_id=7):
    return {"jsonrpc": "2.0", "id": request_id, **ASKS[kind]}


def notes(said):
    return [command for command in said if isinstance(command, NoteQuestion)]


def messages(said):
    return [json.loads(event.removeprefix(b"data: ")) for event in released(said).split(b"\n\n")[:-1]]


def asking_back(*kinds):
    return {"resultType": "input_required", "inputRequests": {kind: ASKS[kind] for kind in kinds}}


# --- the legacy era: requests of the server ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ASKS)
@pytest.mark.parametrize("answers", [False, True], ids=["GET", "POST"])
def test_a_request_that_is_not_open_is_a_ping_to_the_client_and_an_error_to_the_server(kind, answers):
    script = asked(call("echo", era=legacy)) if answers else stream()
    said = script.response(events(request(kind), *([DONE] if answers else [])), media=SSE)
    ping, *rest = messages(said)
    assert (ping["method"], set(ping)) == ("ping", {"jsonrpc", "id", "method"})
    assert b"INJECTED" not in released(said)
    assert rest == ([DONE] if answers else [])
    assert open_handle(RING, Purpose.WITHHELD, ANN, ping["id"]) == "7"

    answered = Script(MUTATING)
    forward = answered.forwarded(({"mcp-protocol-version": "2025-06-18"}, reply({"secret": 1}, ping["id"])))
    told = json.loads(forward.body)
    assert (told["id"], told["error"]["code"]) == (7, 1403)
    assert "result" not in told


def test_who_may_only_query_can_pass_the_error_on_too():
    said = stream().response(events(request("roots")), media=SSE)
    (ping,) = messages(said)
    forward = Script().forwarded(({"mcp-protocol-version": "2025-06-18"}, reply({}, ping["id"])))
    assert json.loads(forward.body)["error"]["data"] == {"reason": "server_request_refused"}


def test_somebody_else_cannot_answer_the_ping():
    (ping,) = messages(stream(subject="bob").response(events(request("roots")), media=SSE))
    status, body = answer_of(Script(MUTATING).post(({"mcp-protocol-version": "2025-06-18"}, reply({}, ping["id"]))))
    assert (status, body["error"]["code"]) == (400, -32600)


@pytest.mark.parametrize("kind", ["sampling", "roots", "form"])
def test_a_request_that_is_open_reaches_the_client(kind):
    said = asked(call("echo", era=legacy), ASKING).response(events(request(kind), DONE), media=SSE)
    first, _ = messages(said)
    assert {**first, "id": 7} == request(kind)
    (note,) = notes(said)
    assert (note.question.effect, note.event["effect"], note.event["reason"]) == ("allow", "allow", None)


def test_a_url_reaches_the_client_where_its_host_is_open():
    said = asked(call("echo", era=legacy), URLS).response(events(request("url"), DONE), media=SSE)
    assert messages(said)[0]["params"]["url"] == LOGIN
    (note,) = notes(said)
    assert note.event["host"] == "login.example.com"
    assert "start" not in json.dumps(note.event), "the rest of a URL may be a secret"
    said = asked(call("echo", era=legacy), ASKING).response(events(request("url"), DONE), media=SSE)
    assert b"login.example.com" not in released(said)


def test_a_ping_of_the_server_is_a_ping():
    said = stream().response(events({"jsonrpc": "2.0", "id": 7, "method": "ping"}), media=SSE)
    (ping,) = messages(said)
    assert open_handle(RING, Purpose.REQUEST, ANN, ping["id"]) == "7"
    assert notes(said) == []


@pytest.mark.parametrize(
    "data",
    [
        {"elicitations": [{**ASKS["url"]["params"], "elicitationId": "e"}]},
        {"elicitations": [ASKS["url"]["params"], {"mode": "url", "url": "https://evil.example.com/"}]},
        {"elicitations": [7]},
        {"elicitations": []},
        {"elicitations": {}},
        {},
        None,
    ],
)
def test_an_error_that_sends_somebody_to_a_page_is_refused_unless_every_host_is_open(data):
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32042, "message": "INJECTED", "data": data}}
    raw = json.dumps(error).encode()
    said = asked(call("echo", era=legacy)).response(raw)
    assert json.loads(released(said))["result"]["isError"] is True
    assert b"INJECTED" not in released(said)
    assert conclusion(said).result == "error"
    opened = released(asked(call("echo", era=legacy), URLS).response(raw))
    all_open = data == {"elicitations": [{**ASKS["url"]["params"], "elicitationId": "e"}]}
    assert (json.loads(opened) == error) == all_open


# --- the modern era: results that ask ---------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ASKS)
@pytest.mark.parametrize("media", ["application/json", SSE])
def test_a_result_that_asks_for_what_is_not_open_becomes_a_refusal(kind, media):
    body = reply(asking_back(kind))
    said = asked(call("echo")).response(body if media != SSE else b"data: " + body + b"\n\n", media=media)
    text = released(said).removeprefix(b"data: ")
    result = json.loads(text)["result"]
    assert result["isError"] is True
    assert "server_requests" in result["content"][0]["text"]
    assert b"INJECTED" not in text
    (note,) = notes(said)
    assert note.event["effect"] == "deny"
    assert said.index(note) < next(at for at, each in enumerate(said) if isinstance(each, Release))


def test_a_refused_prompt_is_an_error():
    said = asked(modern("prompts/get", {"name": "summarise"})).response(reply(asking_back("form")))
    error = json.loads(released(said))["error"]
    assert (error["code"], error["data"]["reason"]) == (1403, "server_request_refused")


def test_one_request_that_is_not_open_refuses_the_whole_result():
    said = asked(call("echo"), ASKING).response(reply(asking_back("form", "url", "roots")))
    assert json.loads(released(said))["result"]["isError"] is True
    assert [note.question.effect for note in notes(said)] == ["allow", "deny", "allow"]


def test_a_result_that_asks_for_what_is_open_passes_sealed():
    said = asked(call("echo"), ASKING).response(reply(asking_back("sampling", "roots", "form")))
    result = json.loads(released(said))["result"]
    assert result["inputRequests"] == {kind: ASKS[kind] for kind in ("sampling", "roots", "form")}
    assert result["requestState"]


@pytest.mark.parametrize("requests", [None, [], "x", {"a": 7}, {"a": {}}, {"a": {"method": 7}}])
@pytest.mark.parametrize("kind", ["input_required", "complete"])
def test_requests_that_cannot_be_read_are_refused(requests, kind):
    said = asked(call("echo"), ASKING).response(reply({"resultType": kind, "content": [], "inputRequests": requests}))
    assert json.loads(released(said))["result"]["isError"] is True


def test_a_task_in_a_notification_asks_by_the_same_rules():
    note = {"jsonrpc": "2.0", "method": "notifications/tasks", "params": asking_back("form")}
    assert released(asked(call("echo")).response(events(note, DONE), media=SSE)) == events(DONE)
    assert released(asked(call("echo"), ASKING).response(events(note, DONE), media=SSE)) == events(note, DONE)


def test_a_request_in_the_modern_era_is_dropped_and_on_record_whatever_is_open():
    said = asked(call("echo"), ASKING).response(events(request("roots"), DONE), media=SSE)
    assert released(said) == events(DONE)
    (note,) = notes(said)
    assert (note.event["effect"], note.event["reason"]) == ("deny", "not_in_revision")


# --- who sees it, and what is kept ------------------------------------------------------------------------------------


def test_a_response_that_is_neither_recorded_nor_masked_is_read_where_its_client_can_be_asked():
    def sent(capabilities):
        meta = {"_meta": {"io.modelcontextprotocol/clientCapabilities": capabilities}}
        return modern("tools/call", {"name": "echo", "arguments": {}, **meta})

    assert not Script(UNRECORDED).forwarded(sent({})).owes
    script = Script(UNRECORDED)
    assert script.forwarded(sent({"sampling": {}})).owes
    said = script.response(reply(asking_back("sampling")))
    assert json.loads(released(said))["result"]["isError"] is True
    assert len(notes(said)) == 1


def test_in_shadow_mode_everything_passes_and_says_so():
    said = asked(call("echo", era=legacy), SHADOW).response(events(request("sampling"), DONE), media=SSE)
    assert messages(said)[0]["method"] == "sampling/createMessage"
    (note,) = notes(said)
    assert (note.event["effect"], note.event["reason"]) == ("shadow", "sampling_not_open")
    said = asked(call("echo"), SHADOW).response(reply(asking_back("sampling")))
    assert json.loads(released(said))["result"]["inputRequests"]


def test_the_event_says_who_was_asked_for_what():
    said = asked(call("echo", era=legacy)).response(events(request("sampling"), DONE), media=SSE)
    (note,) = notes(said)
    assert {name: value for name, value in note.event.items() if name != "at"} == {
        "kind": "server_request",
        "schema": SCHEMA_VERSION,
        "decision": "d-1",
        "server": "sales-db",
        "session": None,
        "trace": None,
        "principal": {"issuer": "https://idp.example.com", "subject": "ann"},
        "asks": "sampling",
        "host": None,
        "effect": "deny",
        "reason": "sampling_not_open",
    }
