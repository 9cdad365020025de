"""Calls put together into sessions, from audit events; which call belongs to which is said in ``lanes``."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from extproc.core.audit.lanes import SESSION_GAP_NS, Lane, Owner, id_of, key_of, owner_of, place_in_lane
from extproc.core.audit.members import members_of, number_in, text_of
from extproc.core.model import Json

__all__ = ["REFUSED", "SESSION_GAP_NS", "Call", "Session", "Streamed", "client_of", "sessions", "settling"]

REFUSED: Final = frozenset({"deny", "reject"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """One message of a streamed response; ``payload`` as it was recorded, ``size`` in bytes.

    ``encrypted``: to whom the payload is readable, as in a ``Call``.
    """

    at: int
    number: int
    message: str
    method: str
    size: int
    payload: Json = None
    masked: Mapping[str, int] = field(default_factory=dict)
    encrypted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One decision and what came of it; what the outcome says is None without one.

    ``arguments`` and ``payload``, the response, are as they were recorded, so masked, or None; ``masked`` counts what
    was masked by its type, in the request and the response; ``size`` is that of the response in bytes; ``ticket`` the
    approval that let it through, and ``approvers`` the names of those who gave it; ``messages`` those of a streamed
    response, in order. ``encrypted``: to whom what of this is readable that is None here, by the ids of their keys.
    """

    at: int
    decision: str
    method: str
    targets: tuple[str, ...]
    verb: str
    effect: str
    rule: str
    reason: str
    status: int | None
    result: str | None
    duration_ns: int | None
    size: int | None = None
    source: str = ""
    ticket: str = ""
    approvers: tuple[str, ...] = ()
    arguments: Json = None
    payload: Json = None
    masked: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[Streamed, ...] = ()
    encrypted: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the call was not let through."""
        return self.effect in REFUSED


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """The calls of one session in order. ``issuer`` and ``subject`` are empty where nobody was identified."""

    id: str
    issuer: str
    subject: str
    server: str
    client: str
    first_at: int
    last_at: int
    calls: tuple[Call, ...]

    @property
    def denied(self) -> int:
        """How many of the calls were refused."""
        return sum(call.refused for call in self.calls)


@dataclass(slots=True, kw_only=True)
class _Open:
    id: str
    owner: Owner
    last_at: int
    client: str = ""
    calls: list[Call] = field(default_factory=list)


def sessions(events: Iterable[Mapping[str, Json]]) -> tuple[Session, ...]:
    """The sessions in these events, by the time of their first call; other kinds of event are passed over."""
    decisions, outcomes, messages = _sorted(events)
    found: dict[int, _Open] = {}
    lanes: defaultdict[Owner, Lane] = defaultdict(Lane)
    for event in decisions:
        at, decision = number_in(event.get("at")), text_of(event.get("decision"))
        outcome = settling(event, outcomes.get(decision, ()))
        ends = max(at, number_in(outcome.get("at")))
        name = text_of(event.get("session") or outcome.get("session") or None)
        owner = owner_of(event, named=bool(name))
        if name:
            key = key_of(owner, name)
        else:
            trace = text_of(event.get("trace"))
            key = lanes[owner].place(at=at, ends=ends, trace=trace, begins=key_of(owner, decision))
        session = found.setdefault(key, _Open(id=id_of(key), owner=owner, last_at=ends))
        session.client = session.client or client_of(event)
        session.last_at = max(session.last_at, ends)
        session.calls.append(_call(event, outcome or None, messages.get(decision, ())))
    return tuple(_closed(session) for session in found.values())


def settling(decision: Mapping[str, Json], outcomes: Sequence[Mapping[str, Json]]) -> Mapping[str, Json]:
    """Which of several outcomes of one decision counts: one that names its session, then the last; nothing of none.

    A worker writes one. Where there are more all the same, every reader takes the same, whatever he has read before.
    """
    at, named = number_in(decision.get("at")), bool(decision.get("session"))

    def weight(placed: tuple[int, Mapping[str, Json]]) -> tuple[bool, int, int]:
        place, outcome = placed
        return not named and bool(outcome.get("session")), max(at, number_in(outcome.get("at"))), place

    return max(enumerate(outcomes), key=weight)[1] if outcomes else {}


_Decisions: TypeAlias = list[Mapping[str, Json]]
_Outcomes: TypeAlias = dict[str, list[Mapping[str, Json]]]
_Messages: TypeAlias = dict[str, list[Streamed]]


def _sorted(events: Iterable[Mapping[str, Json]]) -> tuple[_Decisions, _Outcomes, _Messages]:
    """The decisions by their time, and what belongs to each of them by its id."""
    decisions: _Decisions = []
    outcomes: _Outcomes = {}
    messages: _Messages = {}
    for event in events:
        decision = text_of(event.get("decision"))
        match event.get("kind"):
            case "decision":
                decisions.append(event)
            case "outcome":
                outcomes.setdefault(decision, []).append(event)
            case "message":
                messages.setdefault(decision, []).append(_said(event))
    decisions.sort(key=place_in_lane)
    return decisions, outcomes, messages


def _closed(session: _Open) -> Session:
    issuer, subject, server, _, _ = session.owner
    return Session(
        id=session.id,
        issuer=issuer,
        subject=subject,
        server=server,
        client=session.client,
        first_at=session.calls[0].at,
        last_at=session.last_at,
        calls=tuple(session.calls),
    )


def _said(event: Mapping[str, Json]) -> Streamed:
    return Streamed(
        at=number_in(event.get("at")),
        number=number_in(event.get("number")),
        message=text_of(event.get("message")),
        method=text_of(event.get("method")),
        size=number_in(event.get("bytes")),
        payload=event.get("payload"),
        masked=_masked(event),
        encrypted=tuple(sorted(_readers(event))),
    )


def _call(event: Mapping[str, Json], outcome: Mapping[str, Json] | None, messages: Iterable[Streamed]) -> Call:
    targets = event.get("targets")
    status = None if outcome is None else outcome.get("status")
    return Call(
        at=number_in(event.get("at")),
        decision=text_of(event.get("decision")),
        method=text_of(event.get("method")),
        targets=tuple(
            f"{text_of(target.get('kind'))}:{text_of(target.get('name'))}"
            for target in map(members_of, targets if isinstance(targets, list) else ())
            if target.get("name")
        ),
        verb=text_of(event.get("verb")),
        effect=text_of(event.get("effect")),
        rule=text_of(event.get("rule")),
        reason=text_of(event.get("reason")),
        status=status if isinstance(status, int) else None,
        result=None if outcome is None else text_of(outcome.get("result")),
        duration_ns=None if outcome is None else number_in(outcome.get("duration_ns")),
        size=None if outcome is None else number_in(outcome.get("bytes")),
        source=text_of(event.get("source")),
        ticket=text_of(event.get("ticket")),
        approvers=_approvers(event),
        arguments=event.get("arguments"),
        payload=None if outcome is None else outcome.get("payload"),
        masked=_masked(event, outcome or {}),
        encrypted=tuple(sorted({*_readers(event), *_readers(outcome or {})})),
        messages=tuple(sorted(messages, key=lambda said: said.number)),
    )


def _approvers(event: Mapping[str, Json]) -> tuple[str, ...]:
    found = event.get("approved_by")
    people = map(members_of, found if isinstance(found, list) else ())
    return tuple(text_of(each.get("name") or each.get("subject")) for each in people)


def _readers(event: Mapping[str, Json]) -> Iterable[str]:
    return members_of(members_of(event.get("encrypted")).get("for"))


def _masked(*events: Mapping[str, Json]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in events:
        for kind, count in members_of(event.get("masked")).items():
            counts[kind] = counts.get(kind, 0) + number_in(count)
    return counts


def client_of(event: Mapping[str, Json]) -> str:
    """Name and version of the client, as far as it said them."""
    client = members_of(event.get("client"))
    return f"{text_of(client.get('name'))} {text_of(client.get('version'))}".strip()
