"""Work that would hold the loop for too long, done beside it while all other streams go on.

There are two lanes of one thread each, for large work and for what lies between, so that a body of some hundred KiB
does not wait behind one of 8 MiB. In a lane each work waits for the one before it, so no more than two are in memory
at a time, besides the bodies that wait. Everything that works on a body is Python, of which one thread runs at a time:
the lanes gain no speed, they only let the loop have its turn, and as long as one is busy turns are short.
"""

import asyncio
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

__all__ = ["LIGHT_BYTES", "Lanes"]

LIGHT_BYTES: Final = 16 << 10
"""Up to here work is done where it comes up: to hand it over costs a tenth of a millisecond."""
_LARGE_BYTES: Final = 256 << 10
_TURN_SECONDS: Final = 0.0005
"""How long a thread keeps the interpreter where another one wants it; Python's own 5 ms are paid for each wait."""

_Given = TypeVar("_Given")
_Made = TypeVar("_Made")


class Lanes:
    """The two threads of one loop; made in the process that uses them, because threads are not inherited."""

    def __init__(self) -> None:
        self._middle: Final = ThreadPoolExecutor(1, thread_name_prefix="middle-lane")
        self._large: Final = ThreadPoolExecutor(1, thread_name_prefix="large-lane")
        self._waiting = 0
        self._usual = 0.0

    async def run(self, work: Callable[[_Given], _Made], given: _Given, *, weight: int) -> _Made:
        """What ``work`` makes of ``given``, in the lane for so many bytes; it is not stopped once it has begun."""
        lane = self._middle if weight < _LARGE_BYTES else self._large
        if not self._waiting:
            self._usual = sys.getswitchinterval()
            sys.setswitchinterval(_TURN_SECONDS)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(lane, work, given)
        finally:
            self._waiting -= 1
            if not self._waiting:
                sys.setswitchinterval(self._usual)
