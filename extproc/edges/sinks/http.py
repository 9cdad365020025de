"""Records to an HTTP collector: as lines of JSON, or as Splunk's HTTP Event Collector takes them.

A batch counts as stored on a 2xx answer; on everything else it is given again. Redirects are not followed: the token
is for this address alone.
"""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import httpx

from extproc.edges.sinks.lines import line_of
from extproc.ports import Record, SinkError

__all__ = ["HttpSink"]

_NANO = 1_000_000_000


class HttpSink:
    """Posts to ``url``; the token is read from ``token_file`` for each batch, so that it can be changed there."""

    def __init__(self, url: str, *, form: Literal["lines", "hec"], token_file: Path | None, timeout: float) -> None:
        self._url = url
        self._form = form
        self._token_file = token_file
        self._client = httpx.AsyncClient(trust_env=False, timeout=timeout, follow_redirects=False)

    async def deliver(self, records: Sequence[Record]) -> None:
        """Raises ``SinkError`` unless the collector says that it has them."""
        headers = {"content-encoding": "gzip", "content-type": "application/x-ndjson"}
        if self._form == "hec":
            headers["content-type"] = "application/json"
        if self._token_file is not None:
            headers["authorization"] = f"{'Splunk' if self._form == 'hec' else 'Bearer'} {_token_in(self._token_file)}"
        lines = [_hec(record) if self._form == "hec" else line_of(record) for record in records]
        body = gzip.compress(b"\n".join(lines) + b"\n", 1)
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except httpx.HTTPError as error:
            raise SinkError(f"the collector does not answer: {type(error).__name__}") from None
        if not answer.is_success:
            raise SinkError(f"the collector answers {answer.status_code}")

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.aclose()


def _token_in(path: Path) -> str:
    try:
        token = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SinkError(f"{path} cannot be read: {type(error).__name__}") from None
    if not token.isascii() or not token.isprintable() or not token:
        raise SinkError(f"{path} must hold one line of printable characters")
    return token


def _hec(record: Record) -> bytes:
    """One event of the HTTP Event Collector: its time in seconds, and its identity as indexed fields."""
    at = record.event.get("at")
    wrapped = {
        "time": at / _NANO if isinstance(at, int) else None,
        "source": "mcp-extproc",
        "sourcetype": "mcp-extproc:audit",
        "fields": {"journal": record.journal, "seq": record.seq, "hash": record.hash},
    }
    head = json.dumps({name: value for name, value in wrapped.items() if value is not None}).encode()
    return head[:-1] + b',"event":' + record.encoded + b"}"
