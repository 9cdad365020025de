"""Signed notes, as C2SP writes them: a text, an empty line, and who signed it with which Ed25519 key.

Needs the public key alone. A seal is a note whose text is a checkpoint (C2SP tlog-checkpoint): the name of a journal,
its size, the root of its tree in base64, and ``time`` with the seconds since the epoch. A key is written
``<name>+<id>+<base64>``; one that takes over is named by the one before it in a note of its own.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

__all__ = [
    "ED25519",
    "KEY_NAME",
    "KEY_STATEMENT",
    "Checkpoint",
    "Keys",
    "key_id",
    "notes_anywhere",
    "open_note",
    "open_seal",
    "read_checkpoint",
    "read_key",
    "read_notes",
    "trusted",
]

KEY_STATEMENT: Final = "mcp-extproc seal key"
"""First line of a note in which a key names its successor, which is the second."""
KEY_NAME: Final = "extproc/"
"""How the name of a node's own key begins; the node's follows."""
ED25519: Final = b"\x01"
"""The algorithm byte before a key."""

_SIGNATURE: Final = re.compile(r"\u2014 (\S+) ([A-Za-z0-9+/=]+)")
_SIGNATURES: Final = re.compile(rf"(?:{_SIGNATURE.pattern}\n)+")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_TIME: Final = re.compile(r"time [0-9]{1,11}")
_ROOT_BYTES: Final = 32
_KEY: Final = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)")

Keys: TypeAlias = Mapping[tuple[str, bytes], Ed25519PublicKey]
"""Public keys by their name and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What a seal says: the journal ``origin`` had ``size`` lines and this ``root``, ``at`` seconds since the epoch."""

    origin: str
    size: int
    root: bytes
    at: int


def key_id(name: str, public: bytes) -> bytes:
    """The four bytes that a signature names its key by."""
    return hashlib.sha256(name.encode() + b"\n" + ED25519 + public).digest()[:4]


def read_key(text: str) -> tuple[tuple[str, bytes], Ed25519PublicKey] | None:
    """A public key as C2SP writes it, ``<name>+<id>+<base64>``; None for anything else."""
    found = _KEY.fullmatch(text.strip())
    raw = _decoded(found[3]) if found is not None else b""
    if found is None or len(raw) != 33 or raw[:1] != ED25519 or key_id(found[1], raw[1:]).hex() != found[2]:
        return None
    return (found[1], key_id(found[1], raw[1:])), Ed25519PublicKey.from_public_bytes(raw[1:])


def trusted(keys: Keys, statements: Iterable[str]) -> Keys:
    """``keys`` and all that they, or their successors, name as successors, in the order of the statements.

    A successor has the name of the key before it: no key speaks for another node's.
    """
    known = dict(keys)
    for note in statements:
        text, name = _opened(note, known) or ("", "")
        lines = text.splitlines()
        successor = read_key(lines[1]) if len(lines) == 2 and lines[0] == KEY_STATEMENT else None
        if successor is not None and successor[0][0] == name:
            known[successor[0]] = successor[1]
    return known


def open_note(note: str, keys: Keys) -> str | None:
    """The text of a note, with its last line end, if one of ``keys`` signed it."""
    opened = _opened(note, keys)
    return None if opened is None else opened[0]


def open_seal(note: str, keys: Keys) -> Checkpoint | None:
    """The seal that a note is, if one of ``keys`` signed it that may seal that journal; None for anything else.

    A key seals under its own name, and where ``extproc/<node>`` is a name of ``keys``, no other key seals that node's
    journals ``<node>-<worker>``: of several nodes that are proved together, none can write another's anew.
    """
    text, name = _opened(note, keys) or ("", "")
    seal = read_checkpoint(text)
    if seal is None:
        return None
    signer, _, journal = seal.origin.rpartition("/")
    own = f"{KEY_NAME}{journal.rpartition('-')[0]}"
    is_anothers = name != own and any(known == own for known, _ in keys)
    return seal if name == signer and not is_anothers else None


def _opened(note: str, keys: Keys) -> tuple[str, str] | None:
    """The text of a note, and the name of the key that signed it."""
    text, between, signatures = note.rpartition("\n\n")
    for found in _SIGNATURE.finditer(signatures) if between and _SIGNATURES.fullmatch(signatures) else ():
        raw = _decoded(found[2])
        key = keys.get((found[1], raw[:4]))
        try:
            if key is not None:
                key.verify(raw[4:], (text + "\n").encode())
                return text + "\n", found[1]
        except InvalidSignature:
            continue
    return None


def read_checkpoint(text: str) -> Checkpoint | None:
    """The checkpoint that a note's text is; None if it is none of a journal."""
    lines = text.split("\n")
    if len(lines) != 5 or lines[4] or not _SIZE.fullmatch(lines[1]) or not _TIME.fullmatch(lines[3]):
        return None
    root = _decoded(lines[2])
    if len(root) != _ROOT_BYTES:
        return None
    return Checkpoint(origin=lines[0], size=int(lines[1]), root=root, at=int(lines[3].removeprefix("time ")))


def _decoded(text: str) -> bytes:
    """The bytes, none where the text is not the one way to write them."""
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


def read_notes(text: str) -> list[str]:
    """The notes of a file, a JSON string on each line; a line that is none comes as it is, and nobody signed it."""
    return [_note_in(line) for line in text.split("\n") if line]


def _note_in(line: str) -> str:
    try:
        note = json.loads(line)
    except (ValueError, RecursionError):
        return line
    return note if isinstance(note, str) else line


def notes_anywhere(line: str) -> list[str]:
    """The notes in a line of whatever kept them: a JSON string, or a record that holds some, however deep."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return []
    found, rest = [], [value]
    while rest:
        member = rest.pop()
        if isinstance(member, str) and _SIGNATURE.search(member) and "\n\n" in member:
            found.append(member)
        elif isinstance(member, str) and member.startswith("{"):
            found += notes_anywhere(member)
        elif isinstance(member, dict):
            rest += member.values()
        elif isinstance(member, list):
            rest += member
    return found
