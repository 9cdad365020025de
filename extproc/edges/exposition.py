"""What Prometheus reads: all workers' values, and what their supervisor knows of them, of sinks and index."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest, multiprocess
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from extproc.ports import IndexStatus, SinkStatus

__all__ = ["exposition", "forget_worker"]


def exposition(
    folder: Path,
    *,
    ready: Mapping[int, bool],
    restarts: Mapping[int, int],
    sinks: Sequence[SinkStatus] = (),
    index: IndexStatus | None = None,
) -> bytes:
    """The sum of all workers' values under ``folder``, and what is known of each worker and sink, and of the index."""
    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry, path=str(folder))  # type: ignore[no-untyped-call]
    up = GaugeMetricFamily("extproc_worker_ready", "1 if the worker answers health.", labels=("worker",))
    for worker, value in ready.items():
        up.add_metric((str(worker),), float(value))
    restarted = CounterMetricFamily("extproc_worker_restarts", "Times the worker started again.", labels=("worker",))
    for worker, count in restarts.items():
        restarted.add_metric((str(worker),), count)
    supervisor = CollectorRegistry()
    supervisor.register(_Families(up, restarted, *_sink_families(sinks), *_index_families(index)))
    return generate_latest(registry) + generate_latest(supervisor)


def _sink_families(sinks: Sequence[SinkStatus]) -> Sequence[Metric]:
    behind = GaugeMetricFamily(
        "extproc_sink_behind_records", "Records that a sink does not have yet.", labels=("sink",)
    )
    failing = GaugeMetricFamily("extproc_sink_failing", "1 if the last attempt failed.", labels=("sink",))
    delivered = CounterMetricFamily("extproc_sink_delivered_records", "Records that a sink took.", labels=("sink",))
    last = GaugeMetricFamily(
        "extproc_sink_delivered_timestamp_seconds", "When a sink took records last.", labels=("sink",)
    )
    skipped = CounterMetricFamily(
        "extproc_sink_skipped_records", "Records that a sink was told to go on without.", labels=("sink",)
    )
    for sink in sinks:
        skipped.add_metric((sink.name,), sink.skipped)
        behind.add_metric((sink.name,), sink.behind)
        failing.add_metric((sink.name,), float(sink.error is not None))
        delivered.add_metric((sink.name,), sink.delivered)
        if sink.delivered_at is not None:
            last.add_metric((sink.name,), sink.delivered_at / 1e9)
    return (behind, failing, delivered, last, skipped) if sinks else ()


def _index_families(index: IndexStatus | None) -> Sequence[Metric]:
    if index is None:
        return ()
    behind = GaugeMetricFamily(
        "extproc_index_behind_records", "Records of a journal that the index does not have yet.", labels=("journal",)
    )
    seconds = GaugeMetricFamily(
        "extproc_index_behind_seconds", "For how long at most they wait; 0 where none does.", labels=("journal",)
    )
    for lag in index.lags:
        behind.add_metric((lag.journal,), lag.records)
        seconds.add_metric((lag.journal,), lag.seconds)
    failing = GaugeMetricFamily("extproc_index_failing", "1 while the index cannot be kept up.")
    failing.add_metric((), float(index.failing))
    return behind, seconds, failing


class _Families(Collector):
    def __init__(self, *families: Metric) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def forget_worker(folder: Path, worker: int) -> None:
    """Drop the gauges of a dead worker; its counters stay."""
    multiprocess.mark_process_dead(worker, path=str(folder))  # type: ignore[no-untyped-call]
