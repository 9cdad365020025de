"""Calls put together into sessions, from audit events.

A legacy call belongs to the session it names. A modern call names none: it belongs to the calls of the same principal
and client to the same server with the same trace id, or else to the last ones if less than 30 minutes lie between.
Nothing that a client says of itself ever puts a call into a session of another principal.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from extproc.core.model import Json

__all__ = ["SESSION_GAP_NS", "Call", "Session", "Streamed", "sessions"]

SESSION_GAP_NS: Final = 30 * 60 * 1_000_000_000

_ID_CHARS: Final = 12
_REFUSED: Final = frozenset({"deny", "reject"})

_Owner: TypeAlias = tuple[str, str, str, str, str]


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
    approval that let it through; ``messages`` those of a streamed response, in order. ``encrypted``: to whom what of
    this is readable that is None here, by the ids of their keys.
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
    arguments: Json = None
    payload: Json = None
    masked: Mapping[str, int] = field(default_factory=dict)
    messages: tuple[Streamed, ...] = ()
    encrypted: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the call was not let through."""
        return self.effect in _REFUSED


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
    owner: _Owner
    last_at: int
    client: str = ""
    calls: list[Call] = field(default_factory=list)


def sessions(events: Iterable[Mapping[str, Json]]) -> tuple[Session, ...]:
    """The sessions in these events, by the time of their first call; other kinds of event are passed over."""
    decisions, outcomes, messages = _sorted(events)
    found: list[_Open] = []
    named: dict[tuple[_Owner, str], _Open] = {}
    traced: dict[tuple[_Owner, str], _Open] = {}
    latest: dict[_Owner, _Open] = {}
    for event in decisions:
        at = _number(event.get("at"))
        outcome = outcomes.get(_text(event.get("decision")))
        name = _text(event.get("session") or (outcome or {}).get("session"))
        trace = _text(event.get("trace"))
        owner = _owner(event, named=bool(name))
        if name:
            session = named.get((owner, name))
        else:
            session = traced.get((owner, trace)) if trace else None
            recent = latest.get(owner)
            if session is None and recent is not None and at - recent.last_at < SESSION_GAP_NS:
                session = recent
        if session is None:
            session = _Open(id=_id(owner, name or _text(event.get("decision"))), owner=owner, last_at=at)
            found.append(session)
        if name:
            named[owner, name] = session
        else:
            latest[owner] = session
            if trace:
                traced[owner, trace] = session
        session.client = session.client or _client(event)
        session.last_at = max(session.last_at, at, _number((outcome or {}).get("at")))
        session.calls.append(_call(event, outcome, messages.get(_text(event.get("decision")), ())))
    return tuple(_closed(session) for session in found)


_Decisions: TypeAlias = list[Mapping[str, Json]]
_Outcomes: TypeAlias = dict[str, Mapping[str, Json]]
_Messages: TypeAlias = dict[str, list[Streamed]]


def _sorted(events: Iterable[Mapping[str, Json]]) -> tuple[_Decisions, _Outcomes, _Messages]:
    """The decisions by their time, and what belongs to each of them by its id."""
    decisions: _Decisions = []
    outcomes: _Outcomes = {}
    messages: _Messages = {}
    for event in events:
        decision = _text(event.get("decision"))
        match event.get("kind"):
            case "decision":
                decisions.append(event)
            case "outcome":
                outcomes[decision] = event
            case "message":
                messages.setdefault(decision, []).append(_said(event))
    decisions.sort(key=lambda event: _number(event.get("at")))
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


def _owner(event: Mapping[str, Json], *, named: bool) -> _Owner:
    principal = _members(event.get("principal"))
    # a legacy client says its name once, in the handshake
    client = {} if named else _members(event.get("client"))
    return (
        _text(principal.get("issuer")),
        _text(principal.get("subject")),
        _text(event.get("server")),
        _text(client.get("name")),
        _text(client.get("version")),
    )


def _said(event: Mapping[str, Json]) -> Streamed:
    return Streamed(
        at=_number(event.get("at")),
        number=_number(event.get("number")),
        message=_text(event.get("message")),
        method=_text(event.get("method")),
        size=_number(event.get("bytes")),
        payload=event.get("payload"),
        masked=_masked(event),
        encrypted=tuple(sorted(_readers(event))),
    )


def _call(event: Mapping[str, Json], outcome: Mapping[str, Json] | None, messages: Iterable[Streamed]) -> Call:
    targets = event.get("targets")
    status = None if outcome is None else outcome.get("status")
    return Call(
        at=_number(event.get("at")),
        decision=_text(event.get("decision")),
        method=_text(event.get("method")),
        targets=tuple(
            f"{_text(target.get('kind'))}:{_text(target.get('name'))}"
            for target in map(_members, targets if isinstance(targets, list) else ())
            if target.get("name")
        ),
        verb=_text(event.get("verb")),
        effect=_text(event.get("effect")),
        rule=_text(event.get("rule")),
        reason=_text(event.get("reason")),
        status=status if isinstance(status, int) else None,
        result=None if outcome is None else _text(outcome.get("result")),
        duration_ns=None if outcome is None else _number(outcome.get("duration_ns")),
        size=None if outcome is None else _number(outcome.get("bytes")),
        source=_text(event.get("source")),
        ticket=_text(event.get("ticket")),
        arguments=event.get("arguments"),
        payload=None if outcome is None else outcome.get("payload"),
        masked=_masked(event, outcome or {}),
        encrypted=tuple(sorted({*_readers(event), *_readers(outcome or {})})),
        messages=tuple(sorted(messages, key=lambda said: said.number)),
    )


def _readers(event: Mapping[str, Json]) -> Iterable[str]:
    return _members(_members(event.get("encrypted")).get("for"))


def _masked(*events: Mapping[str, Json]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for event in events:
        for kind, count in _members(event.get("masked")).items():
            counts[kind] = counts.get(kind, 0) + _number(count)
    return counts


def _client(event: Mapping[str, Json]) -> str:
    client = _members(event.get("client"))
    return f"{_text(client.get('name'))} {_text(client.get('version'))}".strip()


def _id(owner: _Owner, begins: str) -> str:
    seed = "\0".join((*owner, begins)).encode("utf-8", "surrogatepass")
    return hashlib.sha256(seed).hexdigest()[:_ID_CHARS]


def _text(value: Json) -> str:
    return "" if value is None else str(value)


def _number(value: Json) -> int:
    return value if isinstance(value, int) else 0


def _members(value: Json) -> Mapping[str, Json]:
    return value if isinstance(value, Mapping) else {}
