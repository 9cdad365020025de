"""What of an event is for the eyes of auditors with a key: taken out of it before it is written, put back for them.

Who, what, when, by which rule, sizes and counts stay readable. Arguments and payloads go, and with them the digests
over them: whoever can guess a value could try his guesses against a digest.
"""

from collections.abc import Mapping
from typing import Final

from extproc.core.audit.chain import encode, read_event
from extproc.core.model import Json

__all__ = ["CONFIDENTIAL", "bound_to", "joined", "split"]

CONFIDENTIAL: Final[Mapping[str, tuple[str, ...]]] = {
    "decision": ("arguments", "arguments_digest"),
    "outcome": ("payload", "digest"),
    "message": ("payload", "digest"),
    "approval": ("arguments_digest",),
}
"""The members that are encrypted, of each kind that has some."""


def split(event: Mapping[str, Json]) -> tuple[dict[str, Json], bytes] | None:
    """The event with null in their place, and these members as canonical JSON; None where it has none."""
    names = CONFIDENTIAL.get(str(event.get("kind")), ())
    secret = {name: event[name] for name in names if event.get(name) is not None}
    return ({**event, **dict.fromkeys(secret)}, encode(secret)) if secret else None


def bound_to(event: Mapping[str, Json]) -> bytes:
    """What ties a ciphertext to its event, so that it opens in no other: its kind, its time, and whose it is."""
    whose = event.get("decision") or event.get("ticket")
    return encode([event.get("kind"), event.get("at"), whose, event.get("number")])


def joined(event: Mapping[str, Json], secret: bytes) -> dict[str, Json] | None:
    """The event as it was before ``split``; None where ``secret`` is none of its."""
    found = read_event(secret)
    names = CONFIDENTIAL.get(str(event.get("kind")), ())
    if found is None or not found.keys() <= set(names):
        return None
    return {name: member for name, member in event.items() if name != "encrypted"} | found
