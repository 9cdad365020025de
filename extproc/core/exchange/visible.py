"""What of a server's message the caller may see: one whole message in, the bytes for the client out.

A response that nobody asked for, a request in the modern era and news of a hidden resource are dropped; lists are
cut; the ids of server requests leave as handles of their owner, so that only who was asked can answer; what is left is
masked. The rules are those of ``catalog``, ``handles`` and ``redaction``; this module knows only which message they
apply to.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from msgspec.structs import replace

from extproc.core import catalog
from extproc.core.definitions import Definitions
from extproc.core.exchange.call import Call
from extproc.core.exchange.covering import Covering
from extproc.core.exchange.questions import Questions, ping_instead, refusal
from extproc.core.exchange.refusing import refusal_in
from extproc.core.exchange.rounds import LIFE_NANOSECONDS, Round, call_digest, seal_round
from extproc.core.handles import Purpose, seal
from extproc.core.model import Era, Json, MessageKind, ResourceKind
from extproc.core.rejection import Rejection
from extproc.core.shared_state import Pin
from extproc.core.wire import jsonrpc, replies, strict_json, uris

__all__ = ["Said", "Visible"]


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it may be recorded: ``id`` is the server's own, ``payload`` its result, error or parameters."""

    kind: MessageKind
    method: str | None
    id: Json
    payload: Json
    masked: Mapping[str, int]


@dataclass(slots=True)
class Visible:
    """The server's messages of one response, one by one."""

    call: Call
    answered: bool = False
    """The response that was asked for has been seen."""
    failed: bool = False
    """A JSON-RPC error has been seen."""
    seen: list[Pin] = field(default_factory=list)
    """Definitions of tools that somebody should know of."""
    payload: Json = None
    """The last result or error as the client gets it, where it is to be recorded."""
    said: Said | None = None
    """The last message of a stream, where messages are to be recorded one by one."""
    questions: Questions = field(init=False)
    """What the server asks of the client."""
    _covering: Covering = field(init=False)
    _unlisted: int = 0

    def __post_init__(self) -> None:
        self.questions = Questions(self.call.asks, self.call.shadow)
        self._covering = Covering(self.call)

    @property
    def hidden(self) -> int:
        """List entries left out."""
        return self._unlisted + self._covering.dropped

    @property
    def masked(self) -> Counter[str]:
        """What was masked for the client, by type."""
        return self._covering.counts

    @property
    def exhausted(self) -> bool:
        """Whether a message would have cost too much to mask, and so cannot be passed on."""
        return self._covering.exhausted

    def settle_session(self, session: str) -> None:
        """The upstream named the session: handles belong to it from here."""
        self.call = replace(self.call, owner=replace(self.call.owner, session=session))

    def message(self, raw: bytes) -> bytes | None:
        """One server message as the client may see it: empty where it is dropped, None where it cannot be read."""
        parsed = jsonrpc.read_server_message(raw)
        if isinstance(parsed, Rejection):
            return None
        before, self.payload = self.masked.copy(), None
        value: Mapping[str, Json] | None
        match parsed.kind:
            case MessageKind.RESPONSE:
                value = self._response(parsed)
            case MessageKind.REQUEST:
                question = self._server_request(parsed)
                value = None if question is None else self._covering.shown(question)
            case _:
                news = self._notification(parsed)
                value = None if news is None else self._covering.shown(news)
        if self.exhausted:
            return None
        if value is None:
            return b""
        if self.call.is_recorded:
            payload = (
                self.payload if parsed.kind is MessageKind.RESPONSE else self._covering.parameters(parsed.value, value)
            )
            counts = self.masked - before
            method = value.get("method")  # what is not open to a server leaves as a ping
            self.said = Said(kind=parsed.kind, method=method, id=parsed.id, payload=payload, masked=counts)
        return raw if value is parsed.value else strict_json.encode(value)

    def _response(self, parsed: jsonrpc.ServerMessage) -> Mapping[str, Json] | None:
        value = parsed.value
        if self.call.is_stream:
            refusal = refusal_in(parsed.id, self.call.owner, self.call.ring)
            if refusal is not None:
                return refusal
        if not self.call.is_stream:
            expected = self.call.message.id
            unasked = parsed.id != expected or type(parsed.id) is not type(expected)
            if self.answered or (unasked and not (parsed.id is None and "error" in value)):
                return None
            self.answered = True
        if "error" in value:
            self.failed = True
        if not self._may_ask(value):
            self.failed = True
            return self._kept(self._refusal(parsed))
        result = value.get("result")
        if not isinstance(result, dict):
            return self._kept(value)
        going_on = self._goes_on(result)
        if going_on is None:
            self.failed = True
            return replies.withheld_message(parsed.id, self.call.decision_id)
        result = going_on
        filtered = self._filtered(result)
        self._unlisted += filtered.hidden
        return self._kept(value if filtered.result is value["result"] else {**value, "result": filtered.result})

    def _may_ask(self, value: Mapping[str, Json]) -> bool:
        return self.questions.pass_error(value.get("error")) and self.questions.pass_result(value.get("result", {}))

    def _refusal(self, parsed: jsonrpc.ServerMessage) -> dict[str, Json]:
        call = self.call
        said = refusal(call.message, call.decision, call.decision_id)
        return {**said, "id": parsed.id}

    def _goes_on(self, result: dict[str, Json]) -> dict[str, Json] | None:
        """The result with the upstream's state sealed to its owner, and with the approval that the call ran on.

        None where the state is too large to travel.
        """
        call, state = self.call, result.get("requestState")
        if call.message.era is not Era.MODERN or result.get("resultType") != "input_required":
            return result
        asked = result.get("inputRequests")
        round_ = Round(
            call=call_digest(call.message),
            until=call.started + LIFE_NANOSECONDS,
            ticket=call.used.id if call.used is not None else "",
            used=call.used.revision if call.used is not None else None,
            upstream=state if isinstance(state, str) else None,
            asked=tuple(asked) if isinstance(asked, dict) else (),
        )
        sealed = seal_round(call.ring, call.owner, round_)
        return None if sealed is None else {**result, "requestState": sealed}

    def _filtered(self, result: dict[str, Json]) -> catalog.Filtered:
        message, sees = self.call.message, self._sees
        if self.call.definitions is not None and (self.call.is_stream or message.method == "tools/list"):
            result = self._as_approved(self.call.definitions, result)
        if self.call.is_stream:
            return catalog.only_whatever(result, sees, message.era)
        shape = catalog.LISTS.get(message.method)
        if shape is not None:
            return catalog.only_visible(shape, result, sees, message.era)
        if message.method == "resources/read":
            return catalog.only_contents(message.targets[0].name, result, sees, message.era)
        if message.method == "completion/complete":
            return catalog.only_completions(message.params, result, sees)
        return catalog.Filtered(result=result, hidden=0)

    def _as_approved(self, definitions: Definitions, result: dict[str, Json]) -> dict[str, Json]:
        """A list of tools without those whose definition is not the approved one."""
        entries = result.get("tools")
        if not isinstance(entries, list):
            return result
        shown, news = definitions.held_against(entries)
        self.seen += news
        self._unlisted += len(entries) - len(shown)
        return {**result, "tools": shown}

    def _sees(self, kind: ResourceKind, name: str) -> bool:
        # a URI that no request may name (wire.uris) is nobody's, however a pattern takes its text
        return (kind is not ResourceKind.RESOURCE or uris.is_normal(name)) and self.call.sees(kind, name)

    def _server_request(self, parsed: jsonrpc.ServerMessage) -> Mapping[str, Json] | None:
        params = parsed.value.get("params")
        if self.call.message.era is Era.MODERN:  # MCP 2026-07-28: servers send no requests
            self.questions.refuse(parsed.method, params, "not_in_revision")
            return None
        if not self.questions.pass_one(parsed.method, params):
            return ping_instead(self.call.ring, self.call.owner, parsed.id)
        return {**parsed.value, "id": self._request_handle(parsed.id)}

    def _notification(self, parsed: jsonrpc.ServerMessage) -> Mapping[str, Json] | None:
        params = parsed.value.get("params")
        if not isinstance(params, dict):
            return parsed.value
        if not self.questions.pass_result(params):  # a task that goes on
            return None
        if parsed.method == "notifications/resources/updated":
            uri = params.get("uri")
            return parsed.value if isinstance(uri, str) and self._sees(ResourceKind.RESOURCE, uri) else None
        if parsed.method == "notifications/cancelled" and self.call.message.era is Era.LEGACY:
            handle = self._request_handle(params.get("requestId"))
            return {**parsed.value, "params": {**params, "requestId": handle}}
        return parsed.value

    def _request_handle(self, request_id: Json) -> str:
        return seal(self.call.ring, Purpose.REQUEST, self.call.owner, strict_json.encode(request_id).decode())

    def _kept(self, value: Mapping[str, Json]) -> Mapping[str, Json] | None:
        """A response as the client gets it, and the same for the record."""
        seen = self._covering.shown(value)
        if seen is None:
            self.answered = False
        elif self.call.is_recorded:
            self.payload = self._covering.payload(value, seen)
        return seen
