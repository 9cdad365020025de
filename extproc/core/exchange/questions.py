"""What a server asks of the client on the way of its answers: each question judged by the policy, and noted.

What is not open never reaches the client. In the modern era a question is part of a result (``inputRequests``), or of
the error that asks for a URL, and a refusal takes the place of the whole. In the legacy era it is a request of its own:
the client gets a ping in its place, under a handle that tells its answer from others, and what the server gets in
the place of that answer is an error. So neither side waits for something that nobody will say.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core.handles import KeyRing, Owner, Purpose, seal
from extproc.core.model import Decision, Effect, Json, Message, Verb
from extproc.core.policy.server_requests import ServerRequests, kind_of, place_of
from extproc.core.rejection import DENIED
from extproc.core.wire import replies, strict_json

__all__ = ["Question", "Questions", "answered_for", "ping_instead"]

REFUSED: Final = "server_request_refused"
_WORDS: Final = (
    "The server asked for something that the policy does not let it ask of its clients "
    "(`server_requests`, `elicitation_hosts`), so its answer was withheld. "
    "The call may have had effects. Do not repeat it."
)
_TO_SERVER: Final = "The policy of the gateway does not let this server ask that of its clients."


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One request of the server.

    ``kind``: sampling, roots, elicitation, other. ``host`` is where it sends somebody, as far as that can be told.
    ``effect``: allow, deny, shadow; ``reason`` is a stable word, empty where it passes by the policy.
    """

    kind: str
    effect: str
    reason: str = ""
    host: str | None = None


@dataclass(slots=True)
class Questions:
    """The questions of one response; ``seen`` are those that nobody has recorded yet."""

    opened: ServerRequests
    shadow: bool
    seen: list[Question] = field(default_factory=list)

    def pass_one(self, method: Json, params: Json) -> bool:
        """Whether a request of the server may reach the client."""
        if method == "ping":
            return True
        return self._noted(method, params, self.opened.fault(method, params))

    def pass_result(self, result: Mapping[str, Json]) -> bool:
        """Whether all may that a result, or a task in a notification, asks for."""
        if "inputRequests" not in result:
            return True
        asked = result["inputRequests"]
        if not isinstance(asked, Mapping):
            return self._noted(None, None, "unreadable")
        found = [
            self.pass_one(each.get("method"), each.get("params")) if isinstance(each, Mapping) else self._unreadable()
            for each in asked.values()
        ]
        return all(found)

    def pass_error(self, error: Json) -> bool:
        """Whether an error may reach the client: one that sends somebody to pages, only with all of them open."""
        if not isinstance(error, Mapping) or error.get("code") != replies.URL_REQUIRED:
            return True
        told = error.get("data")
        places = told.get("elicitations") if isinstance(told, Mapping) else None
        if not isinstance(places, list) or not places:
            return self._unreadable()
        found = [self.pass_one("elicitation/create", {"mode": "url", **_open(place)}) for place in places]
        return all(found)

    def refuse(self, method: Json, params: Json, reason: str) -> None:
        """Note a request that does not pass, whatever the policy opens."""
        self.seen.append(_question(method, params, "deny", reason))

    def _unreadable(self) -> bool:
        return self._noted(None, None, "unreadable")

    def _noted(self, method: Json, params: Json, fault: str | None) -> bool:
        effect = "allow" if fault is None else "shadow" if self.shadow else "deny"
        self.seen.append(_question(method, params, effect, fault or ""))
        return effect != "deny"


def _open(place: Json) -> Mapping[str, Json]:
    return place if isinstance(place, Mapping) else {}


def _question(method: Json, params: Json, effect: str, reason: str) -> Question:
    host = place_of(params) if isinstance(params, Mapping) else None
    return Question(kind=kind_of(method), effect=effect, reason=reason, host=host)


def refusal(message: Message, decision: Decision, decision_id: str) -> dict[str, Json]:
    """What the client gets in the place of an answer that asks for what is not open."""
    no = replace(decision, effect=Effect.DENY, rule="server_requests", reason=REFUSED, message=_WORDS)
    return replies.denial_message(message, no, decision_id)


def ping_instead(ring: KeyRing, owner: Owner, request_id: Json) -> dict[str, Json]:
    """What the client gets in the place of a request that is not open; its answer is ``answered_for``'s."""
    handle = seal(ring, Purpose.WITHHELD, owner, strict_json.encode(request_id).decode())
    return {"jsonrpc": "2.0", "id": handle, "method": "ping"}


def answered_for(message: Message, request_id: Json) -> Message:
    """A client's answer to such a ping, as the server gets it: nothing in it is the client's."""
    error: dict[str, Json] = {"code": DENIED, "message": _TO_SERVER, "data": {"reason": REFUSED}}
    body = strict_json.encode({"jsonrpc": "2.0", "id": request_id, "error": error})
    params = {"id": request_id, "error": error}
    return replace(message, params=params, verb=Verb.QUERY, body=body, rewritten=True)
