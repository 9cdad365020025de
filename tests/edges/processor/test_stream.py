"""gRPC's five bytes and its status: whole messages out of any chunks, and one way only to end cleanly."""

import itertools
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.edges.processor.stream import EOF, EnvoyGone, Status, Stream, StreamFault

GONE = {"type": "http.disconnect"}


class Wire:
    """Both ends of an ASGI stream: what is still to be received, and what was sent."""

    def __init__(self, *events, closed=False):
        self.coming, self.sent, self.closed = list(events), [], closed
        self.stream = Stream(self.receive, self.send)

    async def receive(self):
        return self.coming.pop(0)

    async def send(self, event):
        if self.closed:
            raise OSError("the stream is closed")
        self.sent.append(event)

    @property
    def statuses(self):
        return [dict(event["headers"]) for event in self.sent if event["type"] == "http.response.trailers"]


def framed(message, *, compressed=0, length=None):
    return struct.pack("!BI", compressed, len(message) if length is None else length) + message


def chunks(*bodies, last=True):
    return [
        {"type": "http.request", "body": body, "more_body": not (last and number == len(bodies))}
        for number, body in enumerate(bodies, 1)
    ]


@given(messages=st.lists(st.binary(max_size=40), max_size=4), cuts=st.lists(st.integers(0, 200), max_size=8))
async def test_messages_come_out_whole_however_their_bytes_are_cut(messages, cuts):
    raw = b"".join(map(framed, messages))
    edges = [0, *sorted(min(cut, len(raw)) for cut in cuts), len(raw)]
    wire = Wire(*chunks(*(raw[start:end] for start, end in itertools.pairwise(edges))))
    assert [await wire.stream.read() for _ in messages] == messages
    assert await wire.stream.read() is EOF
    assert await wire.stream.read() is EOF


@pytest.mark.parametrize(
    "raw",
    [
        framed(b"abc", compressed=1),
        framed(b"abc", compressed=255),
        framed(b"", length=(64 << 20) + 1),
        framed(b"", length=0xFFFFFFFF),
        framed(b"abc")[:-1],
        framed(b"abc")[:4],
        framed(b"abc") + b"\0",
    ],
)
async def test_bytes_that_are_no_whole_plain_messages_are_a_fault(raw):
    stream = Wire(*chunks(raw)).stream
    with pytest.raises(StreamFault):  # noqa: PT012 - the first message may be whole
        while await stream.read() is not EOF:
            pass


async def test_a_peer_that_goes_away_is_no_end_of_its_messages():
    stream = Wire(*chunks(framed(b"abc"), last=False), GONE).stream
    assert await stream.read() == b"abc"
    with pytest.raises(EnvoyGone):
        await stream.read()


async def test_what_is_written_carries_its_length_and_no_status():
    wire = Wire()
    await wire.stream.write(b"one")
    await wire.stream.write(b"")
    assert [event["type"] for event in wire.sent] == ["http.response.start", "http.response.body", "http.response.body"]
    assert b"".join(event["body"] for event in wire.sent[1:]) == framed(b"one") + framed(b"")
    assert wire.sent[0]["trailers"] is True
    assert all(event["more_body"] for event in wire.sent[1:])
    assert not any(b"grpc-status" in name for event in wire.sent for name, _ in event.get("headers", ()))


async def test_only_finish_says_that_all_is_well():
    wire = Wire()
    await wire.stream.finish()
    assert wire.statuses == [{b"grpc-status": b"0"}]
    for status in Status:
        wire = Wire()
        if status is Status.OK:
            with pytest.raises(ValueError, match="clean"):
                await wire.stream.abort(status, "")
            assert wire.sent == []
        else:
            assert await wire.stream.abort(status, "50 % \n of é") is True
            assert wire.statuses == [
                {b"grpc-status": b"%d" % status, b"grpc-message": b"50 %25 %0A of %C3%A9"},
            ]


async def test_a_stream_that_is_over_takes_nothing_and_needs_no_abort():
    for attempt in (lambda stream: stream.write(b"x"), lambda stream: stream.finish()):
        with pytest.raises(EnvoyGone):
            await attempt(Wire(closed=True).stream)
    assert await Wire(closed=True).stream.abort(Status.INTERNAL, "late") is False
