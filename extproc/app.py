"""The composition root: the only place that constructs adapters and joins them into one worker.

A worker owns its address, its journal and its event loop. It starts when its policy, keys and journal are in hand,
reads the policy again when the file changes or on SIGHUP, and drains on SIGTERM: no new stream, those in flight get
their time, the rest end with an error status (invariant 4).
"""

import asyncio
import contextlib
import signal
import time
from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, Final

import structlog
import uvloop

from extproc import __version__
from extproc.core import audit
from extproc.core.audit.steps import definition_step, key_step
from extproc.core.exchange import Exchange, NoteDefinitions, Snapshot, prepare
from extproc.core.handles import KeyRing
from extproc.core.identity.acquaintances import Acquaintances
from extproc.core.identity.tokens import Memory
from extproc.core.model import Json
from extproc.core.policy.rules import Policy
from extproc.core.shared_state import Pinning, SharedState
from extproc.desk import Desk
from extproc.edges.journal.writer import JournalWriter
from extproc.edges.keys.fetcher import KeyFetcher
from extproc.edges.keys.payload_keys import PayloadLock, keep_recipients
from extproc.edges.keys.secret_files import KeyFileError
from extproc.edges.keys.session_keys import load_session_keys
from extproc.edges.names import presidio
from extproc.edges.policy_files import PolicyError, PolicyFile
from extproc.edges.processor.server import ProcessorServer, Tls
from extproc.edges.processor.servicer import Servicer
from extproc.edges.store.counters import SqliteCounters
from extproc.edges.store.database import open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.edges.store.tickets import DatabaseTickets
from extproc.edges.telemetry import PrometheusMetrics, configure_logging
from extproc.holding import Holding
from extproc.office import new_id, place_of_store
from extproc.ports import StoreError
from extproc.settings import Settings

if TYPE_CHECKING:
    from extproc.edges.names.beside import Beside

__all__ = ["COUNTERS", "JOURNAL", "run_worker"]

JOURNAL: Final = "journal"
COUNTERS: Final = "counters.db"

log: Final = structlog.get_logger("extproc.worker")


def run_worker(settings: Settings, index: int, address: str) -> None:
    """Serve ``address`` as worker ``index`` until SIGTERM, then drain.

    Raises:
        SettingsError, PolicyError, KeyFileError, StoreError, OSError: the worker cannot start; one line says why.
    """
    configure_logging(level=settings.log_level, worker=index)
    uvloop.run(_serve(settings, index, address))


async def _serve(settings: Settings, index: int, address: str) -> None:
    # adapters bind to the loop that runs when they are constructed
    await _Worker(settings, index, address).run()


class _Worker:
    """The adapters of one worker."""

    def __init__(self, settings: Settings, index: int, address: str) -> None:
        self._settings = settings
        self._name = f"{settings.node}-{index}"
        self._metrics = PrometheusMetrics(worker=index)
        self._names = _names()
        self._policy = PolicyFile(
            settings.policy,
            recogniser=self._names,
            load_names=_nothing_to_load if self._names is None else self._names.load,
            shadow=settings.shadow,
            on_change=self._changed,
            on_problem=self._broken,
        )
        self._ring = KeyRing(load_session_keys(settings.state_dir))
        keys = settings.payload_keys
        self._lock = PayloadLock(keys, told=self._recipients_changed) if keys is not None else None
        keep_recipients(settings.state_dir, keys)
        self._journal = JournalWriter(
            settings.state_dir / JOURNAL / self._name,
            node=settings.node,
            worker=str(index),
            durability=settings.durability,
            clock=time.time_ns,
            protect=self._lock,
        )
        self._counters = SqliteCounters(settings.state_dir / COUNTERS)
        self._keys = KeyFetcher(self._policy.current.identity.issuers) if settings.identity == "token" else None
        self._memory = Memory() if self._keys is not None else None
        self._acquaintances = Acquaintances()
        self._database = open_database(place_of_store(settings.state_dir, settings.store_url))
        self._tickets = DatabaseTickets(self._database)
        self._shared = DatabaseSharedState(self._database, news=self._tickets.news)
        self._shared.on_change(self._shared_changed)
        desk = Desk(
            self._tickets,
            record=self._journal.append,
            clock=time.time_ns,
            new_id=new_id,
            lend=self._shared.lend,
            shared=lambda: self._shared.current,
        )
        self._holding = Holding(desk, snapshot=self._snapshot, clock=time.time_ns)
        self._servicer = Servicer(
            open_exchange=self._open_exchange,
            snapshot=self._snapshot,
            approvals=self._holding,
            definitions=self._note_definitions,
            stands=lambda exchange: exchange.stands(self._snapshot(), time.time_ns()),
            journal=self._journal,
            counters=self._counters,
            metrics=self._metrics,
            names=self._names,
            want_keys=self._keys.want if self._keys is not None else _no_keys_wanted,
        )
        self._server = ProcessorServer(
            self._servicer,
            address=address,
            tls=_tls(settings),
            drain_seconds=settings.drain_seconds,
            health_address=settings.health_address(index) if settings.tls else None,
        )
        self._address = address
        self._records: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Start, serve until told to stop, drain, and close the journal."""
        self._journal.open()
        started = audit.started(
            at=time.time_ns(),
            node=self._settings.node,
            worker=self._name,
            version=__version__,
            shadow_mode=self._policy.current.shadow,
        )
        await self._journal.append(started)
        if self._lock is not None:
            await self._journal.append(self._readers(self._lock.recipients))
        self._changed(self._policy.current)
        if self._keys is not None:
            await self._keys.start()
        await self._open_store()
        sharing = asyncio.create_task(self._shared.watch())
        stopping = self._listen_to_signals()
        await self._server.start()
        log.info("serving", address=self._address, policy=self._policy.current.digest)
        watching = asyncio.create_task(self._policy.watch())
        waiting = asyncio.create_task(stopping.wait())
        await asyncio.wait({waiting, watching, sharing}, return_when=asyncio.FIRST_COMPLETED)
        await self._server.drain()
        watching.cancel()
        if self._keys is not None:
            await self._keys.stop()
        await self._close_journal()
        self._counters.close()
        sharing.cancel()
        await self._database.close()
        if self._names is not None:
            self._names.close()
        if watching.done() and not watching.cancelled() and (bug := watching.exception()) is not None:
            raise bug  # nobody would see a policy change any more: better to start anew

    async def _close_journal(self) -> None:
        if self._records:
            await asyncio.wait(self._records)
        with contextlib.suppress(StoreError):
            await self._journal.append(audit.stopped(at=time.time_ns(), reason="told to stop"))
        try:
            await self._journal.close()
        except StoreError as failure:
            log.error("the disk did not confirm the last events", problem=str(failure))

    def _snapshot(self) -> Snapshot:
        """What is true now."""
        return Snapshot(
            policy=self._policy.current,
            ring=self._ring,
            keys=self._keys.snapshot() if self._keys is not None else None,
            memory=self._memory,
            acquaintances=self._acquaintances,
            shared=self._shared.current,
            console=self._settings.console_base,
        )

    def _open_exchange(self) -> Exchange:
        return Exchange(self._snapshot(), decision_id=new_id())

    def _shared_changed(self, _state: SharedState) -> None:
        self._servicer.supersede()
        self._holding.wake()

    async def _note_definitions(self, server: str, news: NoteDefinitions) -> None:
        """Keep what a list showed; what somebody has to look at is on record and in the log."""
        place = self._policy.current.servers.get(server)
        pins_first = place is not None and place.pinning is not Pinning.APPROVE
        for pin in news.seen:
            before = self._shared.current.pins.get((pin.server, pin.tool))
            step = await self._shared.note(pin, pins_first=pins_first)
            if step is None:
                continue
            digest = before.digest if before is not None else None
            event = definition_step(at=time.time_ns(), step=step, pin=pin, before=digest, during=news.during)
            await self._journal.append(event)
            if step in {"changed", "found"}:
                log.warning("a tool's definition waits for approval", server=pin.server, tool=pin.tool, step=step)

    async def _open_store(self) -> None:
        """Read the shared state; without it calls are refused until ``watch`` has read it."""
        try:
            await self._shared.refresh()
        except StoreError as failure:
            log.error("the shared state cannot be read; calls are refused until it can be", problem=str(failure))

    def _listen_to_signals(self) -> asyncio.Event:
        stopping = asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, stopping.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: self._in_background(self._refresh()))
        return stopping

    async def _refresh(self) -> None:
        await self._policy.refresh()

    def _changed(self, policy: Policy) -> None:
        prepare(policy, self._ring)
        self._metrics.policy_loaded(servers=policy.servers, at=time.time(), detectors=policy.detectors)
        self._servicer.supersede()
        self._holding.wake()
        if self._keys is not None:
            self._keys.follow(policy.identity.issuers)
        self._record_policy(digest=policy.digest, problems=0)
        log.info("policy in force", policy=policy.digest, shadow=policy.shadow)

    def _broken(self, error: PolicyError) -> None:
        self._metrics.policy_broken()
        self._record_policy(digest=self._policy.current.digest, problems=len(error.problems))
        for problem in error.problems:
            log.error("the policy file is broken; the last good policy stays in force", problem=str(problem))

    def _readers(self, recipients: Sequence[str]) -> dict[str, Json]:
        return key_step(at=time.time_ns(), step="in_use", of="payloads", keys=recipients)

    def _recipients_changed(self, recipients: Sequence[str], problem: str | None) -> None:
        if problem is not None:
            log.error("the keys of those who may read payloads cannot be taken", problem=problem)
            return
        log.info("payloads are encrypted for others from now on", recipients=recipients)
        self._in_background(self._record(self._readers(recipients)))
        try:
            keep_recipients(self._settings.state_dir, self._settings.payload_keys)
        except KeyFileError as failure:
            log.error("commands on this node still encrypt for those of before", problem=str(failure))

    def _record_policy(self, *, digest: str, problems: int) -> None:
        source = str(self._settings.policy)
        event = audit.policy_loaded(at=time.time_ns(), source=source, digest=digest, problems=problems)
        self._in_background(self._record(event))

    async def _record(self, event: dict[str, object]) -> None:
        try:
            await self._journal.append(event)
        except StoreError as failure:
            self._metrics.journal_failed()
            log.error("an event could not be stored", problem=str(failure))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._records.add(task)
        task.add_done_callback(self._records.discard)


def _no_keys_wanted() -> None:
    """Envoy verifies tokens, so no key is ours to fetch."""


def _nothing_to_load() -> None:
    """No policy that wants names found is in force here."""


def _names() -> "Beside | None":
    """What finds names and places; None without its extra."""
    if not presidio.is_installed():
        return None
    # imported late: what it needs comes with the extra
    from extproc.edges.names.beside import Beside  # noqa: PLC0415

    return Beside(presidio.load)


def _tls(settings: Settings) -> Tls | None:
    if settings.tls_cert is None or settings.tls_key is None or settings.tls_client_ca is None:
        return None
    return Tls(
        certificate=settings.tls_cert,
        key=settings.tls_key,
        client_authority=settings.tls_client_ca,
        clients=frozenset(settings.tls_clients),
    )
