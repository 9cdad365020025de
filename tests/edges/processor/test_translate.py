"""Envoy's messages become events and commands become Envoy's messages, in both chains; anything else is a fault."""

import pytest
from google.protobuf.struct_pb2 import Struct

from extproc.core.exchange import (
    Abort,
    Acknowledge,
    Answer,
    BodyReceived,
    DropTrailers,
    Forward,
    HeadReceived,
    Inspect,
    Pass,
    Release,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    Store,
)
from extproc.core.limits import RELEASE_PIECE_BYTES
from extproc.core.model import Reply
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from extproc.edges.processor.translate import ProtocolFault, Translation

AT = 7
MODE = pb.ProcessingMode


def header_map(*pairs):
    return pb.HeaderMap(headers=[pb.HeaderValue(key=name, raw_value=value) for name, value in pairs])


def request_headers(*pairs, last=False):
    pairs = ((":method", b"POST"), (":path", b"/mcp"), *pairs)
    return pb.ProcessingRequest(request_headers=pb.HttpHeaders(headers=header_map(*pairs), end_of_stream=last))


def request_body(body=b"{}", *, last=True):
    return pb.ProcessingRequest(request_body=pb.HttpBody(body=body, end_of_stream=last))


def told(frame, **attributes):
    """The same message with the metadata and attributes of the one-message chain."""
    headers = Struct()
    headers.update({"content-type": "application/json", "mcp-name": "a,b"})
    jwt = Struct()
    jwt.update({"jwt_payload": {"sub": "ann", "n": 1.5, "list": ["a", None, True]}, "jwt_header": {"alg": "ES256"}})
    frame.metadata_context.filter_metadata["mcp_headers"].CopyFrom(headers)
    frame.metadata_context.filter_metadata["envoy.filters.http.jwt_authn"].CopyFrom(jwt)
    frame.attributes["envoy.filters.http.ext_proc"].update(
        {"request.method": "POST", "request.path": "/mcp?x", "source.address": "10.0.0.9:1"} | attributes
    )
    return frame


def one(frames):
    (frame,) = frames
    return pb.ProcessingResponse.FromString(frame)


def forward(**more):
    headers = {"mcp-session-id": "up-1", "last-event-id": None}
    fields = {"rule": "role:a#1", "decision_id": "d", "headers": headers, "body": None, "owes": True, "until": None}
    return Forward(**fields | more)


def verdict(frame):
    return dict(frame.dynamic_metadata["mcp_extproc"])


def test_in_the_one_message_chain_a_body_brings_its_head():
    head, body = Translation("sales-db").events(told(request_body(b"x")), AT)
    assert isinstance(head, HeadReceived)
    assert (head.head.server, head.head.http_method, head.head.path) == ("sales-db", "POST", "/mcp?x")
    assert head.head.headers == {"content-type": "application/json", "mcp-name": "a,b"}
    assert head.head.claims == {"sub": "ann", "n": 1.5, "list": ["a", None, True]}
    assert head.head.token_header == {"alg": "ES256"}
    assert (head.head.source, head.head.peer_uris, head.bodiless) == ("10.0.0.9:1", (), False)
    assert body == BodyReceived(at=AT, body=b"x")


def test_the_verified_peer_certificate_names_the_workload():
    frame = told(request_body(), **{"connection.uri_san_peer_certificate": "spiffe://prod/x"})
    assert Translation("s").events(frame, AT)[0].head.peer_uris == ("spiffe://prod/x",)


def test_without_metadata_there_are_no_claims_and_no_headers():
    head = Translation("s").events(request_body(), AT)[0].head
    assert (head.claims, head.token_header, head.headers, head.http_method) == (None, None, {}, "")


def test_in_the_portable_chain_the_head_comes_first_with_repeats_joined():
    translation = Translation("s")
    frame = request_headers(("mcp-name", b"a"), ("mcp-name", b"b"), ("x", b"\xff"))
    (head,) = translation.events(frame, AT)
    assert (head.head.headers["mcp-name"], head.head.headers["x"]) == ("a,b", "\xff")
    assert (head.head.http_method, head.head.path, head.bodiless) == ("POST", "/mcp", False)
    assert translation.events(request_body(), AT) == (BodyReceived(at=AT, body=b"{}"),)


def test_a_token_that_was_taken_off_the_headers_is_read_where_envoy_put_it():
    frame = told(request_headers(("mcp-name", b"a"), last=True))
    frame.metadata_context.filter_metadata["mcp_headers"].update({"authorization": "Bearer a.b.c"})
    headers = Translation("s").events(frame, AT)[0].head.headers
    assert headers["authorization"] == "Bearer a.b.c"
    assert (headers["mcp-name"], "content-type" in headers) == ("a", False), "and nothing else comes from there"


def test_a_value_that_came_as_text_is_read_too():
    frame = request_headers()
    frame.request_headers.headers.headers.append(pb.HeaderValue(key="x", value="text"))
    assert Translation("s").events(frame, AT)[0].head.headers["x"] == "text"


def test_a_request_without_a_body_is_told_as_one():
    assert Translation("s").events(request_headers(last=True), AT)[0].bodiless


@pytest.mark.parametrize(
    "frames",
    [
        [request_body(last=False)],
        [request_headers(), request_headers()],
        [request_body(), request_body()],
        [pb.ProcessingRequest()],
        [pb.ProcessingRequest(request_trailers=pb.HttpTrailers())],
        [pb.ProcessingRequest(response_headers=pb.HttpHeaders())],
        [pb.ProcessingRequest(response_headers=pb.HttpHeaders(headers=header_map((":status", b"2x"))))],
        [pb.ProcessingRequest(request_body=pb.HttpBody(end_of_stream=True), observability_mode=True)],
    ],
)
def test_a_message_that_our_configurations_never_cause_is_a_fault(frames):
    translation = Translation("s")
    *earlier, wrong = frames
    for frame in earlier:
        translation.events(frame, AT)
    with pytest.raises(ProtocolFault):
        translation.events(wrong, AT)


def test_the_response_is_told_as_it_comes():
    translation = Translation("s")
    headers = pb.HttpHeaders(headers=header_map((":status", b"200"), ("content-type", b"x")), end_of_stream=True)
    assert translation.events(pb.ProcessingRequest(response_headers=headers), AT) == (
        ResponseHeadReceived(at=AT, status=200, headers={":status": "200", "content-type": "x"}, bodiless=True),
    )
    body = pb.ProcessingRequest(response_body=pb.HttpBody(body=b"x", end_of_stream=True))
    assert translation.events(body, AT) == (ResponseBodyReceived(at=AT, chunk=b"x", last=True),)
    trailers = pb.ProcessingRequest(response_trailers=pb.HttpTrailers(trailers=header_map(("a", b"b"))))
    assert translation.events(trailers, AT) == (ResponseTrailersReceived(at=AT, names=("a",)),)


def test_only_headers_that_were_sent_are_acknowledged_and_the_response_is_asked_for():
    translation = Translation("s")
    translation.events(told(request_body()), AT)
    assert list(translation.frames(Acknowledge())) == []
    translation = Translation("s")
    translation.events(request_headers(), AT)
    frame = one(translation.frames(Acknowledge()))
    assert frame.WhichOneof("response") == "request_headers"
    # an override replaces the whole mode: without the request mode the body would pass unseen
    assert frame.mode_override == MODE(request_body_mode=MODE.BUFFERED, response_header_mode=MODE.SEND)


def test_a_forward_in_the_one_message_chain_speaks_by_metadata():
    translation = Translation("s")
    translation.events(told(request_body()), AT)
    frame = one(translation.frames(forward()))
    assert verdict(frame) == {"decision": "allow", "rule": "role:a#1", "decision_id": "d", "session": "up-1"}
    assert frame.request_body == pb.BodyResponse(response=pb.CommonResponse())
    rewritten = one(translation.frames(forward(body=b"new")))
    assert rewritten.request_body.response.body_mutation.body == b"new"


def test_a_forward_in_the_portable_chain_speaks_by_headers_too():
    translation = Translation("s")
    translation.events(request_headers(), AT)
    translation.events(request_body(), AT)
    response = one(translation.frames(forward(body=b"new"))).request_body.response
    assert {option.header.key: option.header.raw_value for option in response.header_mutation.set_headers} == {
        "mcp-session-id": b"up-1",
        "content-length": b"3",
    }
    assert list(response.header_mutation.remove_headers) == ["last-event-id"]
    assert response.body_mutation.body == b"new"


def test_a_bodiless_forward_answers_the_headers():
    translation = Translation("s")
    translation.events(request_headers(last=True), AT)
    frame = one(translation.frames(forward()))
    assert frame.WhichOneof("response") == "request_headers"
    assert frame.mode_override.response_header_mode == MODE.SEND
    assert verdict(frame)["decision"] == "allow"


def test_an_answer_is_immediate_and_never_carries_an_allow():
    reply = Reply(status=404, body=b"{}", headers=(("content-type", "application/json"),))
    frame = one(Translation("s").frames(Answer(reply=reply, rule="r", decision_id="d")))
    assert (frame.immediate_response.status.code, frame.immediate_response.body) == (404, b"{}")
    assert verdict(frame) == {"decision": "deny", "rule": "r", "decision_id": "d"}


def test_a_response_passes_with_its_headers_changed():
    response = one(Translation("s").frames(Pass(headers={"a": "1", "b": None}))).response_headers.response
    assert [option.header.key for option in response.header_mutation.set_headers] == ["a"]
    assert list(response.header_mutation.remove_headers) == ["b"]


def test_an_inspected_response_loses_its_length_and_keeps_its_trailers_in_view():
    frame = one(Translation("s").frames(Inspect(headers={})))
    assert list(frame.response_headers.response.header_mutation.remove_headers) == ["content-length"]
    assert frame.mode_override == MODE(
        request_body_mode=MODE.BUFFERED,
        response_header_mode=MODE.SEND,
        response_body_mode=MODE.FULL_DUPLEX_STREAMED,
        response_trailer_mode=MODE.SEND,
    )


@pytest.mark.parametrize("size", [1, RELEASE_PIECE_BYTES, RELEASE_PIECE_BYTES + 1, 3 * RELEASE_PIECE_BYTES])
@pytest.mark.parametrize("last", [True, False])
def test_a_release_goes_out_in_pieces_and_ends_once(size, last):
    body = bytes(range(256)) * (size // 256 + 1)
    body = body[:size]
    pieces = [
        pb.ProcessingResponse.FromString(frame).response_body.response.body_mutation.streamed_response
        for frame in Translation("s").frames(Release(body=body, last=last))
    ]
    assert b"".join(piece.body for piece in pieces) == body
    assert all(len(piece.body) <= RELEASE_PIECE_BYTES for piece in pieces)
    assert [piece.end_of_stream for piece in pieces] == [False] * (len(pieces) - 1) + [last]


def test_an_empty_release_says_something_only_at_the_end():
    assert list(Translation("s").frames(Release(body=b"", last=False))) == []
    frame = one(Translation("s").frames(Release(body=b"", last=True)))
    assert frame.response_body.response.body_mutation.streamed_response.end_of_stream


def test_trailers_are_removed():
    frame = one(Translation("s").frames(DropTrailers(names=("a", ":x"))))
    assert list(frame.response_trailers.header_mutation.remove_headers) == ["a"]


@pytest.mark.parametrize("command", [Abort(reason="bug: X"), Store(event={})])
def test_what_is_not_for_envoy_is_never_said_to_it(command):
    with pytest.raises(ProtocolFault):
        list(Translation("s").frames(command))
