"""Encrypt what is confidential in events, for auditors who alone can read it: this node holds public keys only.

The recipients' file holds X25519 public keys in PEM, one behind the other (``extproc payloads keygen``, or ``openssl
pkey -pubout``). Each writer makes itself a data key, at least every hour and whenever the file changes, and wraps it
for each recipient with HPKE (RFC 9180, base mode: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM). An event's
confidential members are one AES-256-GCM ciphertext under it. Each event carries its wrapped key, so any one of them,
wherever a copy of it went, can be read with the identity alone.
"""

import base64
import hashlib
import os
import re
import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from extproc.core.audit.confidential import bound_to, joined, split
from extproc.core.model import Json
from extproc.edges.keys.secret_files import KeyFileError, create_once, read_secret, replace, unusable

__all__ = [
    "RECIPIENTS",
    "Identities",
    "PayloadLock",
    "keep_recipients",
    "make_identity",
    "read_identities",
    "read_recipients",
    "unlocked",
]

DATA_KEY_SECONDS: Final = 3600.0
LOOK_SECONDS: Final = 1.0
"""How long a change of the recipients' file may go unseen."""

RECIPIENTS: Final = "payload_keys.pem"

_LIMIT: Final = 64 << 10
_MOST: Final = 16
"""Recipients of one event; each adds 130 bytes to it."""
_NONCE_BYTES: Final = 12
_INFO: Final = b"mcp-extproc payload key v1"
_SUITE: Final = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]+-----.*?-----END [A-Z ]+-----", re.DOTALL)

Identities: TypeAlias = Mapping[str, X25519PrivateKey]
"""Private keys by the id of their public key."""


class PayloadLock:
    """Encrypts for the recipients in ``path``; ``told`` hears of new ones by their ids, or why the file is not taken.

    Raises:
        KeyFileError: the file cannot be read, or holds no key.
    """

    def __init__(
        self,
        path: Path,
        *,
        told: Callable[[Sequence[str], str | None], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._told = told
        self._clock = clock
        self._recipients = read_recipients(path)
        self._stamp = _stamp(path)
        self._looked = clock()
        self._renew()

    @property
    def recipients(self) -> tuple[str, ...]:
        """The ids of those who can read what is encrypted now."""
        return tuple(self._recipients)

    def __call__(self, event: Mapping[str, Json]) -> Mapping[str, Json]:
        """The event with what is confidential encrypted; the same where nothing is."""
        parts = split(event)
        if parts is None:
            return event
        self._look()
        public, secret = parts
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, secret, bound_to(public))
        return {**public, "encrypted": {"sealed": base64.b64encode(sealed).decode(), "for": self._wrapped}}

    def _look(self) -> None:
        """Take a changed file, or a new data key, when it is time."""
        now = self._clock()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            stamp = _stamp(self._path)
            if stamp != self._stamp:
                self._stamp = stamp
                self._take()
        if now - self._born >= DATA_KEY_SECONDS:
            self._renew()

    def _take(self) -> None:
        try:
            found = read_recipients(self._path)
        except KeyFileError as problem:
            self._told(self.recipients, f"{problem}; encrypted for the recipients of before")
            return
        if found.keys() != self._recipients.keys():
            self._recipients = found
            self._renew()
            self._told(self.recipients, None)

    def _renew(self) -> None:
        key = secrets.token_bytes(32)
        self._cipher = AESGCM(key)
        self._born = self._clock()
        self._wrapped = {
            name: base64.b64encode(_SUITE.encrypt(key, public, info=_INFO)).decode()
            for name, public in self._recipients.items()
        }


def unlocked(event: Mapping[str, Json], identities: Identities) -> dict[str, Json] | None:
    """The event as it was before it was encrypted; None where none of ``identities`` opens it."""
    encrypted = event.get("encrypted")
    wrapped = encrypted.get("for") if isinstance(encrypted, Mapping) else None
    if not isinstance(encrypted, Mapping) or not isinstance(wrapped, Mapping):
        return None
    sealed = _raw(encrypted.get("sealed"))
    for name, identity in identities.items():
        if name in wrapped:
            try:
                key = _unwrapped(wrapped[name], identity)
                secret = AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], bound_to(event))
            except (InvalidTag, ValueError, TypeError):
                continue
            return joined(event, secret)
    return None


@lru_cache(maxsize=1024)
def _unwrapped(wrapped: str, identity: X25519PrivateKey) -> bytes:
    return bytes(_SUITE.decrypt(_raw(wrapped), identity, info=_INFO))


def read_recipients(path: Path) -> dict[str, X25519PublicKey]:
    """The public keys of a file by their ids.

    Raises:
        KeyFileError: it cannot be read, or one of its keys is none; one line with the fix.
    """
    try:
        with path.open("rb") as file:
            blocks = _PEM.findall(file.read(_LIMIT))
    except OSError as error:
        raise unusable(path, error) from None
    found: dict[str, X25519PublicKey] = {}
    for block in blocks:
        try:
            key = load_pem_public_key(block)
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, X25519PublicKey):
            hint = "that is a private key, which stays with the auditor" if b"PRIVATE" in block else "not one of X25519"
            raise KeyFileError(f"{path} must hold public keys alone: {hint}; `extproc payloads keygen` makes a pair")
        found[_id(key)] = key
    if not 0 < len(found) <= _MOST:
        raise KeyFileError(f"{path} must hold 1 to {_MOST} X25519 public keys in PEM (`extproc payloads keygen`)")
    return found


def read_identities(paths: Iterable[Path]) -> Identities:
    """The private keys of these files by the ids of their public ones.

    Raises:
        KeyFileError: one cannot be read, is open to others, or holds no key.
    """
    found: dict[str, X25519PrivateKey] = {}
    for path in paths:
        try:
            key = load_pem_private_key(read_secret(path, limit=_LIMIT), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, X25519PrivateKey):
            raise KeyFileError(f"{path} holds no X25519 private key in PEM, as `extproc payloads keygen` writes it")
        found[_id(key.public_key())] = key
    return found


def keep_recipients(state_dir: Path, path: Path | None) -> None:
    """Have the recipients at hand in ``state_dir``, for the commands that know no settings; None: there are none.

    Raises:
        KeyFileError: a file cannot be read or written.
    """
    kept = state_dir / RECIPIENTS
    try:
        if path is None:
            kept.unlink(missing_ok=True)
        elif not kept.exists() or kept.read_bytes() != path.read_bytes():
            replace(kept, path.read_bytes())
    except OSError as error:
        raise unusable(kept, error) from None


def make_identity(path: Path) -> tuple[str, Path]:
    """Make a pair of keys: ``path`` for the auditor alone, and beside it ``<path>.pub``; its id, and where that is.

    Raises:
        KeyFileError: one of them is there already, or cannot be written.
    """
    if not path.name:
        raise KeyFileError(f"{path} is no name for a file")
    public = path.with_name(f"{path.name}.pub")
    for each in (path, public):
        if each.exists() or each.is_symlink():
            raise KeyFileError(f"{each} is there already; name another file, because what it reads would be lost")
    key = X25519PrivateKey.generate()
    create_once(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    create_once(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    return _id(key.public_key()), public


def _id(key: X25519PublicKey) -> str:
    raw = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(raw).hexdigest()[:16]


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _raw(text: Json) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except ValueError:
        return b""
