"""The nouns that every room shares.

Frozen values with the field's own names and no behaviour beyond what their own fields say. Times are handed in:
``int`` nanoseconds since the Unix epoch where an event is dated, ``float`` seconds since the epoch where a token's
claim is compared. What is made anew for every call is a ``msgspec.Struct``, here and in the other rooms: immutable like
a frozen dataclass, and made in a tenth of the time. ``msgspec.structs.replace`` changes one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from types import MappingProxyType
from typing import Any, Final, TypeAlias

import msgspec

from extproc.core.masking import NO_MASKING, Masking
from extproc.core.tickets import ApprovalRule, Vote

__all__ = [
    "EMPTY",
    "Client",
    "Decision",
    "Effect",
    "Era",
    "IdentityConfig",
    "Issuer",
    "Json",
    "Message",
    "MessageKind",
    "Obligations",
    "Principal",
    "Quota",
    "Recording",
    "Reply",
    "RequestHead",
    "RequestId",
    "ResourceKind",
    "Target",
    "Verb",
    "empty",
]

Json: TypeAlias = Any
"""A decoded JSON value: None, bool, int, float, str, list or dict with str keys."""

RequestId: TypeAlias = int | str
"""A JSON-RPC id. ``1`` and ``"1"`` are different ids; ``bool`` is none."""

EMPTY: Final[Mapping[str, Json]] = MappingProxyType({})
"""The mapping without members, shared."""


def empty() -> Mapping[str, Json]:
    """The shared empty mapping, as a dataclass default factory (a mapping is no valid default before Python 3.12)."""
    return EMPTY


class Verb(IntEnum):
    """The effect of an action, least to most harmful, so that ``max`` is the stricter one."""

    QUERY = 1
    MUTATE = 2
    ADMIN = 3


class Effect(StrEnum):
    """What a decision says."""

    ALLOW = "allow"
    HOLD = "hold"
    """Allowed once humans have approved exactly this."""
    DENY = "deny"


class Era(StrEnum):
    """Which family of revisions a message speaks: with a handshake, or with ``_meta`` on every request."""

    LEGACY = "legacy"
    """2025-11-25 and earlier."""
    MODERN = "modern"
    """2026-07-28 and later."""


class MessageKind(StrEnum):
    """The kinds of client message."""

    REQUEST = "request"
    NOTIFICATION = "notification"
    RESPONSE = "response"
    """The client's answer to a request of the server (legacy era)."""
    STREAM = "stream"
    """A bodiless GET that opens or resumes an event stream (legacy era)."""
    END = "end"
    """A bodiless DELETE that ends a session (legacy era)."""


class ResourceKind(StrEnum):
    """What a message touches."""

    SERVER = "server"
    """The server as a whole: handshake, lists, streams. ``Target.name`` is empty."""
    TOOL = "tool"
    PROMPT = "prompt"
    RESOURCE = "resource"
    """A resource by URI, in normal form."""
    TEMPLATE = "template"
    """A resource template by its URI template, as written."""


class Recording(StrEnum):
    """How much of arguments and results an audit event keeps."""

    MASKED = "masked"
    DIGEST = "digest"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """One token issuer that the policy trusts.

    ``issuer`` and ``audiences`` are compared exactly. ``max_token_age`` is in seconds from ``iat``. ``groups``,
    ``roles`` and ``human`` are paths into the claims (``("realm_access", "roles")``). The key set comes from
    ``jwks_uri`` or ``jwks_file`` where this service verifies tokens itself; Envoy's jwt_authn has its own.
    """

    name: str
    issuer: str
    audiences: tuple[str, ...]
    max_token_age: float
    groups: tuple[str, ...] = ("groups",)
    roles: tuple[str, ...] = ("roles",)
    human: tuple[str, ...] = ()
    jwks_uri: str | None = None
    jwks_file: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityConfig:
    """Whom the policy believes: token issuers, and SPIFFE trust domains of mesh workloads."""

    issuers: tuple[Issuer, ...] = ()
    trust_domains: frozenset[str] = frozenset()


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What the client says of itself. Never verified: for the record and for conditions, not for trust."""

    name: str = ""
    version: str = ""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a message touches."""

    kind: ResourceKind
    name: str = ""


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who calls: (issuer, subject) exactly, or a workload when there is no token (invariant 7).

    ``issuer`` is the token's issuer, or ``spiffe://<trust domain>`` for a workload; ``subject`` the token's subject,
    or the whole SPIFFE id. ``workload`` is the peer's SPIFFE id, also beside a token. ``expires_at`` is when the token
    has expired or is too old, in seconds since the epoch, None for a workload alone. ``human`` is who stands behind a
    service account, where a claim tells; ``lent`` are the policy's roles that are on loan to the principal now.
    """

    issuer: str
    subject: str
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    claims: Mapping[str, Json] = msgspec.field(default_factory=empty)
    workload: str | None = None
    expires_at: float | None = None
    human: str = ""
    lent: frozenset[str] = frozenset()


class RequestHead(msgspec.Struct, frozen=True, kw_only=True):
    """What Envoy tells of one HTTP request before its body.

    ``server`` is named by the Envoy route, never by the client. ``headers`` are lower-case names with decoded values;
    the values of a repeated header arrive joined by a comma. ``claims`` and ``token_header`` are the payload and the
    JOSE header of a token that Envoy's jwt_authn verified, None without one. ``peer_uris`` are the URI SANs of the
    verified peer certificate. ``path`` has its query string.
    """

    server: str
    http_method: str
    path: str
    headers: Mapping[str, str] = msgspec.field(default_factory=empty)
    claims: Mapping[str, Json] | None = None
    token_header: Mapping[str, Json] | None = None
    peer_uris: tuple[str, ...] = ()
    source: str = ""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One client message, strictly parsed; the only form that policy and audit ever see.

    ``body`` is what may be forwarded: the original bytes where they have one reading, else the canonical
    re-serialisation, and then ``rewritten`` is true (invariant 1). ``id`` is the id of a
    request, of the server's request that a response answers, or None.
    ``targets`` is what must be judged, all of it; ``verb`` is the method's own, before a tool's verb replaces it.
    """

    kind: MessageKind
    method: str
    era: Era
    revision: str
    verb: Verb
    targets: tuple[Target, ...]
    id: RequestId | None = None
    params: Mapping[str, Json] = msgspec.field(default_factory=empty)
    arguments: Mapping[str, Json] = msgspec.field(default_factory=empty)
    client: Client | None = None
    trace_id: str | None = None
    body: bytes = b""
    rewritten: bool = False


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """One count that a call must fit into: at most ``calls`` per ``seconds`` under ``key``."""

    rule: str
    key: str
    calls: int
    seconds: int


class Obligations(msgspec.Struct, frozen=True, kw_only=True):
    """What an allow still owes."""

    recording: Recording = Recording.MASKED
    quotas: tuple[Quota, ...] = ()
    masking: Masking = NO_MASKING


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Allow, hold or deny, with the reason and the rule.

    ``rule`` names what decided (``role:analyst#1``, ``deny:no-dumps``, ``default``), ``reason`` is a stable word for
    the record, ``message`` the sentence for the model; neither tells whether a hidden thing exists. ``verb`` is the
    verb after the tool's own replaced the method's. ``shadowed`` means that the effect is a hold or a deny which the
    operator asked not to enforce (invariant 9). ``approval`` is who must approve a held call, ``ticket`` the id of the
    question that was put to them, ``approved_by`` their answers that let it through.
    """

    effect: Effect
    rule: str
    reason: str
    message: str = ""
    verb: Verb = Verb.ADMIN
    policy_digest: str = ""
    shadowed: bool = False
    obligations: Obligations = Obligations()
    approval: ApprovalRule | None = None
    ticket: str = ""
    approved_by: tuple[Vote, ...] = ()


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """A whole HTTP response made here."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
