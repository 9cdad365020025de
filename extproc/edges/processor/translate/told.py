"""What Envoy tells of a request, out of protobuf's own containers: headers, claims, and where it comes from."""

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from google.protobuf.struct_pb2 import Struct, Value

from extproc.core.model import Json, RequestHead
from extproc.edges.processor.pb import ext_proc_pb2 as pb

__all__ = ["joined", "sent_head", "told_head"]

HEADERS: Final = "mcp_headers"
"""The namespace in which header_to_metadata hands over the request headers of the one-message chain."""
BEARER: Final = "authorization"
JWT: Final = "envoy.filters.http.jwt_authn"
ATTRIBUTES: Final = "envoy.filters.http.ext_proc"


def sent_head(frame: pb.ProcessingRequest, server: str) -> RequestHead:
    """The head of a request whose headers are the message itself."""
    headers = joined(frame.request_headers.headers)
    # the token is off the request already, so that no other filter can pass it on; it is told where we verify it
    token = _told(frame).get(BEARER)
    if token is not None:
        headers.setdefault(BEARER, token)
    return _head(frame, server, headers, headers.get(":method", ""), headers.get(":path", ""))


def told_head(frame: pb.ProcessingRequest, server: str) -> RequestHead:
    """The head of a request whose headers come as dynamic metadata, beside its body."""
    fields = frame.attributes[ATTRIBUTES].fields if ATTRIBUTES in frame.attributes else {}
    return _head(frame, server, _told(frame), _text(fields, "request.method"), _text(fields, "request.path"))


def joined(headers: pb.HeaderMap) -> dict[str, str]:
    """Headers by their names; a repeated one has its values joined by commas."""
    # Latin-1 gives every byte a character, so that odd bytes are seen and refused instead of lost.
    found: dict[str, str] = {}
    for header in headers.headers:
        value = (header.raw_value or header.value.encode()).decode("latin-1")
        found[header.key] = f"{found[header.key]},{value}" if header.key in found else value
    return found


def _head(frame: pb.ProcessingRequest, server: str, headers: Mapping[str, str], method: str, path: str) -> RequestHead:
    metadata = frame.metadata_context.filter_metadata
    jwt = metadata[JWT].fields if JWT in metadata else {}
    fields = frame.attributes[ATTRIBUTES].fields if ATTRIBUTES in frame.attributes else {}
    peer = _text(fields, "connection.uri_san_peer_certificate")
    return RequestHead(
        server=server,
        http_method=method,
        path=path,
        headers=headers,
        claims=_member(jwt, "jwt_payload"),
        token_header=_member(jwt, "jwt_header"),
        peer_uris=(peer,) if peer else (),
        source=_text(fields, "source.address"),
    )


def _told(frame: pb.ProcessingRequest) -> dict[str, str]:
    metadata = frame.metadata_context.filter_metadata
    fields = metadata[HEADERS].fields.items() if HEADERS in metadata else ()
    return {name: value.string_value for name, value in fields}


def _text(fields: Mapping[str, Value], name: str) -> str:
    return fields[name].string_value if name in fields else ""


def _member(fields: Mapping[str, Value], name: str) -> Mapping[str, Json] | None:
    if name not in fields:
        return None
    return _decoded(fields[name].struct_value.SerializeToString(deterministic=True))


@lru_cache(maxsize=4096)
def _decoded(raw: bytes) -> Mapping[str, Json]:
    # walking a Struct costs a microsecond per field, and the same token comes with every call of its bearer
    return MappingProxyType({name: _plain(value) for name, value in Struct.FromString(raw).fields.items()})


def _plain(value: Value) -> Json:
    match value.WhichOneof("kind"):
        case "string_value":
            return value.string_value
        case "number_value":
            return value.number_value
        case "bool_value":
            return value.bool_value
        case "struct_value":
            return {name: _plain(member) for name, member in value.struct_value.fields.items()}
        case "list_value":
            return [_plain(member) for member in value.list_value.values]
        case _:
            return None
