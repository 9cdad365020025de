"""The responses that a preview masks: read from a file, from stdin or from a recording, as a client would get them."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from extproc.cli.callers import WrongInputError
from extproc.cli.recorded import found_journals
from extproc.core.limits import MAX_JSON_RESPONSE_BYTES
from extproc.core.masking import NO_MASKS, Masks
from extproc.core.model import Json
from extproc.core.redaction.masker import Masked, Masker, masker
from extproc.core.rejection import Rejection
from extproc.core.wire import sse, strict_json
from extproc.edges.journal.reader import Entry, read

__all__ = ["Shown", "Withheld", "given", "masked", "recorded"]

_KEY: Final = b"preview"
"""Hashes of a preview are its own: the service's key is none of a policy author's business."""
_STREAM_LINES: Final = (b"data:", b"event:", b"id:", b"retry:", b":")
_OF_A_RESULT: Final = frozenset(
    {"content", "structuredContent", "contents", "messages", "tools", "prompts", "resources", "completion"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One message of the input, before and after."""

    before: Json
    after: Masked


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why nothing of a response, or nothing more of a stream, would reach the client."""

    why: str


def given(name: str) -> bytes:
    """The bytes of a file, or of stdin.

    Raises:
        WrongInputError: there are none.
    """
    if not name:
        raise WrongInputError("name a file with a response, - for stdin, or a recorded call with --call.")
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise WrongInputError(f"{name} cannot be read: {error.strerror}.") from None
    if not raw.strip():
        raise WrongInputError(f"{'stdin' if name == '-' else name} is empty.")
    return raw


def recorded(decision_id: str, state: Path | None) -> bytes:
    """The result of a recorded call.

    Raises:
        WrongInputError: it is not recorded.
    """
    if state is None:
        raise WrongInputError("--call needs --journal: the state directory in which the call was recorded.")
    events = (entry.event for folder in found_journals(state) for entry in read(folder) if isinstance(entry, Entry))
    for event in events:
        if event.get("kind") == "outcome" and event.get("decision") == decision_id:
            if event.get("payload") is None:
                raise WrongInputError(f"of the response to {decision_id} only size and digest were recorded.")
            return strict_json.encode(event["payload"])
    raise WrongInputError(f"no response to a call with the decision id {decision_id} is recorded in {state}.")


def masked(masks: Masks, raw: bytes, named: frozenset[str], *, stream: bool) -> Iterator[Shown | Withheld]:
    """Each message of the input before and after, by the engine that serves clients."""
    if not (stream or raw.lstrip(b"\xef\xbb\xbf\r\n").startswith(_STREAM_LINES)):
        if len(raw) > MAX_JSON_RESPONSE_BYTES:
            yield Withheld(f"it is larger than {MAX_JSON_RESPONSE_BYTES} bytes")
        else:
            yield _one(masks, raw, named)
        return
    for event in sse.EventReader().feed(raw + b"\n\n"):
        if isinstance(event, sse.Fault):
            yield Withheld(f"an event cannot be read ({event.reason.replace('_', ' ')})")
        elif event.data and event.type in {"", "message"}:
            yield _one(masks, event.data, named)


def _one(masks: Masks, raw: bytes, named: frozenset[str]) -> Shown | Withheld:
    read_json = strict_json.read(raw, twins=True)
    if isinstance(read_json, Rejection):
        return Withheld(f"it cannot be read as JSON with one meaning ({read_json.reason.replace('_', ' ')})")
    value = read_json.value
    if masks is NO_MASKS:
        return Shown(before=value, after=Masked(value=value))
    found = _found(masker(masks, _KEY), value, named)
    if found.exhausted:
        return Withheld("it takes more work to mask than one message may cost")
    return Shown(before=value, after=found)


def _found(using: Masker, value: Json, named: frozenset[str]) -> Masked:
    if isinstance(value, dict) and "jsonrpc" in value:
        return using.message(value, named=named)
    if isinstance(value, dict) and value.keys() & _OF_A_RESULT:
        found = using.message({"result": value}, named=named)
        return found if found.exhausted else replace(found, value=found.value["result"])
    return using.document(value)
