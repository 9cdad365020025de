"""Append audit events to one worker's journal; an ``append`` that returned is stored (invariant 3).

``process``: the line is in the kernel, so it outlives this process; the disk confirms within 50 ms, in a thread. While
one confirmation takes longer than five seconds, nothing more is taken: what a loss of power could take stays bounded.
``disk``: the disk confirmed it; appends that wait together share one sync. Appends of one turn of the event loop share
one write. Whatever fails, the append raises ``StoreError`` and its line is not there (a disk that neither confirms a
line nor lets it be cut may keep it, if this process ends before it works again); when the disk works again, so does the
journal. If the disk refuses to confirm what was acknowledged already, a new segment is begun, which says
which events are in doubt. An ``append`` that is cancelled stores its event or does not, never half of it.
"""

import asyncio
import errno
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final, Literal, TypeAlias

from extproc.core.audit import encode
from extproc.core.model import Json
from extproc.core.redaction.tokens import mask, may_tell
from extproc.edges.journal.chain_file import ChainFile, Mark, SystemCalls
from extproc.edges.journal.segments import SEGMENT_BYTES
from extproc.ports import StoreError

__all__ = ["Durability", "JournalWriter", "SystemCalls"]

Durability: TypeAlias = Literal["process", "disk"]

SYNC_SECONDS: Final = 0.05
SLOWEST_SYNC_SECONDS: Final = 5.0

_Batch: TypeAlias = list[tuple[bytes, asyncio.Future[None]]]


class JournalWriter:
    """The journal of one worker in ``directory``; ``clock`` gives nanoseconds since the epoch.

    ``protect`` encrypts what is confidential in an event, where anything is to be encrypted. ``slowest_sync`` is how
    many seconds the disk may take to confirm what was acknowledged before (``process``).
    """

    def __init__(
        self,
        directory: Path,
        *,
        node: str,
        worker: str,
        durability: Durability,
        clock: Callable[[], int],
        segment_bytes: int = SEGMENT_BYTES,
        protect: Callable[[Mapping[str, Json]], Mapping[str, Json]] | None = None,
        slowest_sync: float = SLOWEST_SYNC_SECONDS,
        calls: SystemCalls = SystemCalls(),  # noqa: B008 - a frozen value
    ) -> None:
        self._protect = protect
        self._file = ChainFile(directory, node=node, worker=worker, clock=clock, limit=segment_bytes, calls=calls)
        self._on_disk = durability == "disk"
        self._name = worker
        self._open = False
        self._pending: _Batch = []
        self._scheduled = False
        self._busy = False
        self._syncing = False
        self._sync_began = 0.0
        self._slowest_sync = slowest_sync
        self._timer: asyncio.TimerHandle | None = None
        self._synced = 0
        self._unconfirmed = False
        self._lost: tuple[int, int] | None = None
        self._rest: asyncio.Future[None] | None = None
        self._thread: ThreadPoolExecutor | None = None

    def open(self) -> None:
        """Take the journal over: lock it, cut what a crash left torn, record both. Blocks; for start-up.

        Raises:
            StoreError: another writer has it, or it cannot be read or written.
        """
        self._file.open()
        self._synced = self._file.seq
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="journal")
        self._thread.submit(int).result()  # the thread is there from now on, also when the machine is out of them
        self._open = True

    async def append(self, *events: Mapping[str, Json]) -> None:
        """Return once the events are stored, in this order.

        Raises:
            StoreError: none is stored; nothing of them will appear later.
        """
        if not self._open:
            raise StoreError(f"the journal of {self._name} is closed")
        loop = asyncio.get_running_loop()
        stored: asyncio.Future[None] = loop.create_future()
        self._pending += [(self._encoded(event), stored) for event in events]
        if not self._scheduled:
            self._scheduled = True
            loop.call_soon(self._flush)
        await stored

    def _encoded(self, event: Mapping[str, Json]) -> bytes:
        """The event, searched once more whole: a token may stand in a URI, a client's name, an id (invariant 8)."""
        encoded = encode(event)
        if may_tell(encoded):
            event = _without_tokens(event)
            encoded = encode(event)
        return encoded if self._protect is None else encode(self._protect(event))

    async def close(self) -> None:
        """Store what waits, let the disk confirm it, and let go.

        Raises:
            StoreError: the disk does not confirm the last events.
        """
        if not self._open:
            return
        self._open = False
        loop = asyncio.get_running_loop()
        if self._pending or self._busy or self._syncing:
            self._rest = loop.create_future()
            await self._rest
        if self._timer is not None:
            self._timer.cancel()
        try:
            work = partial(self._file.renew, self._lost) if self._unconfirmed else self._file.syncing()
            await loop.run_in_executor(self._thread, work)
        except OSError as error:
            raise self._failed(error) from error
        finally:
            self._file.close()
            if self._thread is not None:
                self._thread.shutdown(wait=False)

    def _flush(self) -> None:
        self._scheduled = False
        if self._busy:
            return  # whatever ends the work calls again
        batch, self._pending = self._pending, []
        if batch and self._unconfirmed:
            self._busy = True
            self._in_thread(partial(self._file.renew, self._lost), partial(self._renewed, batch))
        elif batch and self._hangs():
            self._refuse(batch, TimeoutError(errno.ETIMEDOUT, "the disk has not confirmed what was written before"))
        elif batch:
            self._store(batch)
        self._tell_rest()

    def _hangs(self) -> bool:
        """Whether the disk has not confirmed for too long what was acknowledged already."""
        loop = asyncio.get_running_loop()
        return self._syncing and loop.time() - self._sync_began >= self._slowest_sync

    def _store(self, batch: _Batch) -> None:
        try:
            before = self._file.write([encoded for encoded, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody may wait for ever or take it for stored
            self._refuse(batch, error)
            return
        if self._on_disk:
            self._busy = True
            self._in_thread(self._file.syncing(), partial(self._confirmed, batch, before))
            return
        for _, stored in batch:
            if not stored.done():
                stored.set_result(None)
        if self._timer is None and not self._syncing:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)

    def _confirmed(self, batch: _Batch, before: Mark, work: asyncio.Future[None]) -> None:
        self._busy = False
        error = work.exception()
        if error is None:
            self._synced = self._file.seq
            for _, stored in batch:
                if not stored.done():
                    stored.set_result(None)
        else:
            # a second sync of the same file may succeed without having written anything: leave the segment
            self._file.rewind(before)
            self._unconfirmed = True
            self._refuse(batch, error)
        self._flush()

    def _sync(self) -> None:
        self._timer = None
        if self._busy or self._unconfirmed:
            return
        self._syncing = True
        self._sync_began = asyncio.get_running_loop().time()
        self._in_thread(self._file.syncing(), partial(self._settled, self._file.seq))

    def _settled(self, seq: int, work: asyncio.Future[None]) -> None:
        self._syncing = False
        if work.exception() is not None:
            self._unconfirmed = True
            self._lost = (self._synced, self._file.seq - 1)
        else:
            self._synced = seq
            if seq < self._file.seq:
                self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)
        self._tell_rest()

    def _renewed(self, batch: _Batch, work: asyncio.Future[None]) -> None:
        self._busy = False
        error = work.exception()
        if error is None:
            self._unconfirmed = False
            self._lost = None
            self._synced = self._file.seq
            self._store(batch)
        else:
            self._refuse(batch, error)
        self._flush()

    def _in_thread(self, work: Callable[[], None], done: Callable[[asyncio.Future[None]], None]) -> None:
        asyncio.get_running_loop().run_in_executor(self._thread, work).add_done_callback(done)

    def _refuse(self, batch: _Batch, error: BaseException) -> None:
        for _, stored in batch:
            if not stored.done():
                stored.set_exception(self._failed(error))

    def _failed(self, error: BaseException) -> StoreError:
        why = error.strerror if isinstance(error, OSError) else type(error).__name__
        return StoreError(f"the journal of {self._name} cannot be written: {why}")

    def _tell_rest(self) -> None:
        if self._rest is None or self._rest.done() or self._pending or self._busy or self._syncing:
            return
        self._rest.set_result(None)


def _without_tokens(event: Mapping[str, Json]) -> Mapping[str, Json]:
    masked: Mapping[str, Json] = mask(event)
    # the names of its counts are kinds of secrets, so they tell, and hold none
    return masked if masked is event or "masked" not in event else {**masked, "masked": event["masked"]}
