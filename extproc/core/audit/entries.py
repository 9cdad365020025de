"""What an index keeps of the decisions and outcomes, so that calls are found and put into sessions without them."""

import hashlib
from collections.abc import Mapping

import msgspec

from extproc.core.audit.filters import said_of, targets_of
from extproc.core.audit.lanes import Owner, key_of, lane_of, number_of, owner_of
from extproc.core.audit.members import number_in, text_of
from extproc.core.audit.sessions import REFUSED, client_of
from extproc.core.model import Json

__all__ = ["CallEntry", "OutcomeEntry", "Shape", "call_entry", "named_owner", "outcome_entry"]


class Shape(msgspec.Struct, frozen=True, kw_only=True):
    """What calls have in common that are chosen alike; ``targets`` and ``rule`` in lower case."""

    verb: str
    effect: str
    targets: str
    rule: str

    @property
    def key(self) -> int:
        """What stands for it: 64 bits, signed."""
        seed = f"{self.verb}\0{self.effect}\0{self.rule}\0{self.targets}".encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.sha256(seed).digest()[:8], "big", signed=True)


class CallEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One decision.

    ``name`` is the digest of the session it names, or empty; ``lane`` and ``begins`` are keys (see ``lanes``); ``said``
    are the arguments as they were recorded, in lower case.
    """

    at: int
    decision: int
    owner: Owner
    name: str
    trace: str
    begins: int
    lane: int
    shape: Shape
    refused: bool
    client: str
    said: str


class OutcomeEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One outcome; ``name`` is the digest of the session that the answer named, or empty."""

    at: int
    decision: int
    name: str


def call_entry(event: Mapping[str, Json]) -> CallEntry:
    """The entry of a decision event."""
    decision = text_of(event.get("decision"))
    owner = owner_of(event, named=False)
    effect = text_of(event.get("effect"))
    return CallEntry(
        at=number_in(event.get("at")),
        decision=number_of(decision),
        owner=owner,
        name=text_of(event.get("session") or None),
        trace=text_of(event.get("trace")),
        begins=key_of(owner, decision),
        lane=lane_of(owner),
        shape=Shape(
            verb=text_of(event.get("verb")),
            effect=effect,
            targets=targets_of(event).lower(),
            rule=text_of(event.get("rule")).lower(),
        ),
        refused=effect in REFUSED,
        client=client_of(event),
        said=said_of(event).lower(),
    )


def outcome_entry(event: Mapping[str, Json]) -> OutcomeEntry:
    """The entry of an outcome event."""
    return OutcomeEntry(
        at=number_in(event.get("at")),
        decision=number_of(text_of(event.get("decision"))),
        name=text_of(event.get("session") or None),
    )


def named_owner(owner: Owner) -> Owner:
    """The owner of a session that has a name."""
    return (*owner[:3], "", "")
