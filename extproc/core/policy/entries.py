"""The policy file as values: what each key says, and where it stands.

Values as written: patterns and conditions stay text, durations are seconds.
"""

from dataclasses import dataclass

from extproc.core.masking import Detection, FieldMask, OwnDetector
from extproc.core.model import IdentityConfig, Recording, Verb
from extproc.core.policy.arguments import ArgumentRule
from extproc.core.policy.inspections import Inspection
from extproc.core.policy.positions import Scalar, Spot
from extproc.core.policy.reading import Word
from extproc.core.policy.server_requests import NOTHING_OPEN, ServerRequests
from extproc.core.shared_state import Pinning

__all__ = [
    "ApprovalEntry",
    "ApproversEntry",
    "Assignment",
    "DenyEntry",
    "Document",
    "LendEntry",
    "LimitEntry",
    "MaskEntry",
    "RecordingEntry",
    "RoleEntry",
    "ScopeEntry",
    "ServerEntry",
    "Subject",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerEntry:
    """``servers.<name>``. ``unlisted`` None refuses unlisted tools; ``shadow`` None leaves the mode to the top."""

    name: Word
    tools: tuple[tuple[Word, Verb], ...] = ()
    unlisted: Verb | None = None
    shadow: bool | None = None
    url: str | None = None
    audiences: tuple[Word, ...] = ()
    pinning: Pinning = Pinning.IGNORE
    inspected: tuple[tuple[Word, Inspection], ...] = ()
    asks: ServerRequests = NOTHING_OPEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One subject; ``issuer`` None where the one configured issuer is meant."""

    issuer: Word | None
    subject: Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """``assigned_to``: any of these gives the role."""

    spot: Spot
    groups: tuple[Word, ...] = ()
    roles: tuple[Word, ...] = ()
    subjects: tuple[Subject, ...] = ()
    workloads: tuple[Word, ...] = ()
    when: Scalar | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ScopeEntry:
    """A grant, or the reach of a deny rule. ``verbs``, ``tools``, ``prompts``, ``resources``: None where not given.

    Only a grant has an ``approval``.
    """

    spot: Spot
    servers: tuple[Word, ...]
    verbs: frozenset[Verb] | None
    tools: tuple[Word, ...] | None
    prompts: tuple[Word, ...] | None
    resources: tuple[Word, ...] | None
    when: Scalar | None
    arguments: tuple[ArgumentRule, ...] = ()
    approval: Word | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproversEntry:
    """``approvers`` or ``force`` of an approval."""

    groups: tuple[Word, ...] = ()
    roles: tuple[Word, ...] = ()
    subjects: tuple[Subject, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalEntry:
    """``approvals.<name>``; times in seconds."""

    name: Word
    approvers: ApproversEntry
    quorum: int
    reason_required: bool
    expires_after: int
    hold: int
    force: ApproversEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class LendEntry:
    """``lend`` of a role; ``at_most`` in seconds."""

    approval: Word
    at_most: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleEntry:
    """``roles.<name>``; ``lend`` None where it is not lent."""

    name: Word
    assigned_to: Assignment
    grants: tuple[ScopeEntry, ...]
    lend: LendEntry | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DenyEntry:
    """One deny rule."""

    name: Word
    scope: ScopeEntry
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitEntry:
    """One limit."""

    per: str
    servers: tuple[Word, ...]
    calls: int
    seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskEntry:
    """One masking rule. ``roles`` None is everybody; the ``exempt_`` members are its exceptions."""

    name: Word
    scope: ScopeEntry
    roles: tuple[Word, ...] | None
    exempt_roles: tuple[Word, ...]
    exempt_groups: tuple[Word, ...]
    exempt_subjects: tuple[Subject, ...]
    fields: tuple[FieldMask, ...]
    detections: tuple[Detection, ...]
    blocks_opaque: bool
    on_responses: bool
    on_requests: bool
    blocks: bool
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingEntry:
    """``recording``, or one of its servers, which say only what is different. ``seconds`` None keeps records."""

    level: Recording | None = None
    seconds: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The whole file."""

    identity: IdentityConfig
    shadow: bool
    servers: tuple[ServerEntry, ...]
    roles: tuple[RoleEntry, ...]
    deny: tuple[DenyEntry, ...]
    masking: tuple[MaskEntry, ...]
    detectors: tuple[tuple[Word, OwnDetector], ...]
    limits: tuple[LimitEntry, ...]
    recording: RecordingEntry
    recordings: tuple[tuple[Word, RecordingEntry], ...]
    approvals: tuple[ApprovalEntry, ...] = ()
