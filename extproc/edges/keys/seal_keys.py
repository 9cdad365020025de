"""The key that signs seals, and what an auditor needs of it.

``<state_dir>/seal.key`` holds the private key, one line as Go's ``note`` package writes it. ``<state_dir>/seals`` holds
``key.pub``, the first public key, and ``keys.notes``, in which each key names the one after it: who trusts the first
can check them all. To rotate is to sign the successor with the old key, and then to forget the old one.
"""

import json
import os
import secrets
from pathlib import Path
from typing import Final

from extproc.core.audit.notes import read_notes
from extproc.core.audit.seals import Signer, read_signer, signer_from, statement_text
from extproc.edges.keys.secret_files import KeyFileError, create_once, read_secret, replace, unusable

__all__ = ["SEAL_KEY", "STATEMENTS", "load_signer", "public_key", "rotate", "statements"]

SEALS: Final = "seals"
SEAL_KEY: Final = "seal.key"
PUBLIC_KEY: Final = "key.pub"
STATEMENTS: Final = "keys.notes"
_LIMIT: Final = 4096
_STATEMENTS_LIMIT: Final = 1 << 20
_SEED_BYTES: Final = 32


def load_signer(state_dir: Path, *, name: str, path: Path | None = None) -> Signer:
    """The signer of this node, made on first use under ``name``; ``path`` is a mounted key, which is never made.

    Raises:
        KeyFileError: the key cannot be made, read or trusted.
    """
    place = path or state_dir / SEAL_KEY
    if path is None and not place.exists():
        create_once(place, _line(signer_from(name, secrets.token_bytes(_SEED_BYTES))))
    signer = read_signer(read_secret(place, limit=_LIMIT).decode("utf-8", "replace").strip())
    if signer is None:
        raise KeyFileError(f"{place} holds no key: one line PRIVATE+KEY+<name>+<id>+<base64>, as Go's note package")
    public = state_dir / SEALS / PUBLIC_KEY
    if not public.exists():
        create_once(public, f"{signer.public}\n".encode())
    return signer


def rotate(state_dir: Path) -> Signer:
    """A new key takes over: the old one signs it, and is forgotten.

    Raises:
        KeyFileError: there is no key yet, or a file cannot be written; the old key is then still the one that signs.
    """
    path = state_dir / SEAL_KEY
    if not path.exists():
        raise KeyFileError(f"{path}: there is no key to take over from; the service makes one when it starts")
    old = load_signer(state_dir, name="")
    new = signer_from(old.name, secrets.token_bytes(_SEED_BYTES))
    try:
        with (state_dir / SEALS / STATEMENTS).open("a", encoding="utf-8") as file:
            file.write(f"{json.dumps(old.sign(statement_text(new.public)))}\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise unusable(state_dir / SEALS / STATEMENTS, error) from None
    replace(path, _line(new))
    return new


def public_key(state_dir: Path) -> str | None:
    """The first public key of a store, None where there is none."""
    try:
        return (state_dir / SEALS / PUBLIC_KEY).read_text("utf-8", "replace").strip()
    except FileNotFoundError:
        return None


def statements(state_dir: Path) -> list[str]:
    """The notes in which keys name their successors, in order."""
    try:
        with (state_dir / SEALS / STATEMENTS).open(encoding="utf-8", errors="replace") as file:
            return read_notes(file.read(_STATEMENTS_LIMIT))
    except FileNotFoundError:
        return []


def _line(signer: Signer) -> bytes:
    return f"{signer.secret}\n".encode()
