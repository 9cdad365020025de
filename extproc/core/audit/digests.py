"""What stands on record for a value that may not be there itself: a digest that nobody can guess values against.

HMAC-SHA-256 under a key of the deployment (RFC 2104), written ``hmac-sha256:<id of the key>:<64 hex>``, so that it
can still be checked after the key was rotated. A plain SHA-256 of a short value, say of one of the thousand million
social security numbers, tells the value to whoever tries them all.
"""

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

from extproc.core.audit.chain import encode
from extproc.core.model import Json

__all__ = ["Digests", "RunningDigest"]

_LABEL: Final = "hmac-sha256"
_ID_CHARS: Final = 8
_ID_OF: Final = b"mcp-extproc digest key id"


class RunningDigest:
    """The digest of bytes that come in pieces."""

    def __init__(self, digests: "Digests") -> None:
        self._prefix = digests.prefix
        self._mac = hmac.new(digests.key, digestmod=hashlib.sha256)

    def update(self, raw: bytes) -> None:
        """Take the next piece."""
        self._mac.update(raw)

    def said(self) -> str:
        """The digest of all pieces so far."""
        return self._prefix + self._mac.hexdigest()


@dataclass(frozen=True, slots=True)
class Digests:
    """Digests under one key; whoever has the key can check them, and can try guesses too.

    ``prefix`` is what stands before the hexadecimal digits: it names the key, and tells nothing of it.
    """

    key: bytes = field(repr=False)
    prefix: str = field(init=False)

    def __post_init__(self) -> None:
        name = hmac.digest(self.key, _ID_OF, hashlib.sha256).hex()[:_ID_CHARS]
        object.__setattr__(self, "prefix", f"{_LABEL}:{name}:")

    def of(self, value: Json) -> str:
        """The digest of the canonical bytes of a JSON value."""
        return self.of_bytes(encode(value))

    def of_bytes(self, raw: bytes) -> str:
        """The digest of these bytes."""
        return self.prefix + hmac.digest(self.key, raw, hashlib.sha256).hex()
