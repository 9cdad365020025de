"""Records to an OpenTelemetry collector: OTLP logs in protobuf over HTTP, one log record each.

The body is the record's line, whole and as a text: what a caller wrote can break nothing there, and a seal in it stays
what was signed. Beside it stand severity, trace and the attributes that people search by. ``log.record.uid`` is the
record's identity, by which OpenTelemetry's semantic conventions have a backend drop what came twice.

A collector that refuses some of a batch (``partial_success``) is given the batch again, like one that refuses it all.
OTLP asks clients to drop what was refused instead; an audit record is not dropped because a collector said so.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest, ExportLogsServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from extproc import __version__
from extproc.core.model import Json
from extproc.edges.sinks.lines import LineOf, line_of
from extproc.edges.sinks.posting import Poster
from extproc.edges.sinks.tls import TlsContext
from extproc.ports import Record, RecordsRefusedError, SinkError

__all__ = ["OtlpSink", "request_of"]

_HEADERS: Final = {"content-type": "application/x-protobuf"}
_MOST_CHARS: Final = 1024
_LATEST: Final = 2**63
_TRACE_CHARS: Final = 32

_SEVERITIES: Final = {
    "deny": (13, "WARN"),
    "reject": (13, "WARN"),
    "shadow": (13, "WARN"),
    "damaged": (17, "ERROR"),
    "unsynced": (17, "ERROR"),
    "recovered": (13, "WARN"),
}
"""By the event's effect, or else by its kind (logs data model, SeverityNumber); all others are INFO."""
_INFO: Final = (9, "INFO")

_ATTRIBUTES: Final = {
    "decision": "extproc.decision",
    "server": "extproc.server",
    "session": "extproc.session",
    "effect": "extproc.effect",
    "verb": "extproc.verb",
    "rule": "extproc.rule",
    "policy": "extproc.policy",
    "ticket": "extproc.ticket",
    "step": "extproc.step",
    "result": "extproc.result",
    "method": "mcp.method.name",
}
"""Which members of an event are attributes too, where they are a text."""


class OtlpSink:
    """Posts to ``url``, which ends in ``/v1/logs``; ``token`` is a header's name and what precedes the token there."""

    def __init__(
        self,
        url: str,
        *,
        token_file: Path | None,
        token: tuple[str, str],
        tls: TlsContext,
        timeout: float,
        line: LineOf = line_of,
    ) -> None:
        self._line = line
        self._poster = Poster(url, token_file=token_file, token=token, tls=tls, timeout=timeout)

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` unless the collector says that it has all of them."""
        answer = await self._poster.post(request_of(records, self._line).SerializeToString(), _HEADERS)
        try:
            partial = ExportLogsServiceResponse.FromString(answer).partial_success
        except DecodeError:
            raise SinkError("the collector's answer is not OTLP: is this the address of /v1/logs?") from None
        if partial.rejected_log_records:
            # what it says of them may quote them, and stays there
            raise RecordsRefusedError(f"the collector refuses {partial.rejected_log_records} of {len(records)} records")

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()


def request_of(records: Iterable[Record], line: LineOf = line_of) -> ExportLogsServiceRequest:
    """The request for ``records``: one resource for each journal, which is one worker of one node."""
    return ExportLogsServiceRequest(
        resource_logs=[
            ResourceLogs(
                resource=_resource(journal),
                scope_logs=[
                    ScopeLogs(
                        scope=InstrumentationScope(name="mcp-extproc", version=__version__),
                        log_records=[_log_record(record, line) for record in own],
                    )
                ],
            )
            for journal, own in groupby(records, key=lambda record: record.journal)
        ]
    )


def _resource(journal: str) -> Resource:
    node, _, worker = journal.rpartition("-")
    return Resource(
        attributes=_attributes(
            {
                "service.name": "mcp-extproc",
                "service.version": __version__,
                "service.instance.id": journal,
                "extproc.node": node,
                "extproc.worker": worker,
            }
        )
    )


def _log_record(record: Record, line: LineOf) -> LogRecord:
    event = record.event
    at = event.get("at")
    kind = str(event.get("kind"))
    number, text = _SEVERITIES.get(str(event.get("effect")), _SEVERITIES.get(kind, _INFO))
    given: dict[str, Json] = {
        "log.record.uid": f"{record.journal}/{record.seq}",
        "extproc.journal": record.journal,
        "extproc.seq": str(record.seq),
        "extproc.hash": record.hash,
        "extproc.kind": kind,
    }
    given |= {attribute: event.get(name) for name, attribute in _ATTRIBUTES.items()}
    principal, targets = event.get("principal"), event.get("targets")
    if isinstance(principal, dict):
        given["user.id"] = principal.get("subject")
    if isinstance(targets, list) and targets and isinstance(targets[0], dict):
        given["extproc.target"] = targets[0].get("name")
    when = int(at) if isinstance(at, int) and 0 < at < _LATEST else 0
    return LogRecord(
        time_unix_nano=when,
        # the instant of recording is that of observing, and a repeat is the same to the byte
        observed_time_unix_nano=when,
        severity_number=number,  # type: ignore[arg-type] # the generated types want the enum's own values
        severity_text=text,
        event_name=f"extproc.{_text(kind)}",
        body=AnyValue(string_value=line(record).decode("utf-8", "replace")),
        attributes=_attributes(given),
        trace_id=_trace(event.get("trace")),
    )


def _attributes(given: Mapping[str, Json]) -> list[KeyValue]:
    return [
        KeyValue(key=name, value=AnyValue(string_value=_text(value)))
        for name, value in given.items()
        if isinstance(value, str)
    ]


def _text(value: str) -> str:
    return value[:_MOST_CHARS].encode("utf-8", "replace").decode()


def _trace(value: Json) -> bytes:
    """The 16 bytes of a W3C trace id; none for anything else, and for zeros, which mean none."""
    try:
        raw = bytes.fromhex(value) if isinstance(value, str) and len(value) == _TRACE_CHARS else b""
    except ValueError:
        return b""
    return raw if any(raw) else b""
