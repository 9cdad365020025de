"""The counts that a call must fit into, by the limits of its server and of those that it reaches through."""

from operator import itemgetter

from extproc.core.access import Facts
from extproc.core.model import Message, Principal, Quota, ResourceKind, Target
from extproc.core.policy.rules import Limit, Policy, Server

__all__ = ["quotas_of"]


def quotas_of(policy: Policy, place: Server, principal: Principal, message: Message, facts: Facts) -> tuple[Quota, ...]:
    """The counts that a call on a tool, prompt or resource must fit into; the rest of the protocol is not counted."""
    named = next((target for target in message.targets if target.kind is not ResourceKind.SERVER), None)
    if named is None:
        return ()
    places = [(place, named)]
    if facts.calls is not None:
        inner = facts.calls.every
        places += [(policy.servers[call.server], Target(kind=ResourceKind.TOOL, name=call.tool)) for call in inner]
    limits = [(each.per == "server", each, at, target) for at, target in places for each in at.limits]
    # they are taken in this order up to the first that is full: what others share is taken last, so that nobody who is
    # over his own limit uses it up for them
    own_first = sorted(limits, key=itemgetter(0))
    return tuple(
        _quota(limit, at, principal, target)
        for _, limit, at, target in own_first
        if limit.per != "tool" or target.kind is ResourceKind.TOOL
    )


def _quota(limit: Limit, place: Server, principal: Principal, target: Target) -> Quota:
    key = _key(limit, place, principal, target)
    return Quota(rule=limit.rule, key=key, calls=limit.calls, seconds=limit.seconds)


def _key(limit: Limit, place: Server, principal: Principal, target: Target) -> str:
    """The name of one count, as netstrings: no two lists of parts run together to one text."""
    if limit.per == "server":
        parts: tuple[str, ...] = (limit.rule, place.name)
    elif limit.per == "tool":
        parts = (limit.rule, principal.issuer, principal.subject, place.name, target.name)
    else:
        parts = (limit.rule, principal.issuer, principal.subject)
    return "".join([f"{len(part)}:{part}," for part in parts])
