"""What a client sends, as far as it may leave: masked, or stopped, where a masking rule looks at requests.

Done before anything is judged, so that what is judged, shown to an approver, recorded and forwarded is one value
(invariant 1). Names and URIs are not changed: they say what is called, and the policy grants them or does not.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core.masking import NO_MASKS, Masking
from extproc.core.model import Json, Message, MessageKind, RequestHead, empty
from extproc.core.redaction.masker import masker
from extproc.core.wire import headers, strict_json

__all__ = ["Outgoing", "Stop", "outgoing", "rewritten"]

_PARAM: Final = "mcp-param-"
_TOO_MUCH: Final = "It takes more work to mask than one message may cost; send less at a time."
_IN_HEADER: Final = "It stands in an Mcp-Param header too, where nothing can be masked."


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Why a request must not leave: the rule that says so, and the types of what it found, never the values."""

    rule: str
    types: tuple[str, ...]
    message: str = ""


class Outgoing(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it may leave; ``counts`` are what was masked by type."""

    message: Message
    counts: Mapping[str, int] = msgspec.field(default_factory=empty)
    stop: Stop | None = None


def outgoing(message: Message, head: RequestHead, masking: Masking, key: bytes) -> Outgoing:
    """Mask what a message says, and say why it must not leave at all where a rule wants that."""
    if masking.requests is NO_MASKS and not masking.blocks:
        return Outgoing(message=message)
    mirrored = _mirrored(head)
    stop: Stop | None = None
    for block in masking.blocks:
        using = masker(block.masks, key)
        found = {*using.params(message.params).counts, *using.document(mirrored).counts}
        if found:
            stop = Stop(rule=block.rule, types=tuple(sorted(found)), message=block.message)
            break
    if masking.requests is NO_MASKS:
        return Outgoing(message=message, stop=stop)
    using = masker(masking.requests, key)
    masked = using.params(message.params)
    if masked.exhausted:
        stop = stop or Stop(rule=_rules(masking)[0], types=tuple(masked.counts), message=_TOO_MUCH)
        return Outgoing(message=message, stop=stop)
    # a header that repeats what the body no longer says is read by routers, and refused by servers
    in_headers = using.document(mirrored).counts
    if in_headers or headers.param_fault(head.headers, masked.value.get("arguments", {})) is not None:
        stop = stop or Stop(
            rule=_rules(masking)[0], types=tuple(sorted({*masked.counts, *in_headers})), message=_IN_HEADER
        )
    if not masked.counts:
        return Outgoing(message=message, stop=stop)
    return Outgoing(message=rewritten(message, masked.value), counts=masked.counts, stop=stop)


def _rules(masking: Masking) -> list[str]:
    return [each.rule for each in masking.requests.fields] + [each.rule for each in masking.requests.detections]


def _mirrored(head: RequestHead) -> list[str]:
    """The arguments that are sent as headers too."""
    sent = [value.strip(" \t") for name, value in head.headers.items() if name.startswith(_PARAM)]
    return [headers.decode(value) or value for value in sent]


def rewritten(message: Message, params: Mapping[str, Json]) -> Message:
    """The message with other parameters, and with the body that says so."""
    said = params if message.kind is MessageKind.RESPONSE else {"method": message.method, "params": params}
    whole = {"jsonrpc": "2.0", **({} if message.id is None else {"id": message.id}), **said}
    arguments = params.get("arguments", message.arguments)
    return replace(message, params=params, arguments=arguments, body=strict_json.encode(whole), rewritten=True)
