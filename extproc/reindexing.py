"""Build the index anew from the journals, beside the one in use, and put it in its place at once.

The service goes on meanwhile, with the one in use, and is found to be in the new one a moment after the change.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

from extproc.edges.journal.reader import journals
from extproc.edges.store.index.files import draft
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.swapping import NEXT, begin, copied, end, swap
from extproc.indexing import catch_up, place_of_index
from extproc.ports import StoreError

__all__ = ["rebuild"]


async def rebuild(state_dir: Path, url_file: Path | None, told: Callable[[int], None]) -> None:
    """Build and change; ``told`` hears how many records were read since it heard last.

    Raises:
        OfficeError, StoreError, OSError: nothing has changed.
    """
    if url_file is None:
        with draft(state_dir) as path:
            index = Index(path)
            try:
                await catch_up(index, state_dir, told)
            finally:
                await index.close()
    else:
        await _rebuild_shared(Index(place_of_index(state_dir, url_file)), state_dir, told)


async def _rebuild_shared(used: Index, state_dir: Path, told: Callable[[int], None]) -> None:
    here = {directory.name for directory in journals(state_dir)}
    built = Index(used.place, NEXT)
    try:
        await used.database.transact(begin)
        await catch_up(built, state_dir, told)
        while True:
            known = await built.standings()
            batches = await used.database.transact(lambda transaction, known=known: copied(transaction, known, here))  # type: ignore[misc]
            if not batches:
                break
            told(await built.write(batches))
        await built.close()
        await used.database.transact(lambda transaction: swap(transaction, here))
        with contextlib.suppress(StoreError):  # somebody reads it still; the next one takes it out
            await used.database.transact(end)
    finally:
        await built.close()
        await used.close()
