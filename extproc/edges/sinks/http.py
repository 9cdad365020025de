"""Records to an HTTP collector: as lines of JSON, or as Splunk's HTTP Event Collector takes them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from extproc.edges.sinks.lines import LineOf, line_of
from extproc.edges.sinks.posting import Poster
from extproc.edges.sinks.tls import TlsContext
from extproc.ports import Record

__all__ = ["HttpSink"]

_NANO: Final = 1_000_000_000
_LINES: Final = {"content-type": "application/x-ndjson"}
_HEC: Final = {"content-type": "application/json"}


class HttpSink:
    """Posts to ``url``; ``hec`` in the envelope of Splunk's collector, else a line for each record."""

    def __init__(
        self, url: str, *, hec: bool, token_file: Path | None, tls: TlsContext, timeout: float, line: LineOf = line_of
    ) -> None:
        self._hec = hec
        self._line = line
        token = ("authorization", "Splunk " if hec else "Bearer ")
        self._poster = Poster(url, token_file=token_file, token=token, tls=tls, timeout=timeout)

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` unless the collector says that it has them."""
        lines = [self._wrapped(record) if self._hec else self._line(record) for record in records]
        await self._poster.post(b"\n".join(lines) + b"\n", _HEC if self._hec else _LINES)

    async def close(self) -> None:
        """Let go of connections."""
        await self._poster.close()

    def _wrapped(self, record: Record) -> bytes:
        """One event of the HTTP Event Collector: its time in seconds, and its identity as indexed fields."""
        at = record.event.get("at")
        ocsf = self._line is not line_of
        wrapped = {
            "time": at / _NANO if isinstance(at, int) else None,
            "source": "mcp-extproc",
            "sourcetype": "mcp-extproc:ocsf" if ocsf else "mcp-extproc:audit",
            "fields": {"journal": record.journal, "seq": record.seq, "hash": record.hash},
        }
        head = json.dumps({name: value for name, value in wrapped.items() if value is not None}).encode()
        return head[:-1] + b',"event":' + (self._line(record) if ocsf else record.encoded) + b"}"
