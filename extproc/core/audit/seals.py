"""Sign what a journal held: the checkpoint of its tree as a signed note (C2SP tlog-checkpoint, signed-note).

The other side, which needs no secret, is ``notes``.
"""

import base64
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from extproc.core.audit.notes import ED25519, KEY_STATEMENT, key_id

__all__ = ["Signer", "checkpoint_text", "origin_of", "read_signer", "signer_from", "statement_text"]

_PRIVATE: Final = "PRIVATE+KEY+"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key by its name; ``private`` is never printed."""

    name: str
    private: Ed25519PrivateKey

    @property
    def public(self) -> str:
        """The public key as C2SP writes it: what an auditor is given."""
        raw = self.private.public_key().public_bytes_raw()
        return f"{self.name}+{key_id(self.name, raw).hex()}+{base64.b64encode(ED25519 + raw).decode()}"

    @property
    def secret(self) -> str:
        """The private key in the form of Go's ``note`` package; for its file alone."""
        raw = self.private.public_key().public_bytes_raw()
        seed = base64.b64encode(ED25519 + self.private.private_bytes_raw()).decode()
        return f"{_PRIVATE}{self.name}+{key_id(self.name, raw).hex()}+{seed}"

    def sign(self, text: str) -> str:
        """``text``, which ends a line, as a note with this key's signature."""
        raw = self.private.public_key().public_bytes_raw()
        signature = key_id(self.name, raw) + self.private.sign(text.encode())
        return f"{text}\n\u2014 {self.name} {base64.b64encode(signature).decode()}\n"


def signer_from(name: str, seed: bytes) -> Signer:
    """The signer of a seed of 32 random bytes."""
    return Signer(name=name, private=Ed25519PrivateKey.from_private_bytes(seed))


def read_signer(text: str) -> Signer | None:
    """The signer that ``Signer.secret`` wrote; None for anything else."""
    if not text.startswith(_PRIVATE):
        return None
    try:
        name, _, encoded = text.removeprefix(_PRIVATE).split("+", 2)
        raw = base64.b64decode(encoded, validate=True)
        signer = signer_from(name, raw[1:]) if raw[:1] == ED25519 else None
    except ValueError:
        return None
    return signer if signer is not None and signer.secret == text else None


def origin_of(name: str, journal: str) -> str:
    """What a checkpoint names a journal: the key's name, and the journal's own."""
    return f"{name}/{journal}"


def checkpoint_text(*, origin: str, size: int, root: bytes, at: int) -> str:
    """The text of a seal; ``at`` in seconds since the epoch."""
    return f"{origin}\n{size}\n{base64.b64encode(root).decode()}\ntime {at}\n"


def statement_text(successor: str) -> str:
    """The text in which a key names the public key that takes over."""
    return f"{KEY_STATEMENT}\n{successor}\n"
