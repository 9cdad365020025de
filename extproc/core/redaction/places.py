"""Where text can be in a message of a server or a client, as tables of the members of MCP's objects.

The name of a member says its treatment (``treatments``); a member that no table knows is a free document, and so is a
known one of another kind than its own, so nothing is passed over (MCP 2024-11-05 to 2026-07-28). Field paths look into
free documents alone: ``$..name`` means a customer's name and never a tool's. Handles (ids, progress tokens, cursors,
``requestState``) pass byte for byte, because without them the conversation ends.
"""

from collections.abc import Mapping
from typing import Final

from extproc.core.model import Json
from extproc.core.redaction import treatments as as_
from extproc.core.redaction.treatments import Shape, Walk, each, listed, mapped, shaped

__all__ = ["message", "params"]

_META: Final[Shape] = {
    "io.modelcontextprotocol/serverInfo": as_.fixed,
    "io.modelcontextprotocol/subscriptionId": as_.handle,
    "progressToken": as_.handle,
}
_ABOUT: Final[Shape] = {
    "_meta": shaped(_META),
    "annotations": as_.fixed,
    "description": as_.words,
    "icons": as_.fixed,
    "name": as_.fixed,
    "title": as_.words,
}
_CONTENTS: Final[Shape] = {
    "_meta": shaped(_META),
    "mimeType": as_.fixed,
    "text": as_.words,
    "uri": as_.uri,
}


def _contents(value: Json, walk: Walk) -> Json:
    """The contents of one resource."""
    return _with_bytes("blob", value, _CONTENTS, walk, {"mimeType": "text/plain"})


def _with_bytes(name: str, value: Json, shape: Shape, walk: Walk, words: Mapping[str, str]) -> Json:
    """An object with base64 under ``name``; bytes that must not pass leave a word in their place, as ``words``."""
    if value.__class__ is not dict or name not in value:
        return shaped(shape)(value, walk)
    held = value[name]
    content = as_.blob(held, walk)
    without = {name, "mimeType"} if content is None else {name}
    rest = {key: member for key, member in value.items() if key not in without}
    masked = shaped(shape)(rest, walk)
    if content is None:
        return {**masked, **words, "text": walk.sink.opaque()}
    return value if masked is rest and content is held else {**masked, name: content}


_BLOCK: Final[Shape] = {
    **_ABOUT,
    "mimeType": as_.fixed,
    "resource": _contents,
    "size": as_.number,
    "text": as_.words,
    "type": as_.word,
    "uri": as_.uri,
}


def _block(value: Json, walk: Walk) -> Json:
    """One block of content."""
    is_use = value.__class__ is dict and value.get("type") in ("tool_use", "tool_result")
    return _with_bytes("data", value, _USE if is_use else _BLOCK, walk, {"type": "text"})


_USE: Final[Shape] = {
    **_BLOCK,
    "content": each(_block),
    "id": as_.fixed,
    "input": as_.document,
    "isError": as_.fixed,
    "structuredContent": as_.structured,
    "toolUseId": as_.fixed,
}
_TOOL: Final[Shape] = {**_ABOUT, "execution": as_.fixed, "inputSchema": as_.fixed, "outputSchema": as_.fixed}
_PROMPT: Final[Shape] = {**_ABOUT, "arguments": each(shaped(_ABOUT))}
_RESOURCE: Final[Shape] = {
    **_ABOUT,
    "mimeType": as_.fixed,
    "size": as_.number,
    "uri": as_.uri,
    "uriTemplate": as_.fixed,
}
_SPOKEN: Final[Shape] = {"_meta": shaped(_META), "content": each(_block), "role": as_.word}
_COMPLETION: Final[Shape] = {"hasMore": as_.fixed, "total": as_.number, "values": each(as_.words)}
_PARAMS: Final[Shape] = {
    "_meta": shaped(_META),
    "data": as_.document,
    "elicitationId": as_.fixed,
    "includeContext": as_.word,
    "level": as_.word,
    "logger": as_.words,
    "maxTokens": as_.number,
    "message": as_.words,
    "messages": each(shaped(_SPOKEN)),
    "metadata": as_.document,
    "mode": as_.word,
    "modelPreferences": as_.fixed,
    "notifications": as_.fixed,
    "progress": as_.number,
    "progressToken": as_.handle,
    "reason": as_.words,
    "requestId": as_.handle,
    "requestedSchema": as_.fixed,
    "stopSequences": each(as_.words),
    "systemPrompt": as_.words,
    "temperature": as_.number,
    "toolChoice": as_.fixed,
    "tools": each(shaped(_TOOL)),
    "total": as_.number,
    "uri": as_.uri,
    "url": as_.fixed,
}
_REQUEST: Final[Shape] = {"method": as_.word, "params": shaped(_PARAMS)}
_RESULT: Final[Shape] = {
    "_meta": shaped(_META),
    "cacheScope": as_.word,
    "capabilities": as_.fixed,
    "completion": shaped(_COMPLETION),
    "content": each(_block),
    "contents": each(_contents),
    "description": as_.words,
    "inputRequests": mapped(shaped(_REQUEST)),
    "instructions": as_.words,
    "isError": as_.fixed,
    "messages": each(shaped(_SPOKEN)),
    "nextCursor": as_.handle,
    "prompts": listed(_PROMPT, "name"),
    "protocolVersion": as_.word,
    "requestState": as_.handle,
    "resourceTemplates": listed(_RESOURCE, "uriTemplate"),
    "resources": listed(_RESOURCE, "uri", named=True),
    "resultType": as_.word,
    "serverInfo": as_.fixed,
    "structuredContent": as_.structured,
    "supportedVersions": as_.fixed,
    "tools": listed(_TOOL, "name"),
    "ttlMs": as_.number,
}
_ERROR: Final[Shape] = {"code": as_.number, "data": as_.document, "message": as_.words}

message: Final = shaped(
    {
        "error": shaped(_ERROR),
        "id": as_.handle,
        "jsonrpc": as_.word,
        "method": as_.word,
        "params": shaped(_PARAMS),
        "result": shaped(_RESULT),
    }
)
"""A whole message of a server."""

_SENT_META: Final[Shape] = {
    **_META,
    "io.modelcontextprotocol/clientCapabilities": as_.kept,
    "io.modelcontextprotocol/clientInfo": as_.kept,
    "io.modelcontextprotocol/logLevel": as_.handle,
    "io.modelcontextprotocol/protocolVersion": as_.handle,
    "traceparent": as_.handle,
    "tracestate": as_.handle,
}
params: Final = shaped(
    {
        "_meta": shaped(_SENT_META),
        "argument": shaped({"name": as_.handle, "value": as_.words}),
        "arguments": as_.structured,
        "capabilities": as_.kept,
        "clientInfo": as_.kept,
        "context": shaped({"arguments": as_.structured}),
        "cursor": as_.handle,
        "error": shaped(_ERROR),
        "id": as_.handle,
        "inputResponses": mapped(as_.document, names=False),
        "level": as_.handle,
        "message": as_.words,
        "name": as_.handle,
        "notifications": as_.kept,
        "progress": as_.number,
        "progressToken": as_.handle,
        "protocolVersion": as_.handle,
        "reason": as_.words,
        "ref": as_.kept,
        "requestId": as_.handle,
        "requestState": as_.handle,
        "result": as_.structured,
        "total": as_.number,
        "uri": as_.handle,
    }
)
"""What a client sends beside the name of a method: all that it says, and none of what names a thing."""
