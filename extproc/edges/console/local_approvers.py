"""Break-glass approvers: people who may answer when the identity provider is away, kept in one file of the node.

The secret is made here, shown once, and kept as scrypt (RFC 7914) with a salt of its own. A local approver is the
principal (``local``, name): no token of any issuer can be one.
"""

import base64
import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from extproc.core.tickets import Approver

__all__ = ["LOCAL", "LocalApprovers", "LocalApproversError"]

LOCAL: Final = "local"
"""The issuer of local approvers; a token's issuer is a URL."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_COST: Final = {"n": 1 << 15, "r": 8, "p": 1, "maxmem": 64 << 20}


class LocalApproversError(Exception):
    """The file cannot be used, or a name cannot be taken; one line says why."""


class _Entry(msgspec.Struct, frozen=True, kw_only=True):
    groups: list[str]
    human: str
    salt: str
    scrypt: str


class LocalApprovers:
    """The approvers in the file ``path``; a file that is missing has none."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, name: str, *, groups: Iterable[str], human: str = "") -> str:
        """Add an approver, or give one a new secret; returns the secret.

        Raises:
            LocalApproversError: the name is none, or the file cannot be written.
        """
        self.check(name)
        secret, salt = secrets.token_urlsafe(18), secrets.token_bytes(16)
        entry = _Entry(groups=sorted(set(groups)), human=human, salt=_text(salt), scrypt=_text(_scrypt(secret, salt)))
        self._write({**self._read(), name: entry})
        return secret

    def check(self, name: str) -> None:
        """Raises ``LocalApproversError`` where somebody of this name cannot be added."""
        if not _NAME.fullmatch(name):
            raise LocalApproversError(f"{name!r} is no name: letters, digits, '.', '_', '@' and '-', at most 64")

    def knows(self, name: str) -> bool:
        """Whether there is an approver of this name now.

        Raises:
            LocalApproversError: the file cannot be read.
        """
        return name in self._read()

    def remove(self, name: str) -> bool:
        """Remove an approver; False where there is none of this name."""
        entries = self._read()
        if entries.pop(name, None) is None:
            return False
        self._write(entries)
        return True

    def names(self) -> dict[str, tuple[str, ...]]:
        """The approvers and their groups."""
        return {name: tuple(entry.groups) for name, entry in sorted(self._read().items())}

    def verify(self, name: str, secret: str) -> Approver | None:
        """The approver of this name and secret; a name that is not there takes as long as a wrong secret."""
        entry = self._read().get(name)
        salt = base64.b64decode(entry.salt) if entry else b"\0" * 16
        expected = base64.b64decode(entry.scrypt) if entry else b""
        if not hmac.compare_digest(_scrypt(secret, salt), expected) or entry is None:
            return None
        return Approver(issuer=LOCAL, subject=name, groups=frozenset(entry.groups), human=entry.human, name=name)

    def _read(self) -> dict[str, _Entry]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, _Entry])
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LocalApproversError(f"{self._path}: cannot be read: {error.strerror}") from None
        except msgspec.DecodeError:
            raise LocalApproversError(f"{self._path}: is no list of approvers; remove it and add them anew") from None

    def _write(self, entries: dict[str, _Entry]) -> None:
        beside = self._path.with_suffix(".new")
        try:
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(entries)))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._path)
        except OSError as error:
            raise LocalApproversError(f"{self._path}: cannot be written: {error.strerror}") from None


def _scrypt(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, dklen=32, **_COST)


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
