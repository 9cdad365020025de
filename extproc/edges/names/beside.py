"""A recogniser that works beside the event loop, for a core that asks it in the middle of a call and waits.

The core's call runs as a greenlet. Where it asks, it is left standing there, the texts go to a thread of their own, and
the loop serves other calls until the answer is back. In the threads beside the loop where large bodies are looked at,
whoever asks just waits. There is one thread for texts, so those of a worker are read one after the other. Short texts
that were read lately are known again: headers, and the values of tables.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

from greenlet import GreenletExit, getcurrent, greenlet

from extproc.core.masking import Find, Recogniser
from extproc.ports import RecogniserError

__all__ = ["Beside"]

T = TypeVar("T")

_SHORT: Final = 200
"""Characters of a text that is remembered."""
_REMEMBERED: Final = 4096
"""So many of them."""


class Beside:
    """Is a recogniser itself, inside of ``run`` or in another thread; ``load`` gives the one that does the work."""

    def __init__(self, load: Callable[[], Recogniser]) -> None:
        self._load = load
        self._recogniser: Recogniser | None = None
        self._lately: OrderedDict[str, Sequence[Find]] = OrderedDict()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="names")

    @property
    def is_loaded(self) -> bool:
        """Whether anybody may ask."""
        return self._recogniser is not None

    def load(self) -> None:
        """Load what does the work, once; takes seconds, so not on the loop.

        Raises:
            RecogniserError: it cannot be loaded.
        """
        if self._recogniser is None:
            self._recogniser = self._load()

    def __call__(self, texts: Sequence[str]) -> Sequence[Sequence[Find]]:
        """What is found in each text.

        Raises:
            RecogniserError: nobody here can wait for it; whatever it raises itself.
        """
        known = {text: finds for text in texts if (finds := self._lately.get(text)) is not None}
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        if fresh:
            read = dict(zip(fresh, self._read(fresh), strict=True))
            self._remember(read)
            known |= read
        return [known[text] for text in texts]

    def _read(self, texts: Sequence[str]) -> Sequence[Sequence[Find]]:
        here = getcurrent()
        if isinstance(here, _Call) and here.parent is not None:
            found: Sequence[Sequence[Find]] = here.parent.switch(texts)
            return found
        if _on_a_loop():
            raise RecogniserError("names are looked for where nobody can wait for them")
        return self._thread.submit(self._asked, texts).result()

    def _remember(self, read: Mapping[str, Sequence[Find]]) -> None:
        self._lately.update((text, finds) for text, finds in read.items() if len(text) <= _SHORT)
        while len(self._lately) > _REMEMBERED:
            self._lately.popitem(last=False)

    async def run(self, work: Callable[..., T], *arguments: Any) -> T:
        """What ``work`` returns; it may ask this recogniser, and is dropped where it stands if this is cancelled."""
        call = _Call(work)
        try:
            given = call.switch(*arguments)
            while not call.dead:
                try:
                    answer = await asyncio.get_running_loop().run_in_executor(self._thread, self._asked, given)
                except Exception as failure:  # noqa: BLE001 - who asked hears of it
                    given = call.throw(failure)
                else:
                    given = call.switch(answer)
        finally:
            if not call.dead:
                call.throw(GreenletExit)
        result: T = given
        return result

    def _asked(self, texts: Sequence[str]) -> Sequence[Sequence[Find]]:
        if self._recogniser is None:
            raise RecogniserError("the recogniser is not loaded")
        return self._recogniser(texts)

    def close(self) -> None:
        """Take no more texts."""
        self._thread.shutdown(wait=False, cancel_futures=True)


def _on_a_loop() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


class _Call(greenlet):
    """One call that may be left standing."""
