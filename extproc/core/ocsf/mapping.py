"""An audit event as an event of the Open Cybersecurity Schema Framework, for consumers that ask for it.

Pure and total: whatever an event holds, and of whatever kind it is, what comes out validates against its class, and the
record stands in ``unmapped`` whole, so nothing is lost and a seal in it stays what was signed. ``metadata.uid`` is the
record's identity, ``metadata.correlation_uid`` the decision that events of one call share.
"""

import ipaddress
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from extproc.core.model import Json
from extproc.core.ocsf.classes import ACTIVITIES, ANY_OTHER, EFFECTS, KINDS, SEVERITIES, VERSION, Row

__all__ = ["ocsf_event"]

_Event: TypeAlias = Mapping[str, Json]

_MILLI: Final = 1_000_000
_LATEST: Final = 2**63
_UNKNOWN: Final = "unknown"
_PRODUCT: Final = "mcp-extproc"


def ocsf_event(*, journal: str, seq: int, hash: str, event: _Event) -> dict[str, Json]:  # noqa: A002 - the record's word
    """The event of OCSF that record ``seq`` of ``journal`` is."""
    kind = _word(event, "kind")
    row = KINDS.get(kind, ANY_OTHER)
    own = _OWN.get(kind, _nothing)(event)
    activity, named = _activity(row, event)
    severity = max(row.severity, _severity(event))
    profiles: list[Json] = [name for name, key in (("security_control", "action_id"), ("trace", "trace")) if key in own]
    metadata: dict[str, Json] = {
        "version": VERSION,
        "product": {"name": _PRODUCT, "vendor_name": _PRODUCT},
        "uid": f"{journal}/{seq}",
        "sequence": seq,
        "log_name": journal,
        "log_provider": _PRODUCT,
        "event_code": kind,
        "profiles": profiles,
    }
    if _word(event, "decision"):
        metadata["correlation_uid"] = event["decision"]
    if row.cls.category_uid == 1:
        own["log_name"] = _word(event, "journal") or journal
    return {
        "class_uid": row.cls.uid,
        "class_name": row.cls.name,
        "category_uid": row.cls.category_uid,
        "category_name": row.cls.category,
        "activity_id": activity,
        "activity_name": named,
        "type_uid": row.cls.uid * 100 + activity,
        "type_name": f"{row.cls.name}: {named}",
        "time": (_number(event, "at") or 0) // _MILLI,
        "severity_id": severity,
        "severity": SEVERITIES[severity],
        "metadata": metadata,
        **own,
        "unmapped": {"journal": journal, "seq": seq, "hash": hash, "event": dict(event)},
    }


def _activity(row: Row, event: _Event) -> tuple[int, str]:
    told = _word(event, row.by)
    activity = row.activities.get(told, row.activity)
    if activity == 0:
        return 0, "Unknown"
    return activity, ACTIVITIES[row.cls.uid].get(activity, told.capitalize() or row.otherwise)


def _severity(event: _Event) -> int:
    """What of an event makes it more severe than its kind."""
    effect = EFFECTS.get(_word(event, "effect"))
    if event.get("broken"):
        return 4
    if event.get("ok") is False or _word(event, "step") in {"changed", "failed", "refused"}:
        return 3
    return 1 if effect is None else effect.severity


def _decision(event: _Event) -> dict[str, Json]:
    operation = _word(event, "method") or _word(event, "http_method") or _UNKNOWN
    actor: dict[str, Json] = {"app_name": _word(_inside(event, "client"), "name") or _UNKNOWN}
    if _word(_inside(event, "principal"), "subject"):
        actor["user"] = _user(_inside(event, "principal"))
    if _word(event, "session"):
        actor["session"] = {"uid": event["session"]}
    found = _judged(event) | {"actor": actor, "src_endpoint": _endpoint(_word(event, "source"))}
    found["api"] = _api(event, operation)
    targets = event.get("targets")
    named = [target for target in targets if isinstance(target, dict)] if isinstance(targets, list) else []
    resources: list[Json] = [
        {"name": _word(target, "name"), "type": _word(target, "kind")} for target in named if _word(target, "name")
    ]
    return found | ({"resources": resources} if resources else {})


def _outcome(event: _Event) -> dict[str, Json]:
    result = _word(event, "result") or _UNKNOWN
    response: dict[str, Json] = {"message": result}
    status, lasted = _number(event, "status"), _number(event, "duration_ns")
    if status is not None:
        response["code"] = status
    found: dict[str, Json] = _from_server(event) | {
        "api": _api(event, "response") | {"response": response},
        "status_id": 1 if result == "complete" else 2,
        "status_detail": result,
    }
    return found if lasted is None else found | {"duration": lasted // _MILLI}


def _message(event: _Event) -> dict[str, Json]:
    return _from_server(event) | {"api": _api(event, _word(event, "method") or "response")}


def _server_request(event: _Event) -> dict[str, Json]:
    found = _judged(event) | _from_server(event)
    found["api"] = _api(event, _word(event, "asks") or _UNKNOWN)
    return found | ({"resources": [{"name": event["host"], "type": "host"}]} if _word(event, "host") else {})


def _approval(event: _Event) -> dict[str, Json]:
    name = _word(event, "approval") or _word(event, "role") or _UNKNOWN
    found = _entity(event, name=name, uid=_word(event, "ticket"), type_="Approval")
    return found | _by(_inside(event, "by") or _inside(event, "principal"))


def _revocation(event: _Event) -> dict[str, Json]:
    named = _word(event, "value") or _UNKNOWN
    return _entity(event, name=named, uid=_word(event, "revocation"), type_=_word(event, "revokes") or _UNKNOWN) | _by(
        {"subject": event.get("by")}
    )


def _definition(event: _Event) -> dict[str, Json]:
    name = f"{_word(event, 'server')}/{_word(event, 'tool')}"
    return _entity(event, name=name, uid=_word(event, "digest"), type_="Tool definition") | _by(
        {"subject": event.get("by")}
    )


def _policy(event: _Event) -> dict[str, Json]:
    name = _word(event, "source") or _UNKNOWN
    found = _entity(event, name=name, uid=_word(event, "policy"), type_="Policy")
    return found | {"status_id": 1 if event.get("ok") is True else 2}


def _approver(event: _Event) -> dict[str, Json]:
    found = _entity(event, name=_word(event, "name") or _UNKNOWN, uid="", type_="Approver")
    return found | _by({"subject": event.get("by")})


def _key(event: _Event) -> dict[str, Json]:
    found = _entity(event, name=_word(event, "of") or _UNKNOWN, uid="", type_="Key")
    return found | _by({"subject": event.get("by")})


def _loan(event: _Event) -> dict[str, Json]:
    found: dict[str, Json] = {"privileges": [_word(event, "role") or _UNKNOWN]}
    return found | {"user": _user(_inside(event, "principal"))} | _by({"subject": event.get("by")})


def _login(event: _Event) -> dict[str, Json]:
    protocol: dict[str, Json] = (
        {"auth_protocol_id": 99, "auth_protocol": "Local"} if event.get("local") is True else {"auth_protocol_id": 4}
    )
    found: dict[str, Json] = {
        "user": _user(_inside(event, "by")),
        "service": {"name": f"{_PRODUCT} console"},
        "status_id": 2 if _word(event, "step") == "refused" else 1,
    }
    if _word(event, "source"):
        found["src_endpoint"] = _endpoint(_word(event, "source"))
    return protocol | found | ({"status_detail": event["reason"]} if _word(event, "reason") else {})


def _lifecycle(event: _Event) -> dict[str, Json]:
    app: dict[str, Json] = {"name": _PRODUCT, "vendor_name": _PRODUCT}
    if _word(event, "version"):
        app["version"] = event["version"]
    return {"app": app} | ({"status_detail": event["reason"]} if _word(event, "reason") else {})


def _exported(event: _Event) -> dict[str, Json]:
    return _by({"subject": event.get("by")})


def _sink(event: _Event) -> dict[str, Json]:
    said = _word(event, "reason") or _word(event, "step") or _UNKNOWN
    return {"status_id": 1 if _word(event, "step") == "recovered" else 2, "status_detail": said}


def _nothing(_event: _Event) -> dict[str, Json]:
    return {}


_OWN: Final[Mapping[str, Callable[[_Event], dict[str, Json]]]] = MappingProxyType(
    {
        "decision": _decision,
        "outcome": _outcome,
        "message": _message,
        "server_request": _server_request,
        "approval": _approval,
        "revocation": _revocation,
        "definition": _definition,
        "policy": _policy,
        "approver": _approver,
        "key": _key,
        "loan": _loan,
        "login": _login,
        "started": _lifecycle,
        "stopped": _lifecycle,
        "exported": _exported,
        "read": _exported,
        "sink": _sink,
    }
)
"""The attributes of its own that a kind of event has."""


def _judged(event: _Event) -> dict[str, Json]:
    """What the profiles Security Control and Trace have of a judged event."""
    found: dict[str, Json] = {}
    effect = EFFECTS.get(_word(event, "effect"))
    if effect is not None:
        found |= {"status_id": effect.status, "action_id": effect.action, "disposition_id": effect.disposition}
        found |= (
            {"disposition": effect.named, "action": "Held"} if effect.action == 99 else {"disposition": effect.named}
        )
    if _word(event, "reason"):
        found["status_detail"] = event["reason"]
    if effect is not None and _word(event, "policy"):
        found["policy"] = {"uid": event["policy"]}
    if effect is not None and _word(event, "rule"):
        found["firewall_rule"] = {"name": event["rule"]}
    return found | _traced(event)


def _traced(event: _Event) -> dict[str, Json]:
    return {"trace": {"uid": event["trace"]}} if _word(event, "trace") else {}


def _api(event: _Event, operation: str) -> dict[str, Json]:
    return {
        "operation": operation,
        "service": {"name": _word(event, "server") or _UNKNOWN},
        "request": {"uid": _word(event, "decision") or _UNKNOWN},
    }


def _from_server(event: _Event) -> dict[str, Json]:
    name = _word(event, "server") or _UNKNOWN
    found: dict[str, Json] = {"actor": {"app_name": name}, "src_endpoint": {"svc_name": name}}
    return found | _traced(event)


def _entity(event: _Event, *, name: str, uid: str, type_: str) -> dict[str, Json]:
    entity: dict[str, Json] = {"name": name, "type": type_, "type_id": 5 if type_ == "Policy" else 99}
    found: dict[str, Json] = {"entity": entity | ({"uid": uid} if uid else {})}
    if _word(event, "reason"):
        found["comment"] = event["reason"]
    return found | ({"status_detail": event["step"]} if _word(event, "step") else {})


def _by(person: _Event) -> dict[str, Json]:
    return {"actor": {"user": _user(person)}} if _word(person, "subject") else {}


def _user(person: _Event) -> dict[str, Json]:
    user: dict[str, Json] = {"uid": _word(person, "subject") or _UNKNOWN}
    groups = person.get("groups")
    names: list[Json] = [{"name": name} for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    if _word(person, "name"):
        user["name"] = person["name"]
    if _word(person, "issuer"):
        user["domain"] = person["issuer"]
    return user | ({"groups": names} if names else {})


def _endpoint(source: str) -> dict[str, Json]:
    """Who an address is, of ``host:port`` or a host alone; a name where it is none."""
    host, _, port = source.rpartition(":")
    address = _address(source)
    if address:
        return {"ip": address}
    address = _address(host.removeprefix("[").removesuffix("]"))
    if not address:
        return {"name": source or _UNKNOWN}
    # longer digits are no port, and would take long to read
    numbered = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 1 << 16
    return {"ip": address, "port": int(port)} if numbered else {"ip": address}


def _address(text: str) -> str:
    """The IP address that a text is, without its zone; nothing for any other text."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def _word(event: _Event, name: str) -> str:
    value = event.get(name)
    return value if isinstance(value, str) else ""


def _number(event: _Event, name: str) -> int | None:
    value = event.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST else None


def _inside(event: _Event, name: str) -> _Event:
    value = event.get(name)
    return value if isinstance(value, dict) else {}
