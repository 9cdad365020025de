"""Every place of a server's message where text can be is masked; what the protocol needs stays as it is."""

import base64
import copy
import gzip
import json
from typing import Any

import mcp_types
import pytest

from leaks import leaks
from masks import detect, field, masker

MAIL = "bob@example.com"
MASKER = masker(detect(), field("$..ssn"))
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n\0\0tEXtMail bob@example.com\0").decode()
PACKED = base64.b64encode(gzip.compress(MAIL.encode())).decode()


def masked(message: dict[str, Any], **more: Any) -> dict[str, Any]:
    before = copy.deepcopy(message)
    found = MASKER.message(message, **more)
    assert message == before
    again = MASKER.message(found.value, **more)
    assert again.value is found.value, "masking twice is masking once"
    assert not again.counts
    return found.value


def result(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": members}


def note(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": f"notifications/{method}", "params": params}


def ask(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": "handle", "method": method, "params": params}


B64 = base64.b64encode(f"write to {MAIL} today".encode()).decode()
RESOURCE = {"uri": "file:///a", "mimeType": "text/plain", "text": MAIL}
SCHEMA = {
    "type": "object",
    "properties": {"password": {"type": "string", "default": MAIL}, "ssn": {"examples": [MAIL], "enum": [MAIL]}},
    "description": MAIL,
}
EVERYWHERE: dict[str, dict[str, Any]] = {
    "text": result(content=[{"type": "text", "text": f"to {MAIL}"}]),
    "JSON in text": result(content=[{"type": "text", "text": json.dumps({"a": [MAIL]})}]),
    "JSON in JSON in text": result(content=[{"type": "text", "text": json.dumps({"a": json.dumps([MAIL, "x"])})}]),
    "escaped text": result(content=[{"type": "text", "text": "bob\\u0040example.com"}]),
    "percent in text": result(content=[{"type": "text", "text": "bob%40example.com"}]),
    "base64 in text": result(content=[{"type": "text", "text": f"see {B64}"}]),
    "structured": result(content=[], structuredContent={"a": {"b": [MAIL]}, MAIL: 1}),
    "structured list": result(structuredContent=[MAIL]),
    "blob": result(contents=[{"uri": "file:///a", "blob": B64}]),
    "blob of gzip": result(contents=[{"uri": "file:///a", "blob": PACKED}]),
    "blob of an image": result(contents=[{"uri": "file:///a", "mimeType": "image/png", "blob": PNG, "_meta": {"a": MAIL}}]),
    "image": result(content=[{"type": "image", "data": PNG, "mimeType": "image/png", "annotations": {"audience": ["user"]}}]),
    "audio of text": result(content=[{"type": "audio", "data": B64, "mimeType": "audio/wav"}]),
    "embedded resource": result(content=[{"type": "resource", "resource": RESOURCE}]),
    "embedded blob": result(content=[{"type": "resource", "resource": {"uri": "x:y", "blob": B64}}]),
    "link": result(content=[{"type": "resource_link", "uri": f"mail://{MAIL}", "name": MAIL, "title": MAIL, "description": MAIL, "mimeType": MAIL}]),
    "annotations": result(content=[{"type": "text", "text": "x", "annotations": {"lastModified": MAIL}, "_meta": {"k": MAIL, MAIL: 1}}]),
    "unknown members": {**result(content=[], extra={"x": [MAIL]}, other=MAIL), "result": {"content": [{"type": "text", "text": "x", "y": MAIL}], "z": MAIL}},
    "unknown block": result(content=[{"type": MAIL, "body": MAIL}, MAIL]),
    "use in a result": result(content=[{"type": "tool_use", "id": MAIL, "name": "t", "input": {"a": MAIL}}]),
    "_meta": result(content=[], _meta={"vendor": {"a": MAIL}, "io.modelcontextprotocol/serverInfo": {"name": MAIL}}),
    "contents": result(contents=[RESOURCE, {"uri": f"mail://{MAIL}", "text": "x"}]),
    "prompt": result(description=MAIL, messages=[{"role": "user", "content": {"type": "text", "text": MAIL}}]),
    "prompt of blocks": result(messages=[{"role": MAIL, "content": [{"type": "resource", "resource": RESOURCE}]}]),
    "completion": result(completion={"values": [MAIL, "x"], "total": 2, "hasMore": False}),
    "instructions": result(instructions=f"Ask {MAIL}.", serverInfo={"name": MAIL, "version": "1"}, capabilities={"experimental": {"x": {"y": MAIL}}}),
    "tool": result(tools=[{"name": "t", "title": MAIL, "description": MAIL, "inputSchema": SCHEMA, "outputSchema": SCHEMA, "annotations": {"title": MAIL}, "icons": [{"src": f"data:text/plain;base64,{B64}"}]}]),
    "tool named so": result(tools=[{"name": MAIL, "inputSchema": {}}]),
    "prompt list": result(prompts=[{"name": "p", "description": MAIL, "arguments": [{"name": "a", "description": MAIL}]}, {"name": MAIL}]),
    "resource list": result(resources=[{"uri": "x:y", "name": MAIL, "description": MAIL}, {"uri": f"mail://{MAIL}", "name": "x"}]),
    "template list": result(resourceTemplates=[{"uriTemplate": "x:{y}", "name": MAIL}, {"uriTemplate": f"mail://{MAIL}/{{x}}", "name": "x"}]),
    "error": {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": f"no {MAIL}", "data": {"trace": [MAIL]}}},
    "input required": result(resultType="input_required", inputRequests={"a": {"method": "elicitation/create", "params": {"message": MAIL, "requestedSchema": SCHEMA, "url": f"https://x/?m={MAIL}"}}, MAIL: {"method": "roots/list"}}),
    "progress": note("progress", progressToken="t", progress=1, message=f"at {MAIL}"),
    "log": note("message", level="info", logger=MAIL, data={"x": MAIL}),
    "log text": note("message", level="info", data=f"to {MAIL}"),
    "cancelled": note("cancelled", requestId="handle", reason=MAIL),
    "updated": note("resources/updated", uri=f"mail://{MAIL}"),
    "unknown notification": note("something", a=MAIL),
    "unknown method": {"jsonrpc": "2.0", "method": MAIL, "params": {}},
    "elicitation": ask("elicitation/create", message=MAIL, mode="form", requestedSchema=SCHEMA, elicitationId=MAIL),
    "sampling": ask("sampling/createMessage", systemPrompt=MAIL, maxTokens=5, stopSequences=[MAIL], metadata={"a": MAIL}, modelPreferences={"hints": [{"name": MAIL}]}, messages=[{"role": "user", "content": {"type": "text", "text": MAIL}}], tools=[{"name": "t", "description": MAIL, "inputSchema": SCHEMA}]),
    "numbers": note("progress", progressToken="t", progress=4111111111111111, total=4.111111111111111e15),
    "error code": {"jsonrpc": "2.0", "id": 1, "error": {"code": 4111111111111111, "message": "m"}},
    "a list in the place of an object": {"jsonrpc": "2.0", "id": 1, "result": {"content": {"x": MAIL}, "tools": {"y": MAIL}, "contents": MAIL, "messages": MAIL}},
    "no object at all": {"jsonrpc": "2.0", "id": 1, "result": MAIL},
}  # fmt: skip


@pytest.mark.parametrize("message", EVERYWHERE.values(), ids=EVERYWHERE)
def test_nothing_passes_wherever_it_stands(message: dict[str, Any]) -> None:
    assert leaks(json.dumps(message).encode(), MAIL, "4111111111111111"), "the message has what must not be seen"
    assert not leaks(json.dumps(masked(message)).encode(), MAIL, "4111111111111111")


SDK_TYPES: dict[Any, tuple[str, ...]] = {
    mcp_types.CallToolResult: ("text", "structured", "image", "embedded resource", "link", "annotations", "_meta"),
    mcp_types.ReadResourceResult: ("contents", "blob", "blob of gzip", "blob of an image"),
    mcp_types.GetPromptResult: ("prompt",),
    mcp_types.CompleteResult: ("completion",),
    mcp_types.ListToolsResult: ("tool", "tool named so"),
    mcp_types.ListPromptsResult: ("prompt list",),
    mcp_types.ListResourcesResult: ("resource list",),
    mcp_types.ListResourceTemplatesResult: ("template list",),
}
NOTED = ("progress", "log", "log text", "cancelled", "updated", "numbers")
ASKED = ("elicitation", "sampling")


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in SDK_TYPES.items() for name in names])
def test_a_result_that_was_valid_for_the_sdk_is_valid_masked(kind: Any, name: str) -> None:
    assert kind.model_validate(EVERYWHERE[name]["result"])
    assert kind.model_validate(masked(EVERYWHERE[name])["result"])


@pytest.mark.parametrize("name", [*NOTED, *ASKED, "error", "error code"])
def test_a_message_that_was_valid_for_the_sdk_is_valid_masked(name: str) -> None:
    adapter = (
        mcp_types.server_notification_adapter
        if name in NOTED
        else mcp_types.server_request_adapter
        if name in ASKED
        else mcp_types.jsonrpc_message_adapter
    )
    assert adapter.validate_python(EVERYWHERE[name])
    assert adapter.validate_python(masked(EVERYWHERE[name]))


def test_what_the_protocol_needs_stays_as_it_is() -> None:
    """Handles are opaque: a client gives them back byte for byte, whatever they look like."""
    kept = {
        "jsonrpc": "2.0",
        "id": MAIL,
        "result": {
            "resultType": "input_required",
            "requestState": MAIL,
            "nextCursor": MAIL,
            "protocolVersion": "2025-06-18",
            "ttlMs": 60000,
            "cacheScope": "private",
            "isError": False,
            "_meta": {"progressToken": MAIL, "io.modelcontextprotocol/subscriptionId": MAIL},
            "tools": [{"name": "get_ssn", "inputSchema": {"properties": {"ssn": {"type": "string"}}}}],
        },
    }
    assert MASKER.message(kept).value is kept
    note_kept = note("cancelled", requestId=MAIL, progressToken=MAIL)
    assert MASKER.message(note_kept).value is note_kept


def test_a_uri_that_the_client_named_itself_is_given_back() -> None:
    uri = f"mail://{MAIL}"
    read = result(contents=[{"uri": uri, "text": MAIL}])
    assert masked(read, named=frozenset({uri}))["result"]["contents"] == [{"uri": uri, "text": "[mail]"}]
    listed = result(resources=[{"uri": uri, "name": "n"}])
    assert masked(listed, named=frozenset({uri})) == listed


def test_what_can_only_be_used_by_its_name_is_left_out_of_a_list() -> None:
    found = MASKER.message(EVERYWHERE["resource list"])
    assert [each["uri"] for each in found.value["result"]["resources"]] == ["x:y"]
    assert found.dropped == 1
    assert MASKER.message(EVERYWHERE["tool named so"]).dropped == 1


def test_paths_look_into_documents_and_not_into_the_protocol() -> None:
    named = masker(field("$..name"), field("$..text"), field("$.rows[*].x"))
    message = result(
        tools=[{"name": "t", "inputSchema": {"properties": {"name": {"type": "string"}}}}],
        content=[{"type": "text", "text": '{"name": "Bob", "text": "x"}'}, {"type": "text", "text": "words"}],
        structuredContent={"name": "Bob", "rows": [{"x": 1}]},
        rows=[{"x": 1}],
        _meta={"vendor": {"name": "Bob"}},
    )
    found = named.message(message).value["result"]
    assert found["tools"] == message["result"]["tools"]
    assert [each["text"] for each in found["content"]] == ['{"name": "[masked]", "text": "[masked]"}', "words"]
    assert found["structuredContent"] == {"name": "[masked]", "rows": [{"x": "[masked]"}]}
    assert found["rows"] == [{"x": "[masked]"}]
    assert found["_meta"] == {"vendor": {"name": "[masked]"}}


def test_of_what_a_client_sends_everything_it_says_is_masked_and_nothing_that_names() -> None:
    said = {
        "_meta": {"progressToken": MAIL, "traceparent": MAIL, "vendor": MAIL},
        "name": MAIL,
        "uri": MAIL,
        "cursor": MAIL,
        "ref": {"type": "ref/prompt", "name": MAIL},
        "arguments": {"a": MAIL, "ssn": 1},
        "argument": {"name": MAIL, "value": MAIL},
        "context": {"arguments": {"a": MAIL}},
        "inputResponses": {MAIL: {"content": {"a": MAIL}}},
        "message": MAIL,
        "result": {"content": {"a": MAIL}},
        "unknown": MAIL,
    }
    assert MASKER.params(said).value == said | {
        "_meta": {"progressToken": MAIL, "traceparent": MAIL, "vendor": "[mail]"},
        "arguments": {"a": "[mail]", "ssn": "[masked]"},
        "argument": {"name": MAIL, "value": "[mail]"},
        "context": {"arguments": {"a": "[mail]"}},
        "inputResponses": {MAIL: {"content": {"a": "[mail]"}}},
        "message": "[mail]",
        "result": {"content": {"a": "[mail]"}},
        "unknown": "[mail]",
    }


def test_bytes_that_must_not_pass_leave_a_word_in_a_valid_block() -> None:
    image = masked(EVERYWHERE["image"])["result"]["content"][0]
    assert image == {"type": "text", "text": "[opaque]", "annotations": {"audience": ["user"]}}
    contents = masked(EVERYWHERE["blob of an image"])["result"]["contents"][0]
    assert contents == {"uri": "file:///a", "mimeType": "text/plain", "text": "[opaque]", "_meta": {"a": "[mail]"}}
    assert dict(MASKER.message(EVERYWHERE["image"]).counts) == {"mail": 1, "opaque": 1}
