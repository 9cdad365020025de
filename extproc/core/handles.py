"""Handles that name a session leave us sealed to their principal, so that another caller's handle is unknown.

A handle is the upstream's own value (a session id, an endpoint path, the id of a server request) encrypted and
authenticated under its purpose and its owner: ``open_handle`` gives the value back to the same owner and None to
everyone else. Nothing is stored, so every replica that has the key ring understands every handle. The sealing is
deterministic (AES-SIV, RFC 5297), because a replayed stream must show the same handles again and because the core has
no randomness (invariant 10).
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from extproc.core.audit.digests import Digests
from extproc.core.limits import MAX_HANDLE_CHARS
from extproc.core.model import Principal

__all__ = [
    "OWNER_PARAMETER",
    "KeyRing",
    "Owner",
    "Purpose",
    "digests_of",
    "open_handle",
    "open_path",
    "seal",
    "seal_path",
]

OWNER_PARAMETER: Final = "mcp_owner="
"""The query parameter that carries the seal of an HTTP+SSE endpoint path; the upstream ignores it."""


class Purpose(StrEnum):
    """What a handle stands for; a handle of one purpose is unknown under another."""

    SESSION = "session"
    ENDPOINT = "endpoint"
    REQUEST = "request"
    """The id of a request that the server sent to the client."""
    WITHHELD = "withheld"
    """The id of a request that the server may not make, at the ping that the client gets in its place."""
    REFUSAL = "refusal"
    """An answer of ours that travels as the id of a ping, where answers come on another stream."""
    STATE = "state"
    """What goes on over several rounds of one call (``requestState``)."""
    EVENT = "event"
    """The id of a stream event, by which a client resumes."""


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """To whom a handle belongs: principal and server exactly, and the session where one is known."""

    issuer: str
    subject: str
    server: str
    session: str = ""

    @classmethod
    def of(cls, principal: Principal, server: str, session: str = "") -> "Owner":
        """The owner that a principal is on a server."""
        return cls(issuer=principal.issuer, subject=principal.subject, server=server, session=session)

    def bound(self, purpose: Purpose) -> list[bytes]:
        """The associated values; AES-SIV keeps them apart, so no two owners read the same."""
        return [
            part.encode("utf-8", "replace") for part in (purpose, self.issuer, self.subject, self.server, self.session)
        ]


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Sealing keys, newest first: the first seals, all open. Each key is 32, 48 or 64 bytes.

    ``masking_key`` and ``digests`` are made from the newest: the hashes of masked values, and the digests on record.
    Neither tells anything of the keys, nor one of the other.
    """

    keys: Sequence[bytes] = field(repr=False)
    ciphers: tuple[AESSIV, ...] = field(init=False, repr=False)
    masking_key: bytes = field(init=False, repr=False)
    digests: Digests = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.keys:
            raise ValueError("a key ring needs at least one key")
        object.__setattr__(self, "ciphers", tuple(AESSIV(key) for key in self.keys))
        object.__setattr__(self, "masking_key", hmac.digest(self.keys[0], b"mcp-extproc masking 1", hashlib.sha256))
        object.__setattr__(self, "digests", digests_of(self.keys[0]))


def digests_of(key: bytes) -> Digests:
    """The digests on record that are made while ``key`` is the newest of a ring."""
    return Digests(hmac.digest(key, b"mcp-extproc digests 1", hashlib.sha256))


def seal(ring: KeyRing, purpose: Purpose, owner: Owner, value: str) -> str:
    """The handle of ``value`` for ``owner``: URL-safe base64 without padding."""
    sealed = ring.ciphers[0].encrypt(b"\x01" + value.encode("utf-8", "replace"), owner.bound(purpose))
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def open_handle(
    ring: KeyRing, purpose: Purpose, owner: Owner, handle: str, *, longest: int = MAX_HANDLE_CHARS
) -> str | None:
    """The value behind a handle, or None where it is not exactly a handle of this purpose and owner."""
    if not handle or len(handle) > longest:
        return None
    try:
        raw = handle.encode("ascii")
        sealed = base64.b64decode(raw + b"=" * (-len(raw) % 4), altchars=b"-_", validate=True)
    except (UnicodeEncodeError, binascii.Error):
        return None
    if base64.urlsafe_b64encode(sealed).rstrip(b"=") != raw:  # one spelling per handle
        return None
    bound = owner.bound(purpose)
    for cipher in ring.ciphers:
        try:
            return cipher.decrypt(sealed, bound)[1:].decode("utf-8")
        except (InvalidTag, ValueError):
            continue
    return None


def seal_path(ring: KeyRing, owner: Owner, path: str) -> str:
    """An HTTP+SSE endpoint path with its owner's seal appended as a query parameter."""
    joint = "&" if "?" in path else "?"
    return f"{path}{joint}{OWNER_PARAMETER}{seal(ring, Purpose.ENDPOINT, owner, path)}"


def open_path(ring: KeyRing, owner: Owner, path: str) -> str | None:
    """The path without its seal, or None where the seal is missing, not last, or of someone else."""
    bare, found, handle = path.rpartition(OWNER_PARAMETER)
    if not found or bare[-1:] not in {"?", "&"}:
        return None
    bare = bare[:-1]
    return bare if open_handle(ring, Purpose.ENDPOINT, owner, handle) == bare else None
