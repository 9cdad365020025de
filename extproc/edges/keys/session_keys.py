"""The key ring that seals session handles, in a file that all workers and replicas share.

One key a line: 64 random bytes in base64, the newest first; the first seals and all open (AES-SIV, RFC 5297). The
file is made once, whole, whoever comes first; who comes second reads the same keys. To rotate, put a new line in
front and restart; remove the last line when its sessions are over. A file that others own, read or change, or that
holds anything else, is refused: sessions under a key that somebody knows are no sessions. No error quotes a key.
"""

import base64
import binascii
import os
import secrets
import stat
from pathlib import Path
from typing import Final

__all__ = ["KEY_BYTES", "SESSION_KEYS", "SessionKeysError", "load_session_keys"]

KEY_BYTES: Final = 64
SESSION_KEYS: Final = "session.keys"
MAX_FILE_BYTES: Final = 64 << 10
FOREIGN_ACCESS: Final = stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
"""What others must not have; a group may read, because a mounted secret belongs to a group."""


class SessionKeysError(Exception):
    """The key ring cannot be used; one line with the file, the reason and the fix."""


def load_session_keys(state_dir: Path) -> tuple[bytes, ...]:
    """The keys, newest first, made on first use; raises if the file cannot be made, read or trusted."""
    path = state_dir / SESSION_KEYS
    try:
        if not path.exists():
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _create(path)
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_mode & FOREIGN_ACCESS:
                raise SessionKeysError(f"{path} is open to other users: chmod 600 it")
            if found.st_uid not in {0, os.geteuid()}:
                raise SessionKeysError(f"{path} belongs to another user, who knows the keys: remove it")
            raw = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise SessionKeysError(f"{path} cannot be used: {error.strerror}") from None
    return _read_keys(path, raw)


def _new_line() -> bytes:
    """One new key as a line of the file."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"


def _create(path: Path) -> None:
    """Make the file with one key, unless somebody else is first; nobody ever sees a part of it."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_new_line())
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _read_keys(path: Path, raw: bytes) -> tuple[bytes, ...]:
    keys = []
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            key = base64.b64decode(line, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise SessionKeysError(f"{path}:{number} is not a key of {KEY_BYTES} bytes in base64")
        keys.append(key)
    if not keys or len(raw) > MAX_FILE_BYTES or len(set(keys)) < len(keys):
        raise SessionKeysError(f"{path} must hold at least one key and none twice; remove it to start anew")
    return tuple(keys)
