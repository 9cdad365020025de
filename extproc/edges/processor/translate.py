"""Between Envoy's messages and the corridor's vocabulary: the only module that knows protobuf.

One ``Translation`` accompanies one ext_proc stream. It learns from the first message which chain it serves (DESIGN of
the two chains: README of ``envoy/standalone``): a stream that begins with ``request_body`` is the one-message chain,
whose headers arrive as dynamic metadata; one that begins with ``request_headers`` is the portable chain, or a request
without a body; one that begins with ``response_headers`` is a local reply of Envoy. What it cannot understand raises
``ProtocolFault``, and the stream ends with an error status (invariant 4).
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from google.protobuf.struct_pb2 import Struct, Value

from extproc.core.exchange import (
    Abort,
    Acknowledge,
    Answer,
    BodyReceived,
    Command,
    DropTrailers,
    Event,
    Forward,
    HeadReceived,
    Inspect,
    Pass,
    Release,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
)
from extproc.core.limits import RELEASE_PIECE_BYTES
from extproc.core.model import Json, RequestHead
from extproc.edges.processor.pb import ext_proc_pb2 as pb

__all__ = ["METHOD", "NAMESPACE", "ProtocolFault", "Translation", "decode", "patience"]

METHOD: Final = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
NAMESPACE: Final = "mcp_extproc"
"""The dynamic metadata namespace that the guard, the header filter and the access log read."""
HEADERS: Final = "mcp_headers"
"""The namespace in which header_to_metadata hands over the request headers of the one-message chain."""
BEARER: Final = "authorization"
HOLD_MARGIN_SECONDS: Final = 10
"""What a held call may take beyond its hold to be decided again and recorded."""
JWT: Final = "envoy.filters.http.jwt_authn"
ATTRIBUTES: Final = "envoy.filters.http.ext_proc"
_TOLD_HEADERS: Final = MappingProxyType({"mcp-session-id": "session", "last-event-id": "last_event_id"})

_encode = pb.ProcessingResponse.SerializeToString

_Mode = pb.ProcessingMode
# An override replaces the whole mode: the request mode must be named again, or it silently becomes NONE.
_SEE_RESPONSE_HEAD: Final = pb.ProcessingMode(
    request_body_mode=_Mode.BUFFERED, response_header_mode=_Mode.SEND, response_body_mode=_Mode.NONE
)
# Without the trailer mode, trailers of the upstream would end the stream before the body came back.
_SEE_RESPONSE_BODY: Final = pb.ProcessingMode(
    request_body_mode=_Mode.BUFFERED,
    response_header_mode=_Mode.SEND,
    response_body_mode=_Mode.FULL_DUPLEX_STREAMED,
    response_trailer_mode=_Mode.SEND,
)
_OVERWRITE: Final = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


class ProtocolFault(Exception):  # noqa: N818 - a fault of the peer, not an error of ours
    """Envoy sent what our configurations never make it send; the message says what."""


def decode(message: bytes) -> pb.ProcessingRequest:
    """One message of Envoy.

    Raises:
        ProtocolFault: the bytes are none.
    """
    try:
        return pb.ProcessingRequest.FromString(message)
    except DecodeError:
        raise ProtocolFault("a message that is no ProcessingRequest") from None


def patience(seconds: float) -> bytes:
    """What has Envoy wait for the answer to its message so much longer; it takes one such answer per message."""
    longer = Duration(seconds=math.ceil(seconds) + HOLD_MARGIN_SECONDS)
    return _encode(pb.ProcessingResponse(override_message_timeout=longer))


class Translation:
    """The translation of one ext_proc stream; ``server`` is the route's."""

    def __init__(self, server: str) -> None:
        self._server = server
        self._begun = False
        self._headers_were_sent = False
        self._bodiless = False

    def events(self, frame: pb.ProcessingRequest, at: int) -> tuple[Event, ...]:
        """What one message of Envoy tells, in order.

        Raises:
            ProtocolFault: the message fits none of our configurations.
        """
        if frame.observability_mode:
            raise ProtocolFault("observability mode does not hold the request")
        first, self._begun = not self._begun, True
        match frame.WhichOneof("request"):
            case "request_headers" if first:
                self._headers_were_sent, self._bodiless = True, frame.request_headers.end_of_stream
                return (HeadReceived(at=at, head=self._sent_head(frame), bodiless=self._bodiless),)
            case "request_body" if first or self._headers_were_sent:
                if not frame.request_body.end_of_stream:
                    raise ProtocolFault("a request body in pieces or with trailers; it must be BUFFERED")
                body = BodyReceived(at=at, body=frame.request_body.body)
                if self._headers_were_sent:
                    return (body,)
                return (HeadReceived(at=at, head=self._told_head(frame), bodiless=False), body)
            case "response_headers":
                headers = _joined(frame.response_headers.headers)
                status = headers.get(":status", "")
                if not (status.isascii() and status.isdigit()):
                    raise ProtocolFault("a response without a status")
                return (
                    ResponseHeadReceived(
                        at=at, status=int(status), headers=headers, bodiless=frame.response_headers.end_of_stream
                    ),
                )
            case "response_body":
                part = frame.response_body
                return (ResponseBodyReceived(at=at, chunk=part.body, last=part.end_of_stream),)
            case "response_trailers":
                names = tuple(header.key for header in frame.response_trailers.trailers.headers)
                return (ResponseTrailersReceived(at=at, names=names),)
            case other:
                raise ProtocolFault(f"an unexpected message: {other}")

    def frames(self, command: Command) -> Iterable[bytes]:
        """The messages that carry out one command; none where nothing needs to be said.

        Raises:
            ProtocolFault: the stream must end with an error.
        """
        kind = type(command)
        if kind is Acknowledge:
            # in the one-message chain nobody waits for an answer to the headers
            return (_ACKNOWLEDGED,) if self._headers_were_sent else ()
        if isinstance(command, Forward):
            return (self._forward(command),)
        if isinstance(command, Inspect):
            # Envoy keeps content-length after an override; a longer body would split the response in two
            return (_inspected((*command.headers.items(), ("content-length", None))),)
        return map(_encode, self._others(command))

    def _others(self, command: Command) -> Iterator[pb.ProcessingResponse]:
        match command:
            case Answer(reply=reply):
                immediate = pb.ImmediateResponse(
                    status=pb.HttpStatus(code=reply.status), body=reply.body, details=f"{NAMESPACE}_answered"
                )
                immediate.headers.CopyFrom(_mutation(dict(reply.headers)))
                yield pb.ProcessingResponse(
                    immediate_response=immediate,
                    dynamic_metadata=_verdict("deny", command.rule, command.decision_id),
                )
            case Pass(headers=headers):
                response = pb.CommonResponse(header_mutation=_mutation(headers))
                yield pb.ProcessingResponse(response_headers=pb.HeadersResponse(response=response))
            case Release(body=body, last=last):
                yield from _pieces(body, last=last)
            case DropTrailers(names=names):
                mutation = pb.HeaderMutation(remove_headers=[name for name in names if not name.startswith(":")])
                yield pb.ProcessingResponse(response_trailers=pb.TrailersResponse(header_mutation=mutation))
            case Abort():
                raise ProtocolFault(command.reason)
            case _:
                raise ProtocolFault(f"{type(command).__name__} is not for Envoy")

    def _forward(self, command: Forward) -> bytes:
        changes, chain = tuple(command.headers.items()), (self._headers_were_sent, self._bodiless)
        if command.body is None and len(command.decision_id) == len(_ANY_ID):
            before, after = _forwarding(command.rule, changes, *chain)
            return b"".join((before, command.decision_id.encode(), after))
        return _encode(_forward(command.rule, command.decision_id, changes, command.body, *chain))

    def _sent_head(self, frame: pb.ProcessingRequest) -> RequestHead:
        headers = _joined(frame.request_headers.headers)
        # the token is off the request already, so that no other filter can pass it on; it is told where we verify it
        token = _told(frame).get(BEARER)
        if token is not None:
            headers.setdefault(BEARER, token)
        return self._head(frame, headers, headers.get(":method", ""), headers.get(":path", ""))

    def _told_head(self, frame: pb.ProcessingRequest) -> RequestHead:
        headers = _told(frame)
        fields = frame.attributes[ATTRIBUTES].fields if ATTRIBUTES in frame.attributes else {}
        return self._head(frame, headers, _text(fields, "request.method"), _text(fields, "request.path"))

    def _head(self, frame: pb.ProcessingRequest, headers: Mapping[str, str], method: str, path: str) -> RequestHead:
        metadata = frame.metadata_context.filter_metadata
        jwt = metadata[JWT].fields if JWT in metadata else {}
        fields = frame.attributes[ATTRIBUTES].fields if ATTRIBUTES in frame.attributes else {}
        peer = _text(fields, "connection.uri_san_peer_certificate")
        return RequestHead(
            server=self._server,
            http_method=method,
            path=path,
            headers=headers,
            claims=_member(jwt, "jwt_payload"),
            token_header=_member(jwt, "jwt_header"),
            peer_uris=(peer,) if peer else (),
            source=_text(fields, "source.address"),
        )


_Changes: TypeAlias = tuple[tuple[str, str | None], ...]
"""Headers to set, or to remove where the value is None."""
_ANY_ID: Final = "\0" * 24
"""In the place of a decision's id; no rule and no header holds it."""
_ACKNOWLEDGED: Final = _encode(
    pb.ProcessingResponse(request_headers=pb.HeadersResponse(), mode_override=_SEE_RESPONSE_HEAD)
)


def _forward(  # noqa: PLR0917 - a key of the cache below
    rule: str, decision_id: str, changes: _Changes, body: bytes | None, headers_were_sent: bool, bodiless: bool
) -> pb.ProcessingResponse:
    verdict, headers = _verdict("allow", rule, decision_id), dict(changes)
    fields = verdict.fields[NAMESPACE].struct_value.fields
    for header, name in _TOLD_HEADERS.items():  # a header filter behind the buffer sets them from here
        value = headers.get(header)
        if value is not None:
            fields[name].string_value = value
    if bodiless:
        response = pb.CommonResponse(header_mutation=_mutation(headers))
        return pb.ProcessingResponse(
            request_headers=pb.HeadersResponse(response=response),
            dynamic_metadata=verdict,
            mode_override=_SEE_RESPONSE_HEAD,
        )
    response = pb.CommonResponse()
    if body is not None:
        response.body_mutation.body = body
        headers["content-length"] = str(len(body))
    if headers_were_sent:  # else Envoy ignores header mutations, and corrects content-length itself
        response.header_mutation.CopyFrom(_mutation(headers))
    return pb.ProcessingResponse(request_body=pb.BodyResponse(response=response), dynamic_metadata=verdict)


@lru_cache(maxsize=1024)
def _forwarding(rule: str, changes: _Changes, headers_were_sent: bool, bodiless: bool) -> tuple[bytes, bytes]:
    """What stands before and behind the decision's id, which alone differs from one call to the next."""
    message = _encode(_forward(rule, _ANY_ID, changes, None, headers_were_sent, bodiless))
    before, _, after = message.partition(_ANY_ID.encode())
    return before, after


@lru_cache(maxsize=1024)
def _inspected(changes: _Changes) -> bytes:
    response = pb.CommonResponse(header_mutation=_mutation(dict(changes)))
    return _encode(
        pb.ProcessingResponse(response_headers=pb.HeadersResponse(response=response), mode_override=_SEE_RESPONSE_BODY)
    )


def _told(frame: pb.ProcessingRequest) -> dict[str, str]:
    metadata = frame.metadata_context.filter_metadata
    fields = metadata[HEADERS].fields.items() if HEADERS in metadata else ()
    return {name: value.string_value for name, value in fields}


def _joined(headers: pb.HeaderMap) -> dict[str, str]:
    # Latin-1 gives every byte a character, so that odd bytes are seen and refused instead of lost.
    joined: dict[str, str] = {}
    for header in headers.headers:
        value = (header.raw_value or header.value.encode()).decode("latin-1")
        joined[header.key] = f"{joined[header.key]},{value}" if header.key in joined else value
    return joined


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


def _verdict(decision: str, rule: str, decision_id: str) -> Struct:
    verdict = Struct()
    fields = verdict.fields[NAMESPACE].struct_value.fields
    fields["decision"].string_value = decision
    fields["rule"].string_value = rule
    fields["decision_id"].string_value = decision_id
    return verdict


def _mutation(headers: Mapping[str, str | None]) -> pb.HeaderMutation:
    mutation = pb.HeaderMutation()
    for name, value in headers.items():
        if value is None:
            mutation.remove_headers.append(name)
        else:
            header = pb.HeaderValue(key=name, raw_value=value.encode("latin-1", "replace"))
            mutation.set_headers.append(pb.HeaderValueOption(header=header, append_action=_OVERWRITE))
    return mutation


def _pieces(body: bytes, *, last: bool) -> Iterator[pb.ProcessingResponse]:
    ends = range(RELEASE_PIECE_BYTES, len(body) + RELEASE_PIECE_BYTES, RELEASE_PIECE_BYTES)
    for end in ends or ((0,) if last else ()):
        piece = body[max(end - RELEASE_PIECE_BYTES, 0) : end]
        streamed = pb.StreamedBodyResponse(body=piece, end_of_stream=last and end >= len(body))
        mutation = pb.BodyMutation(streamed_response=streamed)
        yield pb.ProcessingResponse(response_body=pb.BodyResponse(response=pb.CommonResponse(body_mutation=mutation)))
