"""Between Envoy's messages and the corridor's vocabulary; the only package that knows protobuf.

One ``Translation`` accompanies one ext_proc stream. It learns from the first message which chain it serves (DESIGN of
the two chains: README of ``envoy/standalone``): a stream that begins with ``request_body`` is the one-message chain,
whose headers arrive as dynamic metadata; one that begins with ``request_headers`` is the portable chain, or a request
without a body; one that begins with ``response_headers`` is a local reply of Envoy. What it cannot understand raises
``ProtocolFault``, and the stream ends with an error status (invariant 4).
"""

from collections.abc import Iterable
from typing import Final

from google.protobuf.message import DecodeError

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
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from extproc.edges.processor.translate import answers
from extproc.edges.processor.translate.told import joined, sent_head, told_head

__all__ = ["METHOD", "ProtocolFault", "Translation", "decode"]

METHOD: Final = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"


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
                return (HeadReceived(at=at, head=sent_head(frame, self._server), bodiless=self._bodiless),)
            case "request_body" if first or self._headers_were_sent:
                if not frame.request_body.end_of_stream:
                    raise ProtocolFault("a request body in pieces or with trailers; it must be BUFFERED")
                body = BodyReceived(at=at, body=frame.request_body.body)
                if self._headers_were_sent:
                    return (body,)
                return (HeadReceived(at=at, head=told_head(frame, self._server), bodiless=False), body)
            case "response_headers":
                headers = joined(frame.response_headers.headers)
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
        match command:
            case Acknowledge():
                # in the one-message chain nobody waits for an answer to the headers
                return (answers.ACKNOWLEDGED,) if self._headers_were_sent else ()
            case Forward():
                sent, bodiless = self._headers_were_sent, self._bodiless
                return (answers.forwarded(command, headers_were_sent=sent, bodiless=bodiless),)
            case Answer():
                return (answers.denied(command),)
            case Inspect(headers=headers):
                return (answers.inspected(headers),)
            case Pass(headers=headers):
                return (answers.passed(headers),)
            case Release(body=body, last=last):
                return answers.released(body, last=last)
            case DropTrailers(names=names):
                return (answers.without_trailers(names),)
            case Abort():
                raise ProtocolFault(command.reason)
            case _:
                raise ProtocolFault(f"{type(command).__name__} is not for Envoy")
