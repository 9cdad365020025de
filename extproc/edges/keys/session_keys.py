"""The key ring that seals session handles, in a file that all workers and replicas share.

One key a line: 64 random bytes in base64, the newest first; the first seals and all open (AES-SIV, RFC 5297). The
file is made once, whole, whoever comes first; who comes second reads the same keys. To rotate, put a new line in
front and restart; remove the last line when its sessions are over. A file that
holds anything else is refused.
"""

import base64
import binascii
import secrets
from pathlib import Path
from typing import Final

from extproc.edges.keys.secret_files import KeyFileError, create_once, read_secret

__all__ = ["KEY_BYTES", "SESSION_KEYS", "load_session_keys"]

KEY_BYTES: Final = 64
SESSION_KEYS: Final = "session.keys"
MAX_FILE_BYTES: Final = 64 << 10


def load_session_keys(state_dir: Path) -> tuple[bytes, ...]:
    """The keys, newest first, made on first use.

    Raises:
        KeyFileError: the file cannot be made, read or trusted.
    """
    path = state_dir / SESSION_KEYS
    if not path.exists():
        create_once(path, _new_line())
    return _read_keys(path, read_secret(path, limit=MAX_FILE_BYTES))


def _new_line() -> bytes:
    """One new key as a line of the file."""
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n"


def _read_keys(path: Path, raw: bytes) -> tuple[bytes, ...]:
    keys = []
    for number, line in enumerate(raw.splitlines(), start=1):
        try:
            key = base64.b64decode(line, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != KEY_BYTES:
            raise KeyFileError(f"{path}:{number} is not a key of {KEY_BYTES} bytes in base64")
        keys.append(key)
    if not keys or len(raw) > MAX_FILE_BYTES or len(set(keys)) < len(keys):
        raise KeyFileError(f"{path} must hold at least one key and none twice; remove it to start anew")
    return tuple(keys)
