"""The keys of token issuers, kept fresh for our own verification.

``KeyFetcher`` reads each issuer's key set and hands out what it has as one snapshot. Whatever callers send, a source
that has answered once is asked at most once in ``FLOOR_SECONDS``; keys that could not be confirmed for
``AGE_LIMIT_SECONDS`` are dropped, and then every token of that issuer is refused. No request ever waits for a fetch,
and a set that cannot be read never replaces one that could. RFC 7517, RFC 8725 section 3.10.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import httpx
import structlog

from extproc.core.identity.key_sets import Key, KeySetFault, KeySets, read_key_set
from extproc.core.model import Issuer
from extproc.edges.keys.sources import KeySourceError, client, fetch, read_file

__all__ = ["AGE_LIMIT_SECONDS", "FLOOR_SECONDS", "REFRESH_SECONDS", "START_RETRY_SECONDS", "KeyFetcher"]

REFRESH_SECONDS: Final = 300.0
FLOOR_SECONDS: Final = 60.0
START_RETRY_SECONDS: Final = 10.0
"""Until a source has answered once nobody can sign in, and its service may just be starting beside us."""
AGE_LIMIT_SECONDS: Final = 3600.0
TIMEOUT_SECONDS: Final = 5.0

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Source:
    """What is known of one key set, in seconds of the fetcher's clock."""

    uri: str | None
    file: str | None
    keys: tuple[Key, ...] = ()
    confirmed_at: float = -math.inf
    asked_at: float = -math.inf
    next_at: float = -math.inf
    wanted: bool = False

    def due_at(self) -> float:
        """When to ask next: on schedule, or as soon as the floor allows if a token named an unknown key."""
        return min(self.next_at, self.asked_at + FLOOR_SECONDS) if self.wanted else self.next_at

    def stale_at(self) -> float:
        """When the keys are too old to be believed."""
        return self.confirmed_at + AGE_LIMIT_SECONDS


class KeyFetcher:
    """Key sets of the issuers that have a source, refreshed in the background between ``start`` and ``stop``."""

    def __init__(
        self,
        issuers: Sequence[Issuer],
        *,
        clock: Callable[[], float] = time.monotonic,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_seconds: float = TIMEOUT_SECONDS,
    ) -> None:
        self._sources: dict[str, _Source] = {}
        self._clock = clock
        self._timeout_seconds = timeout_seconds
        self._http = client(transport)
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._snapshot: KeySets = MappingProxyType({})
        self._snapshot_until = -math.inf
        self.follow(issuers)

    def follow(self, issuers: Sequence[Issuer]) -> None:
        """Serve these issuers from now on; keys of a source that stays are kept, all others are dropped."""
        known = {(source.uri, source.file): source for source in self._sources.values()}
        self._sources = {}
        for issuer in issuers:
            place = (issuer.jwks_uri, issuer.jwks_file)
            if any(place):
                self._sources[issuer.name] = known.setdefault(place, _Source(*place))
        self._take_snapshot()
        self._wake.set()

    def snapshot(self) -> KeySets:
        """The keys of every issuer that were confirmed recently enough; an issuer without any has no entry."""
        if self._clock() >= self._snapshot_until:
            self._take_snapshot()
        return self._snapshot

    def want(self) -> None:
        """Ask for newer keys because a token named an unknown one; as soon as the floor allows, and never waiting."""
        unasked = [source for source in self._sources.values() if not source.wanted]
        for source in unasked:
            source.wanted = True
        if unasked:
            self._wake.set()

    async def start(self) -> None:
        """Read every source once and go on in the background; one that fails is tried again, and is not fatal."""
        await self.refresh_due()
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """End the background work and close connections."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task
        await self._http.aclose()

    async def refresh_due(self) -> None:
        """Read the sources that are due, together."""
        now = self._clock()
        unique = {id(source): source for source in self._sources.values()}.values()
        await asyncio.gather(*(self._refresh(source) for source in unique if now >= source.due_at()))
        self._take_snapshot()

    def _take_snapshot(self) -> None:
        now = self._clock()
        fresh = {name: source for name, source in self._sources.items() if now < source.stale_at()}
        self._snapshot = MappingProxyType({name: source.keys for name, source in fresh.items()})
        self._snapshot_until = min((source.stale_at() for source in fresh.values()), default=math.inf)

    async def _run(self) -> None:
        while True:
            pause = min((source.due_at() for source in self._sources.values()), default=math.inf) - self._clock()
            with suppress(TimeoutError):
                async with asyncio.timeout(max(pause, 0) if math.isfinite(pause) else None):
                    await self._wake.wait()
            self._wake.clear()
            await self.refresh_due()

    async def _refresh(self, source: _Source) -> None:
        source.asked_at, source.wanted = self._clock(), False
        try:
            keys = read_key_set(await self._read(source))
        except KeySourceError as error:
            keys = KeySetFault(str(error))
        except Exception as error:  # noqa: BLE001 - refreshing that ends unseen takes every sign-in down an hour later
            keys = KeySetFault(f"unforeseen: {type(error).__name__}")
        if isinstance(keys, KeySetFault):
            source.next_at = source.asked_at + (FLOOR_SECONDS if source.keys else START_RETRY_SECONDS)
            _log.warning("key_set_unavailable", source=source.uri or source.file, why=keys.words)
            return
        if keys != source.keys:
            source.keys = keys
        source.confirmed_at = source.asked_at
        source.next_at = source.asked_at + REFRESH_SECONDS

    async def _read(self, source: _Source) -> bytes:
        if source.uri is not None:
            return await fetch(self._http, source.uri, within_seconds=self._timeout_seconds)
        return await asyncio.to_thread(read_file, source.file or "")
