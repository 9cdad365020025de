"""The schema of audit events: one table of kinds, published as JSON Schema (draft 2020-12).

It says what may stand in an event, not what was decided; the constructors in ``events``, ``service`` and ``steps``
follow it, and the tests hold every event of theirs, and of every gateway they start, against it.
"""

from collections.abc import Mapping
from typing import Final

from extproc.core.audit.begun import SCHEMA_VERSION
from extproc.core.audit.schema.calls import CALLS
from extproc.core.audit.schema.happenings import HAPPENINGS
from extproc.core.audit.schema.shapes import Shape, number, record, text
from extproc.core.model import Json

__all__ = ["KINDS", "event_schema"]

_ENCRYPTED: Final = record(
    "What stood in the members that are null, for those who have a key (extproc payloads): AES-256-GCM over their "
    "canonical JSON, bound to kind, time and decision of this event; its key is wrapped for each recipient with HPKE "
    "(RFC 9180: DHKEM X25519, HKDF-SHA256, AES-256-GCM).",
    {
        "sealed": text("Nonce, ciphertext and tag, in base64."),
        "for": {
            "type": "object",
            "description": "The id of each recipient's key, with the wrapped key in base64.",
            "additionalProperties": {"type": "string"},
        },
    },
)
_MAY_BE_ENCRYPTED: Final = frozenset({"decision", "outcome", "message", "approval"})


def _kind(name: str, about: str, always: Mapping[str, Shape], sometimes: Mapping[str, Shape]) -> Shape:
    first: dict[str, Shape] = {
        "kind": {"const": name},
        "schema": {"const": SCHEMA_VERSION, "description": "The version of this schema."},
        "at": number("When, in nanoseconds since the epoch."),
    }
    last: dict[str, Shape] = {"encrypted": _ENCRYPTED} if name in _MAY_BE_ENCRYPTED else {}
    return record(about, {**first, **always}, {**sometimes, **last})


KINDS: Final[Mapping[str, Shape]] = {
    name: _kind(name, about, always, sometimes) for name, (about, always, sometimes) in {**CALLS, **HAPPENINGS}.items()
}
"""The schema of each kind of event."""


def event_schema() -> dict[str, Json]:
    """The JSON Schema of an audit event."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:mcp-extproc:audit-event:{SCHEMA_VERSION}",
        "title": "mcp-extproc audit event",
        "description": (
            "One event of the recording: the member `event` of a journal's line, and of a record in a sink. What a "
            "token, a password or a masked value was stands as `[masked:...]` wherever a text may stand."
        ),
        "type": "object",
        "required": ["kind"],
        "oneOf": [{"$ref": f"#/$defs/{name}"} for name in KINDS],
        "$defs": dict(KINDS),
    }
