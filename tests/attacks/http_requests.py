"""The requests of the H cases, byte for byte, and what may come of each.

``{token}``, ``{port}`` and ``{upstream}`` are filled in where a request is sent. Each carries the denied tool unless it
shows that an honest spelling passes.
"""

import base64
import gzip
import json
import zlib
from dataclasses import dataclass
from typing import Any, Final

from attacks.rig import DENIED_TOOL, LEGACY, MODERN, call

__all__ = ["CASES", "HttpCase", "body_of", "request"]

REFUSED: Final = frozenset({0, 400, 401, 403, 404, 405, 406, 411, 413, 415, 426, 431, 501, 503, 505})
JUDGED: Final = REFUSED | {200}
"""Also a refusal in band: a result that is an error."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCase:
    """Requests, each on a connection of its own.

    ``statuses`` is what the client may get, ``code`` the JSON-RPC code in it where one is wanted, ``passes`` whether
    the request is an honest one that reaches the upstream.
    """

    requests: tuple[bytes, ...]
    statuses: frozenset[int] = REFUSED
    code: int | None = None
    passes: bool = False
    chains: tuple[str, ...] = ("one-message", "portable")


def body_of(name: str = DENIED_TOOL, *, modern: bool = True, **more: Any) -> bytes:
    return json.dumps(call(name=name, modern=modern, **more), separators=(",", ":"), ensure_ascii=False).encode()


def request(
    *lines: str | bytes,
    body: bytes | None = None,
    method: str = "POST",
    path: str = "/mcp",
    host: str | None = "127.0.0.1:{port}",
    version: str | None = MODERN,
    mcp_method: str | None = "tools/call",
    name: str | bytes | None = DENIED_TOOL,
    content_type: str | None = "application/json",
    framing: tuple[str | bytes, ...] | None = None,
    token: bool = True,
    close: bool = True,
) -> bytes:
    """One HTTP/1.1 request; None leaves a header out, ``framing`` replaces ``content-length``."""
    body = body_of() if body is None else body
    head: list[str | bytes] = [f"{method} {path} HTTP/1.1"]
    head += [f"host: {host}"] if host is not None else []
    head += ["connection: close"] if close else []
    head += ["authorization: Bearer {token}"] if token else []
    head += ["accept: application/json, text/event-stream"]
    head += [f"content-type: {content_type}"] if content_type is not None else []
    head += [f"mcp-protocol-version: {version}"] if version is not None else []
    head += [f"mcp-method: {mcp_method}"] if mcp_method is not None else []
    if name is not None:
        head.append(b"mcp-name: " + (name if isinstance(name, bytes) else name.encode()))
    head += [f"content-length: {len(body)}"] if framing is None else framing
    lines_of_bytes = (each if isinstance(each, bytes) else each.encode("latin-1") for each in (*head, *lines, "", ""))
    return b"\r\n".join(lines_of_bytes) + body


def legacy(*lines: str | bytes, version: str | None = LEGACY, **parts: Any) -> bytes:
    parts = {"body": body_of(modern=False), "mcp_method": None, "name": None} | parts
    return request(*lines, version=version, **parts)


def sentinel(value: str | bytes) -> str:
    raw = value.encode() if isinstance(value, str) else value
    return f"=?base64?{base64.b64encode(raw).decode()}?="


def refused(*requests: bytes, code: int | None = None, statuses: frozenset[int] = REFUSED, **more: Any) -> HttpCase:
    return HttpCase(requests=requests, statuses=statuses, code=code, **more)


def bad(*requests: bytes, code: int, **more: Any) -> HttpCase:
    return HttpCase(requests=requests, statuses=frozenset({400}), code=code, **more)


def judged(*requests: bytes) -> HttpCase:
    return HttpCase(requests=requests, statuses=JUDGED)


def passes(*requests: bytes) -> HttpCase:
    return HttpCase(requests=requests, statuses=frozenset({200}), passes=True)


ECHO: Final = body_of("echo")
LITERAL: Final = "=?base64?ZWNobw==?="
GZIP: Final = gzip.compress(body_of())
CHUNKED: Final = b"%x\r\n%b\r\n0\r\n\r\n"


def chunked(body: bytes) -> bytes:
    return CHUNKED % (len(body), body)


def smuggled(*framing: str | bytes, prefix: bytes = b"0\r\n\r\n") -> bytes:
    """A request that one reader ends before a second one, hidden behind it."""
    hidden = request(body=body_of(), close=True)
    return request(body=prefix + hidden, framing=framing, close=False)


HEADER_MISMATCH: Final = -32020
CASES: Final[dict[str, HttpCase]] = {
    "H01-another-name": bad(request(name="echo"), request(body=ECHO), request(name=None), code=HEADER_MISMATCH),
    "H02-another-method": bad(
        request(mcp_method="tools/list"), request(mcp_method=None), request(mcp_method="TOOLS/CALL"), code=HEADER_MISMATCH
    ),
    "H03-legacy-with-lying-headers": refused(
        legacy(name="echo"),
        legacy(name="echo", version=None),
        legacy(name="echo", version="2025-03-26"),
        legacy(name="echo", mcp_method="tools/list", version="2025-11-25"),
        legacy(mcp_method="tools/list", version="2024-11-05"),
    ),
    "H03-legacy-decided-on-the-body": judged(legacy(), legacy(version=None), legacy(version="2025-03-26")),
    "H04-versions-that-disagree": refused(
        request(version=LEGACY),
        request(version=None),
        request(version="2025-11-25", body=ECHO, name="echo"),
        legacy(version=MODERN),
        legacy(version=MODERN, mcp_method="tools/call", name=DENIED_TOOL),
        request(version="2099-01-01"),
        legacy(version="2099-01-01"),
        legacy(version="latest"),
        request("mcp-protocol-version: 2025-06-18"),
        legacy(f"mcp-protocol-version: {MODERN}"),
        request(f"mcp-protocol-version: {MODERN}", body=ECHO, name="echo"),
        legacy(version=""),
        request(version=f"{MODERN}, {LEGACY}"),
    ),
    "H04-white-space-around-is-none": passes(
        request(version=f"{MODERN} ", body=ECHO, name="echo"), request(version=f" \t{MODERN}", body=ECHO, name="echo")
    ),
    "H05-repeated-headers": refused(
        request("mcp-name: echo"),
        request(f"mcp-name: {DENIED_TOOL}", name="echo"),
        request("mcp-name: echo", body=ECHO, name="echo"),
        request("authorization: Bearer {token}", body=ECHO, name="echo"),
        request("authorization: Basic eDp4", body=ECHO, name="echo"),
        request("content-type: text/plain", body=ECHO, name="echo"),
        request("content-type: application/json", body=ECHO, name="echo"),
        request("mcp-session-id: a", "mcp-session-id: b", body=ECHO, name="echo"),
        request("origin: http://127.0.0.1:{port}", "origin: https://evil.example", body=ECHO, name="echo"),
        request("mcp-method: tools/call", body=ECHO, name="echo"),
        request("host: 127.0.0.1", host="evil.example", body=ECHO, name="echo"),
    ),
    "H06-encoded-and-denied": judged(request(name=sentinel(DENIED_TOOL))),
    "H06-encoded-and-allowed": passes(request(name=sentinel("echo"), body=ECHO)),
    "H07-bad-encodings": bad(
        *(
            request(name=name, body=ECHO)
            for name in (
                "=?BASE64?ZWNobw==?=",
                "=?base64?ZWNobw?=",
                "=?base64?ZWN obw==?=",
                sentinel(b"\xff\xfe"),
                sentinel(sentinel("echo")),
                "=?base64?ZWNobx==?=",
                "=?base64?ZWNobw==",
                "=?base64?ZWNobw==?= ?=",
                "=?utf-8?b?ZWNobw==?=",
                "=?base64??=",
            )
        ),
        code=HEADER_MISMATCH,
    ),
    "H08-a-name-that-looks-encoded": judged(
        request(body=body_of(LITERAL), name=LITERAL),
        request(body=body_of(LITERAL), name=sentinel(LITERAL)),
        request(body=body_of(LITERAL), name="echo"),
    ),
    "H09-white-space-and-bytes": refused(
        request(name="echo\x0b", body=ECHO),
        request(name=b"ech\xc3\xb6", body=body_of("ech\u00f6")),
        request(name=b"\xffecho", body=ECHO),
        request(name=b"echo\r\n folded", body=ECHO),
        request(name=b"\r\n echo"),
        request(name=b"echo\x00", body=ECHO),
        request(name=b"ec\x7fho", body=ECHO),
        request("mcp-name : echo", body=ECHO, name=None),
        request(" mcp-name: echo", body=ECHO, name=None),
    ),
    "H09-white-space-around": passes(
        request(name=" \techo \t", body=ECHO),
        request(name=b"\r\n echo", body=ECHO),  # Envoy unfolds it, so that everyone reads the same
    ),
    "H10-underscores": refused(
        request("Mcp_Name: echo", body=ECHO, name="echo"),
        request("mcp_method: tools/list", body=ECHO, name="echo"),
        request("Authorization_: x", body=ECHO, name="echo"),
        request("mcp_session_id: x", body=ECHO, name="echo"),
    ),
    "H11-mirrored-arguments": bad(
        request("mcp-param-region: eu", body=body_of("echo", arguments={"region": "us"}), name="echo"),
        request("mcp-param-region: eu", "mcp-param-region: us", body=body_of("echo", arguments={"region": "us"}), name="echo"),
        request("mcp-param-n: 41", body=body_of("echo", arguments={"n": 42}), name="echo"),
        code=HEADER_MISMATCH,
        chains=("portable",),  # the other chain is for servers without such headers (README of envoy/standalone)
    ),
    "H13-content-types": refused(
        *(
            request(content_type=kind, body=ECHO, name="echo")
            for kind in (
                None,
                "",
                "text/plain",
                "application/json-rpc",
                "application/jsonp",
                "multipart/form-data; boundary=x",
                "application/x-www-form-urlencoded",
                "text/plain, application/json",
                "application/json, text/plain",
                "application/json; charset=x",
                "application/json; boundary=x",
                "application/json;",
                "json",
                "application/json/x",
                "*/*",
            )
        ),
        statuses=frozenset({400, 415}),
    ),
    "H13-other-spellings-of-json": passes(
        *(
            request(content_type=kind, body=ECHO, name="echo")
            for kind in ("Application/JSON", "application/json; charset=utf-8", 'application/json;charset="UTF-8"', "application/json\t")
        )
    ),
    "H14-charsets": refused(
        *(
            request(content_type=f"application/json; charset={charset}", body=ECHO, name="echo")
            for charset in ("utf-16", "utf-16le", "utf-7", "latin-1", "iso-8859-1", "ISO-2022-JP", "us-ascii", "utf-8x", "")
        ),
        request(content_type="application/json; charset=utf-8; charset=utf-16", body=ECHO, name="echo"),
        statuses=frozenset({415}),
    ),
    "H15-no-body": refused(
        request(body=b""),
        request(body=b"", framing=()),
        request(body=b" "),
        request(body=b"", framing=("transfer-encoding: chunked",)) + b"0\r\n\r\n",
        legacy(body=b""),
    ),
    "H16-encoded-bodies": refused(
        request("content-encoding: gzip", body=GZIP),
        request("content-encoding: deflate", body=zlib.compress(body_of())),
        request("content-encoding: br", body=GZIP),
        request("content-encoding: zstd", body=GZIP),
        request(body=GZIP),
    ),
    "H17-a-label-on-a-plain-body": refused(
        *(
            request(f"content-encoding: {label}", body=ECHO, name="echo")
            for label in ("gzip", "br", "deflate", "zstd", "identity", "utf-8", "gzip, gzip", "identity, gzip", "x-gzip", "unknown", '""')
        ),
        legacy("content-encoding: gzip", body=body_of("echo", modern=False)),
        request("content-encoding: identity", "content-encoding: gzip", body=ECHO, name="echo"),
        request("content-encoding:", body=ECHO, name="echo"),
    ),
    "H19-broken-gzip": refused(
        request("content-encoding: gzip", body=GZIP[:-4]),
        request("content-encoding: gzip", body=GZIP + GZIP),
        request("content-encoding: gzip", body=GZIP + body_of()),
    ),
    "H20-methods": refused(
        *(
            request(method=method, body=ECHO, name="echo")
            for method in ("PUT", "PATCH", "OPTIONS", "HEAD", "TRACE", "POSTX", "post", "QUERY", "PROPFIND")
        ),
        request(method="GET", body=ECHO, name="echo"),
        legacy(method="GET", body=ECHO),
        legacy(method="DELETE", body=ECHO),
        legacy(method="GET", body=chunked(ECHO), framing=("transfer-encoding: chunked",)),
    ),
    "H21-method-overrides-change-nothing": judged(
        *(request(f"{name}: GET") for name in ("x-http-method-override", "x-http-method", "x-method-override")),
        request(path="/mcp?_method=GET"),
        legacy("x-http-method-override: DELETE"),
    ),
    "H21-parameters-that-no-rule-sees": refused(
        *(
            made
            for path in (f"/mcp?{told}" for told in ("read_only=false", "_method=GET", "x", "?", "", "a=b&access_token=x"))
            for made in (
                request(path=path, body=ECHO, name="echo"),
                legacy(path=path, body=body_of("echo", modern=False)),
                legacy(path=path, method="GET", body=b"", content_type=None, framing=()),
            )
        ),
        statuses=frozenset({400}),
    ),
    "H22-two-lengths": refused(
        smuggled("transfer-encoding: chunked", "content-length: 6"),
        smuggled("content-length: 6", "transfer-encoding: chunked"),
        smuggled("transfer-encoding: chunked, identity"),
        smuggled("transfer-encoding: identity, chunked"),
        smuggled("transfer-encoding: chunked", "transfer-encoding: identity"),
        smuggled("transfer-encoding: xchunked"),
        smuggled("transfer-encoding:\tchunked", "content-length: 5"),
        smuggled("transfer-encoding : chunked"),
        smuggled(" transfer-encoding: chunked", "content-length: 5"),
        smuggled("transfer-encoding: chunked\r\n x", "content-length: 5"),
        smuggled("content-length: 5, 5"),
        smuggled("content-length: 5, 6"),
        smuggled("content-length: 5", "content-length: 6"),
        smuggled("content-length: +5"),
        smuggled("content-length: -5"),
        smuggled("content-length: 0x5"),
        smuggled("content-length: 5\r\n 5"),
        smuggled("content-length: 99999999999999999999"),
        smuggled("Transfer-Encoding: chunked", "Content-Length: 5"),
        smuggled(b"transfer-encoding: \x0bchunked", "content-length: 5"),
    ),
    "H23-chunks": refused(
        request(body=b"FFFFFFFFFFFFFFFFF\r\n", framing=("transfer-encoding: chunked",)),
        request(body=b"-1\r\n{}\r\n0\r\n\r\n", framing=("transfer-encoding: chunked",)),
        request(body=b"0x10\r\n{}\r\n0\r\n\r\n", framing=("transfer-encoding: chunked",)),
        request(body=chunked(body_of()).replace(b"\r\n", b"\n"), framing=("transfer-encoding: chunked",)),
        request(body=b"5\r\n{}\r\n0\r\n\r\n", framing=("transfer-encoding: chunked",)),
        request(body=b"2\r\n{}\r\n0\r\n\r\n" + body_of(), framing=("transfer-encoding: chunked",), close=False),
        request(body=b"zz\r\n{}\r\n0\r\n\r\n", framing=("transfer-encoding: chunked",)),
    ),
    "H23-chunk-extensions": judged(
        request(body=chunked(body_of()).replace(b"\r\n", b";a=b\r\n", 1), framing=("transfer-encoding: chunked",)),
    ),
    "H24-trailers-of-a-denied-call": judged(
        request(
            "trailer: mcp-name",
            body=chunked(body_of())[:-2] + b"mcp-name: echo\r\nauthorization: Bearer x\r\ncontent-encoding: gzip\r\n\r\n",
            framing=("transfer-encoding: chunked",),
        ),
    ),
    "H25-upgrades": refused(
        *(
            request("connection: upgrade", f"upgrade: {protocol}", body=ECHO, name="echo", close=False)
            for protocol in ("websocket", "foo", "TLS/1.0", "h2c, foo")
        ),
        request("upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13", method="GET", body=b"", close=False),
    ),
    "H26-paths": judged(
        *(
            make(path=path)
            for path in (
                "/MCP", "//mcp", "/mcp/", "/mcp//", "/./mcp", "/x/../mcp", "/x/%2e%2e/mcp", "/%6dcp", "/mcp%2f", "/mcp%00",
                "/mcp;x=1", "/mcp\\", "/mcp?x", "/mcp%3f", "/mcp%20", "/mcp#x", "/mcp?/../health", "http://127.0.0.1:{port}/mcp",
                "http://evil.example/mcp", "https://127.0.0.1:{port}/mcp", "*", "mcp", "/mcp/../mcp", "/%2fmcp", "/mcp%5c",
                "/messages", "/message", "/messages/", "/messages/?session_id=x", "/sse", "/messages/../mcp", "/mcp/messages",
            )
            for make in (request, legacy)
        )
    ),
    "H27-routes-that-nobody-judges": refused(
        *(
            request(*lines, path=path, method=method)
            for path in ("/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp", "/health", "/")
            for method in ("POST", "GET", "DELETE")
            for lines in (
                (),
                ("x-envoy-original-path: /mcp", "x-original-url: /mcp", "x-rewrite-url: /mcp"),
                ("x-mcp-server: other", "x-envoy-upstream-alt-stat-name: x", "x-envoy-decorator-operation: x"),
            )
        ),
        statuses=REFUSED | {200},  # the metadata document itself
    ),
    "H27-headers-that-choose-nothing": judged(
        request("x-envoy-original-path: /health", "x-mcp-server: other"),
        request("x-mcp-server: other", "x-mcp-server: sales-db"),
        request("x-envoy-force-trace: 1", "x-envoy-internal: true", "x-forwarded-for: 127.0.0.1"),
    ),
    "H28-hosts": refused(
        *(
            request(host=host, body=ECHO, name="echo")
            for host in ("evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "", None, "127.0.0.2", "*", "a, b")
        ),
        request(path="http://evil.example/mcp", body=ECHO, name="echo"),
        statuses=REFUSED,
    ),
    "H30-origins": refused(
        *(
            request(f"origin: {origin}", body=ECHO, name="echo")
            for origin in (
                "https://evil.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:{port}.evil", "http://evil:{port}",
                "HTTP://127.0.0.1:{port}", "https://127.0.0.1:{port}", "http://127.0.0.1:{port}, https://evil", "http://127.0.0.1:{port}/", "",
            )
        ),
        statuses=frozenset({400, 403}),
    ),
    "H30-own-origin": passes(request("origin: http://127.0.0.1:{port}", body=ECHO, name="echo")),
    "H31-expectations": judged(request("expect: 100-continue"), request("expect: 200-ok"), legacy("expect: 100-continue")),
    "H33-header-bytes": refused(
        *(
            request(name_of + b": " + value, body=ECHO, name="echo")
            for name_of in (b"user-agent", b"traceparent", b"last-event-id", b"mcp-session-id", b"origin")
            for value in (b"\xff\xfe", b"\xc3", b"\xed\xa0\x80", b"a\x01b")
        ),
        request(b"authorization: Bearer \xff\xfe", token=False, body=ECHO, name="echo"),
        request(b"x-any: a\x00b", body=ECHO, name="echo"),
        request(b"x-\xffany: a", body=ECHO, name="echo"),
    ),
    "H34-too-much": refused(
        request("x-large: " + "a" * 100_000, body=ECHO, name="echo"),
        request(*(f"x-{number}: a" for number in range(1_000)), body=ECHO, name="echo"),
        request(name="a" * 100_000),
        request(path="/mcp?" + "a" * 100_000, body=ECHO, name="echo"),
        statuses=frozenset({0, 400, 414, 431}),
    ),
}  # fmt: skip
