"""The nouns of a loaded policy: servers with the grants, deny rules and limits that concern each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from extproc.core.masking import Masks
from extproc.core.model import IdentityConfig, Recording, Verb
from extproc.core.policy.arguments import ArgumentRule
from extproc.core.policy.conditions import Condition
from extproc.core.policy.inspections import Inspections
from extproc.core.policy.membership import Membership
from extproc.core.policy.patterns import Patterns
from extproc.core.policy.server_requests import ServerRequests
from extproc.core.policy.verbs import ToolVerbs
from extproc.core.retention import FOR_EVER, Retention
from extproc.core.shared_state import Pinning
from extproc.core.tickets import ApprovalRule

__all__ = ["DenyRule", "Grant", "Limit", "Loan", "MaskRule", "Policy", "Reach", "Server"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What a rule covers: ``everything``, or only the kinds of thing whose patterns are given; all verbs where None."""

    everything: bool
    verbs: frozenset[Verb] | None = None
    tools: Patterns | None = None
    prompts: Patterns | None = None
    resources: Patterns | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One grant of one role; ``rule`` is its name in decisions. With an ``approval`` its calls are held for humans."""

    rule: str
    role: str
    reach: Reach
    when: Condition | None
    arguments: tuple[ArgumentRule, ...] = ()
    approval: ApprovalRule | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyRule:
    """One deny rule; ``looks`` is its reach with every pattern folded, ``message`` the operator's sentence."""

    rule: str
    reach: Reach
    looks: Reach
    when: Condition | None
    message: str
    arguments: tuple[ArgumentRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """At most ``calls`` in ``seconds`` for each of ``per``: principal, tool (of one principal), server."""

    rule: str
    per: str
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MaskRule:
    """One masking rule, compared by identity: for whom (``roles`` None is everybody), where, and what it masks.

    ``looks`` is its reach with every pattern folded. ``blocks``: a request in which it finds something is refused with
    ``message``, in the place of being masked.
    """

    name: str
    reach: Reach
    looks: Reach
    roles: frozenset[str] | None
    exempt_roles: frozenset[str]
    exempt_groups: frozenset[str]
    exempt_subjects: frozenset[tuple[str, str]]
    masks: Masks
    on_responses: bool
    on_requests: bool
    blocks: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """All that concerns one server.

    ``asks_calls``: some condition names ``session.calls``; ``holds``: some grant wants an approval; ``asks`` is what it
    may ask of its clients; ``audiences``, where there are any, are those of which a token must have one. ``calls``:
    some tool calls others; ``reaches``: the other servers on which it may.
    """

    name: str
    tools: ToolVerbs
    grants: tuple[Grant, ...]
    denies: tuple[DenyRule, ...]
    masks: tuple[MaskRule, ...]
    limits: tuple[Limit, ...]
    recording: Recording
    shadow: bool
    asks_calls: bool
    holds: bool
    url: str | None
    audiences: frozenset[str]
    pinning: Pinning
    inspections: Inspections
    asks: ServerRequests
    calls: bool = False
    reaches: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Loan:
    """A role that is lent: who approves it, and for how many seconds at most."""

    approval: ApprovalRule
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One loaded policy file.

    ``shadow`` is the mode of what belongs to no server; ``detectors`` are the names of the operator's own;
    ``wants_names``: some rule looks for names or places.
    """

    source: str
    digest: str
    identity: IdentityConfig
    shadow: bool
    servers: Mapping[str, Server]
    membership: Membership
    roles: tuple[str, ...]
    detectors: tuple[str, ...] = ()
    wants_names: bool = False
    lent: Mapping[str, Loan] = field(default_factory=dict)
    retention: Retention = FOR_EVER
