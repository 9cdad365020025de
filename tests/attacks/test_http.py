"""H01-H34: no way of writing HTTP leads a call past the policy, or two readers of one request to two requests."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from typing import Final

import pytest
import pytest_asyncio

from attacks.http_requests import CASES, body_of, request
from attacks.judged import Judged, judged
from attacks.raw_http import CLOSED, Answer, exchange, exchange_http2
from attacks.rig import DENIED_TOOL, MODERN, call, headers_of
from extproc.demo.proxy import CHAINS
from plain import PATIENCE
from stack.servers.recorder import Arrival, json_reply

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

CANARY: Final = "canary-7f3a9c"
SIMPLE: Final = {"jsonrpc": "2.0", "id": 1, "result": {"content": []}}


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Judged]:
    async with judged(request.param, "raw", tmp_path_factory.mktemp(request.param)) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def _forgotten(rig: Judged) -> None:
    await rig.forget()
    rig.site.upstream.script = json_reply(SIMPLE)


def filled(rig: Judged, raw: bytes) -> bytes:
    """A request with the token, the port and the upstream's address in it; placeholders keep no length."""
    token = rig.site.bearer("alice")["authorization"].removeprefix("Bearer ")
    upstream = rig.site.upstream.url.split("/")[2]
    for name, value in (("{token}", token), ("{port}", str(rig.site.gateway.port)), ("{upstream}", upstream)):
        raw = raw.replace(name.encode(), value.encode())
    return raw


async def say(rig: Judged, requests: Iterable[bytes]) -> list[Answer]:
    port = rig.site.gateway.port
    return await asyncio.gather(*(exchange(port, filled(rig, each)) for each in requests))


def denied(answer: Answer) -> bool:
    return b'"isError":true' in answer.raw or b'"error":{' in answer.raw


@pytest.mark.parametrize("name", CASES)
async def test_no_spelling_leads_past_the_policy(rig: Judged, name: str) -> None:
    case = CASES[name]
    if rig.site.gateway.chain not in case.chains:
        pytest.skip("not a promise of this chain")
    answers = await say(rig, case.requests)
    await rig.check()
    for raw, answer in zip(case.requests, answers, strict=True):
        where = f"{raw[:600]!r} -> {answer.raw[:600]!r}"
        assert set(answer.statuses or [CLOSED]) <= case.statuses, where
        if case.code is not None:
            assert b'"code":%d' % case.code in answer.raw, where
        if case.passes:
            assert not denied(answer), where
    if case.passes:
        assert len(await rig.arrived()) == len(case.requests)
        assert rig.effects() == ["allow"] * len(case.requests)
    else:
        assert rig.site.upstream.received == 0
        assert "allow" not in rig.effects()


@pytest.mark.parametrize("target", ["127.0.0.1:{port}", "{upstream}", "/mcp"])
async def test_h20_connect_opens_no_tunnel(rig: Judged, target: str) -> None:
    raw = filled(rig, request(method="CONNECT", path=target, framing=(), close=False))
    answer = await exchange(rig.site.gateway.port, raw, eof=True)
    assert answer.status in {CLOSED, 400, 404, 405, 408, 503}
    assert rig.site.upstream.received == 0


async def test_h28_a_host_that_envoy_takes_for_ours_is_not_the_one_that_the_upstream_gets(rig: Judged) -> None:
    own = rig.site.upstream.url.split("/")[2]
    requests = [
        request("host: evil.example", body=body_of("echo"), name="echo"),  # of two, Envoy has the first
        request(host="127.0.0.1:{port}.evil", body=body_of("echo"), name="echo"),  # all of this is the port to Envoy
        request(path="http://127.0.0.1:{port}/mcp", host="evil.example", body=body_of("echo"), name="echo"),
    ]
    for answer in await say(rig, requests):
        assert answer.status == 200
    await rig.check()
    for arrival in rig.site.upstream.requests:
        assert arrival.values("host") == [own]
        assert b"evil" not in arrival.head


async def test_h12_another_spelling_of_a_uri_is_the_same_resource_or_refused(rig: Judged) -> None:
    uris = [
        "notes://secret/plan", "notes://public/../secret/plan", "notes://public/%2e%2e/secret/plan", "NOTES://secret/plan",
        "notes://public/./../secret/plan", "notes://public%2f..%2fsecret/plan", "notes://public\\..\\secret\\plan",
        "notes:/public/../secret/plan", "notes://public@secret/plan", "notes://public:80/../secret/plan", "file:///etc/shadow",
        "FILE:///etc/shadow", "file:/etc/shadow", "file://localhost/etc/shadow", "notes://public//../../secret/plan", "",
        "notes://PUBLIC/../secret", "notes://public/%252e%252e/secret/plan/../../../secret/plan", "//secret/plan",
    ]  # fmt: skip
    for modern in (True, False):
        for uri in uris:
            message = call("resources/read", uri=uri, modern=modern)
            if modern and not uri:
                continue  # an empty header is Envoy's to refuse: H05
            heard = await rig.site.post("alice", message, modern=modern)
            assert heard.refused, uri
    lying = headers_of(call("resources/read", uri="notes://public/tea")) | rig.site.bearer("alice")
    answer = await rig.site.http.post(
        rig.site.gateway.url, content=json.dumps(call("resources/read", uri="notes://secret/plan")), headers=lying
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020)
    assert rig.site.upstream.received == 0
    assert not (await rig.site.post("alice", call("resources/read", uri="notes://public/tea"), modern=True)).refused


async def test_h24_no_trailer_of_an_allowed_call_reaches_the_upstream(rig: Judged) -> None:
    body = body_of("echo")
    chunks = b"%x\r\n%b\r\n0\r\nmcp-name: run_shell\r\nauthorization: Bearer x\r\n\r\n" % (len(body), body)
    (answer,) = await say(rig, [request(body=chunks, name="echo", framing=("transfer-encoding: chunked",))])
    assert answer.status == 200
    (arrival,) = rig.site.upstream.requests
    assert bytes(arrival.body) == body
    assert arrival.values("mcp-name") == ["echo"]
    assert b"run_shell" not in arrival.head + bytes(arrival.framed)
    assert b"Bearer" not in arrival.head + bytes(arrival.framed)


def head_of(rig: Judged, name: str = DENIED_TOOL, **changes: str | None) -> list[tuple[bytes, bytes]]:
    told = {
        ":method": "POST",
        ":scheme": "http",
        ":authority": f"127.0.0.1:{rig.site.gateway.port}",
        ":path": "/mcp",
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": name,
    } | rig.site.bearer("alice")
    merged = {key: changes.get(key.strip(":").replace("-", "_"), value) for key, value in told.items()}
    return [(key.encode(), value.encode("latin-1")) for key, value in merged.items() if value is not None]


async def test_h25_http2_is_judged_as_http1_is(rig: Judged) -> None:
    port = rig.site.gateway.port
    answer = await exchange_http2(port, head_of(rig, "echo"), body_of("echo"))
    assert (answer.status, denied(answer)) == (200, False)
    await rig.check()
    await rig.forget()
    answer = await exchange_http2(port, head_of(rig), body_of())
    assert (answer.status, denied(answer)) == (200, True)
    assert rig.site.upstream.received == 0


async def test_h25_http2_that_http1_could_not_carry_is_refused(rig: Judged) -> None:
    port, good, body = rig.site.gateway.port, head_of(rig, "echo"), body_of("echo")
    hostile = [
        [*good, (b"Mcp-Upper", b"x")],
        [*good, (b"connection", b"keep-alive")],
        [*good, (b"transfer-encoding", b"chunked")],
        [*good, (b"upgrade", b"websocket")],
        [*good, (b"x-a", b"a\r\nmcp-name: run_shell")],
        [*good, (b"x-a", b"a\x00b")],
        [*good, (b"x-a\r\n", b"a")],
        [*good, (b"mcp_name", b"run_shell")],
        [(b":authority", b"evil.example"), *good],
        [*good, (b"host", b"evil.example"), (b":authority", b"127.0.0.1")],
        [*good, (b"content-length", b"1")],
        [*good, (b"content-length", b"99999")],
        [*good, (b":path", b"/other")],
        head_of(rig, "echo", path="/mcp /x"),
        head_of(rig, "echo", path="/mcp\r\nx: y"),
        head_of(rig, "echo", path=""),
        head_of(rig, "echo", path="mcp"),
        head_of(rig, "echo", path=None),
        head_of(rig, "echo", method="POST /x HTTP/1.1"),
        head_of(rig, "echo", method="CONNECT"),
        head_of(rig, "echo", scheme="javascript:"),
        [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *head_of(rig, "echo", method=None)],
    ]
    answers = await asyncio.gather(*(exchange_http2(port, each, body) for each in hostile))
    for headers, answer in zip(hostile, answers, strict=True):
        assert answer.status in {CLOSED, 400, 403, 404, 405, 503}, (headers, answer)
    assert rig.site.upstream.received == 0
    assert "allow" not in rig.effects()


async def test_h25_trailers_over_http2_never_pass(rig: Judged) -> None:
    trailers = [(b"mcp-name", b"run_shell"), (b"authorization", b"Bearer x")]
    for name in ("echo", DENIED_TOOL):
        answer = await exchange_http2(rig.site.gateway.port, head_of(rig, name), body_of(name), trailers=trailers)
        assert answer.status in {CLOSED, 200, 503}
    await rig.check()
    for each in rig.site.upstream.requests:
        assert b"run_shell" not in each.head + bytes(each.framed)
        assert b"Bearer" not in each.head + bytes(each.framed)


async def test_h25_an_upgrade_to_http2_in_the_clear_is_no_way_in(rig: Judged) -> None:
    lines = ("connection: upgrade, http2-settings", "upgrade: h2c", "http2-settings: AAMAAABkAAQAAP__")
    answers = await say(rig, [request(*lines), request(*lines, body=body_of("echo"), name="echo")])
    assert b" 101 " not in b"".join(answer.raw for answer in answers)
    await rig.check()
    assert all(b"run_shell" not in bytes(each.body) for each in rig.site.upstream.requests)
    assert not any(each.values("upgrade") or each.values("http2-settings") for each in rig.site.upstream.requests)


async def test_h21_h27_what_a_client_claims_is_stripped(rig: Judged) -> None:
    names = (
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
        "x-mcp-server",
        "x-original-url",
        "x-rewrite-url",
    )
    headers = dict.fromkeys((*names, "x-envoy-original-path", "x-envoy-internal", "x-forwarded-host"), "other")
    heard = await rig.site.post("alice", call(), modern=True, **headers)
    assert not heard.refused
    (arrival,) = rig.site.upstream.requests
    assert not [name for name in headers if arrival.values(name)]
    (decision,) = rig.decisions()
    assert decision["server"] == "sales-db"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])
async def test_h29_a_redirect_of_the_upstream_is_not_passed_on(rig: Judged, status: int, modern: bool) -> None:
    rig.site.upstream.script = json_reply(SIMPLE, status=status, headers=[("location", f"http://{CANARY}.example/mcp")])
    heard = await rig.site.post("alice", call(modern=modern), modern=modern)
    assert heard.status not in range(300, 400)
    assert heard.refused
    assert heard.shows(CANARY, "location") == []


async def test_h31_the_body_is_judged_before_the_upstream_hears_of_a_call_that_waits(rig: Judged) -> None:
    """``Expect: 100-continue``: the client sends its body only then."""
    for name, expected in (("echo", 1), (DENIED_TOOL, 0)):
        await rig.forget()
        raw = filled(rig, request("expect: 100-continue", body=body_of(name), name=name))
        head, body = raw.split(b"\r\n\r\n", 1)
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.site.gateway.port)
        try:
            writer.write(head + b"\r\n\r\n")
            async with asyncio.timeout(PATIENCE):
                assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
                assert rig.site.upstream.received == 0
                writer.write(body)
                answer = await reader.read()
        finally:
            writer.close()
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert (b'"isError":true' in answer) == (expected == 0)
        assert len(rig.site.upstream.requests) == expected


@pytest.mark.parametrize("interim", ["100 Continue", "102 Processing", "103 Early Hints", "199 Other"])
async def test_h32_an_interim_response_carries_nothing_to_the_client(rig: Judged, interim: str) -> None:
    async def hints(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(f"HTTP/1.1 {interim}\r\nlink: <{CANARY}>\r\nmcp-session-id: {CANARY}\r\n\r\n".encode())
        await json_reply(SIMPLE)(arrival, writer)

    rig.site.upstream.script = hints
    body = body_of("echo")
    (answer,) = await say(rig, [request(body=body, name="echo")])
    assert CANARY.encode() not in answer.raw
    assert len(rig.site.upstream.requests) == 1


async def test_h32_a_switch_of_protocols_by_the_upstream_is_refused(rig: Judged) -> None:
    async def switches(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        writer.write(f"HTTP/1.1 101 Switching Protocols\r\nupgrade: {CANARY}\r\n\r\n{CANARY}".encode())
        await writer.drain()
        writer.close()

    rig.site.upstream.script = switches
    (answer,) = await say(rig, [request(body=body_of("echo"), name="echo")])
    assert denied(answer)
    assert CANARY.encode() not in answer.raw


async def test_e17_a_local_reply_shows_nothing_of_the_request_or_the_service(rig: Judged) -> None:
    secret = f"text/{CANARY}"
    requests = [
        request(path=f"/other/{CANARY}"),
        request(method="PUT", body=CANARY.encode()),
        request(host=f"{CANARY}.example"),
        request(content_type=secret),
        request(f"origin: https://{CANARY}.example"),
        request(version=CANARY),
        request(mcp_method=CANARY),
        request(body=f'{{"{CANARY}"'.encode()),
        request(f"authorization: Bearer {CANARY}"),
        request(body=b"x" * ((4 << 20) + 1)),
        request("x-large: " + CANARY * 10_000),
    ]
    for raw, answer in zip(requests, await say(rig, requests), strict=True):
        assert CANARY.encode() not in answer.raw, (raw[:300], answer)
        for word in (b"Traceback", b"grpc", b"ext_proc", b"/extproc", b"Python"):
            assert word not in answer.raw, (raw[:300], answer)
