"""Files that hold keys of this node: made once and whole, read only while nobody else could know them.

A file that others own, read or change is refused: what is sealed or signed under a key that somebody knows proves
nothing. No error quotes a key.
"""

import os
import secrets
import stat
from pathlib import Path
from typing import Final

__all__ = ["KeyFileError", "create_once", "read_secret", "replace"]

FOREIGN_ACCESS: Final = stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH
"""What others must not have; a group may read, because a mounted secret belongs to a group."""


class KeyFileError(Exception):
    """A key file cannot be used; one line with the file, the reason and the fix."""


def read_secret(path: Path, *, limit: int) -> bytes:
    """The bytes of the file, one more than ``limit`` at most; raises if it cannot be read or trusted."""
    try:
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            if found.st_mode & FOREIGN_ACCESS:
                raise KeyFileError(f"{path} is open to other users: chmod 600 it")
            if found.st_uid not in {0, os.geteuid()}:
                raise KeyFileError(f"{path} belongs to another user, who knows the keys: remove it")
            return file.read(limit + 1)
    except OSError as error:
        raise unusable(path, error) from None


def create_once(path: Path, content: bytes) -> None:
    """Make the file with ``content``, unless somebody else is first; nobody ever sees a part of it."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = _draft(path, content)
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        finally:
            draft.unlink()
    except OSError as error:
        raise unusable(path, error) from None


def replace(path: Path, content: bytes) -> None:
    """Put ``content`` in the place of the file, all of it or nothing."""
    try:
        _draft(path, content).replace(path)
    except OSError as error:
        raise unusable(path, error) from None


def unusable(path: Path, error: OSError) -> KeyFileError:
    """One line for what the system said."""
    return KeyFileError(f"{path} cannot be used: {error.strerror}")


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft
