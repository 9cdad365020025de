"""Seal the recording of this node every few seconds: the seals go into files, and as an event to every sink.

What cannot be sealed, because the disk fails or because somebody changed a journal, is an error in the log and on
record; calls go on, and the next round tries again.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import structlog

from extproc.core.audit.notes import KEY_NAME
from extproc.core.audit.seals import Signer
from extproc.core.audit.steps import seal_step
from extproc.edges.journal.sealer import Sealer
from extproc.edges.keys.seal_keys import load_signer
from extproc.edges.keys.secret_files import KeyFileError
from extproc.office import Office
from extproc.ports import StoreError
from extproc.settings import Settings

__all__ = ["Sealing"]

log: Final = structlog.get_logger("extproc.seals")


class Sealing:
    """Raises ``KeyFileError`` where the key cannot be made, read or trusted."""

    def __init__(self, settings: Settings) -> None:
        self._seconds = settings.seal_seconds
        self._settings = settings
        self._name = self._signer().name
        self._sealer = Sealer(settings.state_dir, name=self._name, sign=self._sign, clock=time.time_ns)
        # one thread: a round that was cancelled still ends before the last one begins
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="seals")
        self._told: dict[str, str] = {}

    async def run(self, office: Office) -> None:
        """Seal until cancelled."""
        while True:
            await asyncio.sleep(self._seconds)
            notes = await self._round()
            broken = {name: why for name, why in self._sealer.broken.items() if name not in self._told}
            for name, why in broken.items():
                log.error("a journal was changed and cannot be sealed any more", journal=name, problem=why)
            if not notes and not broken:
                continue
            try:
                await office.record(seal_step(at=time.time_ns(), notes=notes, broken=broken))
                self._told |= broken
            except StoreError as failure:
                log.error("a seal could not be put on record", problem=str(failure))

    async def finish(self) -> None:
        """Seal what the last events of all journals were, once their writers are gone."""
        await self._round()
        self._thread.shutdown()

    def _signer(self) -> Signer:
        return load_signer(
            self._settings.state_dir, name=f"{KEY_NAME}{self._settings.node}", path=self._settings.seal_key
        )

    def _sign(self, text: str) -> str:
        # the file again each time: somebody may have rotated the key
        signer = self._signer()
        if signer.name != self._name:  # a key seals under its own name alone
            raise KeyFileError(f"the key is named {signer.name}, not {self._name} as before: start the service anew")
        return signer.sign(text)

    async def _round(self) -> list[str]:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._sealer.seal)
        except OSError as error:
            log.error("the recording could not be sealed", problem=error.strerror, file=error.filename)
        except KeyFileError as error:
            log.error("the recording could not be sealed", problem=str(error))
        return []
