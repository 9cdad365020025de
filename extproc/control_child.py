"""Keeps the control process running beside the workers; traffic never waits for it."""

import asyncio
import signal
import time
from contextlib import suppress
from typing import Final

import structlog

from extproc.births import Births, born
from extproc.bond import CANNOT_START
from extproc.nursery import CONTROL
from extproc.settings import Settings

__all__ = ["keep_control"]

NOT_STARTED: Final = 1
LONGEST_PAUSE: Final = 30.0
LONGEST_PAUSE_AFTER_A_SIGNAL: Final = 1.0
OLD_SECONDS: Final = 10.0
GRACE_SECONDS: Final = 5.0

log: Final = structlog.get_logger("extproc.supervisor")


async def keep_control(births: Births, settings: Settings, stopping: asyncio.Event) -> None:
    """Start the control process again and again until ``stopping``; with nothing to do for it, not at all.

    What it cannot start with (a file of a secret, its port, a database that is away) is tried again more and more
    slowly: approvals are then given on the command line, and calls are not held up.
    """
    if not settings.needs_control:
        return
    deaths = 0
    while not stopping.is_set():
        started = time.monotonic()
        status = await _live(births, settings, stopping)
        if stopping.is_set():
            return
        deaths = 0 if time.monotonic() - started > OLD_SECONDS else deaths + 1
        # killed from outside (memory, an operator) says nothing against the next one
        longest = LONGEST_PAUSE if status >= 0 else LONGEST_PAUSE_AFTER_A_SIGNAL
        pause = min(0.1 * 2.0 ** min(deaths, 16), longest)
        log.error("the control process ended", status=status, pause=pause)
        with suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), pause)


async def _live(births: Births, settings: Settings, stopping: asyncio.Event) -> int:
    try:
        process = await born(births, CONTROL, settings, stopping)
    except OSError as failure:
        log.error("the control process cannot be started", problem=str(failure))
        return NOT_STARTED
    if process is None:
        return 0
    ended, told = asyncio.ensure_future(process.wait()), asyncio.ensure_future(stopping.wait())
    try:
        await asyncio.wait({ended, told}, return_when=asyncio.FIRST_COMPLETED)
        if not ended.done():
            process.send_signal(signal.SIGTERM)
            await asyncio.wait({ended}, timeout=GRACE_SECONDS)
        return ended.result() if ended.done() else CANNOT_START
    finally:
        told.cancel()
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
