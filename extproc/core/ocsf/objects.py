"""What events of OCSF are put together from: parts of its objects, read from an audit event that may hold anything."""

import ipaddress
from collections.abc import Mapping
from typing import Final, TypeAlias

from extproc.core.model import Json
from extproc.core.ocsf.classes import EFFECTS

__all__ = [
    "UNKNOWN",
    "Event",
    "api",
    "by",
    "endpoint",
    "entity",
    "from_server",
    "inside",
    "judged",
    "number",
    "user",
    "word",
]

Event: TypeAlias = Mapping[str, Json]

UNKNOWN: Final = "unknown"
_LATEST: Final = 2**63


def judged(event: Event) -> dict[str, Json]:
    """What the profiles Security Control and Trace have of a judged event."""
    found: dict[str, Json] = {}
    effect = EFFECTS.get(word(event, "effect"))
    if effect is not None:
        found |= {"status_id": effect.status, "action_id": effect.action, "disposition_id": effect.disposition}
        found |= (
            {"disposition": effect.named, "action": "Held"} if effect.action == 99 else {"disposition": effect.named}
        )
    if word(event, "reason"):
        found["status_detail"] = event["reason"]
    if effect is not None and word(event, "policy"):
        found["policy"] = {"uid": event["policy"]}
    if effect is not None and word(event, "rule"):
        found["firewall_rule"] = {"name": event["rule"]}
    return found | _traced(event)


def _traced(event: Event) -> dict[str, Json]:
    return {"trace": {"uid": event["trace"]}} if word(event, "trace") else {}


def api(event: Event, operation: str) -> dict[str, Json]:
    """The call that an event is about, as ``operation``."""
    return {
        "operation": operation,
        "service": {"name": word(event, "server") or UNKNOWN},
        "request": {"uid": word(event, "decision") or UNKNOWN},
    }


def from_server(event: Event) -> dict[str, Json]:
    """Who speaks where a server does, and the trace it belongs to."""
    name = word(event, "server") or UNKNOWN
    found: dict[str, Json] = {"actor": {"app_name": name}, "src_endpoint": {"svc_name": name}}
    return found | _traced(event)


def entity(event: Event, *, name: str, uid: str, type_: str) -> dict[str, Json]:
    """What was changed: a policy, a request for approval, a key."""
    entity: dict[str, Json] = {"name": name, "type": type_, "type_id": 5 if type_ == "Policy" else 99}
    found: dict[str, Json] = {"entity": entity | ({"uid": uid} if uid else {})}
    if word(event, "reason"):
        found["comment"] = event["reason"]
    return found | ({"status_detail": event["step"]} if word(event, "step") else {})


def by(person: Event) -> dict[str, Json]:
    """Who did it; nothing where nobody did."""
    return {"actor": {"user": user(person)}} if word(person, "subject") else {}


def user(person: Event) -> dict[str, Json]:
    """A person or a workload with the groups that are known."""
    user: dict[str, Json] = {"uid": word(person, "subject") or UNKNOWN}
    groups = person.get("groups")
    names: list[Json] = [{"name": name} for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    if word(person, "name"):
        user["name"] = person["name"]
    if word(person, "issuer"):
        user["domain"] = person["issuer"]
    return user | ({"groups": names} if names else {})


def endpoint(source: str) -> dict[str, Json]:
    """Who an address is, of ``host:port`` or a host alone; a name where it is none."""
    host, _, port = source.rpartition(":")
    address = _address(source)
    if address:
        return {"ip": address}
    address = _address(host.removeprefix("[").removesuffix("]"))
    if not address:
        return {"name": source or UNKNOWN}
    # longer digits are no port, and would take long to read
    numbered = port.isascii() and port.isdigit() and len(port) < 6 and int(port) < 1 << 16
    return {"ip": address, "port": int(port)} if numbered else {"ip": address}


def _address(text: str) -> str:
    """The IP address that a text is, without its zone; nothing for any other text."""
    try:
        return str(ipaddress.ip_address(text.partition("%")[0]))
    except ValueError:
        return ""


def word(event: Event, name: str) -> str:
    """A member that is a text; empty for any other."""
    value = event.get(name)
    return value if isinstance(value, str) else ""


def number(event: Event, name: str) -> int | None:
    """A member that is a number which OCSF can hold; None for any other."""
    value = event.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _LATEST else None


def inside(event: Event, name: str) -> Event:
    """A member that is an object; an empty one for any other."""
    value = event.get(name)
    return value if isinstance(value, dict) else {}
