"""What HTTP headers say about a body, held against the body.

An intermediary that routes on headers and a server that reads the body must see one message, so every header that
mirrors the body agrees with it or the message is refused, in both eras: a legacy server ignores such headers, a
router before it may not. Decides the era from header and body together; never "legacy by default" for a body that
claims to be modern. MCP 2026-07-28 basic/transports/streamable-http, "Request Metadata"; RFC 9110 section 8.3.
"""

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from extproc.core.model import Era, Json
from extproc.core.rejection import HEADER_MISMATCH, INVALID_REQUEST, UNSUPPORTED_VERSION, Rejection
from extproc.core.wire.methods import LEGACY_REVISIONS, MODERN_REVISIONS, invalid

__all__ = [
    "CAPABILITIES",
    "CLIENT_INFO",
    "PROTOCOL_VERSION",
    "Revision",
    "content_fault",
    "decode",
    "mirror_fault",
    "mismatch",
    "param_fault",
    "revision",
    "revision_of_head",
]

PROTOCOL_VERSION: Final = "io.modelcontextprotocol/protocolVersion"
CLIENT_INFO: Final = "io.modelcontextprotocol/clientInfo"
CAPABILITIES: Final = "io.modelcontextprotocol/clientCapabilities"

_ASSUMED: Final = "2025-03-26"
"""What a server assumes without a version header (2025-06-18 basic/transports, "Protocol Version Header")."""
_JSON: Final = re.compile(r'application/json(?:[ \t]*;[ \t]*charset=(?:utf-8|"utf-8"))?', re.IGNORECASE)
_VERSION: Final = re.compile(r"[A-Za-z0-9.-]{1,32}")
_VISIBLE: Final = re.compile(r"[\x20-\x7e]*")
_SENTINEL: Final = re.compile(r"=\?base64\?([A-Za-z0-9+/]*={0,2})\?=")
_INTEGER: Final = re.compile(r"(-?[0-9]{1,64})(?:\.0+)?")
_PARAM: Final = "mcp-param-"


class Revision(msgspec.Struct, frozen=True, kw_only=True):
    """The era of a message and the revision it names."""

    era: Era
    name: str


def content_fault(headers: Mapping[str, str]) -> Rejection | None:
    """None for plain JSON in UTF-8; anything else could be read as another text."""
    if "content-encoding" in headers:
        return _unsupported_media("Content-Encoding is not supported", "content_encoding")
    if not _JSON.fullmatch(headers.get("content-type", "").strip(" \t")):
        return _unsupported_media("Content-Type must be application/json", "content_type")
    return None


def revision(headers: Mapping[str, str], meta: Mapping[str, Json], *, needs_claim: bool) -> Revision | Rejection:
    """Decide the era from the version header and the body's claim; refuses where they differ.

    ``needs_claim``: a modern request must repeat the version in its ``_meta``, a notification need not.
    """
    header = _value(headers, "mcp-protocol-version")
    if PROTOCOL_VERSION not in meta:
        found = revision_of_head(headers)
        if needs_claim and isinstance(found, Revision) and found.era is Era.MODERN:
            return invalid(f"params._meta needs {PROTOCOL_VERSION} and {CAPABILITIES}", reason="meta")
        return found
    claim = meta[PROTOCOL_VERSION]
    if header is None or header != claim:
        return mismatch("MCP-Protocol-Version")
    if header not in MODERN_REVISIONS:
        return _unsupported_version(header)
    if needs_claim and meta.get(CAPABILITIES).__class__ is not dict:
        return invalid(f"params._meta needs {CAPABILITIES}", reason="meta")
    return Revision(era=Era.MODERN, name=header)


def revision_of_head(headers: Mapping[str, str]) -> Revision | Rejection:
    """The era that the version header alone tells; refuses a revision nobody published."""
    header = _value(headers, "mcp-protocol-version")
    if header is None:
        return Revision(era=Era.LEGACY, name=_ASSUMED)
    if header in LEGACY_REVISIONS:
        return Revision(era=Era.LEGACY, name=header)
    if header in MODERN_REVISIONS:
        return Revision(era=Era.MODERN, name=header)
    return _unsupported_version(header)


def mirror_fault(headers: Mapping[str, str], header: str, value: str | None, *, required: bool) -> Rejection | None:
    """None where ``header`` repeats ``value``; a header that mirrors nothing is refused like one that lies."""
    sent = _value(headers, header)
    if sent is None:
        return mismatch(header) if required else None
    return None if value is not None and decode(sent) == value else mismatch(header)


def param_fault(headers: Mapping[str, str], arguments: Mapping[str, Json]) -> Rejection | None:
    """None where each ``Mcp-Param-*`` agrees with every argument of its name.

    Without the tool's schema a name is all there is to compare by. A header without such an argument passes: the
    specification wants unknown ones forwarded, and the server, which has the schema, checks it again.
    """
    wanted: dict[str, dict[str, str]] = {}
    for header in headers:
        if not header.startswith(_PARAM):
            continue
        sent = decode(_value(headers, header) or "")
        if sent is None:
            return mismatch(header)
        wanted.setdefault(_bare(header.removeprefix(_PARAM)), {})[sent] = header
    if not wanted:
        return None
    for name, value in _properties(arguments):  # once, however many headers there are
        for sent, header in wanted.get(_bare(name), {}).items():
            if not _agrees(sent, value):
                return mismatch(header)
    return None


def decode(sent: str) -> str | None:
    """The text of a mirrored header; None for anything that is neither visible ASCII nor an exact sentinel."""
    if not _VISIBLE.fullmatch(sent):
        return None
    # Markers are case-sensitive, so a server would take this one as it stands; a lenient one would decode it.
    if not (sent[:9].lower() == "=?base64?" and sent.endswith("?=")):
        return sent
    encoded = _SENTINEL.fullmatch(sent)
    if encoded is None:
        return None
    try:
        octets = base64.b64decode(encoded[1], validate=True)
        text = octets.decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    # Spare bits in the last digit decode all the same; only one spelling is right.
    return text if base64.b64encode(octets).decode() == encoded[1] else None


def mismatch(header: str) -> Rejection:
    """The refusal of a header that disagrees with the body."""
    name = "Mcp-Param" if header.startswith(_PARAM) else header
    return Rejection(
        status=400,
        code=HEADER_MISMATCH,
        message=f"Header mismatch: {name} does not agree with the body",
        reason="header_mismatch",
    )


def _value(headers: Mapping[str, str], name: str) -> str | None:
    value = headers.get(name)
    # Optional white space around a value is not part of it (RFC 9110 section 5.5).
    return None if value is None else value.strip(" \t")


def _bare(name: str) -> str:
    return name.lower().replace("_", "-")


def _properties(arguments: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Every property that a header could mirror: null is as good as absent, and lists are never annotated."""
    level = [arguments]
    while level:
        for name, value in level.pop().items():
            if value.__class__ is dict:
                level.append(value)
            elif value is not None and value.__class__ is not list:
                yield name, value


def _agrees(sent: str, value: Json) -> bool:
    if value is True or value is False:
        return sent == ("true" if value else "false")
    if value.__class__ is str:
        return sent == value
    number = _INTEGER.fullmatch(sent)
    return number is not None and int(number[1]) == value  # 42 = 42.0


def _unsupported_version(requested: str) -> Rejection:
    asked = {"requested": requested} if _VERSION.fullmatch(requested) else {}
    return Rejection(
        status=400,
        code=UNSUPPORTED_VERSION,
        message="Unsupported protocol version",
        reason="protocol_version",
        data={"supported": sorted(MODERN_REVISIONS), **asked},
    )


def _unsupported_media(what: str, reason: str) -> Rejection:
    return Rejection(status=415, code=INVALID_REQUEST, message=f"Unsupported media type: {what}", reason=reason)
