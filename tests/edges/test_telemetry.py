"""Telemetry: masked lines, bounded series, one sum over workers."""

import io
import json
import logging
import subprocess
import sys
import warnings

import pytest
import structlog
from prometheus_client import generate_latest

from extproc.edges.exposition import exposition, forget_worker
from extproc.edges.telemetry import (
    DECISION_SECONDS,
    MAX_REASONS,
    MULTIPROCESS_VARIABLE,
    PrometheusMetrics,
    configure_logging,
)
from extproc.ports import IndexLag, IndexStatus, SinkStatus

# the secrets of this file have the form of real ones and are none
TOKEN = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLW5vdGhpbmc"

WORKER = """
import sys
from extproc.edges.telemetry import PrometheusMetrics
metrics = PrometheusMetrics(servers=["files"], worker=int(sys.argv[1]))
metrics.policy_loaded(servers=["files"], at=float(sys.argv[2]))
metrics.streams(2)
metrics.decided(server="files", verb="query", effect="allow", seconds=0.0004)
if sys.argv[1] == "1":
    metrics.policy_broken()
"""


@pytest.fixture
def logged():
    """Configures logging into a buffer; restores the root logger afterwards."""
    root = logging.getLogger()
    before = (root.handlers[:], root.level, warnings.showwarning)
    stream = io.StringIO()
    configure_logging(level="info", stream=stream, worker=7)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.captureWarnings(capture=False)
    logging.raiseExceptions = True
    root.handlers[:], warnings.showwarning = before[0], before[2]
    root.setLevel(before[1])
    structlog.reset_defaults()


def samples(metrics):
    return generate_latest(metrics.registry).decode()


def test_a_line_is_json_with_time_level_logger_and_worker(logged):
    structlog.get_logger("extproc.x").info("policy loaded", servers=2)
    (line,) = logged()
    assert line.pop("timestamp").endswith("Z")
    assert line == {"event": "policy loaded", "servers": 2, "level": "info", "logger": "extproc.x", "worker": 7}


def test_lines_under_the_level_are_dropped(logged):
    structlog.get_logger("extproc.x").debug("no")
    logging.getLogger("other").debug("no")
    assert logged() == []


@pytest.mark.parametrize(
    "say",
    [
        lambda: structlog.get_logger("x").info("call", authorization=f"Bearer {TOKEN}"),
        lambda: structlog.get_logger("x").info("call", headers={"a": [{"authorization": f"Bearer {TOKEN}"}]}),
        lambda: structlog.get_logger("x").info(f"refused Bearer {TOKEN}"),
        lambda: structlog.get_logger("x").info("refused %s", TOKEN),
        lambda: structlog.get_logger("x").info("object", what=RuntimeError(TOKEN)),
        lambda: logging.getLogger("library").warning("header %s", f"authorization: Bearer {TOKEN}"),
        lambda: logging.getLogger("library").info(TOKEN.encode()),
    ],
)
def test_no_token_leaves_by_any_way(logged, say):
    say()
    (line,) = logged()
    assert "c2lnbmF0dXJl" not in json.dumps(line)


def test_no_token_leaves_by_a_traceback(logged):
    try:
        int(TOKEN)
    except ValueError:
        structlog.get_logger("x").exception("failed")
        logging.getLogger("library").exception("failed")
    for line in logged():
        assert "ValueError" in line["exception"]
        assert "c2lnbmF0dXJl" not in json.dumps(line)
    assert len(logged()) == 2


@pytest.mark.parametrize("value", [{1: {2}}, "\ud800", 1 << 70, float("nan"), b"\xff"])
def test_an_odd_value_is_still_a_line(logged, value):
    structlog.get_logger("x").info("odd", value=value)
    assert logged()[0]["event"] == "odd"


def test_a_line_that_cannot_be_masked_is_dropped_and_said_to_be(logged, capsys):
    circle = [TOKEN]
    circle.append(circle)
    structlog.get_logger("x").info(TOKEN, value=circle)
    structlog.get_logger("x").info(TOKEN, value={(1, 2): TOKEN})
    logging.getLogger("library").info("%d", TOKEN)
    lines = logged()
    assert [line["event"] for line in lines] == ["a line that could not be masked was dropped"] * 2
    assert capsys.readouterr().err == ""


def test_decisions_are_counted_and_timed():
    metrics = PrometheusMetrics(servers=["files"])
    metrics.decided(server="files", verb="query", effect="allow", seconds=0.0004)
    metrics.decided(server="files", verb="query", effect="allow", seconds=0.2)
    text = samples(metrics)
    assert 'extproc_decisions_total{effect="allow",server="files",verb="query"} 2.0' in text
    assert 'extproc_decision_seconds_bucket{le="0.0005",server="files"} 1.0' in text
    assert (DECISION_SECONDS[0], DECISION_SECONDS[-1]) == (0.0001, 1.0)


def test_a_label_outside_of_its_set_is_unknown_however_many_are_sent():
    metrics = PrometheusMetrics(servers=["files"])
    for number in range(1000):
        metrics.decided(server=f"evil{number}", verb=f"v{number}", effect=f"e{number}", seconds=1)
        metrics.concluded(server=f"evil{number}", result=f"r{number}", seconds=1)
    text = samples(metrics)
    assert "evil" not in text
    assert 'extproc_decisions_total{effect="unknown",server="unknown",verb="unknown"} 1000.0' in text
    assert 'extproc_responses_total{result="unknown",server="unknown"} 1000.0' in text
    assert not metrics._bound_decisions
    assert not metrics._bound_responses


def test_responses_are_counted_and_timed():
    metrics = PrometheusMetrics(servers=["files"])
    for _ in range(2):
        metrics.concluded(server="files", result="withheld", seconds=2)
    text = samples(metrics)
    assert 'extproc_responses_total{result="withheld",server="files"} 2.0' in text
    assert 'extproc_response_seconds_bucket{le="5.0",server="files"} 2.0' in text


def test_reasons_of_an_abort_are_few_and_are_words():
    metrics = PrometheusMetrics()
    metrics.aborted(reason="not a word")
    for number in range(MAX_REASONS + 5):
        metrics.aborted(reason=f"reason{number}")
    metrics.aborted(reason="reason0")
    text = samples(metrics)
    assert 'extproc_aborted_streams_total{reason="reason0"} 2.0' in text
    assert 'extproc_aborted_streams_total{reason="other"} 6.0' in text


def test_streams_policy_and_journal_are_told():
    metrics = PrometheusMetrics()
    metrics.streams(3)
    metrics.streams(-1)
    metrics.journal_failed()
    metrics.policy_broken()
    text = samples(metrics)
    assert "extproc_streams 2.0" in text
    assert "extproc_journal_errors_total 1.0" in text
    assert "extproc_policy_problem 1.0" in text


def test_a_new_policy_names_the_servers_from_now_on():
    metrics = PrometheusMetrics(servers=["old"])
    metrics.decided(server="old", verb="query", effect="allow", seconds=0)
    metrics.policy_broken()
    metrics.policy_loaded(servers=["new"], at=1234.5)
    for server in ("old", "new"):
        metrics.decided(server=server, verb="query", effect="deny", seconds=0)
    text = samples(metrics)
    assert 'effect="deny",server="new"' in text
    assert 'effect="deny",server="old"' not in text
    assert "extproc_policy_problem 0.0" in text
    assert "extproc_policy_loaded_timestamp_seconds 1234.5" in text


def test_masked_values_are_counted_by_server_and_type_and_no_type_is_made_up():
    metrics = PrometheusMetrics(servers=["files"])
    metrics.masked(server="files", counts={"masked": 2, "employee": 1, "bob@example.com": 4})
    metrics.policy_loaded(servers=["files"], at=1, detectors=["employee"])
    metrics.masked(server="files", counts={"email": 3, "employee": 5})
    text = samples(metrics)
    for kind, number in (("masked", 2), ("email", 3), ("employee", 5), ("unknown", 5)):
        assert f'extproc_masked_values_total{{server="files",type="{kind}"}} {number}.0' in text
    assert "bob" not in text


def test_workers_are_summed_a_restarted_one_counts_on_and_a_dead_one_leaves_its_counts(tmp_path, monkeypatch):
    monkeypatch.setenv(MULTIPROCESS_VARIABLE, str(tmp_path))
    for worker, loaded in (("0", "100"), ("1", "200"), ("1", "200")):
        subprocess.run([sys.executable, "-c", WORKER, worker, loaded], check=True)
    # without the variable: nothing else in this process may start to keep its values in files
    monkeypatch.delenv(MULTIPROCESS_VARIABLE)

    def shown():
        return exposition(tmp_path, ready={0: True, 1: False}, restarts={0: 0, 1: 1}).decode()

    text = shown()
    assert 'extproc_decisions_total{effect="allow",server="files",verb="query"} 3.0' in text
    assert "extproc_streams 4.0" in text
    assert "extproc_policy_problem 1.0" in text
    assert "extproc_policy_loaded_timestamp_seconds 100.0" in text
    assert 'extproc_worker_ready{worker="1"} 0.0' in text
    assert 'extproc_worker_restarts_total{worker="1"} 1.0' in text
    files = list(tmp_path.iterdir())
    assert len(files) == 10
    # a page without a block behind it would kill the worker that writes to it when the disk is full
    assert [file.name for file in files if file.stat().st_blocks * 512 < file.stat().st_size] == []

    forget_worker(tmp_path, 1)
    text = shown()
    assert 'extproc_decisions_total{effect="allow",server="files",verb="query"} 3.0' in text
    assert "extproc_streams 2.0" in text
    assert "extproc_policy_problem 0.0" in text


def test_each_sink_has_its_lag_and_whether_it_fails(tmp_path):
    whole = SinkStatus(
        name="copy", positions={"n-0": 5}, delivered=5, delivered_at=2_000_000_000, behind=0, error=None, error_at=None
    )
    away = SinkStatus(
        name="siem", positions={}, delivered=0, delivered_at=None, behind=5, error="no answer", error_at=1, skipped=2
    )
    text = exposition(tmp_path, ready={}, restarts={}, sinks=[whole, away]).decode()
    assert 'extproc_sink_behind_records{sink="copy"} 0.0' in text
    assert 'extproc_sink_behind_records{sink="siem"} 5.0' in text
    assert 'extproc_sink_failing{sink="copy"} 0.0' in text
    assert 'extproc_sink_failing{sink="siem"} 1.0' in text
    assert 'extproc_sink_delivered_records_total{sink="copy"} 5.0' in text
    assert 'extproc_sink_delivered_timestamp_seconds{sink="copy"} 2.0' in text
    assert 'timestamp_seconds{sink="siem"}' not in text
    assert 'extproc_sink_skipped_records_total{sink="siem"} 2.0' in text
    assert "extproc_sink" not in exposition(tmp_path, ready={}, restarts={}).decode()


def test_the_index_has_its_lag_by_journal_and_whether_it_is_kept_up(tmp_path):
    lags = [IndexLag(journal="n-0", records=3, seconds=1.5), IndexLag(journal="n-1", records=0, seconds=0)]
    status = IndexStatus(lags=lags, failing=True)
    text = exposition(tmp_path, ready={}, restarts={}, index=status).decode()
    assert 'extproc_index_behind_records{journal="n-0"} 3.0' in text
    assert 'extproc_index_behind_seconds{journal="n-0"} 1.5' in text
    assert 'extproc_index_behind_seconds{journal="n-1"} 0.0' in text
    assert "extproc_index_failing 1.0" in text
    assert "extproc_index" not in exposition(tmp_path, ready={}, restarts={}).decode()
