"""R: responses. What is planted at a server is in no byte that a client, a log or a record gets, however it is sent.

The oracle is O2: the bytes are searched as they are and in every reading that somebody who tries can give them.
"""

import asyncio
import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from attacks import site as sites
from attacks.rig import Heard, call, records
from attacks.site import Site, ask_raw, handshake, site
from attacks.streams import event
from extproc.core.limits import MAX_SSE_EVENT_BYTES
from extproc.demo.proxy import CHAINS
from leaks import leaks
from plain import NO_AUTHORITY, PATIENCE
from stack.servers.recorder import Raw, Script, head, json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

MAIL, CARD, SSN, AWS = "bob.mallory@example.com", "4111111111111111", "078-05-1120", "AKIAIOSFODNN7EXAMPLE"
PIN: Final = "under-the-pin"
PLANTED: Final = (MAIL, CARD, SSN, AWS, PIN)
POLICY: Final = sites.POLICY + (
    "masking:\n"
    "  - name: pii\n"
    "    servers: [sales-db]\n"
    '    fields: [{path: "$..pin"}]\n'
    "    detect: [email, credit_card, us_ssn, phone, secrets]\n"
    "    except: {roles: [steward]}\n"
    "  - {name: outbound, servers: [sales-db], tools: [echo], on: requests, detect: [us_ssn]}\n"
    "  - {name: no-keys, servers: [sales-db], on: requests, action: block, detect: [api_key]}\n"
)
BOTH_ERAS: Final = pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def _masking(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    async with (
        raw_server() as upstream,
        site(request.param, upstream, tmp_path_factory.mktemp(request.param), policy=POLICY) as running,
    ):
        yield running


@pytest.fixture
def gate(_masking: Site) -> Site:
    upstream: Raw = _masking.upstream
    upstream.requests.clear()
    upstream.faults.clear()
    return _masking


async def heard_of(gate: Site, script: Script, message: Any = None, *, modern: bool = True, **headers: str) -> Heard:
    """What alice gets where the server does this; O2 holds for every byte of it."""
    gate.upstream.script = script
    heard = await gate.post("alice", message or call(modern=modern), modern=modern, **headers)
    seen = heard.body + repr(sorted(heard.headers.items())).encode()
    assert not leaks(seen, *PLANTED), seen[:2000]
    return heard


def result(**members: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": members}


def text(*words: str) -> dict[str, Any]:
    return result(content=[{"type": "text", "text": each} for each in words])


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


# --- R01 to R10: the stream ------------------------------------------------------------------------------------------

DATA: Final = json.dumps(text(f"to {MAIL}", json.dumps({"pin": PIN}))).encode()
NOTE: Final = json.dumps(
    {
        "jsonrpc": "2.0",
        "method": "notifications/progress",
        "params": {"progressToken": 1, "progress": 1, "message": SSN},
    }
).encode()
PRETTY: Final = json.dumps(text(f"to {MAIL}"), indent=1).encode()
SPLIT: Final = json.dumps(text("@@ é ")).replace("@@", "AKIA\\u0049OSFODNN7EXAMPLE").encode()
STREAMS: Final[dict[str, bytes]] = {
    "R01-lf": b"data: " + NOTE + b"\n\ndata: " + DATA + b"\n\n",
    "R01-cr": b"data: " + NOTE + b"\r\rdata: " + DATA + b"\r\r",
    "R01-crlf": b"data: " + NOTE + b"\r\n\r\ndata: " + DATA + b"\r\n\r\n",
    "R01-mixed": b"data: " + NOTE + b"\r\n\ndata: " + DATA + b"\r\n\r",
    "R02-one-message-over-many-lines": b"".join(b"data: " + line + b"\n" for line in PRETTY.split(b"\n")) + b"\n",
    "R03-no-space": b"data:" + DATA + b"\n\n",
    "R03-two-spaces": b"data:  " + DATA + b"\n\n",
    "R03-bare-data": b"data\n\ndata: " + DATA + b"\n\n",
    "R03-upper-case-field": b"DATA: " + MAIL.encode() + b"\ndata: " + DATA + b"\n\n",
    "R03-space-before": b" data: " + MAIL.encode() + b"\ndata: " + DATA + b"\n\n",
    "R05-bom": b"\xef\xbb\xbfdata: " + DATA + b"\n\n",
    "R05-bom-in-the-middle": b"data: " + NOTE + b"\n\n\xef\xbb\xbfdata: " + MAIL.encode() + b"\n\ndata: " + DATA + b"\n\n",
    "R06-comment": b": " + AWS.encode() + b"\n\n:" + MAIL.encode() + b"\ndata: " + DATA + b"\n\n",
    "R06-unknown-field": b"foo: " + AWS.encode() + b"\n" + AWS.encode() + b"\ndata: " + DATA + b"\n\n",
    "R06-id": b"id: " + AWS.encode() + b"\ndata: " + DATA + b"\n\n",
    "R06-event": b"event: " + AWS.encode() + b"\ndata: " + NOTE + b"\n\nevent: message\ndata: " + DATA + b"\n\n",
    "R06-event-without-data": b"event: " + AWS.encode() + b"\nid: 1\n\ndata: " + DATA + b"\n\n",
    "R06-retry": b"retry: " + CARD.encode() + b"\n\nretry: 078051120\n\ndata: " + DATA + b"\n\n",
    "R09-odd-line-ends": b"data: " + json.dumps(text(f"\u2028{MAIL}\u0085\u2029"), ensure_ascii=False).encode() + b"\n\n",
}  # fmt: skip


@pytest.mark.parametrize("name", STREAMS)
@BOTH_ERAS
async def test_a_stream_is_masked_however_it_is_written(gate: Site, name: str, *, modern: bool) -> None:
    heard = await heard_of(gate, sse(STREAMS[name]), modern=modern)
    assert b"[email]" in heard.body


@pytest.mark.parametrize(
    "name", ["R01-crlf", "R02-one-message-over-many-lines", "R05-bom", "R06-id", "R09-odd-line-ends"]
)
async def test_r04_every_byte_alone_gives_the_same_stream(gate: Site, name: str) -> None:
    whole = STREAMS[name]
    once = await heard_of(gate, sse(whole))
    pieces = [whole[at : at + 1] for at in range(len(whole))]
    assert (await heard_of(gate, sse(*pieces))).body == once.body


async def test_r04_a_cut_in_a_character_or_an_escape_hides_nothing(gate: Site) -> None:
    stream = b"data: " + SPLIT + b"\n\n"
    for at in range(6, len(stream)):
        heard = await heard_of(gate, sse(stream[:at], stream[at:]))
        assert b"[api_key]" in heard.body


BROKEN: Final[dict[str, Script]] = {
    "R02-secret-over-two-lines": sse(b"data: AKIAIOSF\ndata: ODNN7EXAMPLE\n\n"),
    "R05-bom-twice": sse(b"\xef\xbb\xbf\xef\xbb\xbfdata: " + MAIL.encode() + b"\n\n"),
    "R07-no-blank-line-at-the-end": sse(b"data: " + NOTE + b"\n\ndata: " + DATA),
    "R07-half-a-line": sse(b"data: " + DATA[:-9]),
    "R08-event-too-large": sse(b"data: " + MAIL.encode(), *[b"x" * 4096] * (MAX_SSE_EVENT_BYTES // 4096 + 1), b"\n\n"),
    "R08-many-lines-too-large": sse(*[b"data: " + MAIL.encode() + b"\n"] * 40_000, b"\n"),
    "R10-utf-7": sse(b"data: " + DATA + b"\n\n", content_type="text/event-stream; charset=utf-7"),
    "R10-utf-16": sse(DATA.decode().encode("utf-16"), content_type="text/event-stream;charset=utf-16"),
    "R10-latin-1": sse(b"data: " + DATA + b"\n\n", content_type="text/event-stream; charset=latin-1"),
    "R10-two-charsets": sse(b"data: " + DATA + b"\n\n", content_type="text/event-stream; charset=utf-8; charset=utf-7"),
    "R10-not-utf-8": sse(b'data: {"jsonrpc":"2.0","id":1,"result":{"a":"' + MAIL.encode() + b'\xff"}}\n\n'),
    "R11-json-that-says-it-is-a-stream": json_reply(DATA, content_type="text/event-stream"),
    "R11-stream-that-says-it-is-json": sse(b"data: " + DATA + b"\n\n", content_type="application/json"),
    "R11-text": json_reply(DATA, content_type="text/plain"),
    "R11-html": json_reply(b"<h1>" + MAIL.encode(), content_type="text/html"),
    "R11-no-type": json_reply(DATA, content_type=""),
    "R11-error-page": json_reply(MAIL.encode(), content_type="text/html", status=500),
    "R12-gzip": json_reply(gzip.compress(DATA), headers=[("content-encoding", "gzip")]),
    "R12-gzip-stream": sse(gzip.compress(b"data: " + DATA + b"\n\n"), headers=[("content-encoding", "gzip")]),
    "R12-gzip-on-plain": json_reply(DATA, headers=[("content-encoding", "gzip")]),
    "R12-br": json_reply(DATA, headers=[("content-encoding", "br")]),
    "R12-gzip-without-a-word": json_reply(gzip.compress(DATA)),
    "R16-two-members-of-one-name": json_reply(b'{"jsonrpc":"2.0","id":1,"result":{"a":"' + MAIL.encode() + b'","a":1}}'),
    "R16-challenge": json_reply(DATA, status=401, headers=[("www-authenticate", f'Bearer realm="{MAIL}"')]),
    "R16-redirect": json_reply(DATA, status=302, headers=[("location", f"https://x.example/{MAIL}")]),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
@BOTH_ERAS
async def test_what_cannot_be_read_is_withheld(gate: Site, name: str, *, modern: bool) -> None:
    heard = await heard_of(gate, BROKEN[name], modern=modern)
    assert b"content" not in heard.body or b"withheld" in heard.body
    if heard.headers.get("content-type") == "application/json":
        assert heard.message["error"]["code"] == -32603


async def test_r11_a_type_in_capitals_is_the_same_type(gate: Site) -> None:
    heard = await heard_of(gate, sse(b"data: " + DATA + b"\n\n", content_type="TEXT/Event-Stream"))
    assert b"[email]" in heard.body
    assert (await heard_of(gate, json_reply(DATA, content_type="Application/JSON"))).message["result"]


# --- R13 to R23: the message -----------------------------------------------------------------------------------------

WRAPPED: Final = base64.encodebytes(f"{MAIL} ".encode() * 12).decode()
PNG: Final = b64(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0tEXtComment\0" + MAIL.encode() + b"\0\0IEND")
ZERO_WIDTH: Final = "\u200b".join(CARD)
LINK: Final = {"type": "resource_link", "uri": f"mail://{MAIL}/", "name": MAIL, "description": MAIL, "mimeType": MAIL}
SCHEMA: Final = {"type": "object", "properties": {"a": {"default": MAIL, "examples": [AWS], "enum": [MAIL]}}}
MESSAGES: Final[dict[str, dict[str, Any]]] = {
    "R13-escapes": text('{"key":"AKIA\\u0049OSFODNN7EXAMPLE"}', "AKIA\\u0049OSFODNN7EXAMPLE", "bob.mallory&#64;example.com"),
    "R13-percent": text("https://x/?m=bob.mallory%40example.com"),
    "R13-keys": result(content=[], structuredContent={MAIL: 1, "deep": {AWS: {SSN: 2}}}),
    "R13-json-in-text": text(json.dumps({"key": AWS, "pin": PIN}, indent=2), f"```json\n{json.dumps([{'pin': PIN}])}\n```"),
    "R13-json-twice": text(json.dumps(json.dumps({"key": AWS, "pin": PIN, "in": json.dumps({"m": MAIL})}))),
    "R13-a-document-a-line": text("\n".join(json.dumps({"pin": PIN, "n": n}) for n in range(5))),
    "R13-number": result(content=[], structuredContent={"a": int(CARD), "b": float(CARD), "c": [int(CARD)]}),
    "R13-number-in-text": text(f'{{"card": {CARD}, "other": 1}}', f"[{float(CARD)!r}, 1, 2, 3]"),
    "R13-two-readings": text(f'{{"pin": "{PIN}", "pin": 2}}', f"{{'pin': '{PIN}'}}", f'cut {{"pin": "{PIN}'),
    "R14-both-copies": result(content=[{"type": "text", "text": json.dumps({"m": MAIL, "pin": PIN})}], structuredContent={"m": MAIL, "pin": PIN}),
    "R15-meta": result(content=[], _meta={"x": MAIL, AWS: {"y": [SSN]}}, extra={"z": MAIL}),
    "R15-annotations": result(content=[{"type": "text", "text": "x", "annotations": {"note": MAIL}, "more": {"pin": PIN}}]),
    "R15-link": result(content=[LINK]),
    "R15-resource": result(content=[{"type": "resource", "resource": {"uri": f"mail://{MAIL}", "text": MAIL, "mimeType": MAIL}}]),
    "R15-blob": result(content=[{"type": "resource", "resource": {"uri": "a:b", "blob": b64(f"to {MAIL}".encode())}}]),
    "R16-error": {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": f"no {MAIL}", "data": {"stack": [f"at {AWS}"], "pin": PIN}}},
    "R16-tool-error": result(content=[{"type": "text", "text": f"Traceback: {MAIL}"}], isError=True),
    "R19-input-required": result(resultType="input_required", inputRequests={"q": {"method": "elicitation/create", "params": {"message": MAIL, "requestedSchema": SCHEMA}}}),
    "R22-wrapped": result(content=[{"type": "resource", "resource": {"uri": "a:b", "blob": WRAPPED}}, {"type": "text", "text": WRAPPED}]),
    "R22-url-safe": text(base64.urlsafe_b64encode(f"??>>{MAIL} ".encode() * 3).decode().rstrip("=")),
    "R22-hex": text(f"to {MAIL}".encode().hex()),
    "R22-gzip": result(content=[{"type": "resource", "resource": {"uri": "a:b", "blob": b64(gzip.compress(MAIL.encode()))}}]),
    "R22-data-uri": text(f"![x](data:text/plain;base64,{b64(MAIL.encode())})"),
    "R22-png-with-text": result(content=[{"type": "image", "mimeType": "image/png", "data": PNG}]),
    "R22-pdf": result(content=[{"type": "resource", "resource": {"uri": "a:b", "blob": b64(b"%PDF-1.4\n\xff\xfe(" + SSN.encode() + b") Tj")}}]),
    "R23-zero-width": text(ZERO_WIDTH, f"card {ZERO_WIDTH}."),
    "R23-full-width": text("".join(chr(0xFF10 + int(digit)) for digit in CARD)),
    "R23-arabic-digits": text("card " + "".join(chr(0x0660 + int(digit)) for digit in CARD)),
    "R23-soft-hyphen": text("4111\u00ad1111\u00ad1111\u00ad1111"),
    "R23-spaces": text("4111\u00a01111\u00a01111\u00a01111", "4111-1111-1111-1111"),
}  # fmt: skip


@pytest.mark.parametrize("name", MESSAGES)
@BOTH_ERAS
async def test_a_result_is_masked_wherever_it_stands(gate: Site, name: str, *, modern: bool) -> None:
    message = MESSAGES[name]
    as_json = await heard_of(gate, json_reply(message), modern=modern)
    assert as_json.message["id"] == 1
    assert {"result", "error"} & as_json.message.keys()
    as_stream = await heard_of(gate, sse(event(message)), modern=modern)
    assert b"withheld" not in as_json.body + as_stream.body


NOTES: Final = {
    "R17-progress": ("notifications/progress", {"progressToken": 1, "progress": 1, "message": f"at {MAIL}"}),
    "R18-log": ("notifications/message", {"level": "info", "logger": MAIL, "data": {"row": {"pin": PIN, "m": SSN}}}),
    "R18-log-text": ("notifications/message", {"level": "info", "data": f"to {MAIL}"}),
    "unknown": ("notifications/anything", {"what": AWS}),
}


@pytest.mark.parametrize("name", NOTES)
async def test_r17_r18_news_beside_a_result_are_masked(gate: Site, name: str) -> None:
    method, params = NOTES[name]
    heard = await heard_of(
        gate, sse(event({"jsonrpc": "2.0", "method": method, "params": params}), event(text("done")))
    )
    assert heard.body.count(b"data: ") == 2


async def test_r19_what_a_server_asks_is_masked_and_a_state_passes_sealed(gate: Site) -> None:
    asked = {"message": MAIL, "requestedSchema": SCHEMA}
    sampled = {
        "systemPrompt": MAIL,
        "maxTokens": 1,
        "messages": [{"role": "user", "content": {"type": "text", "text": SSN}}],
    }
    stream = sse(
        event({"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": asked}),
        event({"jsonrpc": "2.0", "id": 8, "method": "sampling/createMessage", "params": sampled}),
        event(text("done")),
    )
    session = await _session(gate)
    heard = await heard_of(gate, stream, modern=False, mcp_session_id=session)
    assert heard.body.count(b'"method"') == 2
    state = result(resultType="input_required", requestState=f"state of {MAIL}", inputRequests={})
    assert (await heard_of(gate, json_reply(state))).message["result"]["requestState"]


async def _session(gate: Site) -> str:
    told = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": "s", "version": "1"}}
    gate.upstream.script = json_reply(result(**told), headers=[("mcp-session-id", f"session-of-{MAIL}")])
    heard = await gate.post("alice", handshake())
    assert not leaks(repr(dict(heard.headers)).encode(), MAIL)
    return heard.headers["mcp-session-id"]


LISTS: Final[dict[str, tuple[dict[str, Any], dict[str, Any]]]] = {
    "tools/list": ({}, {"tools": [{"name": "echo", "title": MAIL, "description": f"ask {MAIL}", "inputSchema": SCHEMA}]}),
    "prompts/list": ({}, {"prompts": [{"name": "summarise", "description": MAIL, "arguments": [{"name": "a", "description": AWS}]}]}),
    "resources/list": ({}, {"resources": [{"uri": "notes://public/a", "name": MAIL}, {"uri": f"notes://public/{MAIL}", "name": "b"}]}),
    "resources/templates/list": ({}, {"resourceTemplates": [{"uriTemplate": "notes://public/{a}", "name": MAIL, "description": SSN}]}),
    "prompts/get": ({"name": "summarise"}, {"description": MAIL, "messages": [{"role": "user", "content": {"type": "text", "text": SSN}}]}),
    "resources/read": ({"uri": "notes://public/a"}, {"contents": [{"uri": "notes://public/a", "text": MAIL, "mimeType": "text/plain"}]}),
    "completion/complete": ({"ref": {"type": "ref/prompt", "name": "summarise"}, "argument": {"name": "a", "value": ""}}, {"completion": {"values": [MAIL]}}),
    "server/discover": ({}, {"instructions": f"Ask {MAIL}.", "capabilities": {"experimental": {"x": AWS}}, "supportedVersions": ["2026-07-28"]}),
}  # fmt: skip


@pytest.mark.parametrize("method", LISTS)
async def test_r20_what_a_server_tells_of_itself_is_masked(gate: Site, method: str) -> None:
    params, told = LISTS[method]
    heard = await heard_of(gate, json_reply(result(**told)), call(method, **params))
    assert heard.message["result"].keys() >= told.keys()
    assert b"[" in heard.body


async def test_r20_instructions_of_a_handshake_are_masked(gate: Site) -> None:
    told = {"protocolVersion": "2025-06-18", "instructions": MAIL, "capabilities": {}, "serverInfo": {"name": MAIL}}
    heard = await heard_of(gate, json_reply(result(**told)), handshake(), modern=False)
    assert heard.message["result"]["instructions"] == "[email]"


async def test_r21_each_page_is_masked_by_itself(gate: Site) -> None:
    """A value that is cut over two pages is a documented limit; one that is whole on a page is not."""
    page = result(tools=[{"name": "echo", "description": MAIL, "inputSchema": {}}], nextCursor="2")
    for cursor in ({}, {"cursor": "2"}):
        heard = await heard_of(gate, json_reply(page), call("tools/list", **cursor))
        assert heard.message["result"]["nextCursor"] == "2"


# --- R16: beside the body --------------------------------------------------------------------------------------------


@BOTH_ERAS
@pytest.mark.parametrize("as_stream", [False, True], ids=["json", "stream"])
async def test_r16_headers_trailers_and_reason_phrase_carry_nothing(
    gate: Site, *, modern: bool, as_stream: bool
) -> None:
    headers = [("x-note", MAIL), ("x-plain", PIN), ("set-cookie", f"a={AWS}"), ("cache-control", MAIL), ("server", AWS)]
    body = DATA if not as_stream else b"data: " + DATA + b"\n\n"
    media = "text/event-stream" if as_stream else "application/json"

    async def script(arrival: Any, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        told = head(200, f"{media}; note={MAIL}", headers, "transfer-encoding: chunked", f"trailer: x-{PIN}")
        writer.write(told.replace(b"Scripted", MAIL.encode(), 1))
        writer.write(b"%x\r\n%b\r\n0\r\nx-end: %b\r\n\r\n" % (len(body), body, MAIL.encode()))
        await writer.drain()

    heard = await heard_of(gate, script, modern=modern)
    assert b"[email]" in heard.body
    assert heard.headers["content-type"] == media
    answer = await ask_raw(
        gate.gateway,
        *(
            f"{name}: {value}".encode()
            for name, value in (gate.bearer("alice") | {"mcp-protocol-version": "2025-06-18"}).items()
        ),
        b"accept: application/json, text/event-stream",
        body=json.dumps(call(modern=False)).encode(),
    )
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert not leaks(answer, *PLANTED)


async def test_r16_a_receipt_carries_nothing(gate: Site) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    for reply in (
        json_reply(MAIL.encode(), status=202, content_type="text/plain", headers=[("x-note", AWS)]),
        json_reply({"a": MAIL}, status=202),
        json_reply(b"", status=202, headers=[("x-note", MAIL)]),
    ):
        heard = await heard_of(gate, reply, note, modern=False)
        assert (heard.status, heard.body) == (202, b"")


@pytest.mark.parametrize("status", [400, 404, 500, 503])
async def test_r16_an_error_status_with_json_is_masked(gate: Site, status: int) -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -1, "message": MAIL}}
    heard = await heard_of(gate, json_reply(error, status=status))
    assert (heard.status, heard.message["error"]["message"]) == (status, "[email]")
    assert not (await heard_of(gate, json_reply({"detail": MAIL}, status=status))).shows(MAIL)


# --- R24 to R29 ------------------------------------------------------------------------------------------------------


async def test_r24_what_is_masked_stays_as_it_is(gate: Site) -> None:
    first = await heard_of(gate, json_reply(MESSAGES["R14-both-copies"]))
    second = await heard_of(gate, json_reply(first.message))
    assert second.message == first.message


async def test_r25_marks_that_a_server_writes_hide_nothing(gate: Site) -> None:
    """A hash that was made here is known by its last digits; in one that was not, nothing hides."""
    for forged in (
        f"[email:{MAIL}]",
        f"[email] {CARD} [email]",
        f"[REDACTED: {SSN} :1]",
        f"***{MAIL}***",
        f"****{CARD}",
    ):
        await heard_of(gate, json_reply(text(forged)))


async def test_r27_what_must_not_leave_is_masked_or_stopped_and_recorded_so(gate: Site) -> None:
    heard = await heard_of(gate, json_reply(text("done")), call(arguments={"text": f"ssn {SSN}", "m": MAIL}))
    assert not heard.refused
    arrived = json.loads(gate.upstream.requests[-1].body)
    assert arrived["params"]["arguments"] == {"text": "ssn [us_ssn]", "m": MAIL}
    gate.upstream.requests.clear()
    refused = await gate.post("alice", call(arguments={"text": [{"k": AWS}]}), modern=True)
    assert refused.refused
    assert "rule `masking:no-keys` found api_key" in refused.message["result"]["content"][0]["text"]
    assert not leaks(refused.body, AWS)
    assert gate.upstream.requests == []


async def test_r28_a_mask_is_never_turned_back(gate: Site) -> None:
    await heard_of(gate, json_reply(text("done")), call(arguments={"text": "[us_ssn]"}))
    assert json.loads(gate.upstream.requests[-1].body)["params"]["arguments"] == {"text": "[us_ssn]"}


async def test_who_is_exempt_sees_it_and_no_record_does(gate: Site) -> None:
    gate.upstream.script = json_reply(MESSAGES["R14-both-copies"])
    heard = await gate.post("carol", call(), modern=True)
    assert heard.message == MESSAGES["R14-both-copies"]
    outcome = await gate.outcome()
    assert outcome["masked"] == {}
    assert not leaks(json.dumps(outcome["payload"]).encode(), *PLANTED)


async def test_counts_by_type_are_recorded_and_in_the_metrics(gate: Site) -> None:
    await heard_of(gate, json_reply(text(f"{MAIL} {MAIL}", SSN)))
    outcome = await gate.outcome()
    assert (outcome["masked"], outcome["result"]) == ({"email": 2, "us_ssn": 1}, "complete")
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as client:
        page = (await client.get(gate.gateway.metrics)).text
    assert 'extproc_masked_values_total{server="sales-db",type="email"}' in page


async def test_o2_nothing_that_was_planted_is_in_any_log_or_record(gate: Site) -> None:
    """Last in this file: everything above has been recorded by now."""
    assert len(records(gate.gateway.state, "outcome")) > 50
    for file in (gate.gateway.state / "journal").rglob("*.jsonl"):
        for line in file.read_bytes().splitlines():
            assert not leaks(line, *PLANTED), line[:3000]
    assert not leaks(gate.gateway.service_log().encode(), *PLANTED)
    assert not leaks((gate.gateway.folder / "access.log").read_bytes(), *PLANTED)
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as client:
        assert not leaks((await client.get(gate.gateway.metrics)).content, *PLANTED)


@pytest.mark.parametrize("chain", CHAINS)
async def test_r29_a_service_that_dies_in_the_middle_of_a_response_lets_nothing_more_pass(
    chain: Any, tmp_path: Any
) -> None:
    go_on = asyncio.Event()
    async with raw_server() as upstream, site(chain, upstream, tmp_path, policy=POLICY) as gate:
        upstream.script = sse(b"data: " + NOTE + b"\n\n", go_on, *[b"data: " + DATA + b"\n\n"] * 50)
        async with gate.converse("alice", call(), modern=True) as stream:
            await stream.wait(1)
            assert gate.gateway.service is not None
            gate.gateway.service.kill()
            await gate.gateway.service.wait()
            go_on.set()
            async with asyncio.timeout(PATIENCE):
                await stream.ended.wait()
            assert not leaks(bytes(stream.raw), *PLANTED)
