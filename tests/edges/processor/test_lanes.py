"""What takes long to look at lets everybody else go on, in order, and is on record whoever hangs up meanwhile."""

import asyncio
import json
import sys
import threading

import grpc.aio
import pytest_asyncio

from attacks.faults import worker
from extproc.core.limits import MAX_JSON_RESPONSE_BYTES
from extproc.edges.processor.lanes import Lanes
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from extproc.edges.processor.translate import METHOD
from policies import HEAD, SERVERS, load

USUAL = sys.getswitchinterval()
LARGE, MIDDLE = 1 << 20, 32 << 10
POLICY = f"""{HEAD}{SERVERS}
roles:
  reader:
    assigned_to: {{workloads: ["spiffe://prod.example.com/a"]}}
    grants: [{{servers: [db], verbs: [query]}}]
masking:
  - {{name: all, servers: [db], detect: [pii, secrets]}}
"""
OPTIONS = [("grpc.max_send_message_length", 64 << 20), ("grpc.max_receive_message_length", 64 << 20)]


async def test_a_lane_keeps_the_order_and_lets_the_other_pass():
    lanes, gate, done = Lanes(), threading.Event(), []

    def wait(name):
        gate.wait()
        done.append(name)

    waiting = [asyncio.ensure_future(lanes.run(wait, name, weight=LARGE)) for name in "abc"]
    assert await lanes.run(str.upper, "x", weight=MIDDLE) == "X"
    assert done == []
    gate.set()
    await asyncio.gather(*waiting)
    assert done == ["a", "b", "c"]


async def test_turns_are_short_only_while_something_is_in_a_lane():
    lanes = Lanes()
    both = [lanes.run(lambda _: sys.getswitchinterval(), None, weight=weight) for weight in (LARGE, MIDDLE)]
    assert all(seen < USUAL for seen in await asyncio.gather(*both))
    assert sys.getswitchinterval() == USUAL


@pytest_asyncio.fixture
async def working(tmp_path):
    async with worker(tmp_path, drain_seconds=30.0) as running:
        running.policy = load(POLICY)
        yield running


@pytest_asyncio.fixture
async def channel(working):
    async with grpc.aio.insecure_channel(working.address, options=OPTIONS) as opened:
        yield opened


def frame(**told):
    return pb.ProcessingRequest(**told).SerializeToString()


def headers(**named):
    pairs = [(name.replace("_", "-").replace("--", ":"), value) for name, value in named.items()]
    return pb.HttpHeaders(
        headers=pb.HeaderMap(headers=[pb.HeaderValue(key=name, raw_value=value.encode()) for name, value in pairs])
    )


async def forwarded(channel):
    """A call that was let through, whose response is waited for."""
    stream = channel.stream_stream(METHOD)(metadata=(("x-mcp-server", "db"),))
    head = pb.ProcessingRequest(
        request_headers=headers(
            __method="POST", __path="/mcp", content_type="application/json", mcp_protocol_version="2025-06-18"
        )
    )
    told = head.attributes["envoy.filters.http.ext_proc"].fields
    told["connection.uri_san_peer_certificate"].string_value = "spiffe://prod.example.com/a"
    await stream.write(head.SerializeToString())
    await stream.read()
    called = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": {}}}
    body = pb.HttpBody(body=json.dumps(called).encode(), end_of_stream=True)
    await stream.write(frame(request_body=body))
    answer = pb.ProcessingResponse.FromString(await stream.read())
    assert answer.HasField("request_body"), answer
    await stream.write(frame(response_headers=headers(__status="200", content_type="application/json")))
    await stream.read()
    return stream


async def respond(stream, text):
    """Send a whole response; it is with the service once the last piece is."""
    said = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}
    await stream.write(frame(response_body=pb.HttpBody(body=json.dumps(said).encode(), end_of_stream=True)))


async def heard(stream):
    """What the client gets of the response."""
    body = b""
    while True:
        said = await stream.read()
        if said is grpc.aio.EOF:
            return json.loads(body)
        body += pb.ProcessingResponse.FromString(said).response_body.response.body_mutation.streamed_response.body


async def outcomes(running, count):
    """The outcomes on record, once there are so many."""
    await running.servicer.settle()
    found = [event["result"] for event in running.journal.kept if event["kind"] == "outcome"]
    assert len(found) == count
    return found


async def test_a_small_call_is_answered_while_the_largest_response_full_of_candidates_is_masked(channel, working):
    large, small = await forwarded(channel), await forwarded(channel)
    await respond(large, "12-" * (MAX_JSON_RESPONSE_BYTES // 3 - 100))
    masking = asyncio.ensure_future(heard(large))
    await in_a_lane()
    await respond(small, "to bob@example.com")
    assert (await heard(small))["result"]["content"][0]["text"] == "to [email]"
    assert not masking.done()
    assert "result" in await masking
    assert await outcomes(working, 2) == ["complete", "complete"]


async def in_a_lane():
    """Come back once a lane is busy, which shows in short turns."""
    while sys.getswitchinterval() == USUAL:  # noqa: ASYNC110 - nobody tells
        await asyncio.sleep(0)


async def test_who_hangs_up_meanwhile_is_on_record_and_nothing_of_his_call_is_left(channel, working):
    first, second = await forwarded(channel), await forwarded(channel)
    for stream in (first, second):
        await respond(stream, "4 " * LARGE)
    await in_a_lane()
    second.cancel()
    await heard(first)
    assert len(await outcomes(working, 2)) == 2
    assert sys.getswitchinterval() == USUAL
