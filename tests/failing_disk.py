"""A disk that fails when a test says so: the system calls of a child process on chosen folders, by failing_disk.c.

The child runs with ``environment``; what fails next stands in a page of memory that both share, so it can be changed
while the child runs, and holds for the child's own children as well.
"""

import mmap
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

__all__ = ["KINDS", "SHORT", "SLOW", "FailingDisk", "failing_disk"]

KINDS: Final = ("open", "write", "sync", "truncate", "rename", "mkdir", "close", "unlink")
SHORT: Final = -1
"""In the place of an error number: the write takes half of its bytes, and says so."""
SLOW: Final = -2
"""The call does its work, but only once the disk is healed."""
_WORD: Final = struct.Struct("=i")
_AT, _ERROR, _LASTING, _MASK, _SEEN, _FIRED, _COUNTS = range(7)
_SOURCE: Final = Path(__file__).with_name("failing_disk.c")


class FailingDisk:
    """``under``: the folders that count, by their absolute paths."""

    def __init__(self, control: Path, library: Path, under: tuple[Path, ...]) -> None:
        if not control.exists():
            control.write_bytes(bytes(4096))
        with control.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), 4096)
        self.environment = {
            "LD_PRELOAD": str(library),
            "FAULT_CONTROL": str(control),
            "FAULT_UNDER": ":".join(map(str, under)),
        }

    def fail(self, at: int, error: int, *, lasting: bool = False, kinds: tuple[str, ...] = KINDS) -> None:
        """Fail the ``at``-th call of these kinds from now on, counted from 1, or all from that one; 0 only counts.

        A short write is the next one where the call of that number is none.
        """
        # nothing is counted before all is said: what writes by itself would be the one that is missed
        self._put(_MASK, 0)
        for place in (_SEEN, _FIRED, *(_COUNTS + each for each in range(len(KINDS)))):
            self._put(place, 0)
        self._put(_ERROR, error)
        self._put(_LASTING, int(lasting))
        self._put(_AT, at)
        self._put(_MASK, sum(1 << KINDS.index(kind) for kind in kinds))

    def heal(self) -> None:
        """Fail no more."""
        self._put(_AT, 0)

    @property
    def fired(self) -> int:
        """How many calls have failed since ``fail``."""
        return self._get(_FIRED)

    @property
    def seen(self) -> dict[str, int]:
        """The calls since ``fail`` by their kind."""
        return {kind: self._get(_COUNTS + number) for number, kind in enumerate(KINDS)}

    def _put(self, place: int, value: int) -> None:
        _WORD.pack_into(self._page, place * _WORD.size, value)

    def _get(self, place: int) -> int:
        return int(_WORD.unpack_from(self._page, place * _WORD.size)[0])


def failing_disk(folder: Path, *under: Path) -> FailingDisk:
    """One whose files are in ``folder``; skips where it cannot be built."""
    compiler = shutil.which("cc")
    if sys.platform != "linux" or compiler is None:
        pytest.skip("system calls are made to fail by a library that cc builds, on Linux")
    library = folder / "failing_disk.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", library, _SOURCE, "-ldl"]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    return FailingDisk(folder / "failing_disk.control", library, under)
