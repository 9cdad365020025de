"""One HTTP request of a client becomes one strictly read message, or a refusal.

A ladder, first failure wins: HTTP method, content type, JSON, envelope, era, mirrored headers, method, parameters,
targets. Promises that a ``Message`` has one reading for every server behind; never decides who may send it, never
forwards a body that was not read whole. MCP 2024-11-05 to 2026-07-28, also the HTTP+SSE transport, whose posts are
ordinary ones without a version header.
"""

import re
from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from extproc.core.limits import MAX_BODY_BYTES, MAX_NAME_CHARS
from extproc.core.model import (
    EMPTY,
    Client,
    Era,
    Json,
    Message,
    MessageKind,
    RequestHead,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.rejection import INVALID_REQUEST, Rejection
from extproc.core.wire import headers, strict_json
from extproc.core.wire.jsonrpc import Envelope, open_envelope, readable_id
from extproc.core.wire.methods import LEGACY_REVISIONS, Method, closed, invalid, look_up
from extproc.core.wire.targets import Aim, aim

__all__ = ["read_bodiless", "read_message"]

_SERVER: Final = (Target(kind=ResourceKind.SERVER),)
_META: Final = frozenset(
    {headers.PROTOCOL_VERSION, headers.CLIENT_INFO, headers.CAPABILITIES, "io.modelcontextprotocol/logLevel"}
)
_FOLDED_META: Final = frozenset(map(strict_json.fold, _META))
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"  # W3C trace-context, section 3.2.2
)


def read_message(head: RequestHead, body: bytes) -> Message | Rejection:
    """Read a POST; refuses whatever two servers could take for two messages, and every unknown method or field."""
    if head.http_method != "POST":
        return _refused(405, "unsupported HTTP method", "http_method")
    if fault := headers.content_fault(head.headers):
        return fault
    if len(body) > MAX_BODY_BYTES:
        return _refused(413, "the body is too large", "body_too_large")
    document = strict_json.read(body)
    if isinstance(document, Rejection):
        return document
    envelope = open_envelope(document.value)
    if isinstance(envelope, Rejection):
        return replace(envelope, id=readable_id(document.value))
    read = _response if envelope.kind is MessageKind.RESPONSE else _request
    outcome = read(head, envelope, document, body)
    if isinstance(outcome, Rejection) and envelope.kind is MessageKind.REQUEST:
        return replace(outcome, id=envelope.id)
    return outcome


def read_bodiless(head: RequestHead) -> Message | Rejection:
    """Read a GET or DELETE; refuses other methods, a body, and the modern era, which has neither."""
    if head.http_method not in {"GET", "DELETE"}:
        return _refused(405, "unsupported HTTP method", "http_method")
    if "transfer-encoding" in head.headers or head.headers.get("content-length", "0").strip() != "0":
        return _refused(400, f"a body with {head.http_method}", "body_not_allowed")
    revision = headers.revision_of_head(head.headers)
    if isinstance(revision, Rejection):
        return revision
    if revision.era is Era.MODERN:
        return _refused(405, "this revision has POST only", "post_only")
    for mirror in ("mcp-method", "mcp-name"):
        if mirror in head.headers:
            return headers.mismatch(mirror)
    if head.http_method == "DELETE":
        kind, method = MessageKind.END, "session/end"
    elif not _accepts_events(head.headers.get("accept", "")):
        return _refused(406, "the client must accept text/event-stream", "accept")
    else:
        kind, method = MessageKind.STREAM, "stream/resume" if head.headers.get("last-event-id") else "stream/open"
    return Message(
        kind=kind,
        method=method,
        era=Era.LEGACY,
        revision=revision.name,
        verb=Verb.QUERY,
        targets=_SERVER,
        trace_id=_trace_id(EMPTY, head.headers),
    )


def _request(head: RequestHead, envelope: Envelope, document: strict_json.Document, body: bytes) -> Message | Rejection:
    params = envelope.params
    meta = params.get("_meta", EMPTY)
    is_request = envelope.kind is MessageKind.REQUEST
    if "_meta" in params and meta.__class__ is not dict:
        return invalid("_meta must be an object", reason="meta")
    if strict_json.disguised(meta.keys() - _META, _FOLDED_META):
        return invalid("_meta has a disguised member", reason="disguised_member")
    revision = headers.revision(head.headers, meta, needs_claim=is_request)
    if isinstance(revision, Rejection):
        return revision
    required = is_request and revision.era is Era.MODERN
    if fault := headers.mirror_fault(head.headers, "mcp-method", envelope.method, required=required):
        return fault
    row = look_up(envelope.method, envelope.kind, revision.era)
    if isinstance(row, Rejection):
        return row
    if fault := closed(params, row.allowed(revision.era), what="params"):
        return fault
    aimed = aim(envelope.method, row, params)
    if isinstance(aimed, Rejection):
        return aimed
    if fault := _mirrored(head.headers, row, aimed, required=required):
        return fault
    return Message(
        kind=envelope.kind,
        method=envelope.method,
        era=revision.era,
        revision=_negotiated(params) if envelope.method == "initialize" else revision.name,
        verb=row.verb,
        targets=aimed.targets,
        id=envelope.id,
        params=params,
        arguments=aimed.arguments,
        client=_client(params.get("clientInfo") if envelope.method == "initialize" else meta.get(headers.CLIENT_INFO)),
        trace_id=_trace_id(meta, head.headers),
        body=body if document.one_reading else document.canonical,
        rewritten=not document.one_reading,
    )


def _response(
    head: RequestHead, envelope: Envelope, document: strict_json.Document, body: bytes
) -> Message | Rejection:
    """The client's answer to a request of the server; in the modern era servers ask nothing."""
    revision = headers.revision_of_head(head.headers)
    if isinstance(revision, Rejection):
        return revision
    if revision.era is Era.MODERN:
        return _refused(400, "this revision has no client responses", "client_response")
    for mirror in ("mcp-method", "mcp-name"):
        if fault := headers.mirror_fault(head.headers, mirror, None, required=False):
            return fault
    return Message(
        kind=envelope.kind,
        method="client/response",
        era=Era.LEGACY,
        revision=revision.name,
        # What a client answers leaves it: samples, elicited words, roots.
        verb=Verb.MUTATE,
        targets=_SERVER,
        # the id by which the server asked
        id=envelope.id,
        params={name: value for name, value in document.value.items() if name != "jsonrpc"},
        trace_id=_trace_id(EMPTY, head.headers),
        body=body if document.one_reading else document.canonical,
        rewritten=not document.one_reading,
    )


def _mirrored(sent: Mapping[str, str], row: Method, aimed: Aim, *, required: bool) -> Rejection | None:
    name = aimed.targets[0].name if row.name_field is not None else None
    if fault := headers.mirror_fault(sent, "mcp-name", name, required=required and name is not None):
        return fault
    return headers.param_fault(sent, aimed.arguments) if row.names is ResourceKind.TOOL else None


def _negotiated(params: Mapping[str, Json]) -> str:
    wanted = params.get("protocolVersion")
    # A handshake may ask for anything; the server answers with what it has.
    return wanted if wanted in LEGACY_REVISIONS else LEGACY_REVISIONS[-1]


def _client(told: Json) -> Client | None:
    """What the client says of itself; None for anything else, since nothing may hang on it."""
    if told.__class__ is not dict:
        return None
    name, version = told.get("name", ""), told.get("version", "")
    if name.__class__ is not str or version.__class__ is not str or len(name) + len(version) > MAX_NAME_CHARS:
        return None
    return Client(name=name, version=version)


def _trace_id(meta: Mapping[str, Json], sent: Mapping[str, str]) -> str | None:
    for told in (meta.get("traceparent"), sent.get("traceparent")):
        found = _TRACEPARENT.fullmatch(told) if told.__class__ is str else None
        if found is not None:
            return found[1]
    return None


def _accepts_events(accept: str) -> bool:
    ranges = {part.split(";")[0].strip().lower() for part in accept.split(",")}
    return not ranges.isdisjoint({"text/event-stream", "text/*", "*/*"})


def _refused(status: int, what: str, reason: str) -> Rejection:
    return Rejection(status=status, code=INVALID_REQUEST, message=f"Invalid request: {what}", reason=reason)
