"""The audit events: who asked for what, what was decided and why, and what came of it.

Pure constructors of plain dicts, one per kind. They keep no session id (a capability) but its digest, no claims and no
headers. A value larger than its bound is cut by whole members and says so (``fitting``).
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from extproc.core.access import NO_FACTS, Facts
from extproc.core.audit.begun import begun
from extproc.core.audit.facts import VERBS, facts_found
from extproc.core.audit.fitting import fit
from extproc.core.limits import MAX_ARGUMENT_EVENT_BYTES, MAX_PAYLOAD_EVENT_BYTES
from extproc.core.model import EMPTY, Decision, Json, Message, Principal, RequestHead
from extproc.core.rejection import Rejection

__all__ = ["concluded", "decided", "message", "server_asked", "session_digest"]

_DIGEST_CHARS: Final = 16
# 64 bits: enough to tell sessions apart, useless to resume one


@lru_cache(maxsize=1024)
def session_digest(session: str) -> str:
    """What stands for a session id in records."""
    return hashlib.sha256(b"session\0" + session.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_CHARS]


def decided(
    *,
    at: int,
    decision_id: str,
    head: RequestHead,
    principal: Principal | None,
    message: Message | None,
    verdict: Decision | Rejection,
    session: str | None,
    arguments: Json | None,
    arguments_digest: str | None,
    body_bytes: int,
    arguments_masked: bool = False,
    policy_digest: str = "",
    shadow_mode: bool = False,
    masked: Mapping[str, int] = EMPTY,
    facts: Facts = NO_FACTS,
) -> dict[str, Json]:
    """The event of one answer, stored before anything is forwarded (invariant 3).

    ``arguments`` are already masked, None where the recording level keeps none; ``arguments_masked`` says that they
    differ from those of the call, whose keyed digest is ``arguments_digest`` (see ``digests``). ``masked`` counts by
    type what was masked in the request that is forwarded. ``session`` is the upstream's own id and is kept as a digest.
    ``policy_digest`` is for a rejection, which knows none; a decision brings its own.
    """
    event: dict[str, Json] = begun("decision", at) | {
        "decision": decision_id,
        "server": head.server,
        "source": head.source,
        "http_method": head.http_method,
        "body_bytes": body_bytes,
        "session": None if session is None else session_digest(session),
        "principal": None if principal is None else _principal(principal),
        "arguments": None,
        "arguments_digest": arguments_digest,
    }
    if arguments is not None:
        event["arguments"], cut = fit(arguments, MAX_ARGUMENT_EVENT_BYTES)
        if cut is not None:
            event["arguments_cut"] = cut
        if arguments_masked:
            event["arguments_masked"] = True
    if message is not None:
        event["message"] = message.kind.value
        event["method"] = message.method
        event["era"] = message.era.value
        event["revision"] = message.revision
        event["id"] = message.id
        event["targets"] = [{"kind": target.kind.value, "name": target.name} for target in message.targets]
        event["client"] = (
            None if message.client is None else {"name": message.client.name, "version": message.client.version}
        )
        event["trace"] = message.trace_id
        event["rewritten"] = message.rewritten
    event |= facts_found(facts)
    if isinstance(verdict, Decision):
        event |= _decision(verdict, shadow_mode=shadow_mode, masked=masked)
    else:
        event["effect"] = "reject"
        event["verb"] = None if message is None else VERBS[message.verb]
        event["rule"] = None
        event["reason"] = verdict.reason
        event["policy"] = policy_digest
        event["shadow"] = shadow_mode
        event["status"] = verdict.status
        event["code"] = verdict.code
        if message is None:
            event["id"] = verdict.id
    return event


def _decision(verdict: Decision, *, shadow_mode: bool, masked: Mapping[str, int]) -> dict[str, Json]:
    """What a policy said, and who approved it."""
    said: dict[str, Json] = {
        "effect": "shadow" if verdict.shadowed else verdict.effect.value,
        "verb": VERBS[verdict.verb],
        "rule": verdict.rule,
        "reason": verdict.reason,
        "policy": verdict.policy_digest,
        "shadow": shadow_mode or verdict.shadowed,
    }
    if verdict.obligations.masking.rules:
        said["masking"] = list(verdict.obligations.masking.rules)
    if masked:
        said["masked"] = dict(masked)
    if verdict.approval is not None:
        said["approval"] = verdict.approval.name
        said["ticket"] = verdict.ticket or None
    if verdict.approved_by:
        said["approved_by"] = [
            {"issuer": vote.issuer, "subject": vote.subject, "name": vote.name} for vote in verdict.approved_by
        ]
    return said


def concluded(
    *,
    at: int,
    decision_id: str,
    server: str,
    session: str | None,
    status: int | None,
    result: str,
    bytes: int,  # noqa: A002 - the field's own word
    digest: str | None,
    payload: Json | None,
    duration_ns: int,
    hidden: int,
    masked: Mapping[str, int] = EMPTY,
    reason: str | None = None,
    trace: str | None = None,
    messages: int | None = None,
) -> dict[str, Json]:
    """The event of one response. ``result``: complete, error, withheld, cut; ``hidden`` counts filtered list entries.

    ``masked`` counts by type what was masked for the client; ``messages`` the events of their own that a stream had,
    None of anything else. ``reason`` says why it was withheld, where more is known than that it could not be read.

    ``payload`` is already masked, None where none is kept. ``session`` may be first known here (a handshake's answer).
    """
    event: dict[str, Json] = begun("outcome", at) | {
        "decision": decision_id,
        "server": server,
        "session": None if session is None else session_digest(session),
        "status": status,
        "result": result,
        "bytes": bytes,
        "digest": digest,
        "payload": None,
        "duration_ns": duration_ns,
        "hidden": hidden,
        "masked": dict(masked),
        "trace": trace,
    }
    if messages is not None:
        event["messages"] = messages
    if reason is not None:
        event["reason"] = reason
    _put_payload(event, payload)
    return event


def message(
    *,
    at: int,
    decision_id: str,
    server: str,
    session: str | None,
    trace: str | None,
    number: int,
    kind: str,
    method: str | None,
    id: Json,  # noqa: A002 - the field's own word
    raw: bytes,
    digest: str,
    payload: Json | None,
    masked: Mapping[str, int] = EMPTY,
) -> dict[str, Json]:
    """The event of message ``number`` of a stream, on its way to the client as ``raw``.

    ``digest`` is the keyed digest of ``raw``. ``kind``: request, notification, response. ``payload`` is its result,
    error or parameters, already masked; None where there is none, or where it would be larger than an event may be.
    """
    event = begun("message", at) | {
        "decision": decision_id,
        "server": server,
        "session": None if session is None else session_digest(session),
        "trace": trace,
        "direction": "to_client",
        "number": number,
        "message": kind,
        "method": method,
        "id": id,
        "bytes": len(raw),
        "digest": digest,
        "payload": None,
        "masked": dict(masked),
    }
    if len(raw) > MAX_PAYLOAD_EVENT_BYTES:
        event["payload_cut"] = {"bytes": len(raw)}
    else:
        _put_payload(event, payload)
    return event


def _put_payload(event: dict[str, Json], payload: Json | None) -> None:
    if payload is not None:
        event["payload"], cut = fit(payload, MAX_PAYLOAD_EVENT_BYTES)
        if cut is not None:
            event["payload_cut"] = cut


def server_asked(
    *,
    at: int,
    decision_id: str,
    server: str,
    session: str | None,
    issuer: str,
    subject: str,
    asks: str,
    host: str | None,
    effect: str,
    reason: str,
    trace: str | None = None,
) -> dict[str, Json]:
    """A server asked something of a client: sampling, roots, elicitation, other.

    ``host`` is where it would send somebody; the rest of a URL may be a secret. ``effect``: allow, deny, shadow.
    """
    return begun("server_request", at) | {
        "decision": decision_id,
        "server": server,
        "session": None if session is None else session_digest(session),
        "principal": {"issuer": issuer, "subject": subject},
        "asks": asks,
        "host": host,
        "effect": effect,
        "reason": reason or None,
        "trace": trace,
    }


def _principal(principal: Principal) -> dict[str, Json]:
    return {
        "issuer": principal.issuer,
        "subject": principal.subject,
        "groups": sorted(principal.groups),
        "roles": sorted(principal.roles),
        "workload": principal.workload,
    }
