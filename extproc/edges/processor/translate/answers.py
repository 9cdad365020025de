"""What Envoy is answered, in bytes: one function for each thing that it is to do."""

import math
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Final, TypeAlias

from google.protobuf.duration_pb2 import Duration
from google.protobuf.struct_pb2 import Struct

from extproc.core.exchange import Answer, Forward
from extproc.core.limits import RELEASE_PIECE_BYTES
from extproc.edges.processor.pb import ext_proc_pb2 as pb

__all__ = ["ACKNOWLEDGED", "denied", "forwarded", "inspected", "passed", "patience", "released", "without_trailers"]

NAMESPACE: Final = "mcp_extproc"
"""The dynamic metadata namespace that the guard, the header filter and the access log read."""
HOLD_MARGIN_SECONDS: Final = 10
"""What a held call may take beyond its hold to be decided again and recorded."""
_TOLD_HEADERS: Final = MappingProxyType({"mcp-session-id": "session", "last-event-id": "last_event_id"})
_Changes: TypeAlias = tuple[tuple[str, str | None], ...]
"""Headers to set, or to remove where the value is None."""
_ANY_ID: Final = "\0" * 24
"""In the place of a decision's id; no rule and no header holds it."""

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

ACKNOWLEDGED: Final = _encode(
    pb.ProcessingResponse(request_headers=pb.HeadersResponse(), mode_override=_SEE_RESPONSE_HEAD)
)
"""The headers are read, and the body is to come."""


def patience(seconds: float) -> bytes:
    """What has Envoy wait for the answer to its message so much longer; it takes one such answer per message."""
    longer = Duration(seconds=math.ceil(seconds) + HOLD_MARGIN_SECONDS)
    return _encode(pb.ProcessingResponse(override_message_timeout=longer))


def forwarded(command: Forward, *, headers_were_sent: bool, bodiless: bool) -> bytes:
    """The request goes on as decided."""
    changes = tuple(command.headers.items())
    if command.body is None and len(command.decision_id) == len(_ANY_ID):
        before, after = _forwarding(command.rule, changes, headers_were_sent, bodiless)
        return b"".join((before, command.decision_id.encode(), after))
    return _encode(_forward(command.rule, command.decision_id, changes, command.body, headers_were_sent, bodiless))


def denied(command: Answer) -> bytes:
    """The request is answered here."""
    reply = command.reply
    immediate = pb.ImmediateResponse(
        status=pb.HttpStatus(code=reply.status), body=reply.body, details=f"{NAMESPACE}_answered"
    )
    immediate.headers.CopyFrom(_mutation(dict(reply.headers)))
    verdict = _verdict("deny", command.rule, command.decision_id)
    return _encode(pb.ProcessingResponse(immediate_response=immediate, dynamic_metadata=verdict))


def inspected(headers: Mapping[str, str | None]) -> bytes:
    """The body of the response is to come."""
    # Envoy keeps content-length after an override; a longer body would split the response in two
    return _inspected((*headers.items(), ("content-length", None)))


def passed(headers: Mapping[str, str | None]) -> bytes:
    """The response goes on unread."""
    response = pb.CommonResponse(header_mutation=_mutation(headers))
    return _encode(pb.ProcessingResponse(response_headers=pb.HeadersResponse(response=response)))


def released(body: bytes, *, last: bool) -> Iterator[bytes]:
    """This much of the response's body goes to the client."""
    ends = range(RELEASE_PIECE_BYTES, len(body) + RELEASE_PIECE_BYTES, RELEASE_PIECE_BYTES)
    for end in ends or ((0,) if last else ()):
        piece = body[max(end - RELEASE_PIECE_BYTES, 0) : end]
        streamed = pb.StreamedBodyResponse(body=piece, end_of_stream=last and end >= len(body))
        response = pb.CommonResponse(body_mutation=pb.BodyMutation(streamed_response=streamed))
        yield _encode(pb.ProcessingResponse(response_body=pb.BodyResponse(response=response)))


def without_trailers(names: tuple[str, ...]) -> bytes:
    """The response ends without these trailers."""
    mutation = pb.HeaderMutation(remove_headers=[name for name in names if not name.startswith(":")])
    return _encode(pb.ProcessingResponse(response_trailers=pb.TrailersResponse(header_mutation=mutation)))


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
