"""What the shipped Envoy configurations promise by themselves, shown with a policy service that does what the test says."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from extproc.demo.proxy import CHAINS, Chain
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from stack.gateway import Gateway
from stack.scripted import Processor, Recorder, allow, processor, recorder

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]

CLOSED = 0
"""The connection was closed without an answer: what Envoy's codec refuses, it closes before ext_proc lets its 400 go."""
CALL = json.dumps(
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "t", "arguments": {}}}
).encode()


@dataclass
class Heard:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> Any:
        message = json.loads(self.body)
        assert message["jsonrpc"] == "2.0"
        assert message["id"] is None
        assert self.headers["content-type"] == "application/json"
        return message["error"]


async def ask(
    gateway: Gateway,
    *lines: str | bytes,
    method: str = "POST",
    path: str = "/mcp",
    host: str | None = None,
    body: bytes = CALL,
    token: str | None = "",
) -> Heard:
    """One HTTP/1.1 request, byte for byte; a valid token unless ``token`` is another or None."""
    head = [f"{method} {path} HTTP/1.1", f"host: {host or f'127.0.0.1:{gateway.port}'}", "connection: close"]
    if method == "POST":
        head += ["content-type: application/json"] if not any(b"content-type" in _raw(each) for each in lines) else []
        head.append(f"content-length: {len(body)}")
    if token is not None:
        head.append(f"authorization: Bearer {token or gateway.token()}")
    raw = b"\r\n".join(_raw(each) for each in (*head, *lines, "", "")) + (body if method == "POST" else b"")
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(raw)
        return await asyncio.wait_for(_answer(reader, bodiless=method == "HEAD"), 20)
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, *, bodiless: bool) -> Heard:
    try:
        first = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return Heard(CLOSED, {}, b"")
    status, *fields = first.decode("latin-1").strip().split("\r\n")
    headers = dict(each.lower().split(": ", 1) for each in fields)
    body = b""
    if headers.get("transfer-encoding") == "chunked":
        while size := int(await reader.readline(), 16):
            body += (await reader.readexactly(size + 2))[:-2]
    elif not bodiless:
        body = await reader.readexactly(int(headers["content-length"]))
    return Heard(int(status.split()[1]), headers, body)


def _raw(line: str | bytes) -> bytes:
    return line if isinstance(line, bytes) else line.encode("latin-1")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _scripted() -> AsyncIterator[Processor]:
    async with processor() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _recorded() -> AsyncIterator[Recorder]:
    async with recorder() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def proxy(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _scripted: Processor, _recorded: Recorder
) -> AsyncIterator[Gateway]:
    folder = tmp_path_factory.mktemp(request.param)
    options: Any = {"processors": [_scripted.address], "upstream": _recorded.url}
    async with Gateway(chain=request.param, folder=folder, **options) as running:
        yield running


@pytest.fixture(autouse=True)
def scripted(_scripted: Processor) -> Processor:
    _scripted.forget()
    return _scripted


@pytest.fixture(autouse=True)
def recorded(_recorded: Recorder) -> Recorder:
    _recorded.forget()
    return _recorded


async def test_an_allowed_call_passes_with_the_route_s_server_name(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    heard = await ask(proxy)
    assert heard.status == 200
    assert recorded.requests[0][2] == CALL
    assert scripted.metadata[0]["x-mcp-server"] == "sales-db"
    claims = scripted.frames[0].metadata_context.filter_metadata["envoy.filters.http.jwt_authn"].fields
    assert claims["jwt_payload"].struct_value.fields["sub"].string_value == "ada"
    assert claims["jwt_header"].struct_value.fields["alg"].string_value == "ES256"
    attributes = scripted.frames[0].attributes["envoy.filters.http.ext_proc"].fields
    assert attributes["request.method"].string_value == "POST"
    assert attributes["request.path"].string_value == "/mcp"
    assert attributes["source.address"].string_value.startswith("127.0.0.1:")


async def test_a_call_is_one_message_in_the_one_message_chain_and_two_in_the_portable(
    proxy: Gateway, scripted: Processor
) -> None:
    await ask(proxy)
    expected = {
        "one-message": ["request_body", "response_headers"],
        "portable": ["request_headers", "request_body", "response_headers"],
    }
    assert scripted.kinds() == expected[proxy.chain]


async def test_the_upstream_gets_no_credential_and_no_header_that_claims_an_origin(
    proxy: Gateway, recorded: Recorder
) -> None:
    claims = (
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-client-cert",
        "x-envoy-retry-on",
        "x-real-ip",
        "cookie",
    )
    more = (
        "x-envoy-upstream-rq-timeout-ms",
        "x-http-method-override",
        "x-original-url",
        "accept-encoding",
        "te",
        "forwarded",
    )
    names = (*claims, *more, "x-mcp-server", "proxy-authorization")
    await ask(proxy, *(f"{name}: spoof" for name in names if name != "te"), "te: trailers")
    sent = {name for name, _ in recorded.requests[0][1]}
    assert not sent & {*names, "authorization"}
    assert not any(name.startswith(("x-envoy", "x-forwarded")) for name in sent)
    assert recorded.values("host") == [recorded.url.split("/")[2]]


async def test_no_token_gets_a_challenge_and_a_bad_one_is_called_invalid(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    where = f'bearer resource_metadata="{proxy.base}/.well-known/oauth-protected-resource/mcp"'
    heard = await ask(proxy, token=None)
    assert (heard.status, heard.headers["www-authenticate"]) == (401, where)
    assert heard.error["code"] == -32600
    bad = [
        "garbage",
        proxy.token(audience="https://other.example"),
        proxy.token(exp=1),
        proxy.token(iss="http://other"),
    ]
    head, payload, signature = proxy.token().split(".")
    bad += [f"{head}.{payload}.{signature[::-1]}", proxy.token(exp=None)]
    for token in bad:
        heard = await ask(proxy, token=token)
        assert (heard.status, heard.headers["www-authenticate"]) == (401, f'{where}, error="invalid_token"'), token
        assert heard.error["code"] == -32600
    heard = await ask(proxy, path=f"/mcp?access_token={proxy.token()}", token=None)
    assert heard.status == 401
    assert not recorded.requests
    assert "request_body" not in scripted.kinds()


async def test_the_protected_resource_metadata_is_open_to_all_and_names_the_issuer(proxy: Gateway) -> None:
    for path in ("/.well-known/oauth-protected-resource/mcp", "/.well-known/oauth-protected-resource"):
        heard = await ask(proxy, method="GET", path=path, token=None)
        assert heard.status == 200
        assert heard.headers["content-type"] == "application/json"
        found = json.loads(heard.body)
        assert found["resource"] == proxy.url
        assert found["authorization_servers"] == [proxy.issuer.url]


@pytest.mark.parametrize("name", ["mcp-method", "mcp-protocol-version", "mcp-session-id"])
async def test_a_repeated_mcp_header_is_refused(
    proxy: Gateway, scripted: Processor, recorded: Recorder, name: str
) -> None:
    heard = await ask(proxy, f"{name}: a", f"{name}: b")
    assert (heard.status, heard.error["code"]) == (400, -32020)
    assert "request_body" not in scripted.kinds()
    assert not recorded.requests


@pytest.mark.parametrize("name", ["authorization", "content-type", "content-encoding"])
async def test_a_repeated_header_that_decides_how_a_body_is_read_is_refused(
    proxy: Gateway, recorded: Recorder, name: str
) -> None:
    heard = await ask(proxy, f"{name}: a", f"{name}: b")
    assert (heard.status, heard.error["code"]) == (400, -32600)
    assert not recorded.requests


async def test_a_repeated_name_reaches_service_and_upstream_as_one_joined_value(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    await ask(proxy, "mcp-name: a", "mcp-name: b")
    if proxy.chain == "one-message":
        assert scripted.told()["mcp-name"] == "a,b"
    assert recorded.values("mcp-name") == ["a,b"]


@pytest.mark.parametrize("value", ["", "x" * 8192, "x" * 20000], ids=["empty", "8 KiB", "20 kB"])
@pytest.mark.parametrize("name", ["mcp-name", "mcp-session-id", "content-encoding", "last-event-id"])
async def test_a_header_that_the_service_could_not_see_is_refused(
    proxy: Gateway, recorded: Recorder, name: str, value: str
) -> None:
    heard = await ask(proxy, f"{name}: {value}")
    assert heard.status == 400
    assert not recorded.requests


@pytest.mark.parametrize(
    "value", [b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"a\tb"], ids=["latin", "cut", "surrogate", "tab"]
)
async def test_header_bytes_that_are_not_printable_are_refused(
    proxy: Gateway, scripted: Processor, recorded: Recorder, value: bytes
) -> None:
    for name in (b"mcp-name", b"user-agent", b"accept", b"traceparent", b"last-event-id", b"mcp-session-id"):
        heard = await ask(proxy, name + b": " + value)
        assert (heard.status, heard.error["message"].startswith("a")) == (400, True), name
    assert not recorded.requests
    assert "request_body" not in scripted.kinds()


async def test_path_bytes_that_are_not_printable_are_refused(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    heard = await ask(proxy, path="/mcp?x=\xff\xfe")
    assert heard.status in {CLOSED, 400}
    assert "request_body" not in scripted.kinds()
    assert not recorded.requests


async def test_foreign_origins_and_hosts_are_refused(proxy: Gateway, recorded: Recorder) -> None:
    own = f"http://127.0.0.1:{proxy.port}"
    for lines in (
        ["origin: https://evil.example"],
        ["origin: null"],
        [f"origin: {own}", "origin: https://evil.example"],
    ):
        heard = await ask(proxy, *lines)
        assert (heard.status, heard.error["code"]) == (403, -32600)
    for host in ("evil.example", f"evil.example:{proxy.port}", "127.0.0.1.evil.example"):
        heard = await ask(proxy, host=host)
        assert (heard.status, heard.error["code"]) == (403, -32600)
    assert not recorded.requests
    assert (await ask(proxy, f"origin: {own}", host="localhost")).status == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "OPTIONS", "HEAD", "QUERY"])
async def test_other_methods_get_405_and_never_pass(proxy: Gateway, recorded: Recorder, method: str) -> None:
    heard = await ask(proxy, method=method)
    assert heard.status in {CLOSED, 400, 405}
    assert not recorded.requests


@pytest.mark.parametrize(
    "path",
    [
        "/MCP",
        "/mcp/",
        "/mcp//",
        "/x/%2e%2e/mcp2",
        "/mcp%2f",
        "/mcp%00",
        "/mcp;x=1",
        "/mcp%3f",
        "/mcp%5c",
        "/",
        "/other",
    ],
)
async def test_other_paths_are_unknown(proxy: Gateway, recorded: Recorder, path: str) -> None:
    heard = await ask(proxy, path=path)
    assert heard.status in {400, 404}
    assert not recorded.requests


@pytest.mark.parametrize("path", ["//mcp", "/./mcp", "/x/../mcp", "/x/%2e%2e/mcp", "/mcp?x", "/%6dcp", "/mcp%20"])
async def test_other_spellings_of_the_path_are_judged_or_unknown(
    proxy: Gateway, scripted: Processor, recorded: Recorder, path: str
) -> None:
    async def deny(_: pb.ProcessingRequest) -> pb.ProcessingResponse:
        answer = pb.ProcessingResponse()
        answer.immediate_response.status.code = 400
        answer.immediate_response.details = "mcp_extproc_answered"
        return answer

    scripted.script = deny
    heard = await ask(proxy, path=path)
    assert heard.status in {400, 404}
    assert not recorded.requests


async def test_headers_with_underscores_and_upgrades_are_refused(proxy: Gateway, recorded: Recorder) -> None:
    for lines in (["mcp_method: tools/list"], ["authorization_: x"], ["connection: upgrade", "upgrade: websocket"]):
        heard = await ask(proxy, *lines)
        assert heard.status in {CLOSED, 400, 403}, lines
    assert not recorded.requests


async def test_the_service_s_own_answer_is_not_rewritten(proxy: Gateway, scripted: Processor) -> None:
    async def deny(_: pb.ProcessingRequest) -> pb.ProcessingResponse:
        answer = pb.ProcessingResponse()
        answer.immediate_response.status.code = 401
        answer.immediate_response.body = b'{"own":1}'
        answer.immediate_response.details = "mcp_extproc_answered"
        for key, value in (("content-type", b"application/json"), ("www-authenticate", b'Bearer error="x"')):
            header = answer.immediate_response.headers.set_headers.add(append_action=2)
            header.header.key, header.header.raw_value = key, value
        return answer

    scripted.script = deny
    heard = await ask(proxy)
    assert (heard.status, heard.body) == (401, b'{"own":1}')
    assert heard.headers["www-authenticate"] == 'bearer error="x"'
    assert heard.headers["content-type"] == "application/json"


async def test_a_clean_close_of_the_stream_is_refused_by_the_guard(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    async def close(_: pb.ProcessingRequest) -> None:
        return None

    scripted.script = close
    for method in ("POST", "GET", "DELETE"):
        heard = await ask(proxy, method=method)
        assert (heard.status, heard.error["code"]) == (503, -32603)
        assert "www-authenticate" not in heard.headers
    assert not recorded.requests


async def test_an_answer_without_the_decision_is_refused_by_the_guard(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    async def forget(frame: pb.ProcessingRequest) -> pb.ProcessingResponse | None:
        answer = allow(frame)
        assert answer is not None
        answer.ClearField("dynamic_metadata")
        return answer

    scripted.script = forget
    for method in ("POST", "GET"):
        heard = await ask(proxy, method=method)
        assert (heard.status, heard.error["code"]) == (503, -32603)
    assert not recorded.requests


async def test_a_fault_of_the_service_is_refused_as_json_rpc(
    proxy: Gateway, scripted: Processor, recorded: Recorder
) -> None:
    async def crash(_: pb.ProcessingRequest) -> None:
        raise RuntimeError("scripted")

    scripted.script = crash
    heard = await ask(proxy)
    assert (heard.status, heard.error["code"]) == (503, -32603)
    assert not recorded.requests


async def test_a_slow_service_is_refused_as_json_rpc(
    chain: Chain, tmp_path: Path, scripted: Processor, recorded: Recorder
) -> None:
    def hurry(document: dict[str, Any]) -> None:
        _filter(_connection(document), "envoy.filters.http.ext_proc")["typed_config"]["message_timeout"] = "0.2s"

    never = asyncio.Event()

    async def hang(_: pb.ProcessingRequest) -> None:
        await never.wait()

    scripted.script = hang
    options: Any = {"processors": [scripted.address], "upstream": recorded.url, "adapt": hurry}
    async with Gateway(chain=chain, folder=tmp_path, **options) as proxy:
        heard = await ask(proxy)
    never.set()
    assert (heard.status, heard.error["code"]) == (503, -32603)
    assert not recorded.requests


async def test_the_rate_limit_counts_each_subject_alone_once_it_is_switched_on(
    chain: Chain, tmp_path: Path, scripted: Processor, recorded: Recorder
) -> None:
    def limit(document: dict[str, Any]) -> None:
        found = _filter(_connection(document), "envoy.filters.http.local_ratelimit")
        del found["disabled"]
        found["typed_config"]["descriptors"][0]["token_bucket"] |= {"max_tokens": 2, "tokens_per_fill": 2}

    options: Any = {"processors": [scripted.address], "upstream": recorded.url, "adapt": limit}
    async with Gateway(chain=chain, folder=tmp_path, **options) as proxy:
        assert [(await ask(proxy)).status for _ in range(3)] == [200, 200, 429]
        heard = await ask(proxy)
        assert (heard.status, heard.error["code"]) == (429, 1429)
        assert (await ask(proxy, token=proxy.token("bob"))).status == 200
    assert len(recorded.requests) == 3


async def test_the_body_limit_is_a_json_rpc_error(proxy: Gateway, recorded: Recorder) -> None:
    assert (await ask(proxy, body=b" " * (4 << 20))).status == 200
    assert len(recorded.requests[0][2]) == 4 << 20
    heard = await ask(proxy, body=b" " * ((4 << 20) + 1))
    assert (heard.status, heard.error["code"]) == (413, -32600)
    assert len(recorded.requests) == 1


async def test_an_empty_body_never_passes_undecided(proxy: Gateway, scripted: Processor, recorded: Recorder) -> None:
    heard = await ask(proxy, body=b"")
    if proxy.chain == "one-message":
        assert (heard.status, heard.error["code"]) == (503, -32603)
        assert not recorded.requests
    else:
        assert scripted.kinds()[0] == "request_headers"


async def test_bodiless_requests_are_decided_on_their_headers(proxy: Gateway, scripted: Processor) -> None:
    for method in ("GET", "DELETE"):
        scripted.frames.clear()
        heard = await ask(proxy, "mcp-session-id: s", method=method)
        assert heard.status == 200
        assert scripted.kinds()[0] == "request_headers"
        assert scripted.frames[0].request_headers.end_of_stream
        assert scripted.metadata[-1]["x-mcp-server"] == "sales-db"


@pytest.mark.parametrize("name", ["mcp-session-id", "last-event-id"])
async def test_a_client_s_handle_passes_only_as_what_the_service_put_back(
    proxy: Gateway, scripted: Processor, recorded: Recorder, name: str
) -> None:
    key = {"mcp-session-id": "session", "last-event-id": "last_event_id"}[name]
    await ask(proxy, f"{name}: sealed")
    assert recorded.values(name) == []

    async def reopen(frame: pb.ProcessingRequest) -> pb.ProcessingResponse | None:
        return allow(frame, **{key: "upstreams-own"})

    scripted.script = reopen
    for method in ("POST", "GET", "DELETE"):
        await ask(proxy, f"{name}: sealed", method=method)
        assert recorded.values(name) == ["upstreams-own"]

    async def empty(frame: pb.ProcessingRequest) -> pb.ProcessingResponse | None:
        return allow(frame, **{key: ""})

    scripted.script = empty
    await ask(proxy, f"{name}: sealed")
    assert recorded.values(name) == []


async def test_the_service_can_change_no_header_that_routes_or_identifies(proxy: Gateway, scripted: Processor) -> None:
    name = "x-envoy-other"

    async def mutate(frame: pb.ProcessingRequest) -> pb.ProcessingResponse | None:
        answer = allow(frame)
        assert answer is not None
        if frame.WhichOneof("request") == "response_headers":
            header = answer.response_headers.response.header_mutation.set_headers.add(append_action=2)
            header.header.key, header.header.raw_value = name, b"changed"
        return answer

    scripted.script = mutate
    heard = await ask(proxy)
    assert heard.status == 503
    assert heard.error["code"] == -32603
    for name in ("mcp-session-id", "cache-control"):
        heard = await ask(proxy)
        assert (heard.status, heard.headers[name]) == (200, "changed")


async def test_a_request_is_never_sent_twice(proxy: Gateway, recorded: Recorder) -> None:
    recorded.answer = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"
    await ask(proxy, "x-envoy-retry-on: 5xx", "x-envoy-max-retries: 3")
    assert len(recorded.requests) == 1


async def test_an_unreachable_upstream_is_a_json_rpc_error(chain: Chain, tmp_path: Path, scripted: Processor) -> None:
    options: Any = {"processors": [scripted.address], "upstream": "http://127.0.0.1:1/mcp"}
    async with Gateway(chain=chain, folder=tmp_path, **options) as proxy:
        heard = await ask(proxy)
        assert (heard.status, heard.error["code"]) == (503, -32603)


async def test_unreachable_token_keys_are_not_called_a_bad_token(
    chain: Chain, tmp_path: Path, scripted: Processor, recorded: Recorder
) -> None:
    def lose(document: dict[str, Any]) -> None:
        issuer = document["static_resources"]["clusters"][2]
        assert issuer["name"] == "issuer"
        address = issuer["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"]
        address["socket_address"]["port_value"] = 1

    options: Any = {"processors": [scripted.address], "upstream": recorded.url, "adapt": lose}
    async with Gateway(chain=chain, folder=tmp_path, **options) as proxy:
        heard = await ask(proxy)
        assert (heard.status, heard.error["code"]) == (503, -32603)
        assert "www-authenticate" not in heard.headers
    assert not recorded.requests


async def test_the_upstream_s_challenges_and_cookies_stay_behind(proxy: Gateway, recorded: Recorder) -> None:
    lines = ["www-authenticate: Bearer x", "set-cookie: a=b", "x-powered-by: y", "server: z", "content-length: 0"]
    recorded.answer = "\r\n".join(("HTTP/1.1 200 OK", *lines, "", "")).encode()
    heard = await ask(proxy)
    assert not {"www-authenticate", "set-cookie", "x-powered-by"} & set(heard.headers)
    assert heard.headers["server"] == "mcp-gateway"
    assert not any(name.startswith("x-envoy") for name in heard.headers)


async def test_one_dead_worker_of_two_is_not_noticed_and_the_access_log_has_no_secret(
    chain: Chain, tmp_path: Path, scripted: Processor, recorded: Recorder
) -> None:
    options: Any = {"processors": [scripted.address, "127.0.0.1:1"], "upstream": recorded.url}
    async with Gateway(chain=chain, folder=tmp_path, **options) as proxy:
        token = proxy.token()
        for _ in range(8):
            path = "/mcp?sessionId=secret-query"
            heard = await ask(proxy, "mcp-session-id: secret-session", path=path, token=token)
            assert heard.status == 200
    text = (tmp_path / "access.log").read_text("utf-8")
    for entry in proxy.access_log():
        assert (entry["status"], entry["path"]) == (200, "/mcp")
        assert (entry["decision"], entry["decision_id"]) == ("allow", "d-1")
    for secret in (token, "secret-session", "secret-query"):
        assert secret not in text


async def test_a_relative_of_the_upstream_url_keeps_its_path(
    chain: Chain, tmp_path: Path, scripted: Processor, recorded: Recorder
) -> None:
    url = recorded.url.replace("/mcp", "/deep/endpoint")
    async with Gateway(chain=chain, folder=tmp_path, processors=[scripted.address], upstream=url) as proxy:
        await ask(proxy, path="/mcp?a=b")
    assert recorded.requests[0][0] == "POST /deep/endpoint?a=b HTTP/1.1"


def _connection(document: Any) -> Any:
    return document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def _filter(connection: Any, name: str) -> Any:
    return next(each for each in connection["http_filters"] if each["name"] == name)
