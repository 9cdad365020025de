"""Which headers of a response may pass beside a body that is masked: those of HTTP itself, with nothing in them.

A server can write anything into a header, and no client of MCP reads more than these (threat R16). The type of the
body is written anew, so that it says what was read. Reason phrases and trailers never pass.
"""

import re
from collections.abc import Mapping
from typing import Final

from extproc.core.redaction.masker import Masker

__all__ = ["passing"]

_OF_HTTP: Final = frozenset(
    {
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "allow",
        "cache-control",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "mcp-protocol-version",
        "retry-after",
        "server",
        "strict-transport-security",
        "transfer-encoding",
        "vary",
        "x-accel-buffering",
        "x-content-type-options",
        "x-envoy-attempt-count",
        "x-envoy-decorator-operation",
        "x-envoy-overloaded",
        "x-envoy-upstream-service-time",
    }
)
_LONGEST: Final = 256
_DATE: Final = re.compile(r"[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT", re.ASCII)
"""RFC 9110 section 5.6.7; another one each second, so it is not searched like words."""


def passing(headers: Mapping[str, str], media: str, masker: Masker) -> dict[str, str | None]:
    """What to set and to remove (None) so that the headers of a response hold nothing of its content."""
    changes: dict[str, str | None] = {}
    for name, value in headers.items():
        if name.startswith(":"):
            continue
        plain = (
            name in _OF_HTTP and len(value) <= _LONGEST and (_is_date(name, value) or not masker.document(value).counts)
        )
        if name == "content-type":
            changes[name] = media or None
        elif not plain:
            changes[name] = None
    return changes


def _is_date(name: str, value: str) -> bool:
    return name == "date" and _DATE.fullmatch(value) is not None
