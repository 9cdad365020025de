"""The counts that a call must fit into, by the limits of its server and of those that it reaches through."""

from itertools import chain

from extproc.core.access import Facts
from extproc.core.model import Message, Principal, Quota, ResourceKind, Target
from extproc.core.policy.rules import Limit, Policy, Server

__all__ = ["quotas_of"]


def quotas_of(policy: Policy, place: Server, principal: Principal, message: Message, facts: Facts) -> tuple[Quota, ...]:
    """The counts that a call on a tool, prompt or resource must fit into; the rest of the protocol is not counted."""
    named = next((target for target in message.targets if target.kind is not ResourceKind.SERVER), None)
    if named is None:
        return ()
    own = _counted(place, principal, named) if place.limits else ()
    if facts.calls is None:
        return own
    inner = [
        _counted(policy.servers[call.server], principal, Target(kind=ResourceKind.TOOL, name=call.tool))
        for call in facts.calls.every
    ]
    return tuple(chain(own, *inner))


def _counted(place: Server, principal: Principal, named: Target) -> tuple[Quota, ...]:
    return tuple(
        Quota(rule=limit.rule, key=_key(limit, place, principal, named), calls=limit.calls, seconds=limit.seconds)
        for limit in place.limits
        if limit.per != "tool" or named.kind is ResourceKind.TOOL
    )


def _key(limit: Limit, place: Server, principal: Principal, target: Target) -> str:
    """The name of one count, as netstrings: no two lists of parts run together to one text."""
    if limit.per == "server":
        parts: tuple[str, ...] = (limit.rule, place.name)
    elif limit.per == "tool":
        parts = (limit.rule, principal.issuer, principal.subject, place.name, target.name)
    else:
        parts = (limit.rule, principal.issuer, principal.subject)
    return "".join([f"{len(part)}:{part}," for part in parts])
