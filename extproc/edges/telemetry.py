"""What the service tells its operator: JSON lines on standard error, and Prometheus values.

No secret reaches either (invariant 8): redaction is the last step before a line is rendered, also for lines of
libraries, and label values come from closed sets and the policy's server names, never from what a client sends.
Under a supervisor every worker keeps its values in mapped files of its own, named by its number and not by its
process, so a worker that is started again goes on counting where its predecessor stopped. The room of those files is
taken at the start: a write to a mapped page that a full disk cannot back would kill the worker.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any, Final, TextIO

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values

from extproc.core.masking import DETECTORS, FIELD, NAMES, OPAQUE, UNREADABLE
from extproc.core.redaction.tokens import mask

__all__ = ["MULTIPROCESS_VARIABLE", "PrometheusMetrics", "configure_logging"]

MULTIPROCESS_VARIABLE: Final = "PROMETHEUS_MULTIPROC_DIR"
"""Set by the supervisor for its workers; prometheus_client reads it when a worker makes its values."""

UNKNOWN: Final = "unknown"
OTHER: Final = "other"
VERBS: Final = frozenset({"query", "mutate", "admin"})
EFFECTS: Final = frozenset({"allow", "deny", "shadow", "reject"})
ASKED: Final = frozenset({"sampling", "roots", "elicitation", "other"})
RESULTS: Final = frozenset({"complete", "error", "withheld", "cut"})
TYPES: Final = frozenset({*DETECTORS, *NAMES, FIELD, OPAQUE, UNREADABLE})
_RESERVED: Final = {
    "counter": 1 << 20,
    "histogram": 1 << 20,
    "gauge_livesum": 1 << 16,
    "gauge_livemax": 1 << 16,
    "gauge_livemin": 1 << 16,
}
"""Bytes of a worker's files, by prometheus_client's names: a server takes 4 KiB of the first, 9 KiB of the second."""
MAX_REASONS: Final = 32
"""Different words for an abort; the code has fewer, so a 33rd is a bug and must not become a series."""

DECISION_SECONDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
RESPONSE_SECONDS: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0, 3600.0)
"""The upstream's time is in it, and an event stream may stay open for hours."""

_REASON: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


def _redact(logger: object, name: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:  # noqa: ARG001
    try:
        # to plain JSON first: a token inside an object's repr is a string only then
        masked = mask(json.loads(json.dumps(event, default=repr)))
    except (TypeError, ValueError, RecursionError):
        masked = None
    if isinstance(masked, dict):
        return masked
    return {"event": "a line that could not be masked was dropped", "level": str(event.get("level"))}


def _render(logger: object, name: str, event: Mapping[str, Any]) -> str:  # noqa: ARG001
    return json.dumps(event)


def configure_logging(*, level: str = "info", stream: TextIO | None = None, worker: int | None = None) -> None:
    """Send every log line of this process, also of libraries, as masked JSON to ``stream`` or standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if worker is not None:
        shared.append(lambda _logger, _name, event: {**event, "worker": worker})
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _redact,
            _render,
        ],
    )
    output = logging.StreamHandler(stream or sys.stderr)
    output.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [output]
    root.setLevel(level.upper())
    # else a line that cannot be formatted is printed by the library itself, unmasked and with its arguments
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)


class PrometheusMetrics:
    """The data path's counts: implements ``ports.Metrics``.

    ``worker`` is the worker's number under a supervisor, None for a process of its own.

    Raises:
        OSError: the disk has no room for the values of ``worker``.
    """

    def __init__(self, *, servers: Iterable[str] = (), worker: int | None = None) -> None:
        if worker is not None:
            _reserve(Path(os.environ[MULTIPROCESS_VARIABLE]), worker)
            values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]
        self.registry: Final = CollectorRegistry()
        self._servers: frozenset[str] = frozenset(servers)
        self._types = TYPES
        self._reasons: set[str] = set()
        self._decisions = Counter(
            "extproc_decisions",
            "Decisions answered to Envoy.",
            ("server", "verb", "effect"),
            registry=self.registry,
        )
        self._decision_seconds = Histogram(
            "extproc_decision_seconds",
            "From Envoy's first message to our decision, storing its audit event included.",
            ("server",),
            buckets=DECISION_SECONDS,
            registry=self.registry,
        )
        self._responses = Counter(
            "extproc_responses",
            "Responses that were inspected or recorded.",
            ("server", "result"),
            registry=self.registry,
        )
        self._masked = Counter(
            "extproc_masked_values",
            "Values masked in requests and responses, by the type of what was found.",
            ("server", "type"),
            registry=self.registry,
        )
        self._asked = Counter(
            "extproc_server_requests",
            "What servers asked of clients, and whether it reached them.",
            ("server", "kind", "effect"),
            registry=self.registry,
        )
        self._response_seconds = Histogram(
            "extproc_response_seconds",
            "From the decision to the end of the response, the upstream's time included.",
            ("server",),
            buckets=RESPONSE_SECONDS,
            registry=self.registry,
        )
        self._aborts = Counter(
            "extproc_aborted_streams",
            "ext_proc streams ended with an error status.",
            ("reason",),
            registry=self.registry,
        )
        self._streams = self._gauge("extproc_streams", "ext_proc streams in flight.", "livesum")
        self._problem = self._gauge(
            "extproc_policy_problem", "1 if the policy file is broken and an older policy is in force.", "livemax"
        )
        self._loaded = self._gauge(
            "extproc_policy_loaded_timestamp_seconds", "When the policy in force was loaded.", "livemin"
        )
        self._journal_errors = Counter(
            "extproc_journal_errors", "Audit events that could not be stored.", registry=self.registry
        )
        # a predecessor with the same number may have died with values in these
        self._streams.set(0)
        self._problem.set(0)
        self._loaded.set(0)
        self._bound_decisions: dict[tuple[str, str, str], tuple[Callable[[], None], Callable[[float], None]]] = {}
        self._bound_responses: dict[tuple[str, str], tuple[Callable[[], None], Callable[[float], None]]] = {}

    def _gauge(self, name: str, text: str, mode: Any) -> Gauge:
        return Gauge(name, text, registry=self.registry, multiprocess_mode=mode)

    def _server(self, server: str) -> str:
        return server if server in self._servers else UNKNOWN

    def decided(self, *, server: str, verb: str, effect: str, seconds: float) -> None:
        """Count one decision; labels outside the closed sets become ``unknown``."""
        bound = self._bound_decisions.get((server, verb, effect))
        if bound is None:
            labels = (
                self._server(server),
                verb if verb in VERBS else UNKNOWN,
                effect if effect in EFFECTS else UNKNOWN,
            )
            bound = (self._decisions.labels(*labels).inc, self._decision_seconds.labels(labels[0]).observe)
            # only names of the closed sets are kept: what a client sends must not fill memory
            if labels == (server, verb, effect):
                self._bound_decisions[labels] = bound
        bound[0]()
        bound[1](seconds)

    def concluded(self, *, server: str, result: str, seconds: float) -> None:
        """Count one response; labels outside the closed sets become ``unknown``."""
        bound = self._bound_responses.get((server, result))
        if bound is None:
            labels = (self._server(server), result if result in RESULTS else UNKNOWN)
            bound = (self._responses.labels(*labels).inc, self._response_seconds.labels(labels[0]).observe)
            if labels == (server, result):
                self._bound_responses[labels] = bound
        bound[0]()
        bound[1](seconds)

    def masked(self, *, server: str, counts: Mapping[str, int]) -> None:
        """Count masked values; a type that neither the code nor the policy names becomes ``unknown``."""
        for kind, number in counts.items():
            self._masked.labels(self._server(server), kind if kind in self._types else UNKNOWN).inc(number)

    def asked(self, *, server: str, kind: str, effect: str) -> None:
        """Count one request of a server; labels outside the closed sets become ``unknown``."""
        known_kind, known_effect = kind if kind in ASKED else UNKNOWN, effect if effect in EFFECTS else UNKNOWN
        self._asked.labels(self._server(server), known_kind, known_effect).inc()

    def aborted(self, *, reason: str) -> None:
        """Count one stream that ended with an error status."""
        if reason not in self._reasons:
            if len(self._reasons) < MAX_REASONS and _REASON.fullmatch(reason):
                self._reasons.add(reason)
            else:
                reason = OTHER
        self._aborts.labels(reason).inc()

    def streams(self, change: int) -> None:
        """Add ``change`` to the streams in flight."""
        self._streams.inc(change)

    def journal_failed(self) -> None:
        """Count one audit event that could not be stored."""
        self._journal_errors.inc()

    def policy_loaded(self, *, servers: Iterable[str], at: float, detectors: Iterable[str] = ()) -> None:
        """A policy came into force at ``at`` (seconds since the epoch); its names are the label values from now."""
        self._servers = frozenset(servers)
        self._types = TYPES.union(detectors)
        self._bound_decisions.clear()
        self._bound_responses.clear()
        self._loaded.set(at)
        self._problem.set(0)

    def policy_broken(self) -> None:
        """The policy file changed and cannot be loaded; the last good one stays in force."""
        self._problem.set(1)


def _reserve(folder: Path, worker: int) -> None:
    """Take the room of the files of ``worker`` on the disk; a predecessor's values stay.

    Raises:
        OSError: the disk has no room for them.
    """
    for kind, size in _RESERVED.items():
        with (folder / f"{kind}_{worker}.db").open("ab") as file:
            file.write(bytes(max(size - file.tell(), 0)))
