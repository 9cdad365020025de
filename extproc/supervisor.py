"""The process that keeps the workers: starts, watches, restarts, drains, and tells how they are.

It never touches traffic. A worker that dies is started again at once, and with growing pauses only when it keeps
dying young; a worker that stops answering health is killed. SIGTERM and SIGINT drain, a second one kills, SIGHUP has
the workers read the policy again. The worker's side of the bond is ``worker.py``; what can be wrong before the first
worker starts is found by ``preflight.py``.
"""

import asyncio
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import grpc
import structlog

from extproc.births import Births, Life, births, born
from extproc.bond import CANNOT_START, NAMES_VARIABLE
from extproc.control_child import keep_control
from extproc.edges.control import ControlServer
from extproc.edges.exposition import exposition, forget_worker
from extproc.edges.telemetry import MULTIPROCESS_VARIABLE
from extproc.lag import index_status
from extproc.ports import IndexStatus, SinkStatus
from extproc.preflight import Ground
from extproc.settings import Settings
from extproc.settings.sinks import read_sinks
from extproc.shipping import statuses

__all__ = ["State", "Supervisor"]

PROBE_SECONDS: Final = 1.0
STARTING_PROBE_SECONDS: Final = 0.05
OLD_SECONDS: Final = 10.0
"""A worker that lived for this long did not die young."""
LONGEST_PAUSE: Final = 30.0
LONGEST_PAUSE_AFTER_SERVING: Final = 1.0
"""A worker that did serve may be killed often (memory, an operator) and must be back within seconds."""
NOT_STARTED: Final = 1
"""The status of a life that never began."""
KILL_GRACE_SECONDS: Final = 5.0
"""What a worker may take beyond the drain to finish its journal and go."""

_HEALTH: Final = "/grpc.health.v1.Health/Check"
_SERVING: Final = b"\x08\x01"
"""HealthCheckResponse{status: SERVING}; the request for the whole server is the empty message."""
_CHANNEL: Final = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 500),
    ("grpc.use_local_subchannel_pool", 1),
)

log: Final = structlog.get_logger("extproc.supervisor")


class State(StrEnum):
    """How a worker is."""

    STARTING = "starting"
    READY = "ready"
    UNREADY = "unready"
    """It served, and now says that it does not, or says nothing."""
    DOWN = "down"


@dataclass(slots=True)
class _Worker:
    index: int
    address: str
    state: State = State.DOWN
    starts: int = 0
    young_deaths: int = 0
    process: Life | None = None
    served: asyncio.Event = field(default_factory=asyncio.Event)


def _pause(young_deaths: int, *, served: bool) -> float:
    """Seconds before the next start: none after a first early death."""
    if young_deaths < 2:
        return 0.0
    longest = LONGEST_PAUSE_AFTER_SERVING if served else LONGEST_PAUSE
    return float(min(0.1 * 2 ** min(young_deaths, 16), longest))


class Supervisor:
    """Keeps the workers of ``settings``.

    ``announce`` gets the line that says where everything listens, once every worker serves. ``started`` makes what
    brings workers to life, given their environment. ``hung_after`` is how long a worker may leave health unanswered
    before it is killed.
    """

    def __init__(
        self,
        settings: Settings,
        ground: Ground,
        *,
        announce: Callable[[str], None],
        started: Callable[[Mapping[str, str]], Births] = births,
        hung_after: float = 30.0,
    ) -> None:
        self._settings = settings
        self._ground = ground
        self._announce = announce
        told = {MULTIPROCESS_VARIABLE: str(ground.metrics_dir)} | ({NAMES_VARIABLE: "1"} if ground.wants_names else {})
        self._births = started(os.environ | told)
        self._hung_after = hung_after
        self._stopping = asyncio.Event()
        self._status = 0
        self._sinks = [target.name for target in read_sinks(settings.sinks)] if settings.sinks is not None else []
        self._workers = [_Worker(index, address) for index, address in enumerate(settings.listen)]

    async def run(self) -> int:
        """Serve until told to stop; the exit status: 0, 1 if a worker had to be killed, 2 if one cannot start."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self.reload)
        control = ControlServer(self._ground.control, metrics=self._metrics, readiness=self._readiness)
        beside = [asyncio.create_task(control.serve()), asyncio.create_task(self._say_ready())]
        # after the workers: it seals the last of what they wrote
        over = asyncio.Event()
        beside.append(asyncio.create_task(keep_control(self._births, self._settings, over)))
        try:
            async with asyncio.TaskGroup() as keeping:
                for worker in self._workers:
                    keeping.create_task(self._keep(worker))
        finally:
            over.set()
            control.stop()
            beside[1].cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            self._births.close()
        return self._status

    def stop(self) -> None:
        """Drain the workers; asked again, kill them."""
        if self._stopping.is_set():
            self._kill_rest()
            return
        log.info("draining", seconds=self._settings.drain_seconds)
        self._stopping.set()
        self._signal(signal.SIGTERM)
        wait = self._settings.drain_seconds + KILL_GRACE_SECONDS
        asyncio.get_running_loop().call_later(wait, self._kill_rest)

    def reload(self) -> None:
        """Have the serving workers read the policy again; the others are about to read it anyway."""
        for worker in self._workers:
            if worker.state is not State.STARTING:  # its handler is not there yet, and the signal would kill it
                self._send(worker, signal.SIGHUP)

    def _kill_rest(self) -> None:
        rest = [worker.index for worker in self._workers if worker.process is not None]
        if rest:
            log.error("killing workers that did not drain", workers=rest)
            self._status = self._status or 1
            self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        for worker in self._workers:
            self._send(worker, number)

    def _send(self, worker: _Worker, number: signal.Signals) -> None:
        if worker.process is not None:
            with suppress(ProcessLookupError):
                worker.process.send_signal(number)

    async def _say_ready(self) -> None:
        for worker in self._workers:
            await worker.served.wait()
        listening = ", ".join(worker.address for worker in self._workers)
        self._announce(f"ready: ext_proc on {listening}; metrics and health on {self._ground.control_url}")

    async def _keep(self, worker: _Worker) -> None:
        """Start ``worker`` again and again until told to stop."""
        while not self._stopping.is_set():
            started = time.monotonic()
            served, status = await self._live(worker)
            if self._stopping.is_set():
                return
            if status == CANNOT_START and not worker.served.is_set():
                # it has said why; starting it again would say it again
                self._status = CANNOT_START
                self.stop()
                return
            lived = time.monotonic() - started
            worker.young_deaths = 0 if lived >= OLD_SECONDS else worker.young_deaths + 1
            pause = _pause(worker.young_deaths, served=served)
            log.error("worker died", worker=worker.index, status=status, lived=round(lived, 3), pause=pause)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    async def _live(self, worker: _Worker) -> tuple[bool, int]:
        """One life of ``worker``: whether it ever served, and its exit status (negative: the signal)."""
        try:
            process = await born(self._births, str(worker.index), self._settings, self._stopping)
        except OSError as failure:
            log.error("a worker cannot be started", worker=worker.index, problem=str(failure))
            return False, NOT_STARTED
        if process is None:
            return False, 0
        worker.process, worker.state = process, State.STARTING
        worker.starts += 1
        watching = asyncio.create_task(self._watch(worker, process))
        try:
            if self._stopping.is_set():
                self._send(worker, signal.SIGTERM)
            status = await process.wait()
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
            if process.returncode is None:
                process.kill()
            worker.process = None
            served, worker.state = worker.state is not State.STARTING, State.DOWN
            forget_worker(self._ground.metrics_dir, worker.index)
        return served, status

    async def _watch(self, worker: _Worker, process: Life) -> None:
        """Follow the health of one life; kills a worker that has been silent for too long."""
        address = self._settings.health_address(worker.index)
        async with grpc.aio.insecure_channel(address, options=_CHANNEL) as channel:
            check: Callable[..., Awaitable[bytes]] = channel.unary_unary(_HEALTH, None, None)
            heard = time.monotonic()
            while True:
                try:
                    serving = await check(b"", timeout=PROBE_SECONDS) == _SERVING
                    heard = time.monotonic()
                except grpc.aio.AioRpcError:
                    serving = False
                if serving:
                    worker.state = State.READY
                    worker.served.set()
                elif worker.state is State.READY:
                    worker.state = State.UNREADY
                if time.monotonic() - heard > self._hung_after and not self._stopping.is_set():
                    log.error("worker hangs", worker=worker.index, seconds=self._hung_after)
                    process.kill()
                    return
                await asyncio.sleep(PROBE_SECONDS if worker.state is State.READY else STARTING_PROBE_SECONDS)

    def _metrics(self) -> bytes:
        return exposition(
            self._ground.metrics_dir,
            ready={worker.index: worker.state is State.READY for worker in self._workers},
            restarts={worker.index: max(worker.starts - 1, 0) for worker in self._workers},
            sinks=self._sink_statuses(),
            index=self._index_status() if self._settings.index else None,
        )

    def _index_status(self) -> IndexStatus | None:
        try:
            return index_status(self._settings.state_dir, time.time_ns())
        except OSError as error:
            log.error("how far the index is cannot be read", problem=error.strerror)
            return None

    def _sink_statuses(self) -> Sequence[SinkStatus]:
        try:
            return statuses(self._settings.state_dir, self._sinks) if self._sinks else ()
        except OSError as error:
            log.error("how the sinks are cannot be read", problem=error.strerror)
            return ()

    def _readiness(self) -> Mapping[str, Any]:
        return {
            "ready": not self._stopping.is_set() and all(worker.state is State.READY for worker in self._workers),
            "draining": self._stopping.is_set(),
            "workers": [
                {
                    "worker": worker.index,
                    "address": worker.address,
                    "state": str(worker.state),
                    "pid": worker.process.pid if worker.process is not None else None,
                    "restarts": max(worker.starts - 1, 0),
                }
                for worker in self._workers
            ],
        }
