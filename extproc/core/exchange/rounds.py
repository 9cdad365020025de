"""What travels in ``requestState``: rounds of a held call, and around the upstream's state the approval it ran on.

A client gives the state back unread. It is sealed to principal and server, names the call that it belongs to, and ends
by itself (threat A11); what is inside for the upstream is opened before the upstream sees it. A state is not a right:
the ticket behind it is asked for at every round. With a state, or under an approval, only answers to what the upstream
has asked go on to it (threat A13): the approver sees none of them.
"""

import hashlib
from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core import audit
from extproc.core.exchange.snapshot import Snapshot
from extproc.core.handles import KeyRing, Owner, Purpose, open_handle, seal
from extproc.core.limits import MAX_STATE_CHARS
from extproc.core.model import Message, Recording
from extproc.core.rejection import INVALID_PARAMS, Rejection
from extproc.core.wire import strict_json

__all__ = ["APPROVAL_KEY", "LIFE_NANOSECONDS", "Round", "call_digest", "resume", "seal_round"]

APPROVAL_KEY: Final = "mcp_extproc_approval"
"""Under which our own request for a look at the page stands among ``inputRequests``."""
LIFE_NANOSECONDS: Final = 15 * 60 * 1_000_000_000


class Round(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``call`` is the digest of the call that goes on, ``until`` its end in nanoseconds since the epoch.

    ``ticket`` is the one that it waits for, or, with ``used`` as its revision by then, the one that it ran on.
    ``upstream`` is the upstream's own state, ``asked`` are the keys of what it asks the client in this round.
    """

    call: str
    until: int
    ticket: str = ""
    used: int | None = None
    upstream: str | None = None
    asked: tuple[str, ...] = ()


def call_digest(message: Message) -> str:
    """What must be the same in every round: method, things and arguments."""
    named = [[target.kind.value, target.name] for target in message.targets]
    return hashlib.sha256(audit.encode([message.method, named, message.arguments])).hexdigest()


def seal_round(ring: KeyRing, owner: Owner, going_on: Round) -> str | None:
    """The ``requestState`` of a round; None where the upstream's state is too large to travel."""
    sealed = seal(ring, Purpose.STATE, owner, msgspec.json.encode(going_on).decode())
    return sealed if len(sealed) <= MAX_STATE_CHARS else None


def _open_round(ring: KeyRing, owner: Owner, state: str, message: Message, at: int) -> Round | None:
    """The round behind a ``requestState`` of this owner's, for this call and in time; None for any other text."""
    raw = open_handle(ring, Purpose.STATE, owner, state, longest=MAX_STATE_CHARS)
    if raw is None:
        return None
    going_on = msgspec.json.decode(raw, type=Round)
    return going_on if going_on.call == call_digest(message) and at < going_on.until else None


def resume(message: Message, owner: Owner, snapshot: Snapshot, at: int) -> tuple[Message, Round | None] | Rejection:
    """A round that goes on, with what in it is the upstream's own; ours never reaches the upstream."""
    state = message.params["requestState"]
    going_on = _open_round(snapshot.ring, owner, state, message, at) if isinstance(state, str) else None
    place = snapshot.policy.servers.get(owner.server)
    document = strict_json.read(message.body)
    if going_on is None or isinstance(document, Rejection):
        if place is not None and place.recording is Recording.NONE:
            return message, None  # responses of this server pass unseen, so their states were never sealed
        return Rejection(
            status=400,
            code=INVALID_PARAMS,
            message="This requestState belongs to no call of yours that goes on.",
            reason="request_state_unknown",
            id=message.id,
            data={"reason": "invalid_request_state"},
        )
    kept = {name: value for name, value in message.params.items() if name not in {"requestState", "inputResponses"}}
    if going_on.upstream is not None:
        kept["requestState"] = going_on.upstream
    answers = message.params.get("inputResponses")
    if isinstance(answers, dict) and (wanted := {key: answers[key] for key in going_on.asked if key in answers}):
        kept["inputResponses"] = wanted
    body = strict_json.encode({**document.value, "params": kept})
    return replace(message, params=kept, body=body, rewritten=True), going_on
