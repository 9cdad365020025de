"""The classes, activities and severities of OCSF that audit events map to: one row for each kind of event.

Names and numbers are those of https://schema.ocsf.io/1.5.0; a consumer of any later 1.x reads them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

__all__ = [
    "ACTIVITIES",
    "ANY_OTHER",
    "EFFECTS",
    "KINDS",
    "PRODUCT",
    "SEVERITIES",
    "VERSION",
    "Effect",
    "EventClass",
    "Row",
]

VERSION: Final = "1.5.0"
"""The version of the schema that events are written for."""
PRODUCT: Final = "mcp-extproc"


@dataclass(frozen=True, slots=True)
class EventClass:
    """A class of events with its category."""

    uid: int
    name: str
    category: str

    @property
    def category_uid(self) -> int:
        """The number of the category, which is in that of the class."""
        return self.uid // 1000


_API: Final = EventClass(6003, "API Activity", "Application Activity")
_LIFECYCLE: Final = EventClass(6002, "Application Lifecycle", "Application Activity")
_AUTHENTICATION: Final = EventClass(3002, "Authentication", "Identity & Access Management")
_ENTITY: Final = EventClass(3004, "Entity Management", "Identity & Access Management")
_ACCESS: Final = EventClass(3005, "User Access Management", "Identity & Access Management")
_LOG: Final = EventClass(1008, "Event Log Activity", "System Activity")
_BASE: Final = EventClass(0, "Base Event", "Uncategorized")

ACTIVITIES: Final[Mapping[int, Mapping[int, str]]] = MappingProxyType(
    {
        _API.uid: {1: "Create", 2: "Read", 3: "Update", 4: "Delete"},
        _LIFECYCLE.uid: {3: "Start", 4: "Stop"},
        _AUTHENTICATION.uid: {1: "Logon", 2: "Logoff"},
        _ENTITY.uid: {1: "Create", 3: "Update", 4: "Delete", 8: "Enable", 9: "Disable"},
        _ACCESS.uid: {1: "Assign Privileges", 2: "Revoke Privileges"},
        _LOG.uid: {2: "Delete", 3: "Export", 5: "Rotate", 6: "Start"},
        _BASE.uid: {},
    }
)
"""What the numbers of a class's activities are called; 0 is Unknown and 99 Other in all of them."""

SEVERITIES: Final[Mapping[int, str]] = MappingProxyType({1: "Informational", 2: "Low", 3: "Medium", 4: "High"})


@dataclass(frozen=True, slots=True)
class Row:
    """What a kind of event is in OCSF.

    ``by`` is the member of the event that says which of ``activities`` it is; what is not listed, and a kind without
    such a member, is ``activity``. An activity 99 is called by the member's value, or ``otherwise``.
    """

    cls: EventClass
    activity: int
    by: str = ""
    activities: Mapping[str, int] = field(default_factory=dict)
    severity: int = 1
    otherwise: str = "Other"


KINDS: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "decision": Row(_API, 0, "verb", {"query": 2, "mutate": 3, "admin": 99}),
        "outcome": Row(_API, 99, otherwise="Response"),
        "message": Row(_API, 99, otherwise="Message"),
        "server_request": Row(_API, 99, otherwise="Server Request"),
        "approval": Row(_ENTITY, 3, "step", {"asked": 1, "withdrawn": 4, "expired": 4}),
        "revocation": Row(_ENTITY, 3, "step", {"revoked": 9, "lifted": 8}, severity=2),
        "definition": Row(_ENTITY, 3, "step", {"pinned": 1, "found": 1, "approved": 8}),
        "policy": Row(_ENTITY, 3),
        "approver": Row(_ENTITY, 3, "step", {"added": 1, "removed": 4}, severity=2),
        "key": Row(_ENTITY, 3, "step", {"in_use": 8}),
        "loan": Row(_ACCESS, 99, "step", {"lent": 1, "ended": 2}),
        "login": Row(_AUTHENTICATION, 1, "step", {"signed_out": 2}),
        "started": Row(_LIFECYCLE, 3),
        "stopped": Row(_LIFECYCLE, 4),
        "opened": Row(_LOG, 6),
        "sealed": Row(_LOG, 99, otherwise="Seal"),
        "exported": Row(_LOG, 3, severity=2),
        "read": Row(_LOG, 99, otherwise="Read", severity=2),
        "purged": Row(_LOG, 2, severity=2),
        "sink": Row(_LOG, 99, otherwise="Delivery"),
        "recovered": Row(_LOG, 99, otherwise="Recover", severity=3),
        "unsynced": Row(_LOG, 99, otherwise="Unconfirmed", severity=4),
        "damaged": Row(_LOG, 99, otherwise="Damaged", severity=4),
    }
)
ANY_OTHER: Final = Row(_BASE, 99)
"""A kind that is not listed."""


@dataclass(frozen=True, slots=True)
class Effect:
    """What an effect is in the profile Security Control: status, action, disposition, and at least which severity."""

    status: int
    action: int
    disposition: int
    named: str
    severity: int = 1


EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        "allow": Effect(1, 1, 1, "Allowed"),
        "shadow": Effect(1, 3, 15, "Detected", 2),
        "hold": Effect(99, 99, 14, "Delayed"),
        "deny": Effect(2, 2, 2, "Blocked", 2),
        "reject": Effect(2, 2, 25, "Rejected", 2),
    }
)
