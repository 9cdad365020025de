"""What the upstream answers, as far as the caller may see it, however the bytes are cut."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.exchange import (
    Answer,
    DeadlinePassed,
    DropTrailers,
    Inspect,
    Pass,
    Release,
    ResponseBodyReceived,
    ResponseHeadReceived,
)
from extproc.core.handles import Owner, Purpose, open_handle, open_path, seal
from extproc.core.limits import MAX_JSON_RESPONSE_BYTES, MAX_SSE_EVENT_BYTES
from script import NOW, POLICY, RING, asked, call, conclusion, events, legacy, modern, released, reply, stream

UNRECORDED = POLICY.replace("masked", "none")
ANN = Owner(issuer="https://idp.example.com", subject="ann", server="sales-db")
SSE = "text/event-stream"


def test_a_result_passes_unchanged_and_is_recorded():
    body = reply({"content": [{"type": "text", "text": "hi"}]})
    said = asked(call("echo")).response(body, content_length="99")
    assert said[0] == Inspect(headers={})
    assert released(said) == body
    event = conclusion(said).event
    assert (event["result"], event["status"], event["bytes"]) == ("complete", 200, len(body))
    assert event["payload"] == {"content": [{"type": "text", "text": "hi"}]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b'{"jsonrpc":"2.0","id":1,"result":{},"result":{"tools":[]}}',
        b'[{"jsonrpc":"2.0","id":1,"result":{}}]',
        b"\xff\xfe",
        reply({}, request_id=2),
        reply({}, request_id="1"),
        b'{"jsonrpc":"2.0","id":9,"method":"roots/list"}',
    ],
)
def test_a_body_that_does_not_answer_the_request_is_withheld(body):
    said = asked(modern("tools/list")).response(body)
    error = json.loads(released(said))
    assert (error["id"], error["error"]["code"]) == (1, -32603)
    assert conclusion(said).result == "withheld"


def test_an_error_without_an_id_passes():
    body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"m"}}'
    assert released(asked(call("echo")).response(body, status=400)) == body


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (200, {"content_encoding": "gzip"}),
        (200, {"media": "text/html"}),
        (200, {"media": ""}),
        (200, {"media": "application/json; charset=utf-16"}),
        (200, {"media": "application/json,text/html"}),
        (302, {"location": "https://elsewhere"}),
        (401, {}),
        (403, {"www_authenticate": "Bearer"}),
    ],
)
def test_a_response_that_cannot_pass_is_replaced_by_an_error_in_band(status, headers):
    said = asked(call("echo")).response(b"x", status=status, **headers)
    assert isinstance(said[0], Answer)
    assert (said[0].reply.status, json.loads(said[0].reply.body)["id"]) == (200, 1)
    assert conclusion(said).result == "withheld"


def test_an_error_page_of_the_upstream_keeps_its_status_and_loses_its_words():
    said = asked(call("echo")).response(b"<h1>secret</h1>", status=503, media="text/html")
    assert said[0].reply.status == 503
    assert b"secret" not in said[0].reply.body


def test_a_replaced_response_to_a_notification_is_a_bad_gateway():
    script = asked(legacy("notifications/initialized", request_id=None))
    assert script.response(b"x", status=302, media="text/html")[0].reply.status == 502


@pytest.mark.parametrize(
    ("request_of", "status", "chunks"),
    [
        (legacy("notifications/initialized", request_id=None), 202, [b""]),
        (legacy("notifications/initialized", request_id=None), 200, [b"O", b"K"]),
        (legacy("tools/list"), 202, [b"Accepted"]),
    ],
)
def test_of_a_mere_receipt_the_status_passes_and_no_word(request_of, status, chunks):
    said = asked(request_of).response(chunks=chunks, status=status, media="text/plain")
    assert said[0] == Inspect(headers={"content-type": None})
    assert released(said) == b""
    assert said[-2].last
    assert conclusion(said).result == "complete"


def test_a_receipt_in_json_loses_its_words_too():
    listed = reply({"tools": [{"name": "drop_table"}]})
    said = asked(legacy("notifications/initialized", request_id=None)).response(listed, status=202)
    assert (released(said), conclusion(said).event["bytes"]) == (b"", 0)


def test_json_in_the_place_of_a_stream_is_cut_like_a_stream():
    said = stream().response(reply({"tools": [{"name": "echo"}, {"name": "drop_table"}]}))
    assert json.loads(released(said))["result"]["tools"] == [{"name": "echo"}]
    assert conclusion(said).event["bytes"] == len(released(said))


@pytest.mark.parametrize("body", [b'{"tools":[{"name":"drop_table"}]}', b'[{"name":"drop_table"}]'])
def test_json_of_no_message_is_withheld_also_where_nothing_was_asked(body):
    said = stream().response(body, status=405)
    assert json.loads(released(said))["error"]["data"]["reason"] == "withheld"


def test_a_page_in_the_place_of_a_stream_is_no_receipt():
    assert stream().response(b"x", media="text/html")[0].reply.status == 502


@pytest.mark.parametrize("media", ["application/json", "Application/JSON", 'application/json; charset="UTF-8"'])
def test_json_in_utf_8_is_read_however_it_is_spelt(media):
    assert released(asked(call("echo")).response(reply({}), media=media)) == reply({})


def test_an_answer_without_a_body_passes():
    script = asked(legacy("notifications/initialized", request_id=None))
    said = script.response(None, status=202)
    assert said[0] == Pass(headers={})
    assert script.exchange.over
    assert asked(legacy("ping")).response(b"", content_length="0")[0] == Pass(headers={})


def test_a_legacy_result_that_owes_nothing_is_not_looked_into():
    assert asked(call("echo", era=legacy), UNRECORDED).response(reply({}))[0] == Pass(headers={})


# --- sessions --------------------------------------------------------------------------------------------------------

HANDSHAKE = legacy(
    "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
)


def test_a_session_id_leaves_sealed_to_its_principal():
    said = asked(HANDSHAKE).response(reply({"protocolVersion": "2025-06-18"}), mcp_session_id="up-1")
    handle = said[0].headers["mcp-session-id"]
    assert open_handle(RING, Purpose.SESSION, ANN, handle) == "up-1"
    assert conclusion(said).event["session"]


def test_the_same_session_has_the_same_handle_in_every_response():
    session = seal(RING, Purpose.SESSION, ANN, "up-1")
    headers, body = legacy("ping")
    said = asked((headers | {"mcp-session-id": session}, body)).response(reply({}), mcp_session_id="up-1")
    assert said[0].headers == {"mcp-session-id": session}


def test_in_the_modern_era_a_session_id_does_not_leave():
    assert asked(call("echo")).response(reply({}), mcp_session_id="up-1")[0].headers == {"mcp-session-id": None}


# --- streams ---------------------------------------------------------------------------------------------------------

PROGRESS = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}}
RESULT = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}


def test_a_stream_passes_event_by_event():
    script = asked(call("echo"))
    said = script.response(events(PROGRESS, RESULT), media=SSE)
    assert released(said) == events(PROGRESS, RESULT)
    event = conclusion(said).event
    assert (event["payload"], event["messages"], event["bytes"]) == (None, 2, len(events(PROGRESS, RESULT)))


def test_an_event_leaves_as_soon_as_it_is_whole():
    script = asked(call("echo"))
    script.play(ResponseHeadReceived(at=NOW, status=200, headers={"content-type": SSE}, bodiless=False))
    whole = events(PROGRESS)
    assert script.play(ResponseBodyReceived(at=NOW, chunk=whole[:-1], last=False)) == []
    assert script.play(ResponseBodyReceived(at=NOW, chunk=whole[-1:], last=False))[1:] == [
        Release(body=whole, last=False)
    ]


STREAMS = [
    events(PROGRESS, RESULT),
    events(PROGRESS, RESULT, end="\r\n\r\n"),
    b"\xef\xbb\xbf: hello\n\nid: 7\ndata:\n\n" + events(RESULT),
    events({"jsonrpc": "2.0", "id": 1, "result": {"tools": [{"name": "echo"}, {"name": "drop_table"}]}}),
    b"data: not json\n\n" + events(RESULT),
    b'data: {"jsonrpc":"2.0",\ndata: "id":1,"result":{}}\n\n',
]


@given(st.sampled_from(STREAMS), st.lists(st.integers(0, 400), max_size=6))
def test_every_chunking_of_a_stream_gives_the_same_bytes(whole, cuts):
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(bounds)]
    request = legacy("tools/list")
    assert released(asked(request).response(chunks=chunks, media=SSE)) == released(
        asked(request).response(whole, media=SSE)
    )


@given(st.lists(st.integers(0, 60), max_size=6))
def test_every_chunking_of_a_json_body_gives_the_same_bytes(cuts):
    whole = reply({"tools": [{"name": "echo"}, {"name": "drop_table"}]})
    bounds = [0, *sorted(min(cut, len(whole)) for cut in cuts), len(whole)]
    chunks = [whole[start:end] for start, end in itertools.pairwise(bounds)]
    said = asked(modern("tools/list")).response(chunks=chunks)
    assert [tool["name"] for tool in json.loads(released(said))["result"]["tools"]] == ["echo"]


def test_event_ids_leave_as_handles_and_comments_without_their_words():
    out = released(stream().response(b": secret\n\nid: 7\nretry: 100\ndata:\n\nid:\ndata:\n\n", media=SSE))
    assert b"secret" not in out
    lines = dict(line.split(b": ", 1) for line in out.split(b"\n\n")[1].split(b"\n"))
    assert open_handle(RING, Purpose.EVENT, ANN, lines[b"id"].decode()) == "7"
    assert lines[b"retry"] == b"100"


def test_the_endpoint_of_the_older_transport_leaves_sealed_and_owns_what_follows():
    question = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
    stream_bytes = b"event: endpoint\ndata: /message?sessionId=s1\n\n" + events(question)
    out = released(stream().response(stream_bytes, media=SSE)).split(b"\n\n")
    path = out[0].split(b"data: ")[1].decode()
    assert open_path(RING, ANN, path) == "/message?sessionId=s1"
    owner = Owner(issuer=ANN.issuer, subject="ann", server="sales-db", session="/message?sessionId=s1")
    assert open_handle(RING, Purpose.REQUEST, owner, json.loads(out[1][6:])["id"]) == "7"


@pytest.mark.parametrize(
    "place",
    [
        *("https://evil.example/m", "//evil.example/m", "message", "/\\evil", ""),
        # URL parsers take these out before they look: what is left is another host
        *("/\t/evil.example/m", "/\ndata: /evil.example/m", "/\x0b/evil", "/ /evil", "/\xa0evil"),
    ],
)
def test_an_endpoint_elsewhere_ends_the_stream(place):
    said = stream().response(f"event: endpoint\ndata: {place}\n\n".encode() + events(PROGRESS), media=SSE)
    assert b"evil" not in released(said)


def test_an_endpoint_event_in_answer_to_a_post_is_dropped():
    said = asked(call("echo")).response(b"event: endpoint\ndata: /m\n\n" + events(RESULT), media=SSE)
    assert released(said) == events(RESULT)


@pytest.mark.parametrize(
    "bad", [b"data: no json\n\n", b"data: \xff\n\n", b"data: " + b"x" * (MAX_SSE_EVENT_BYTES + 1) + b"\n\n"]
)
def test_a_stream_that_cannot_be_read_ends_with_an_error(bad):
    said = asked(call("echo")).response(chunks=[events(PROGRESS), bad, events(RESULT)], media=SSE)
    out = released(said)
    assert out.startswith(events(PROGRESS))
    assert b'"error"' in out
    assert b"content" not in out
    assert conclusion(said).result == "withheld"


def test_a_stream_of_its_own_that_cannot_be_read_just_ends():
    said = stream().response(chunks=[b"data: no json\n\n", events(PROGRESS)], media=SSE)
    assert released(said) == b""
    assert said[-2] == Release(body=b"", last=True)


def test_an_event_that_the_end_cuts_off_is_dropped():
    assert released(asked(call("echo")).response(events(PROGRESS) + b'data: {"secret"', media=SSE)) == events(PROGRESS)


def test_a_stream_ends_when_its_time_is_over():
    script = stream()
    script.play(ResponseHeadReceived(at=NOW, status=200, headers={"content-type": SSE}, bodiless=False))
    said = script.play(DeadlinePassed(at=NOW))
    assert said[0] == Release(body=b"", last=True)
    assert (conclusion(said).result, script.exchange.over) == ("cut", True)


@pytest.mark.parametrize("media", ["application/json", SSE])
def test_trailers_stay_here(media):
    body = reply({"content": []}) if media == "application/json" else events(RESULT)
    said = asked(call("echo")).response(body, media=media, trailers=("x-secret",))
    assert released(said) == body
    assert not any(command.last for command in said if isinstance(command, Release))
    assert said[-1] == DropTrailers(names=("x-secret",))
    assert conclusion(said).result == "complete"


# --- sizes -----------------------------------------------------------------------------------------------------------


def test_a_large_result_that_needs_no_change_streams_through():
    half = b"x" * (MAX_JSON_RESPONSE_BYTES // 2 + 1)
    said = asked(call("echo")).response(chunks=[half, half, b"end"])
    assert released(said) == half + half + b"end"
    assert conclusion(said).event["payload"] is None


def test_a_list_too_large_to_be_read_is_withheld():
    said = asked(modern("tools/list")).response(chunks=[b" " * (MAX_JSON_RESPONSE_BYTES + 1), b"more"])
    assert json.loads(released(said))["error"]["code"] == -32603


def test_the_answer_to_a_call_that_is_cut_ends_with_an_error_and_nothing_that_came_later():
    script = asked(call("echo"))
    progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": 1}}
    said = script.play(
        ResponseHeadReceived(at=NOW, status=200, headers={"content-type": SSE}, bodiless=False),
        ResponseBodyReceived(at=NOW, chunk=events(progress) + b"data: {", last=False),
        DeadlinePassed(at=NOW),
    )
    assert said[0] == Inspect(headers={}, streams=True)
    first, last = released(said).strip().split(b"\n\n")
    assert json.loads(first.removeprefix(b"data: ")) == progress
    error = json.loads(last.partition(b"data: ")[2])
    assert (error["id"], error["error"]["data"]["reason"]) == (1, "cut")
    assert conclusion(said).event["result"] == "cut"
    assert script.exchange.over
