import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.limits import MAX_SSE_EVENT_BYTES
from extproc.core.wire.sse import Event, EventReader, Fault, encode, ends_a_line


def read(*chunks: bytes) -> list[Event | Fault]:
    reader = EventReader()
    events = [event for chunk in chunks for event in reader.feed(chunk)]
    return events + list(reader.finish())


def cuts(stream: bytes) -> list[list[Event | Fault]]:
    """The stream whole, byte by byte, and in two at every place."""
    ways = [read(stream), read(*(stream[i : i + 1] for i in range(len(stream)))), read(stream, b"", b"")]
    return ways + [read(stream[:i], stream[i:]) for i in range(len(stream))]


def test_the_corpus_reads_as_every_browser_reads_it(corpora: Path):
    cases = [json.loads(line) for line in (corpora / "sse" / "cases.dev.jsonl").read_text("utf-8").splitlines()]
    assert cases
    for case in cases:
        for events in cuts(case["stream"].encode()):
            last_id, seen = "", []
            for event in events:
                assert isinstance(event, Event)
                last_id = last_id if event.id is None else event.id
                if event.data is not None:
                    seen.append({"type": event.type or "message", "data": event.data.decode(), "id": last_id})
            assert seen == case["events"], case


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_lines_end_three_ways_wherever_the_stream_is_cut(end):
    stream = end.join([b"event: message", b"id: 7", b"data: 1", b"data: 2", b"", b"retry: 500", b"", b"data", b"", b""])
    expected = [Event(type="message", id="7", data=b"1\n2"), Event(retry=500), Event(data=b"")]
    assert all(events == expected for events in cuts(stream))


def test_no_other_character_ends_a_line():
    stream = "data: a\u2028b\x0bc\x0cd\u0085e\n\n".encode()
    assert read(stream) == [Event(data=stream[6:-2])]


def test_a_comment_is_passed_without_its_words_and_at_once():
    assert read(b": ping secret\n") == [Event(comment=True)]
    assert encode(Event(comment=True)) == b":\n\n"
    assert read(b"data: 1\n:x\ndata: 2\n\n") == [Event(comment=True), Event(data=b"1\n2")]


def test_an_event_without_data_still_sets_the_clients_state():
    assert read(b"id: 9\n\n") == [Event(id="9")]
    assert read(b"id\n\n") == [Event(id="")]
    assert read(b"retry: 10\n\n") == [Event(retry=10)]
    assert read(b"event: x\n\n", b"unknown: 1\n\n", b"\n\n\n") == []


@pytest.mark.parametrize(
    "line", [b"id: a\0b", b"retry: 1s", b"retry: -1", b"retry:", b"retry: " + b"1" * 8, b"Data: x"]
)
def test_a_field_that_clients_ignore_is_left_out(line):
    assert read(line + b"\ndata: x\n\n") == [Event(data=b"x")]


def test_an_event_that_the_end_cuts_off_is_dropped():
    reader = EventReader()
    assert reader.feed(b"data: 1\n\ndata: 2\n") == (Event(data=b"1"),)
    assert reader.finish() == ()
    assert reader.feed(b"\n") == ()


@pytest.mark.parametrize("field", [b"data", b"id", b"event"])
def test_an_event_that_is_not_utf_8_poisons_the_stream(field):
    bad = b"data: 1\n" + field + b": \xff\n\ndata: later\n\n"
    for events in cuts(b"data: ok\n\n" + bad):
        assert events == [Event(data=b"ok"), Fault(reason="not_utf8")]


def test_bytes_that_are_no_utf_8_in_what_is_not_passed_do_no_harm():
    assert read(b": \xff\nx: \xff\ndata: 1\n\n") == [Event(comment=True), Event(data=b"1")]


def test_an_event_that_is_too_large_poisons_the_stream():
    piece = b"x" * (1 << 16)
    pieces = [piece] * (MAX_SSE_EVENT_BYTES // len(piece) + 1)
    for stream in (
        [b"data: ", *pieces],
        [b"data: " + b"".join(pieces) + b"\n\n"],
        [b"data: x\n"] * (MAX_SSE_EVENT_BYTES // 64),
    ):
        reader = EventReader()
        outcomes = [event for chunk in stream for event in reader.feed(chunk)]
        assert outcomes == [Fault(reason="event_too_large")]
        assert reader.feed(b"data: y\n\n") == ()


def test_the_bound_is_for_one_event_and_not_for_the_stream():
    event = b"data: " + b"x" * (MAX_SSE_EVENT_BYTES - 256) + b"\n\n"
    reader = EventReader()
    assert [len(reader.feed(event)) for _ in range(3)] == [1, 1, 1]
    assert all(len(reader.feed(b":" + b"c" * 1000 + b"\n")) == 1 for _ in range(2 * MAX_SSE_EVENT_BYTES // 1000))


NAMES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)
EVENTS = st.builds(
    Event,
    type=NAMES,
    data=st.none() | st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])).map(str.encode),
    id=st.none() | NAMES,
    retry=st.none() | st.integers(0, 10**7 - 1),
).filter(lambda event: event.data is not None or event.id is not None or event.retry is not None)


@given(st.lists(EVENTS | st.just(Event(comment=True))))
def test_what_is_written_reads_as_the_same_events(events):
    assert read(*map(encode, events)) == events


LINES = st.lists(st.sampled_from([b"data: a", b"id: 1", b":c", b"", b"event: e", b"\xef\xbb\xbf", b"\xff", b"data"]))
ENDS = st.sampled_from([b"\n", b"\r", b"\r\n"])


@given(st.lists(st.tuples(LINES.map(b"\n".join), ENDS)), st.data())
def test_every_cutting_gives_the_same_events(lines, data):
    stream = b"".join(line + end for line, end in lines)
    places = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    chunks = [stream[a:b] for a, b in zip([0, *places], [*places, len(stream)], strict=True)]
    assert read(*chunks) == read(stream)


@given(st.binary())
def test_no_bytes_make_it_raise(stream):
    assert all(isinstance(event, Event | Fault) for event in read(stream))


def test_what_is_held_of_an_event_is_known_and_whether_it_may_be_complete_now():
    reader = EventReader()
    assert reader.held == 0
    reader.feed(b"data: " + b"x" * 1000)
    assert reader.held >= 1000
    reader.feed(b"\n\n")
    assert reader.held == 0
    assert [ends_a_line(chunk) for chunk in (b"data: x", b"x\n", b"\r", b"")] == [False, True, True, False]
