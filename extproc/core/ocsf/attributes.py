"""The attributes that each kind of audit event has beyond those of every event of OCSF."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from extproc.core.model import Json
from extproc.core.ocsf.classes import PRODUCT
from extproc.core.ocsf.objects import (
    UNKNOWN,
    Event,
    api,
    by,
    endpoint,
    entity,
    from_server,
    inside,
    judged,
    number,
    user,
    word,
)

__all__ = ["attributes_of"]

_MILLI: Final = 1_000_000


def attributes_of(event: Event) -> dict[str, Json]:
    """Those of an event; none where its kind is none that has any."""
    return _OWN.get(word(event, "kind"), _nothing)(event)


def _decision(event: Event) -> dict[str, Json]:
    operation = word(event, "method") or word(event, "http_method") or UNKNOWN
    actor: dict[str, Json] = {"app_name": word(inside(event, "client"), "name") or UNKNOWN}
    if word(inside(event, "principal"), "subject"):
        actor["user"] = user(inside(event, "principal"))
    if word(event, "session"):
        actor["session"] = {"uid": event["session"]}
    found = judged(event) | {"actor": actor, "src_endpoint": endpoint(word(event, "source"))}
    found["api"] = api(event, operation)
    targets = event.get("targets")
    named = [target for target in targets if isinstance(target, dict)] if isinstance(targets, list) else []
    resources: list[Json] = [
        {"name": word(target, "name"), "type": word(target, "kind")} for target in named if word(target, "name")
    ]
    return found | ({"resources": resources} if resources else {})


def _outcome(event: Event) -> dict[str, Json]:
    result = word(event, "result") or UNKNOWN
    response: dict[str, Json] = {"message": result}
    status, lasted = number(event, "status"), number(event, "duration_ns")
    if status is not None:
        response["code"] = status
    found: dict[str, Json] = from_server(event) | {
        "api": api(event, "response") | {"response": response},
        "status_id": 1 if result == "complete" else 2,
        "status_detail": result,
    }
    return found if lasted is None else found | {"duration": lasted // _MILLI}


def _message(event: Event) -> dict[str, Json]:
    return from_server(event) | {"api": api(event, word(event, "method") or "response")}


def _server_request(event: Event) -> dict[str, Json]:
    found = judged(event) | from_server(event)
    found["api"] = api(event, word(event, "asks") or UNKNOWN)
    return found | ({"resources": [{"name": event["host"], "type": "host"}]} if word(event, "host") else {})


def _approval(event: Event) -> dict[str, Json]:
    name = word(event, "approval") or word(event, "role") or UNKNOWN
    found = entity(event, name=name, uid=word(event, "ticket"), type_="Approval")
    return found | by(inside(event, "by") or inside(event, "principal"))


def _revocation(event: Event) -> dict[str, Json]:
    named = word(event, "value") or UNKNOWN
    return entity(event, name=named, uid=word(event, "revocation"), type_=word(event, "revokes") or UNKNOWN) | by(
        {"subject": event.get("by")}
    )


def _definition(event: Event) -> dict[str, Json]:
    name = f"{word(event, 'server')}/{word(event, 'tool')}"
    return entity(event, name=name, uid=word(event, "digest"), type_="Tool definition") | by(
        {"subject": event.get("by")}
    )


def _policy(event: Event) -> dict[str, Json]:
    name = word(event, "source") or UNKNOWN
    found = entity(event, name=name, uid=word(event, "policy"), type_="Policy")
    return found | {"status_id": 1 if event.get("ok") is True else 2}


def _approver(event: Event) -> dict[str, Json]:
    found = entity(event, name=word(event, "name") or UNKNOWN, uid="", type_="Approver")
    return found | by({"subject": event.get("by")})


def _key(event: Event) -> dict[str, Json]:
    found = entity(event, name=word(event, "of") or UNKNOWN, uid="", type_="Key")
    return found | by({"subject": event.get("by")})


def _loan(event: Event) -> dict[str, Json]:
    found: dict[str, Json] = {"privileges": [word(event, "role") or UNKNOWN]}
    return found | {"user": user(inside(event, "principal"))} | by({"subject": event.get("by")})


def _login(event: Event) -> dict[str, Json]:
    protocol: dict[str, Json] = (
        {"auth_protocol_id": 99, "auth_protocol": "Local"} if event.get("local") is True else {"auth_protocol_id": 4}
    )
    found: dict[str, Json] = {
        "user": user(inside(event, "by")),
        "service": {"name": f"{PRODUCT} console"},
        "status_id": 2 if word(event, "step") == "refused" else 1,
    }
    if word(event, "source"):
        found["src_endpoint"] = endpoint(word(event, "source"))
    return protocol | found | ({"status_detail": event["reason"]} if word(event, "reason") else {})


def _lifecycle(event: Event) -> dict[str, Json]:
    app: dict[str, Json] = {"name": PRODUCT, "vendor_name": PRODUCT}
    if word(event, "version"):
        app["version"] = event["version"]
    return {"app": app} | ({"status_detail": event["reason"]} if word(event, "reason") else {})


def _exported(event: Event) -> dict[str, Json]:
    return by({"subject": event.get("by")})


def _sink(event: Event) -> dict[str, Json]:
    said = word(event, "reason") or word(event, "step") or UNKNOWN
    return {"status_id": 1 if word(event, "step") == "recovered" else 2, "status_detail": said}


def _nothing(_event: Event) -> dict[str, Json]:
    return {}


_OWN: Final[Mapping[str, Callable[[Event], dict[str, Json]]]] = MappingProxyType(
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
