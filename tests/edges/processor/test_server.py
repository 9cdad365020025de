"""The gRPC server as an independent client sees it: whatever ends a stream early is an error, and so is a drain."""

import asyncio
import json

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from grpc_health.v1 import health_pb2, health_pb2_grpc

from attacks.faults import worker
from extproc.core.shared_state import Revocation, Revoked, SharedState
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from extproc.edges.processor.translate import METHOD
from policies import GOOD, load

SERVING = health_pb2.HealthCheckResponse.SERVING
BODY = pb.ProcessingRequest(request_body=pb.HttpBody(body=b"x" * (5 << 20), end_of_stream=True))
OPTIONS = [("grpc.max_send_message_length", 64 << 20)]


@pytest_asyncio.fixture
async def working(tmp_path):
    async with worker(tmp_path, drain_seconds=5.0) as running:
        running.policy = load(GOOD)
        yield running


@pytest_asyncio.fixture
async def channel(working):
    async with grpc.aio.insecure_channel(working.address, options=OPTIONS) as opened:
        yield opened


async def ended(stream):
    """The status of a stream, once it has ended."""
    try:
        while await stream.read() is not grpc.aio.EOF:
            pass
    except grpc.aio.AioRpcError:
        pass
    return await stream.code(), await stream.details()


def process(channel):
    return channel.stream_stream(METHOD)()


def head_of_a_workload():
    """A request that is identified, and whose body is waited for."""
    pairs = ((":method", b"POST"), (":path", b"/mcp"), ("content-type", b"application/json"))
    headers = pb.HeaderMap(headers=[pb.HeaderValue(key=name, raw_value=value) for name, value in pairs])
    frame = pb.ProcessingRequest(request_headers=pb.HttpHeaders(headers=headers))
    told = frame.attributes["envoy.filters.http.ext_proc"].fields
    told["connection.uri_san_peer_certificate"].string_value = "spiffe://prod.example.com/a"
    return frame


async def test_a_stream_that_was_decided_nothing_on_never_ends_cleanly(channel):
    silent = process(channel)
    await silent.done_writing()
    assert await ended(silent) == (grpc.StatusCode.INTERNAL, "the exchange was not over")
    for raw, why in (
        (b"\xff\xff\xff", "a message that is no ProcessingRequest"),
        (b"", "an unexpected message: None"),
        (pb.ProcessingRequest(observability_mode=True).SerializeToString(), "observability mode does not hold"),
    ):
        stream = process(channel)
        await stream.write(raw)
        status, said = await ended(stream)
        assert status is grpc.StatusCode.INTERNAL
        assert said.startswith(why)


async def test_a_bug_is_an_error_of_the_stream_and_tells_no_more_than_its_kind(channel, working):
    working.policy = None  # what opens the exchange fails
    assert await ended(process(channel)) == (grpc.StatusCode.INTERNAL, "AssertionError")


async def test_a_body_of_many_pieces_is_one_message_and_its_refusal_the_clean_end(channel):
    stream = process(channel)
    await stream.write(BODY.SerializeToString())
    answer = pb.ProcessingResponse.FromString(await stream.read())
    assert answer.immediate_response.status.code == 401
    assert await ended(stream) == (grpc.StatusCode.OK, "")


async def test_a_body_that_its_sender_kept_back_is_judged_by_the_policy_of_when_it_comes(channel, working):
    stream = process(channel)
    await stream.write(head_of_a_workload().SerializeToString())
    assert pb.ProcessingResponse.FromString(await stream.read()).HasField("request_headers")
    working.policy = load(GOOD.replace("prod.example.com", "test.example.com"))
    await stream.write(BODY.SerializeToString())
    answer = pb.ProcessingResponse.FromString(await stream.read())
    assert answer.immediate_response.status.code == 403
    assert await ended(stream) == (grpc.StatusCode.OK, "")


def streamed(message, *, end_of_stream=False):
    body = f"data: {json.dumps(message)}\n\n".encode()
    return pb.ProcessingRequest(response_body=pb.HttpBody(body=body, end_of_stream=end_of_stream)).SerializeToString()


async def test_who_is_put_out_hears_no_more_of_a_call_that_is_still_being_answered(channel, working):
    working.policy = load(GOOD.replace("groups: [readers]", "workloads: ['spiffe://prod.example.com/*']"))
    stream = channel.stream_stream(METHOD)(metadata=[("x-mcp-server", "db")])
    await stream.write(head_of_a_workload().SerializeToString())
    await stream.read()
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": {}}}
    body = pb.HttpBody(body=json.dumps(asked).encode(), end_of_stream=True)
    await stream.write(pb.ProcessingRequest(request_body=body).SerializeToString())
    assert pb.ProcessingResponse.FromString(await stream.read()).HasField("request_body")
    pairs = ((":status", b"200"), ("content-type", b"text/event-stream"))
    headers = pb.HeaderMap(headers=[pb.HeaderValue(key=name, raw_value=value) for name, value in pairs])
    await stream.write(pb.ProcessingRequest(response_headers=pb.HttpHeaders(headers=headers)).SerializeToString())
    await stream.read()
    await stream.write(streamed({"jsonrpc": "2.0", "method": "notifications/message", "params": {"data": "early"}}))
    heard = pb.ProcessingResponse.FromString(await stream.read()).response_body.response.body_mutation
    assert b"early" in heard.streamed_response.body
    caller = Revocation(id="r", kind=Revoked.SUBJECT, value="spiffe://prod.example.com/a", at=0)
    working.shared = SharedState(revocations=(caller,))
    working.servicer.supersede()
    heard = pb.ProcessingResponse.FromString(await stream.read()).response_body.response.body_mutation
    assert heard.streamed_response.end_of_stream
    assert b'"reason":"cut"' in heard.streamed_response.body
    assert await ended(stream) == (grpc.StatusCode.OK, "")


async def test_health_is_told_of_the_whole_server_only(channel):
    health = health_pb2_grpc.HealthStub(channel)
    assert (await health.Check(health_pb2.HealthCheckRequest())).status == SERVING
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await health.Check(health_pb2.HealthCheckRequest(service="other"))
    assert refused.value.code() is grpc.StatusCode.NOT_FOUND
    for method in ("/grpc.health.v1.Health/Watch", "/envoy.service.ext_proc.v3.ExternalProcessor/Other", "/x/y"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await channel.unary_unary(method)(b"")
        assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_a_drain_refuses_newcomers_at_once_and_gives_the_others_their_time(channel, working):
    stream = process(channel)
    await stream.write(head_of_a_workload().SerializeToString())
    assert pb.ProcessingResponse.FromString(await stream.read()).HasField("request_headers")
    draining = asyncio.create_task(working.server.drain())
    await asyncio.sleep(0)
    async with grpc.aio.insecure_channel(working.address) as late:
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await health_pb2_grpc.HealthStub(late).Check(health_pb2.HealthCheckRequest())
        assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert not draining.done()
    await stream.done_writing()
    assert (await ended(stream))[0] is grpc.StatusCode.INTERNAL
    await draining


async def test_a_taken_address_is_one_clear_error(working, tmp_path):
    with pytest.raises(OSError, match=f"cannot listen on {working.address}: .*in use"):
        async with worker(tmp_path / "second", address=working.address):
            pass
