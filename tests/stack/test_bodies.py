"""Bodies of every size, shape and pace in both directions, through a real Envoy and both chains."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from extproc.core.handles import digests_of
from extproc.core.limits import MAX_BODY_BYTES, MAX_JSON_RESPONSE_BYTES
from extproc.core.wire.sse import Event, EventReader
from extproc.demo.proxy import CHAINS, Chain
from extproc.edges.keys.session_keys import load_session_keys
from plain import PATIENCE
from stack.calls import Heard, Site, client, events, request, site, tool, until
from stack.servers.recorder import Arrival, Raw, Script, dies, early, echoes, head, json_reply, raw_server, sse

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {echo: {verb: query}, drop_table: {verb: admin}}
    unlisted_tools: deny
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db], verbs: [query], tools: [echo]}]
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _upstream() -> AsyncIterator[Raw]:
    async with raw_server() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def over_http1(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _upstream: Raw
) -> AsyncIterator[Site]:
    folder = tmp_path_factory.mktemp(request.param)
    async with site(request.param, _upstream.url, folder, policy=POLICY) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=["h1", "h2"])
async def mcp(request: pytest.FixtureRequest, over_http1: Site) -> AsyncIterator[Site]:
    """The gateway over HTTP/1.1, and over HTTP/2 in the clear."""
    if request.param == "h2":
        pytest.importorskip("h2", reason="the package h2 is not installed, so httpx cannot speak HTTP/2")
        async with client(http2=True) as http:
            yield Site(gateway=over_http1.gateway, http=http, http2=True)
    else:
        yield over_http1


@pytest.fixture
def upstream(_upstream: Raw) -> Raw:
    _upstream.requests.clear()
    _upstream.faults.clear()
    _upstream.received = 0
    _upstream.script = echoes({"content": []})
    return _upstream


def response(message: dict[str, Any], result: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}).encode()


def event(value: bytes | dict[str, Any]) -> bytes:
    return b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"


def progress(number: int) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": 1, "progress": number}}


def until_gone(gone: asyncio.Event, content_type: str, *first: bytes) -> Script:
    """Says something harmless again and again until nobody listens any more."""

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(head(200, content_type, (), "transfer-encoding: chunked"))
        filler = b":\n\n" if content_type == "text/event-stream" else b" "
        try:
            for piece in first:
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            while True:
                writer.write(b"%x\r\n%b\r\n" % (len(filler), filler))
                await writer.drain()
                await asyncio.sleep(0.01)
        except ConnectionError:
            gone.set()

    return script


def data(heard: Heard) -> list[bytes]:
    found = EventReader().feed(heard.body)
    return [each.data for each in found if isinstance(each, Event) and each.data is not None]


async def pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(0)


# --- requests ----------------------------------------------------------------------------------------------------


async def test_a_chunked_request_arrives_whole(mcp: Site, upstream: Raw) -> None:
    message = tool("echo", text="grüße")
    body = json.dumps(message, ensure_ascii=False).encode()
    heard = await mcp.post(message, content=pieces(body, 7))
    assert heard.allowed
    assert bytes(upstream.requests[0].body) == body
    assert mcp.decision(message)["effect"] == "allow"


async def test_a_request_that_drips_byte_by_byte_reaches_the_server_only_when_it_is_judged(
    mcp: Site, upstream: Raw
) -> None:
    allowed, denied = tool("echo", text="slow"), tool("drop_table", text="slow")
    early_bytes = []

    async def dripped(message: dict[str, Any]) -> AsyncIterator[bytes]:
        async for piece in pieces(json.dumps(message).encode(), 1):
            early_bytes.append(upstream.received)
            yield piece

    heard = await mcp.post(denied, content=dripped(denied))
    assert not heard.allowed
    assert upstream.received == 0
    heard = await mcp.post(allowed, content=dripped(allowed))
    assert heard.allowed
    assert len(early_bytes) > 300
    assert not any(early_bytes)
    assert json.loads(upstream.requests[0].body) == allowed


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_a_body_at_the_limit_arrives_and_one_above_it_is_a_json_rpc_error(
    mcp: Site, upstream: Raw, chunked: bool
) -> None:
    message = tool("echo", text="")
    room = MAX_BODY_BYTES - len(json.dumps(message).encode())
    message["params"]["arguments"]["text"] = "x" * room
    body = json.dumps(message).encode()
    assert len(body) == MAX_BODY_BYTES
    heard = await mcp.post(message, content=pieces(body, 65536) if chunked else body)
    assert heard.allowed
    assert bytes(upstream.requests[0].body) == body
    assert mcp.decision(message)["body_bytes"] == len(body)

    body += b" "
    heard = await mcp.post(tool("echo"), content=pieces(body, 65536) if chunked else body)
    assert heard.status == 413
    assert heard.error["code"] == -32600
    assert len(upstream.requests) == 1


async def test_a_body_above_the_limit_is_recorded_where_the_service_hears_of_it(mcp: Site, upstream: Raw) -> None:
    def recorded() -> list[dict[str, Any]]:
        return events(mcp.gateway.state, "decision", reason="answered_by_envoy")

    async def refused() -> list[dict[str, Any]]:
        assert (await mcp.post(tool("echo"), content=pieces(b" " * (MAX_BODY_BYTES + 1), 65536))).status == 413
        return recorded()[seen:]

    seen = len(recorded())
    if mcp.gateway.chain == "one-message":  # there it is a response of Envoy's own to a request that nobody has seen
        assert await refused() == []
    else:  # unless the body overtakes our answer to the head, from which on Envoy tells of responses
        (event,) = await until(refused)
        assert (event["status"], event["effect"], event["principal"]["subject"]) == (413, "reject", "ada")
    assert upstream.received == 0


@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunked"])
async def test_an_empty_body_is_refused_as_json_rpc(mcp: Site, upstream: Raw, chunked: bool) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        for each in ():
            yield each

    heard = await mcp.post(tool("echo"), content=nothing() if chunked else b"")
    assert heard.status >= 400
    assert heard.error["code"] in {-32600, -32603, -32700}
    assert upstream.received == 0


async def test_a_client_that_waits_for_a_hundred_continue_gets_it(over_http1: Site, upstream: Raw) -> None:
    message = tool("echo")
    body = json.dumps(message).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", over_http1.gateway.port)
    named = {"host": f"127.0.0.1:{over_http1.gateway.port}", "connection": "close"} | over_http1.headers(message)
    lines = [f"{name}: {value}" for name, value in named.items()]
    lines += ["expect: 100-continue", f"content-length: {len(body)}", "", ""]
    writer.write("\r\n".join(["POST /mcp HTTP/1.1", *lines]).encode())
    try:
        async with asyncio.timeout(PATIENCE):
            assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
            assert upstream.received == 0
            writer.write(body)
            answer = await reader.read()
    finally:
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert bytes(upstream.requests[0].body) == body
    assert upstream.requests[0].values("expect") == []


async def test_a_client_that_goes_away_in_the_middle_of_its_request_reaches_nobody(mcp: Site, upstream: Raw) -> None:
    message = tool("echo")

    class GoneError(Exception):
        pass

    async def half() -> AsyncIterator[bytes]:
        yield json.dumps(message).encode()[:-5]
        raise GoneError

    async with client(http2=mcp.http2) as other:
        with pytest.raises(GoneError):
            await Site(gateway=mcp.gateway, http=other).post(message, content=half())
    assert (await mcp.post(tool("echo"))).allowed  # by then Envoy has dropped the other
    assert len(upstream.requests) == 1
    assert not events(mcp.gateway.state, "decision", id=message["id"])
    await until(lambda: in_flight_is(mcp, 0))


async def in_flight_is(mcp: Site, count: int) -> bool:
    return await mcp.metric("extproc_streams") == count


# --- JSON responses ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [3 << 19, MAX_JSON_RESPONSE_BYTES + (1 << 20)], ids=["1.5 MiB", "9 MiB"])
async def test_a_large_result_is_unchanged_and_recorded(mcp: Site, upstream: Raw, size: int) -> None:
    message = tool("echo")
    body = response(message, {"content": [{"type": "text", "text": "é" * (size // 2)}]})
    upstream.script = json_reply(body)
    heard = await mcp.post(message)
    assert heard.body == body
    outcome = await mcp.outcome(message)
    assert (outcome["result"], outcome["bytes"]) == ("complete", len(body))
    assert outcome["digest"] == digests_of(load_session_keys(mcp.gateway.state)[0]).of_bytes(body)
    assert outcome["payload"] is None


async def test_a_large_list_is_filtered(mcp: Site, upstream: Raw) -> None:
    message = request("tools/list")
    secret = [{"name": f"hidden-{n}", "description": "h" * 800, "inputSchema": {"type": "object"}} for n in range(4000)]
    shown = {"name": "echo", "description": "s" * 100_000, "inputSchema": {"type": "object"}}
    body = response(message, {"tools": [*secret[:2000], shown, *secret[2000:]], "nextCursor": "2"})
    assert 3 << 20 < len(body) < MAX_JSON_RESPONSE_BYTES
    upstream.script = json_reply(body)
    heard = await mcp.post(message)
    result = heard.message["result"]
    assert (result["tools"], result["nextCursor"]) == ([shown], "2")
    assert b"hidden" not in heard.body
    assert (await mcp.outcome(message))["hidden"] == 4000


async def test_a_list_that_is_too_large_to_be_filtered_is_withheld(mcp: Site, upstream: Raw) -> None:
    message = request("tools/list")
    upstream.script = json_reply(response(message, {"tools": [{"name": "hidden"}], "_meta": {"x": "y" * (9 << 20)}}))
    heard = await mcp.post(message)
    assert heard.error["code"] == -32603
    assert heard.message["id"] == message["id"]
    assert b"hidden" not in heard.body
    assert (await mcp.outcome(message))["result"] == "withheld"


async def test_a_list_in_one_byte_chunks_is_filtered(mcp: Site, upstream: Raw) -> None:
    message = request("tools/list")
    body = response(message, {"tools": [{"name": "echo"}, {"name": "hidden"}]})
    upstream.script = sse(*(body[n : n + 1] for n in range(len(body))), content_type="application/json")
    heard = await mcp.post(message)
    assert heard.message["result"]["tools"] == [{"name": "echo"}]


@pytest.mark.parametrize("make", [lambda: request("tools/list"), lambda: tool("echo")], ids=["list", "call"])
async def test_a_json_response_that_breaks_off_is_never_passed_on_in_part(
    mcp: Site, upstream: Raw, make: Callable[[], dict[str, Any]]
) -> None:
    message = make()
    start = b'{"jsonrpc":"2.0","id":%d,"result":{"tools":[{"name":"hidden"},' % message["id"]
    upstream.script = dies(head(200, "application/json", (), "content-length: 9999") + start)
    heard = await mcp.post(message)
    assert heard.cut or heard.error["code"] == -32603
    assert b"hidden" not in heard.body
    assert (await mcp.outcome(message))["result"] == "cut"


async def test_an_upstream_that_says_nothing_and_dies_is_a_json_rpc_error(mcp: Site, upstream: Raw) -> None:
    message = tool("echo")
    upstream.script = dies()
    heard = await mcp.post(message)
    assert (heard.status, heard.error["code"]) == (503, -32603)
    assert mcp.decision(message)["effect"] == "allow"
    assert (await mcp.outcome(message))["status"] == 503


async def test_a_reply_before_the_server_has_read_the_request_is_passed_on(mcp: Site, upstream: Raw) -> None:
    message = tool("echo", text="x" * (1 << 20))
    upstream.script = early(200, {"jsonrpc": "2.0", "id": message["id"], "result": {"content": []}})
    heard = await mcp.post(message)
    assert heard.allowed
    assert (await mcp.outcome(message))["result"] == "complete"


@pytest.mark.parametrize("status", [404, 405, 500])
async def test_an_error_of_the_server_keeps_its_status_and_is_always_json_rpc(
    mcp: Site, upstream: Raw, status: int
) -> None:
    message = tool("echo")
    error = {"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32001, "message": "no such session"}}
    upstream.script = json_reply(error, status=status)
    heard = await mcp.post(message)
    assert (heard.status, heard.message) == (status, error)
    outcome = await mcp.outcome(message)
    assert (outcome["result"], outcome["status"]) == ("error", status)

    for body, content_type in ((b"not found", "text/plain"), (b'{"detail":"not found"}', "application/json")):
        message = tool("echo")
        upstream.script = json_reply(body, status=status, content_type=content_type)
        heard = await mcp.post(message)
        assert (heard.status, heard.error["code"]) == (status, -32603)
        assert heard.message["id"] == message["id"]
        assert b"not found" not in heard.body
        assert (await mcp.outcome(message))["status"] == status


@pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])
@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\ncontent-length: 8\r\n\r\nAccepted",
        b"HTTP/1.1 202 Accepted\r\ncontent-type: text/plain\r\ncontent-length: 8\r\n\r\nAccepted",
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 4\r\n\r\nnull",
    ],
    ids=["202", "204", "202 chunked", "202 words", "202 text", "200 null"],
)
async def test_a_notification_is_accepted_however_the_server_says_so(
    mcp: Site, upstream: Raw, answer: bytes, modern: bool
) -> None:
    message = request("notifications/cancelled", modern=modern, requestId=1)
    if modern:
        del message["id"]
    else:
        message = {"jsonrpc": "2.0", "method": "notifications/initialized"}

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(answer)
        await writer.drain()

    upstream.script = script
    heard = await mcp.post(message)
    assert heard.status == int(answer.split()[1])
    assert not heard.cut
    assert json.loads(upstream.requests[0].body) == message


# --- event streams -----------------------------------------------------------------------------------------------


async def test_many_events_arrive_in_order_whatever_the_chunks(mcp: Site, upstream: Raw) -> None:
    message = tool("echo")
    told = [progress(n) for n in range(3000)]
    last = response(message, {"content": [{"type": "text", "text": "done"}]})
    whole = b"".join(map(event, told)) + event(last)
    upstream.script = sse(*(whole[n : n + 1013] for n in range(0, len(whole), 1013)))
    heard = await mcp.post(message)
    assert heard.headers["content-type"] == "text/event-stream"
    assert [json.loads(each) for each in data(heard)] == [*told, json.loads(last)]
    assert (await mcp.outcome(message))["result"] == "complete"


async def test_events_in_one_byte_chunks_arrive_whole_and_filtered(mcp: Site, upstream: Raw) -> None:
    message = request("tools/list")
    listed = response(message, {"tools": [{"name": "hidden"}, {"name": "echo"}]})
    whole = event(progress(1)) + event(listed).replace(b"\n", b"\r\n")
    upstream.script = sse(*(whole[n : n + 1] for n in range(len(whole))))
    heard = await mcp.post(message)
    first, second = map(json.loads, data(heard))
    assert first == progress(1)
    assert second["result"]["tools"] == [{"name": "echo"}]
    assert b"hidden" not in heard.body


async def test_an_event_arrives_while_the_server_holds_the_next(mcp: Site, upstream: Raw) -> None:
    message = tool("echo")
    go_on = [asyncio.Event(), asyncio.Event()]
    last = response(message, {"content": []})
    upstream.script = sse(event(progress(1)), go_on[0], event(progress(2)), go_on[1], event(last))
    reader, got = EventReader(), []
    async with asyncio.timeout(PATIENCE), mcp.stream(message) as answer:
        async for chunk in answer.aiter_raw():
            found = reader.feed(chunk)
            got += [json.loads(each.data) for each in found if isinstance(each, Event) and each.data]
            if len(got) <= len(go_on):
                go_on[len(got) - 1].set()
    assert got == [progress(1), progress(2), json.loads(last)]


async def test_an_event_stream_that_breaks_off_is_cut_behind_its_last_whole_event(mcp: Site, upstream: Raw) -> None:
    message = tool("echo")
    first = event(progress(1)) + b'data: {"half'
    chunk = b"%x\r\n%b\r\n" % (len(first), first)
    upstream.script = dies(head(200, "text/event-stream", (), "transfer-encoding: chunked") + chunk)
    heard = await mcp.post(message)
    assert heard.cut or heard.error["code"] == -32603  # the reset may overtake all that was sent before
    assert heard.body in (b"", event(progress(1))) or not heard.cut
    assert b"half" not in heard.body
    assert (await mcp.outcome(message))["result"] == "cut"


@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json"])
async def test_a_client_that_goes_away_ends_the_call_upstream_and_the_record_says_cut(
    mcp: Site, upstream: Raw, content_type: str
) -> None:
    message, gone = tool("echo"), asyncio.Event()
    first = event(progress(1)) if content_type == "text/event-stream" else b'{"jsonrpc":'
    upstream.script = until_gone(gone, content_type, first)
    async with client(http2=mcp.http2) as http:  # closing it ends the connection; httpx resets no stream of HTTP/2
        other = Site(gateway=mcp.gateway, http=http)
        if content_type == "text/event-stream":
            async with other.stream(message) as answer:
                async for _ in answer.aiter_raw():
                    break
        else:
            asking = asyncio.create_task(other.post(message))
            await upstream.wait_for(1)
            asking.cancel()
            await asyncio.wait({asking})
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
    assert (await mcp.outcome(message))["result"] == "cut"
    await until(lambda: in_flight_is(mcp, 0))


# --- trailers ----------------------------------------------------------------------------------------------------


def with_trailers(document: dict[str, Any]) -> None:
    """HTTP/1 trailers, which Envoy drops unless it is told to keep them."""
    listener, clusters = document["static_resources"]["listeners"][0], document["static_resources"]["clusters"]
    connection = listener["filter_chains"][0]["filters"][0]["typed_config"]
    connection["http_protocol_options"] = {"enable_trailers": True}
    upstream = next(each for each in clusters if each["name"] == "mcp_upstream")
    upstream["typed_extension_protocol_options"] = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {"enable_trailers": True}},
        }
    }


async def test_trailers_of_the_server_are_dropped_by_envoy_as_shipped(over_http1: Site, upstream: Raw) -> None:
    await _trailers_stay_behind(over_http1, upstream)


@pytest.mark.parametrize("chain", CHAINS)
async def test_trailers_that_envoy_keeps_stay_behind_and_harm_nothing(
    chain: Chain, tmp_path: Path, upstream: Raw
) -> None:
    async with site(chain, upstream.url, tmp_path, policy=POLICY, adapt=with_trailers) as mcp:
        await _trailers_stay_behind(mcp, upstream)


async def _trailers_stay_behind(mcp: Site, upstream: Raw) -> None:
    trailers = [("x-secret-trailer", "told"), ("mcp-session-id", "stolen")]
    for message, result, content_type in (
        (tool("echo"), {"content": []}, "application/json"),
        (request("tools/list"), {"tools": [{"name": "hidden"}, {"name": "echo"}]}, "application/json"),
        (tool("echo"), {"content": []}, "text/event-stream"),
    ):
        body, begun = response(message, result), asyncio.Event()
        if content_type == "text/event-stream":
            body = event(body)
        # Envoy 1.40 keeps trailers to itself, and waits for ever, where they overtake our answer to the head
        upstream.script = sse(body[:30], begun, body[30:], trailers=trailers, content_type=content_type)
        answer = await read_raw(mcp, message, begun)
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"\r\n0\r\n\r\n")
        assert b'"id": %d' % message["id"] in answer or b'"id":%d' % message["id"] in answer
        for secret in (b"told", b"stolen", b"hidden"):
            assert secret not in answer
        assert (await mcp.outcome(message))["result"] == "complete"
    assert not upstream.faults


async def read_raw(mcp: Site, message: dict[str, Any], begun: asyncio.Event) -> bytes:
    """The whole answer as bytes, trailers and all; ``begun`` is set when its head is there."""
    reader, writer = await asyncio.open_connection("127.0.0.1", mcp.gateway.port)
    body = json.dumps(message).encode()
    named = {"host": f"127.0.0.1:{mcp.gateway.port}", "connection": "close", "te": "trailers"} | mcp.headers(message)
    lines = [f"{name}: {value}" for name, value in named.items()]
    writer.write("\r\n".join(["POST /mcp HTTP/1.1", *lines, f"content-length: {len(body)}", "", ""]).encode() + body)
    try:
        async with asyncio.timeout(PATIENCE):
            answer = await reader.readuntil(b"\r\n\r\n")
            begun.set()
            return answer + await reader.read()
    finally:
        writer.close()


# --- HTTP/2 ------------------------------------------------------------------------------------------------------


async def test_many_calls_share_one_connection_of_http2(over_http1: Site, upstream: Raw) -> None:
    pytest.importorskip("h2", reason="the package h2 is not installed, so httpx cannot speak HTTP/2")
    messages = [tool("drop_table" if n % 3 == 0 else "echo", n=n) for n in range(60)]
    async with client(http2=True, limits=httpx.Limits(max_connections=1)) as http:
        mcp = Site(gateway=over_http1.gateway, http=http)
        heard = await asyncio.gather(*map(mcp.post, messages))
    assert [each.allowed for each in heard] == [n % 3 != 0 for n in range(60)]
    executed = sorted(json.loads(each.body)["id"] for each in upstream.requests)
    assert executed == [each["id"] for n, each in enumerate(messages) if n % 3]
