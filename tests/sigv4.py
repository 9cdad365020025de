"""Signature Version 4 as a store of AWS's kind checks it: written by its description, and not with the client's library.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html; test_s3.py holds it against the examples
that stand there.
"""

import datetime as dt
import hashlib
import hmac
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, unquote_to_bytes

__all__ = ["Key", "Request", "checking", "fault", "signature"]

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_AUTHORIZATION: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/,]+)/([0-9]{8})/([^/,]+)/([^/,]+)/aws4_request, ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_CLOCKS: Final = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What somebody signs with; ``token`` is of a session."""

    secret: str
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request as it came: ``target`` is path and query as on the wire, the names of ``headers`` are in small letters."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


def fault(request: Request, keys: Mapping[str, Key], now: dt.datetime) -> str | None:
    """The code with which a store refuses the request, or None where it is signed by one of ``keys`` and unchanged."""
    found = _AUTHORIZATION.fullmatch(request.headers.get("authorization", ""))
    if found is None:
        return "AccessDenied"
    name, day, region, service, signed, given = found.groups()
    if (key := keys.get(name)) is None:
        return "InvalidAccessKeyId"
    names, at = signed.split(";"), request.headers.get("x-amz-date", "")
    wanted = {"host"} | {each for each in request.headers if each.startswith("x-amz-")}
    if not wanted <= set(names) or names != sorted(names) or not set(names) <= set(request.headers):
        return "AccessDenied"
    if request.headers.get("x-amz-security-token") != key.token:
        return "InvalidToken"
    if not at.startswith(day) or abs(dt.datetime.strptime(at, "%Y%m%dT%H%M%S%z") - now) > _CLOCKS:
        return "RequestTimeTooSkewed"
    if not hmac.compare_digest(given, signature(request, names, key.secret, (day, region, service))):
        return "SignatureDoesNotMatch"
    if request.headers["x-amz-content-sha256"] != hashlib.sha256(request.body).hexdigest():
        return "XAmzContentSHA256Mismatch"
    return None


def signature(request: Request, names: Iterable[str], secret: str, scope: tuple[str, str, str]) -> str:
    """What stands behind ``Signature=`` where these headers are signed; ``scope`` is day, region and service."""
    path, _, query = request.target.partition("?")
    pairs = sorted(tuple(map(_encoded, each.partition("=")[::2])) for each in query.split("&") if each)
    canonical = "\n".join(
        [
            request.method,
            _encoded(path, keep="/"),
            "&".join(f"{name}={value}" for name, value in pairs),
            *(f"{name}:{' '.join(request.headers[name].split())}" for name in names),
            "",
            ";".join(names),
            request.headers["x-amz-content-sha256"],
        ]
    )
    place = "/".join((*scope, "aws4_request"))
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (*scope, "aws4_request", "\n".join([_ALGORITHM, request.headers["x-amz-date"], place, hashed])):
        key = hmac.digest(key, part.encode(), "sha256")
    return key.hex()


def _encoded(text: str, keep: str = "") -> str:
    return quote(unquote_to_bytes(text), safe=f"-._~{keep}")


Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def checking(application: Application, keys: Mapping[str, Key]) -> Application:
    """The WSGI application, for those alone who sign with one of ``keys``."""

    def checked(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        environ["wsgi.input"] = io.BytesIO(body)
        headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name[:5] == "HTTP_"}
        headers |= {
            name.replace("_", "-").lower(): environ[name]
            for name in ("CONTENT_TYPE", "CONTENT_LENGTH")
            if name in environ
        }
        method, target = environ["REQUEST_METHOD"], environ["REQUEST_URI"]
        request = Request(method=method, target=target, headers=headers, body=body)
        if (code := fault(request, keys, dt.datetime.now(dt.UTC))) is None:
            return application(environ, start)
        start(f"{400 if 'Mismatch' in code else 403} Refused", [("content-type", "application/xml")])
        return [f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>no</Message></Error>".encode()]

    return checked
