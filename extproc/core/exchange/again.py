"""A recorded call, asked again of a policy as it is now: would the answer be the same?

What a recording does not hold cannot be asked: claims are never on record, arguments are masked or cut. So the answer
is what the policy says of what is there, and ``unsure`` says where more could change it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from extproc.core.exchange.inspecting import facts_of
from extproc.core.model import Client, Decision, Era, Json, Message, MessageKind, Principal, ResourceKind, Target
from extproc.core.policy.decide import judge
from extproc.core.policy.rules import Policy
from extproc.core.wire.methods import METHODS, REVISIONS

__all__ = ["Again", "judged_again"]

_KINDS: Final = {kind.value: kind for kind in ResourceKind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """What is decided of a recorded call now, and whether that ``differs`` from then.

    ``unsure`` is why it may be wrong, empty where nothing was missing.
    """

    decision: Decision
    unsure: str
    differs: bool


def judged_again(policy: Policy, event: Mapping[str, Json], *, session_calls: int = 0) -> Again | None:
    """The decision on a ``decision`` event; None where it was refused before any policy was asked."""
    who, method = event.get("principal"), METHODS.get(str(event.get("method")))
    if not isinstance(who, Mapping) or method is None or event.get("effect") == "reject":
        return None
    arguments = event.get("arguments")
    message = Message(
        kind=method.kind,
        method=str(event.get("method")),
        era=Era.LEGACY if event.get("era") == Era.LEGACY.value else Era.MODERN,
        revision=str(event.get("revision") or REVISIONS[-1]),
        verb=method.verb,
        targets=_targets(event.get("targets")),
        id=0 if method.kind is MessageKind.REQUEST else None,
        arguments=arguments if isinstance(arguments, Mapping) else {},
        client=_client(event.get("client")),
    )
    principal = Principal(
        issuer=_text(who.get("issuer")),
        subject=_text(who.get("subject")),
        groups=frozenset(_texts(who.get("groups"))),
        roles=frozenset(_texts(who.get("roles"))),
        workload=_text(who.get("workload")) or None,
    )
    server = _text(event.get("server"))
    facts = facts_of(policy, server, message)
    decision = judge(policy, principal, server, message, session_calls=session_calls, facts=facts)
    return Again(decision=decision, unsure=_unsure(event, arguments), differs=_differs(event, decision))


def _differs(event: Mapping[str, Json], decision: Decision) -> bool:
    then, now = event.get("effect"), "shadow" if decision.shadowed else decision.effect.value
    # what was approved went through a hold, and would again
    approved = then == "allow" and event.get("ticket") is not None and now == "hold"
    return then != now and not approved


def _unsure(event: Mapping[str, Json], arguments: Json) -> str:
    if event.get("arguments_cut"):
        return "its arguments were cut"
    if arguments is None and event.get("encrypted"):
        return "its arguments are encrypted"
    if arguments is None and event.get("arguments_digest"):
        return "its arguments were not recorded"
    return "its arguments were masked" if event.get("arguments_masked") else ""


def _targets(value: Json) -> tuple[Target, ...]:
    found = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
    return tuple(
        Target(kind=_KINDS[str(each.get("kind"))], name=_text(each.get("name")))
        for each in found
        if isinstance(each, Mapping) and str(each.get("kind")) in _KINDS
    )


def _client(value: Json) -> Client | None:
    if not isinstance(value, Mapping):
        return None
    return Client(name=_text(value.get("name")), version=_text(value.get("version")))


def _text(value: Json) -> str:
    return "" if value is None else str(value)


def _texts(value: Json) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []
