"""An audit event as an event of the Open Cybersecurity Schema Framework, for consumers that ask for it.

Pure and total: whatever an event holds, and of whatever kind it is, what comes out validates against its class, and the
record stands in ``unmapped`` whole, so nothing is lost and a seal in it stays what was signed. ``metadata.uid`` is the
record's identity, ``metadata.correlation_uid`` the decision that events of one call share.
"""

from typing import Final

from extproc.core.model import Json
from extproc.core.ocsf.attributes import attributes_of
from extproc.core.ocsf.classes import ACTIVITIES, ANY_OTHER, EFFECTS, KINDS, PRODUCT, SEVERITIES, VERSION, Row
from extproc.core.ocsf.objects import Event, number, word

__all__ = ["ocsf_event"]

_MILLI: Final = 1_000_000


def ocsf_event(*, journal: str, seq: int, hash: str, event: Event) -> dict[str, Json]:  # noqa: A002 - the record's word
    """The event of OCSF that record ``seq`` of ``journal`` is."""
    kind = word(event, "kind")
    row = KINDS.get(kind, ANY_OTHER)
    own = attributes_of(event)
    activity, named = _activity(row, event)
    severity = max(row.severity, _severity(event))
    profiles: list[Json] = [name for name, key in (("security_control", "action_id"), ("trace", "trace")) if key in own]
    metadata: dict[str, Json] = {
        "version": VERSION,
        "product": {"name": PRODUCT, "vendor_name": PRODUCT},
        "uid": f"{journal}/{seq}",
        "sequence": seq,
        "log_name": journal,
        "log_provider": PRODUCT,
        "event_code": kind,
        "profiles": profiles,
    }
    if word(event, "decision"):
        metadata["correlation_uid"] = event["decision"]
    if row.cls.category_uid == 1:
        own["log_name"] = word(event, "journal") or journal
    return {
        "class_uid": row.cls.uid,
        "class_name": row.cls.name,
        "category_uid": row.cls.category_uid,
        "category_name": row.cls.category,
        "activity_id": activity,
        "activity_name": named,
        "type_uid": row.cls.uid * 100 + activity,
        "type_name": f"{row.cls.name}: {named}",
        "time": (number(event, "at") or 0) // _MILLI,
        "severity_id": severity,
        "severity": SEVERITIES[severity],
        "metadata": metadata,
        **own,
        "unmapped": {"journal": journal, "seq": seq, "hash": hash, "event": dict(event)},
    }


def _activity(row: Row, event: Event) -> tuple[int, str]:
    told = word(event, row.by)
    activity = row.activities.get(told, row.activity)
    if activity == 0:
        return 0, "Unknown"
    return activity, ACTIVITIES[row.cls.uid].get(activity, told.capitalize() or row.otherwise)


def _severity(event: Event) -> int:
    """What of an event makes it more severe than its kind."""
    effect = EFFECTS.get(word(event, "effect"))
    if event.get("broken"):
        return 4
    if event.get("ok") is False or word(event, "step") in {"changed", "failed", "refused"}:
        return 3
    return 1 if effect is None else effect.severity
