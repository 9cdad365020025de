"""A worker of the real service inside the test, whose handlers can be made to fail at any point.

The ext_proc servicer, the corridor, journal, counters and gRPC server are the product's own. Around each coroutine
method of the servicer (found by inspection, so a new one is covered) stands a driver that counts the method's points:
its entry, every suspension inside it, its exit. At the point that the test chose, the method raises, or returns.
"""

import asyncio
import inspect
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from extproc.core.audit.digests import Digests
from extproc.core.exchange import Exchange, Snapshot
from extproc.core.handles import KeyRing
from extproc.core.masking import Recogniser
from extproc.core.policy import compiled
from extproc.core.policy.rules import Policy
from extproc.core.shared_state import NOTHING_SHARED, SharedState
from extproc.desk import Desk
from extproc.edges.journal.writer import JournalWriter
from extproc.edges.names.beside import Beside
from extproc.edges.processor.pb import ext_proc_pb2 as pb
from extproc.edges.processor.server import ProcessorServer, Tls
from extproc.edges.processor.servicer import Servicer
from extproc.edges.store.counters import SqliteCounters
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets
from extproc.edges.telemetry import PrometheusMetrics
from extproc.holding import Holding
from stack.gateway import Gateway, free_ports

__all__ = ["METHODS", "OUTERMOST", "Journal", "Plan", "Worker", "worker"]

METHODS: Final = tuple(
    name for name, _ in inspect.getmembers(Servicer, inspect.iscoroutinefunction) if name != "settle"
)
"""The handlers: what runs for a stream. ``settle`` runs after all of them."""
OUTERMOST: Final = "serve"
_current: Final[ContextVar["Plan"]] = ContextVar("plan")


@dataclass(eq=False)
class Plan:
    """Where to fail: at point ``at`` of ``method``, counted over one exchange; ``fault`` raises or gives the value."""

    method: str = ""
    at: int = 0
    fault: Callable[[], Any] | None = None
    cancels: bool = False
    edges_only: bool = False
    """Only entry and exit count: a suspension of an inner method is one of the outermost as well."""
    seen: int = 0
    fired: bool = False
    frames: list[Any] = field(default_factory=list)
    """What was handed to gRPC before the fault, or at all."""
    stored: list[Mapping[str, Any]] = field(default_factory=list)
    """The audit events of the exchange."""

    def due(self, method: str, *, inside: bool = False) -> bool:
        if self.method != method or self.fired or (inside and self.edges_only):
            return False
        self.seen += 1
        self.fired = self.seen > self.at
        return self.fired

    @property
    def allowed(self) -> bool:
        """Whether an allow was stored, and then handed to gRPC."""
        if not any(event["kind"] == "decision" and event["effect"] == "allow" for event in self.stored):
            return False
        verdicts = (frame.dynamic_metadata.fields["mcp_extproc"].struct_value.fields for frame in self.frames)
        return any(fields["decision"].string_value == "allow" for fields in verdicts)


class Driven:
    """Runs a coroutine step by step, and fails where the plan says."""

    def __init__(self, coroutine: Any, method: str, plan: Plan) -> None:
        self._coroutine, self._method, self._plan = coroutine, method, plan

    def __await__(self) -> Generator[Any, Any, Any]:
        steps = self._coroutine.__await__()
        sent: Any = None
        thrown: BaseException | None = None
        try:
            if self._plan.due(self._method):
                return self._fail()
            while True:
                try:
                    awaited = steps.throw(thrown) if thrown else steps.send(sent)
                except StopIteration as ended:
                    return self._fail() if self._plan.due(self._method) else ended.value
                thrown = None
                due = self._plan.due(self._method, inside=True)
                if due and self._plan.cancels:  # as a task does it: what is awaited first, then who awaits it
                    awaited._asyncio_future_blocking = False
                    awaited.cancel()
                    thrown = asyncio.CancelledError()
                    continue
                try:
                    sent = yield awaited
                except BaseException as interruption:  # noqa: BLE001 - it goes where it was meant to
                    thrown = interruption
                if due:  # no code runs before what it awaits is done
                    try:
                        return self._fail()
                    except RuntimeError as fault:  # raised inside, at the innermost await
                        thrown = fault
        finally:
            self._coroutine.close()

    def _fail(self) -> Any:
        assert self._plan.fault is not None
        return self._plan.fault()


class Watched:
    """The gRPC stream, whose written frames are kept."""

    def __init__(self, stream: Any, plan: Plan) -> None:
        self._stream, self._plan = stream, plan

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    async def write(self, message: bytes) -> None:
        self._plan.frames.append(pb.ProcessingResponse.FromString(message))
        await self._stream.write(message)


class Journal(JournalWriter):
    """The journal, which keeps what it stored at hand, and holds appends back while ``gate`` says so."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, node="test", worker="0", durability="process", clock=time.time_ns)
        self.kept: list[Mapping[str, Any]] = []
        self.gate: Callable[[], Awaitable[Any]] | None = None

    async def append(self, *events: Mapping[str, Any]) -> None:
        if self.gate is not None:
            await self.gate()
        await super().append(*events)
        self.kept += events
        if (plan := _current.get(None)) is not None:
            plan.stored += events


@dataclass
class Worker:
    """The running worker; ``plan`` may be replaced between two exchanges."""

    address: str
    journal: Journal
    server: ProcessorServer
    servicer: Servicer
    digests: Digests
    policy: Policy | None = None
    recogniser: Recogniser | None = None
    plan: Plan = field(default_factory=Plan)
    shared: SharedState = NOTHING_SHARED

    def follow(self, text: str, gateway: Gateway) -> None:
        """Put a policy in force for the tokens of ``gateway``."""
        values = {"{issuer}": gateway.issuer.url, "{audience}": gateway.url, "{jwks_uri}": gateway.issuer.url}
        for placeholder, value in values.items():
            text = text.replace(placeholder, value)
        policy = compiled.load(text, source="policy.yaml", recogniser=self.recogniser)
        assert isinstance(policy, Policy), policy
        self.policy = policy


@asynccontextmanager
async def worker(
    folder: Path,
    *,
    tls: Tls | None = None,
    address: str | None = None,
    drain_seconds: float = 0.1,
    names: Beside | None = None,
) -> AsyncIterator[Worker]:
    """One worker on a free port of loopback, or on ``address``; ``names`` is its recogniser."""
    ring = KeyRing((secrets.token_bytes(32),))
    journal = Journal(folder / "journal")
    journal.open()
    counters = SqliteCounters(folder / "counters.db")

    database = open_database(folder / "shared.db")
    tickets = DatabaseTickets(database)

    def snapshot() -> Snapshot:
        assert running.policy is not None
        return Snapshot(policy=running.policy, ring=ring, shared=running.shared)

    def open_exchange() -> Exchange:
        return Exchange(snapshot(), decision_id=secrets.token_hex(12))

    servicer = Servicer(
        open_exchange=open_exchange,
        journal=journal,
        counters=counters,
        metrics=PrometheusMetrics(servers=["sales-db"]),
        want_keys=lambda: None,
        approvals=Holding(
            Desk(
                tickets,
                record=journal.append,
                clock=time.time_ns,
                new_id=lambda: secrets.token_hex(8),
                lend=_nothing,
                shared=lambda: running.shared,
            ),
            snapshot=snapshot,
            clock=time.time_ns,
        ),
        snapshot=snapshot,
        stands=lambda exchange: exchange.stands(snapshot(), time.time_ns()),
        definitions=_nothing,
        names=names,
    )
    address = address or f"127.0.0.1:{free_ports(1)[0]}"
    running = Worker(
        address=address,
        journal=journal,
        server=ProcessorServer(servicer, address=address, tls=tls, drain_seconds=drain_seconds),
        servicer=servicer,
        recogniser=names,
        digests=ring.digests,
    )
    for name in METHODS:
        setattr(servicer, name, _driven(getattr(servicer, name), name, running))
    await running.server.start()
    try:
        yield running
    finally:
        await running.server.drain()
        await journal.close()
        counters.close()
        await database.close()


async def _nothing(*_: object) -> None:
    """Nothing is lent or kept here."""


def _driven(method: Callable[..., Any], name: str, running: Worker) -> Callable[..., Any]:
    async def driven(*given: Any) -> Any:
        if name == OUTERMOST:  # a gRPC stream is a task of its own, so all that follows has this plan
            _current.set(running.plan)
            given = (given[0], Watched(given[1], running.plan))
        plan = _current.get()
        return await Driven(method(*given), name, plan)

    return driven
