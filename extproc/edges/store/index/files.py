"""Where the SQLite index is: ``<state_dir>/index/00000001.db``. Of several, the last one is in use.

One that is built anew stands beside it as a draft and takes the next number when it is whole, at once. Whoever uses the
one before goes on until he looks again.
"""

import contextlib
import fcntl
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from extproc.ports import StoreError

__all__ = ["current", "draft"]

FOLDER: Final = "index"
_NAME: Final = re.compile(r"(\d{8})\.db")
_FOLLOWERS: Final = ("", "-wal", "-shm")


def current(state_dir: Path) -> Path:
    """The file in use, made empty where there is none yet.

    Raises:
        StoreError: it cannot be made.
    """
    folder = state_dir / FOLDER
    try:
        _make_folder(folder, state_dir)
        path = _path(folder, max(_numbers(folder), default=1))
        _make(path, state_dir)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from None
    return path


@contextlib.contextmanager
def draft(state_dir: Path) -> Iterator[Path]:
    """A new file, which takes the place of the one in use when the block ends well.

    Raises:
        StoreError: somebody else is building one, or it cannot be made.
    """
    folder = state_dir / FOLDER
    path = folder / "index.draft"
    try:
        _make_folder(folder, state_dir)
        with (folder / "lock").open("a") as lock:
            _hold(lock.fileno(), folder)
            _remove(path)
            _make(path, state_dir)
            try:
                yield path
                _put(path, folder)
            finally:
                _remove(path)
    except OSError as error:
        raise StoreError(f"{folder}: {error.strerror}") from None


def _hold(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise StoreError(f"{folder}: another `extproc index rebuild` is at work") from None


def _put(path: Path, folder: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
    old = _numbers(folder)
    path.rename(_path(folder, max(old, default=0) + 1))
    for number in old:
        _remove(_path(folder, number))


def _make_folder(folder: Path, state_dir: Path) -> None:
    if not folder.is_dir():
        folder.mkdir(mode=0o700)
        _give(folder, state_dir)


def _make(path: Path, state_dir: Path) -> None:
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600))
        _give(path, state_dir)


def _give(path: Path, state_dir: Path) -> None:
    """What root makes belongs to whom the service runs as."""
    if os.geteuid() == 0:
        owner = state_dir.stat()
        os.chown(path, owner.st_uid, owner.st_gid)


def _numbers(folder: Path) -> list[int]:
    found = (_NAME.fullmatch(entry.name) for entry in folder.iterdir())
    return [int(match[1]) for match in found if match is not None]


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:08d}.db"


def _remove(path: Path) -> None:
    for follower in _FOLLOWERS:
        path.with_name(path.name + follower).unlink(missing_ok=True)
