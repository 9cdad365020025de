"""Every "no" that is not a policy decision, in one table.

A rejection is a value (invariant 10). Its ``message`` is for the client and never quotes the request; its ``reason``
is a stable word for the audit event and the metrics. Codes and statuses: MCP 2026-07-28 basic/index and
basic/transports/streamable-http; JSON-RPC 2.0 section 5.1.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from extproc.core.model import Json, RequestId, empty

__all__ = [
    "DENIED",
    "HEADER_MISMATCH",
    "INTERNAL_ERROR",
    "INVALID_PARAMS",
    "INVALID_REQUEST",
    "METHOD_NOT_FOUND",
    "PARSE_ERROR",
    "UNSUPPORTED_VERSION",
    "Rejection",
]

PARSE_ERROR: Final = -32700
INVALID_REQUEST: Final = -32600
METHOD_NOT_FOUND: Final = -32601
INVALID_PARAMS: Final = -32602
INTERNAL_ERROR: Final = -32603
HEADER_MISMATCH: Final = -32020
UNSUPPORTED_VERSION: Final = -32022
DENIED: Final = 1403
"""Our own code for a policy refusal, outside of the reserved range -32768...-32000."""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """One refusal: HTTP ``status``, JSON-RPC ``code``, words for the client, reason for the record.

    ``id`` is the id to answer, None where none was readable. ``challenge`` is the value of ``WWW-Authenticate`` and
    stands only on a 401.
    """

    status: int
    code: int
    message: str
    reason: str
    id: RequestId | None = None
    data: Mapping[str, Json] = msgspec.field(default_factory=empty)
    challenge: str | None = None
