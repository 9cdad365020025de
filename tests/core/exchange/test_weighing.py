"""What is only passed on, or waits for its rest, weighs nothing; what is looked at weighs its bytes."""

import pytest

from extproc.core.exchange import (
    BodyReceived,
    Closed,
    HeadReceived,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    Stored,
)
from extproc.core.limits import MAX_JSON_RESPONSE_BYTES
from held import DROP, script
from script import NOW, Script, asked, call, legacy

SSE = "text/event-stream"
TRAILERS = ResponseTrailersReceived(at=NOW, names=())


def chunk(part, *, last=False):
    return ResponseBodyReceived(at=NOW, chunk=part, last=last)


def begun(media, *chunks, request=None, status=200):
    """The exchange of a call whose response has come so far."""
    script = asked(request or call("echo"))
    script.play(ResponseHeadReceived(at=NOW, status=status, headers={"content-type": media}, bodiless=False))
    script.play(*(chunk(part) for part in chunks))
    return script.exchange


def test_a_request_weighs_its_body_and_nothing_once_it_is_decided():
    script = Script()
    assert script.exchange.weight(HeadReceived(at=NOW, head=script.head, bodiless=False)) == 0
    headers, body = call("echo", {"a": "x" * 1000})
    script.begin(headers)
    assert script.exchange.weight(BodyReceived(at=NOW, body=body)) == len(body)
    assert script.exchange.weight(chunk(b"x", last=True)) == script.exchange.weight(TRAILERS) == 0
    script.play(BodyReceived(at=NOW, body=body))
    assert [script.exchange.weight(event) for event in (Stored(at=NOW), Closed(at=NOW))] == [0, 0]


def test_a_call_that_waits_for_its_approval_weighs_its_request_again():
    held, (headers, body) = script(), DROP
    held.begin(headers)
    held.exchange.handle(BodyReceived(at=NOW, body=body))
    assert held.exchange.weight(Closed(at=NOW)) == len(body)


def test_json_weighs_what_was_collected_with_its_last_chunk():
    exchange = begun("application/json", b"[" * 100, b"[" * 50)
    assert exchange.weight(chunk(b"x" * 10)) == 0
    assert exchange.weight(chunk(b"x" * 10, last=True)) == 160
    assert exchange.weight(TRAILERS) == 150


def test_an_event_weighs_its_bytes_with_the_line_that_may_end_it():
    exchange = begun(SSE, b"data: " + b"x" * 100)
    assert exchange.weight(chunk(b"x" * 10)) == 0
    assert exchange.weight(chunk(b"x\n\n")) >= 100
    assert begun(SSE, b"data: " + b"x" * 100 + b"\n\n").weight(chunk(b"\n")) == 1


@pytest.mark.parametrize(
    "exchange",
    [
        begun("application/json", b"x" * MAX_JSON_RESPONSE_BYTES, b"x"),
        begun("text/plain", request=legacy("notifications/initialized", request_id=None), status=202),
    ],
    ids=["too large to be read", "a mere receipt"],
)
def test_what_only_passes_weighs_nothing(exchange):
    assert exchange.weight(chunk(b"x" * 100, last=True)) == 0
