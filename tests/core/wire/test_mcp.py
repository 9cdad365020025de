import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from extproc.core.limits import MAX_BODY_BYTES, MAX_NAME_CHARS
from extproc.core.model import Client, Era, Message, MessageKind, RequestHead, ResourceKind, Target, Verb
from extproc.core.rejection import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    Rejection,
)
from extproc.core.wire import mcp
from extproc.core.wire.jsonrpc import ServerMessage, read_server_message

META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "c", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {"name": "run_shell", "arguments": {"command": "ls"}}
TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SERVER = (Target(kind=ResourceKind.SERVER),)


def head(method: str = "POST", **headers: str) -> RequestHead:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    content = {"content-type": "application/json"} if method == "POST" else {}
    return RequestHead(server="s", http_method=method, path="/mcp", headers={**content, **named})


def body(method: str = "tools/call", params=CALL, **members) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **members}).encode()


def modern(method: str = "tools/call", params=CALL, **headers: str) -> Message | Rejection:
    name = params.get("name", params.get("uri"))
    mirrors = {"mcp_protocol_version": "2026-07-28", "mcp_method": method} | ({"mcp_name": name} if name else {})
    sent = {key: value for key, value in {**mirrors, **headers}.items() if value is not None}
    return mcp.read_message(head(**sent), body(method, {"_meta": META, **params}))


def legacy(method: str = "tools/call", params=CALL, **headers: str) -> Message | Rejection:
    return mcp.read_message(head(**headers), body(method, params))


def accepted(outcome: Message | Rejection) -> Message:
    assert isinstance(outcome, Message), outcome
    return outcome


def refused(outcome: Message | Rejection, status: int, code: int, *, id_: int | None = 1) -> str:
    assert isinstance(outcome, Rejection), outcome
    assert (outcome.status, outcome.code, outcome.id) == (status, code, id_)
    assert "run_shell" not in outcome.message
    return outcome.reason


def test_a_legacy_tool_call_is_read_whole():
    raw = body()
    assert mcp.read_message(head(mcp_protocol_version="2025-11-25"), raw) == Message(
        kind=MessageKind.REQUEST,
        method="tools/call",
        era=Era.LEGACY,
        revision="2025-11-25",
        verb=Verb.MUTATE,
        targets=(Target(kind=ResourceKind.TOOL, name="run_shell"),),
        id=1,
        params=CALL,
        arguments={"command": "ls"},
        body=raw,
    )


def test_a_modern_tool_call_is_read_whole():
    message = accepted(modern(params={**CALL, "requestState": "s", "inputResponses": {}}))
    assert (message.era, message.revision) == (Era.MODERN, "2026-07-28")
    assert message.client == Client(name="c", version="1")
    assert message.params["_meta"] == META
    assert not message.rewritten


def test_a_post_of_the_2024_transport_needs_no_version():
    assert accepted(legacy("tools/list", {})).revision == "2025-03-26"


def test_a_number_beyond_a_double_is_forwarded_as_it_was_judged():
    raw = body().replace(b'"ls"', b"100.00000000000000001")
    message = accepted(mcp.read_message(head(), raw))
    assert message.rewritten
    assert message.arguments == json.loads(message.body)["params"]["arguments"] == {"command": 100.0}


def test_escaped_values_mean_what_they_decode_to():
    raw = body().replace(b"run_shell", b"run\\u005fshell").replace(b"tools/call", b"tools\\/call")
    message = accepted(mcp.read_message(head(mcp_name="run_shell"), raw))
    assert (message.method, message.targets[0].name, message.body) == ("tools/call", "run_shell", raw)


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "POSTX", "post", ""])
def test_only_a_post_carries_a_message(method):
    sent = replace(head(), http_method=method)
    assert refused(mcp.read_message(sent, body()), 405, INVALID_REQUEST, id_=None) == "http_method"


def test_a_body_that_is_not_plain_json_is_refused_before_it_is_read():
    assert refused(mcp.read_message(head(content_encoding="gzip"), body()), 415, INVALID_REQUEST, id_=None)
    assert refused(mcp.read_message(head(content_type="text/plain"), body()), 415, INVALID_REQUEST, id_=None)
    assert refused(mcp.read_message(head(), b""), 400, PARSE_ERROR, id_=None) == "not_json"


def test_a_body_over_the_limit_is_refused_and_never_cut():
    padded = body()[:-1] + b" " * MAX_BODY_BYTES + b"}"
    assert refused(mcp.read_message(head(), padded), 413, INVALID_REQUEST, id_=None) == "body_too_large"


@pytest.mark.parametrize("batch", [b"[%s]", b"[%s,%s]", b" \n[%s]", b"[[%s]]"])
def test_a_batch_is_refused(batch):
    raw = batch.replace(b"%s", body())
    assert refused(mcp.read_message(head(), raw), 400, INVALID_REQUEST, id_=None) == "batch"


def test_a_refused_envelope_is_answered_under_its_id():
    assert refused(mcp.read_message(head(), body(result={})), 400, INVALID_REQUEST) == "shape"
    assert refused(mcp.read_message(head(), body(extra="x")), 400, INVALID_REQUEST) == "unknown_member"
    assert refused(mcp.read_message(head(), body(id=True)), 400, INVALID_REQUEST, id_=None) == "id"


@pytest.mark.parametrize("params", [{"name": "echo", "Name": "run_shell"}, {"name\0": "x", "name": "echo"}])
def test_a_twin_parameter_is_refused(params):
    assert refused(legacy(params=params), 400, PARSE_ERROR, id_=None) == "folded_key"


@pytest.mark.parametrize("params", [{"name": "echo", "Arguments ": {}}, {"NAME": "echo"}, {**CALL, "_Meta": {}}])
def test_a_disguised_parameter_is_refused_also_without_its_twin(params):
    assert refused(legacy(params=params), 400, INVALID_PARAMS) == "disguised_member"


@pytest.mark.parametrize("params", [{**CALL, "_pad": "x"}, {**CALL, "task": {"ttl": 1}}, {**CALL, "requestState": "x"}])
def test_a_parameter_that_the_era_does_not_know_is_refused(params):
    assert refused(legacy(params=params), 400, INVALID_PARAMS)


def test_meta_is_an_object_without_disguises():
    assert refused(legacy(params={**CALL, "_meta": []}), 400, INVALID_PARAMS) == "meta"
    for key in ("io.modelcontextprotocol/ProtocolVersion", "io.modelcontextprotocol/protocolVersion\u200b"):
        assert refused(legacy(params={**CALL, "_meta": {key: "x"}}), 400, INVALID_PARAMS) == "disguised_member"
    assert accepted(legacy(params={**CALL, "_meta": {"vendor/Key": 1, "progressToken": 1}}))


@pytest.mark.parametrize("version", [None, "2025-06-18", "2025-11-25"])
def test_a_body_that_claims_to_be_modern_is_never_read_as_legacy(version):
    assert refused(modern(mcp_protocol_version=version), 400, HEADER_MISMATCH)


def test_a_modern_header_needs_a_modern_body():
    assert refused(legacy(mcp_protocol_version="2026-07-28"), 400, INVALID_PARAMS) == "meta"


@pytest.mark.parametrize("version", ["2099-01-01", "2026-07-28,2026-07-28"])
def test_an_unknown_version_is_refused(version):
    assert refused(legacy(mcp_protocol_version=version), 400, UNSUPPORTED_VERSION)


@pytest.mark.parametrize(
    "headers",
    [
        {"mcp_name": "echo"},
        {"mcp_name": None},
        {"mcp_name": "echo,run_shell"},
        {"mcp_name": "run_shell,echo"},
        {"mcp_name": "=?BASE64?cnVuX3NoZWxs?="},
        {"mcp_name": "=?base64?ZWNobw==?="},
        {"mcp_name": "run_sh\u00e9ll"},
        {"mcp_method": "tools/list"},
        {"mcp_method": None},
        {"mcp_method": "Tools/Call"},
        {"mcp_param_command": "rm"},
    ],
)
def test_a_header_that_disagrees_with_the_body_is_refused_in_both_eras(headers):
    assert refused(modern(**headers), 400, HEADER_MISMATCH)
    sent = {name: value for name, value in headers.items() if value is not None}
    if sent:
        assert refused(legacy(**sent), 400, HEADER_MISMATCH)
    else:
        assert accepted(legacy())


def test_headers_that_agree_pass_plain_or_encoded():
    assert accepted(modern(mcp_name="=?base64?cnVuX3NoZWxs?=", mcp_param_command="ls", mcp_param_other="x"))
    assert accepted(legacy(mcp_name="run_shell", mcp_method="tools/call", mcp_param_command="=?base64?bHM=?="))


def test_a_name_header_mirrors_something_or_is_refused():
    assert refused(modern("tools/list", {}, mcp_name="x"), 400, HEADER_MISMATCH)
    listen = {"notifications": {"resourceSubscriptions": ["file:///a"]}}
    assert refused(modern("subscriptions/listen", listen, mcp_name="file:///a"), 400, HEADER_MISMATCH)
    assert accepted(modern("tools/list", {"cursor": ""}))


@pytest.mark.parametrize("uri", ["file:///x/%2e%2e/etc/passwd", "FILE:///x", "file:/etc", "file://localhost/etc"])
def test_a_uri_has_one_form(uri):
    assert refused(modern("resources/read", {"uri": uri}), 400, INVALID_PARAMS) == "uri"
    assert refused(modern("resources/read", {"uri": uri}, mcp_name="file:///a"), 400, INVALID_PARAMS)


@pytest.mark.parametrize(
    "method", ["tools/execute", "tasks/update", "tasks/get", "initialize", "ping", "logging/setLevel"]
)
def test_a_method_without_a_place_is_not_found(method):
    assert refused(modern(method, {}), 404, METHOD_NOT_FOUND)
    if method.startswith("t"):
        assert refused(legacy(method, {}), 200, METHOD_NOT_FOUND)


def test_a_handshake_may_ask_for_any_revision():
    def initialize(version, info):
        params = {"protocolVersion": version, "capabilities": {}, "clientInfo": info}
        return accepted(legacy("initialize", params))

    message = initialize("2025-06-18", {"name": "agent", "version": "2"})
    assert (message.revision, message.client, message.targets) == (
        "2025-06-18",
        Client(name="agent", version="2"),
        SERVER,
    )
    for version in ("2099-01-01", "2026-07-28", None, ["2025-06-18"]):
        assert initialize(version, {}).revision == "2025-11-25"


@pytest.mark.parametrize("info", [None, "x", {"name": 1}, {"version": []}, {"name": "x" * (MAX_NAME_CHARS + 1)}])
def test_a_client_that_says_nothing_sensible_of_itself_is_nobody(info):
    assert accepted(legacy("initialize", {"clientInfo": info})).client is None


@pytest.mark.parametrize("traceparent", [TRACE, TRACE.replace("00-", "01-", 1)])
def test_a_trace_is_taken_from_the_body_or_the_header(traceparent):
    expected = "0af7651916cd43dd8448eb211c80319c"
    assert accepted(legacy(params={**CALL, "_meta": {"traceparent": traceparent}})).trace_id == expected
    assert accepted(legacy(traceparent=traceparent)).trace_id == expected
    assert accepted(mcp.read_bodiless(head("DELETE", traceparent=traceparent))).trace_id == expected


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "ff" + TRACE[2:],
        TRACE.upper(),
        TRACE + ",x",
        TRACE.replace("0af7651916cd43dd8448eb211c80319c", "0" * 32),
        TRACE.replace("b7ad6b7169203331", "0" * 16),
    ],
)
def test_a_malformed_trace_is_no_trace(traceparent):
    assert accepted(legacy(traceparent=traceparent)).trace_id is None
    assert accepted(legacy(params={**CALL, "_meta": {"traceparent": 7}})).trace_id is None
    assert accepted(legacy(params={**CALL, "_meta": {"traceparent": traceparent}}, traceparent=TRACE)).trace_id


def test_the_trace_in_the_body_goes_before_the_one_in_the_header():
    other = TRACE.replace("0af7651916cd43dd8448eb211c80319c", "a" * 32)
    assert accepted(legacy(params={**CALL, "_meta": {"traceparent": other}}, traceparent=TRACE)).trace_id == "a" * 32


def test_a_notification_expects_no_answer():
    raw = json.dumps({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}).encode()
    for version, era in (("2025-11-25", Era.LEGACY), ("2026-07-28", Era.MODERN)):
        message = accepted(mcp.read_message(head(mcp_protocol_version=version), raw))
        assert (message.kind, message.id, message.era, message.verb) == (
            MessageKind.NOTIFICATION,
            None,
            era,
            Verb.QUERY,
        )
    lying = head(mcp_protocol_version="2026-07-28", mcp_method="tools/list")
    assert refused(mcp.read_message(lying, raw), 400, HEADER_MISMATCH, id_=None)
    unknown = raw.replace(b"cancelled", b"initialized")
    sent = head(mcp_protocol_version="2026-07-28")
    assert refused(mcp.read_message(sent, unknown), 400, METHOD_NOT_FOUND, id_=None)


@pytest.mark.parametrize("outcome", [{"result": {"action": "accept"}}, {"error": {"code": -1, "message": "no"}}])
def test_a_posted_response_carries_data_out_and_is_legacy_only(outcome):
    raw = json.dumps({"jsonrpc": "2.0", "id": "s1", **outcome}).encode()
    assert mcp.read_message(head(mcp_protocol_version="2025-06-18"), raw) == Message(
        kind=MessageKind.RESPONSE,
        method="client/response",
        era=Era.LEGACY,
        revision="2025-06-18",
        verb=Verb.MUTATE,
        targets=SERVER,
        id="s1",
        params={"id": "s1", **outcome},
        body=raw,
    )
    sent = head(mcp_protocol_version="2026-07-28")
    assert refused(mcp.read_message(sent, raw), 400, INVALID_REQUEST, id_=None) == "client_response"
    assert refused(mcp.read_message(head(mcp_protocol_version="1"), raw), 400, UNSUPPORTED_VERSION, id_=None)
    assert refused(mcp.read_message(head(mcp_method="ping"), raw), 400, HEADER_MISMATCH, id_=None)


@pytest.mark.parametrize("accept", ["text/event-stream", "application/json, Text/Event-Stream;q=0.9", "*/*", "text/*"])
def test_a_get_opens_a_stream_also_without_a_session(accept):
    assert mcp.read_bodiless(head("GET", accept=accept)) == Message(
        kind=MessageKind.STREAM,
        method="stream/open",
        era=Era.LEGACY,
        revision="2025-03-26",
        verb=Verb.QUERY,
        targets=SERVER,
    )


def test_a_get_with_a_last_event_resumes_a_stream():
    sent = head("GET", accept="text/event-stream", last_event_id="7", mcp_protocol_version="2025-11-25")
    message = accepted(mcp.read_bodiless(sent))
    assert (message.kind, message.method, message.revision) == (MessageKind.STREAM, "stream/resume", "2025-11-25")


def test_a_delete_ends_a_session():
    message = accepted(mcp.read_bodiless(head("DELETE", content_length="0")))
    assert (message.kind, message.method, message.verb, message.body) == (
        MessageKind.END,
        "session/end",
        Verb.QUERY,
        b"",
    )


@pytest.mark.parametrize("accept", ["", "application/json", "text/html", "text/event-streams"])
def test_a_get_that_takes_no_events_is_refused(accept):
    assert refused(mcp.read_bodiless(head("GET", accept=accept)), 406, INVALID_REQUEST, id_=None) == "accept"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT", "get", ""])
def test_other_bodiless_requests_are_refused(method):
    assert refused(mcp.read_bodiless(head(method)), 405, INVALID_REQUEST, id_=None) == "http_method"


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_modern_era_has_posts_only(method):
    sent = head(method, accept="*/*", mcp_protocol_version="2026-07-28")
    assert refused(mcp.read_bodiless(sent), 405, INVALID_REQUEST, id_=None) == "post_only"
    sent = head(method, accept="*/*", mcp_protocol_version="2099-01-01")
    assert refused(mcp.read_bodiless(sent), 400, UNSUPPORTED_VERSION, id_=None)


@pytest.mark.parametrize(
    "headers", [{"content_length": "5"}, {"content_length": "0,5"}, {"transfer_encoding": "chunked"}]
)
def test_a_body_where_none_belongs_is_refused(headers):
    for method in ("GET", "DELETE"):
        sent = head(method, accept="*/*", **headers)
        assert refused(mcp.read_bodiless(sent), 400, INVALID_REQUEST, id_=None) == "body_not_allowed"


@pytest.mark.parametrize("header", ["mcp_method", "mcp_name"])
def test_a_mirror_without_a_body_is_refused(header):
    sent = head("GET", accept="*/*", **{header: "x"})
    assert refused(mcp.read_bodiless(sent), 400, HEADER_MISMATCH, id_=None)


CLIENT_REQUESTS = [
    "CallToolRequest",
    "CompleteRequest",
    "DiscoverRequest",
    "ListPromptsRequest",
    "ListResourcesRequest",
]
CLIENT_REQUESTS += [
    "ListResourceTemplatesRequest",
    "ListToolsRequest",
    "ReadResourceRequest",
    "SubscriptionsListenRequest",
]


def test_the_examples_of_the_specification_are_read(corpora: Path):
    requests = others = 0
    for file in sorted((corpora / "mcp-2026-07-28-examples").glob("*/*.json")):
        raw = file.read_bytes()
        value = json.loads(raw)
        if file.parent.name in CLIENT_REQUESTS:
            params = value["params"]
            mirrors = {"mcp_protocol_version": "2026-07-28", "mcp_method": value["method"]}
            if value["method"] in {"tools/call", "resources/read"}:
                mirrors["mcp_name"] = params.get("name", params.get("uri"))
            message = accepted(mcp.read_message(head(**mirrors), raw))
            assert (message.id, message.params, message.body) == (value["id"], params, raw)
            requests += 1
        elif isinstance(value, dict) and "jsonrpc" in value:
            read = read_server_message(raw)
            assert isinstance(read, ServerMessage), file
            assert read.value == value
            others += 1
        else:
            assert isinstance(read_server_message(raw), Rejection), file
    assert requests >= len(CLIENT_REQUESTS)
    assert others > 10


def test_json_test_suite_never_breaks_a_call(corpora: Path):
    for file in sorted((corpora / "jsontestsuite" / "test_parsing").glob("*.json")):
        raw = body(params={"name": "t", "arguments": {"value": "HERE"}}).replace(b'"HERE"', file.read_bytes())
        outcome = mcp.read_message(head(), raw)
        if file.name.startswith("n_"):
            assert isinstance(outcome, Rejection), file.name
        elif file.name.startswith("y_") and "duplicated_key" not in file.name:
            assert accepted(outcome).arguments == json.loads(raw)["params"]["arguments"], file.name


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text(), max_size=2)
PARAMS = st.fixed_dictionaries(
    {},
    optional={
        "name": VALUES,
        "uri": VALUES,
        "arguments": VALUES | st.dictionaries(st.text(), VALUES),
        "ref": VALUES | st.dictionaries(st.sampled_from(["type", "name", "uri"]), VALUES),
        "notifications": VALUES | st.dictionaries(st.text(), VALUES),
        "clientInfo": VALUES,
        "_meta": VALUES | st.fixed_dictionaries({}, optional=dict.fromkeys(META, VALUES)) | st.just(META),
    },
)
METHODS = st.sampled_from(
    ["tools/call", "resources/read", "completion/complete", "subscriptions/listen", "initialize", "x"]
)
HEADERS = st.dictionaries(
    st.sampled_from(["mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-a", "traceparent", "accept"]),
    st.text() | st.sampled_from(["2026-07-28", "2025-11-25", "tools/call", "=?base64?YQ==?="]),
)


@given(METHODS, PARAMS | VALUES, HEADERS, st.binary())
def test_every_request_is_read_or_refused(method, params, headers, noise):
    sent = replace(head(), headers={"content-type": "application/json", **headers})
    for raw in (
        body(method, params),
        json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode(),
        noise,
    ):
        assert isinstance(mcp.read_message(sent, raw), Message | Rejection)
    assert isinstance(mcp.read_bodiless(replace(sent, http_method="GET")), Message | Rejection)
