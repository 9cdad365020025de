"""The decision on one message, and on what a list may show: default deny, deny rules first, then grants.

Promises: total; every target of a message is judged with every face of its principal and the strictest answer wins; a
condition that errors never allows. What a refusal says depends on the name that was asked for and never on whether
such a thing exists: a thing that the principal cannot see is refused in the words of a thing that does not exist.
"""

from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from extproc.core.access import NO_FACTS, NOBODY, AccessRequest, CallFacts, Facts
from extproc.core.masking import NO_MASKING, Masking
from extproc.core.model import (
    Client,
    Decision,
    Effect,
    Message,
    Obligations,
    Principal,
    Quota,
    Recording,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.policy import answers
from extproc.core.policy.membership import faces
from extproc.core.policy.owed import owed_masking
from extproc.core.policy.quotas import quotas_of
from extproc.core.policy.rules import Policy, Server
from extproc.core.policy.verdicts import (
    Verdict,
    is_stricter,
    needs_two_approvals,
    not_granted,
    two_approvals,
    verdicts,
)
from extproc.core.policy.visibility import is_visible, verb_in

__all__ = [
    "asks_session_calls",
    "changed_definition",
    "client_of",
    "judge",
    "kept_back",
    "masking",
    "over_quota",
    "sees",
]

_LEAST: Final[tuple[Recording, ...]] = (Recording.MASKED, Recording.DIGEST, Recording.NONE)


def judge(  # the question whole: who, where, what, and what is known of it
    policy: Policy,
    principal: Principal,
    server: str,
    message: Message,
    *,
    session_calls: int = 0,
    facts: Facts = NO_FACTS,
) -> Decision:
    """The decision on a message: the strictest over all its targets and all faces of the principal.

    Refuses an unknown server, a message without targets, and everything that no grant allows or a deny rule refuses.
    """
    place = policy.servers.get(server)
    if place is None:
        target = Target(kind=ResourceKind.SERVER)
        no = not_granted(server, target, Verb.ADMIN)
        no.reason = "unknown_server"
        return _decision(policy, None, no, Obligations())
    held = faces(policy.membership, principal)
    owed = Obligations(
        recording=_recording(policy, place, facts),
        masking=owed_masking(policy, place, held, principal, message.targets, calls=facts.calls),
    )
    allowed: Verdict | None = None
    for target in message.targets:
        verb = verb_in(place, target, message.verb, facts)
        request = AccessRequest(
            principal=principal,
            server=server,
            method=message.method,
            verb=Verb.ADMIN if verb is None else verb,
            target=target,
            arguments=message.arguments,
            client=client_of(message),
            session_calls=session_calls,
            facts=facts,
        )
        for roles in held:
            for verdict in verdicts(policy, place, roles, request, exists=verb is not None):
                if verdict.effect is Effect.DENY:
                    return _decision(policy, place, verdict, owed)
                if allowed is not None and needs_two_approvals(allowed, verdict):
                    return _decision(policy, place, two_approvals(place, target, verdict), owed)
                if allowed is None or is_stricter(verdict, allowed):
                    allowed = verdict
    if allowed is None:
        no = not_granted(server, Target(kind=ResourceKind.SERVER), message.verb)
        return _decision(policy, place, no, owed)
    quotas = quotas_of(policy, place, principal, message, facts)
    return _decision(policy, place, allowed, replace(owed, quotas=quotas) if quotas else owed)


def masking(
    policy: Policy, principal: Principal, server: str, targets: Iterable[Target], calls: CallFacts | None = None
) -> Masking:
    """All that what concerns these things owes in masking; ``calls`` are those that a tool among them would make."""
    place = policy.servers.get(server)
    if place is None or (calls is None and not place.masks):
        return NO_MASKING
    held = faces(policy.membership, principal)
    return owed_masking(policy, place, held, principal, targets, calls=calls)


def sees(  # noqa: PLR0917 - the order of who, where, what; every caller has all six
    policy: Policy, principal: Principal, server: str, client: Client, kind: ResourceKind, name: str
) -> bool:
    """Whether a list may show a thing: some call on it could be allowed to each face of the principal.

    A server stands in no list. In shadow mode lists stay whole, as calls go through.
    """
    place = policy.servers.get(server)
    if policy.shadow if place is None else place.shadow:
        return True
    if place is None:
        return False
    verb = verb_in(place, Target(kind=kind, name=name), Verb.QUERY, NO_FACTS)
    if verb is None:
        return False
    request = AccessRequest(
        principal=principal,
        server=server,
        method="tools/call",
        verb=verb,
        target=Target(kind=kind, name=name),
        client=client,
    )
    held = faces(policy.membership, principal)
    return all(is_visible(policy, place, roles, request) for roles in held)


def asks_session_calls(policy: Policy, server: str) -> bool:
    """Whether a decision on the server depends on the number of earlier calls in the session."""
    place = policy.servers.get(server)
    if place is None:
        return False
    return place.asks_calls or any(policy.servers[name].asks_calls for name in place.reaches)


def client_of(message: Message) -> Client:
    """What the client says of itself, empty where it says nothing."""
    return message.client or NOBODY


def kept_back(
    policy: Policy, server: str, decision: Decision, message: Message, *, rule: str, types: tuple[str, ...], words: str
) -> Decision:
    """The refusal of a call that was allowed, and says what must not leave; ``words`` are the operator's sentence."""
    place, name = policy.servers.get(server), f"masking:{rule}"
    said = answers.must_not_leave(name, types, words, server, message.targets[0])
    no = Verdict(effect=Effect.DENY, rule=name, reason="must_not_leave", message=said, verb=decision.verb)
    return _decision(policy, place, no, replace(decision.obligations, quotas=()))


def over_quota(policy: Policy, server: str, decision: Decision, quota: Quota) -> Decision:
    """The refusal of a call that was allowed but is over a limit."""
    place = policy.servers.get(server)
    words = answers.too_many(quota.rule, quota.calls, quota.seconds)
    no = Verdict(effect=Effect.DENY, rule=quota.rule, reason="over_limit", message=words, verb=decision.verb)
    return _decision(policy, place, no, replace(decision.obligations, quotas=()))


def changed_definition(policy: Policy, server: str, decision: Decision, changed: tuple[str, str]) -> Decision:
    """The refusal of a call that was allowed: nobody has approved the definition of a tool, on its server, as it is."""
    place = policy.servers.get(server)
    words = answers.changed_since_approved(changed[0], Target(kind=ResourceKind.TOOL, name=changed[1]))
    no = Verdict(
        effect=Effect.DENY, rule="tool_definitions", reason="definition_changed", message=words, verb=decision.verb
    )
    return _decision(policy, place, no, replace(decision.obligations, quotas=()))


def _decision(
    policy: Policy,
    place: Server | None,
    verdict: Verdict,
    owed: Obligations,
) -> Decision:
    shadow = policy.shadow if place is None else place.shadow
    return Decision(
        effect=verdict.effect,
        rule=verdict.rule,
        reason=verdict.reason,
        message=verdict.message,
        verb=verdict.verb,
        approval=verdict.approval,
        policy_digest=policy.digest,
        shadowed=shadow and verdict.effect is not Effect.ALLOW,
        obligations=owed,
    )


def _recording(policy: Policy, place: Server, facts: Facts) -> Recording:
    """How much is kept: of servers that are called through one another, as little as any of them says."""
    if facts.calls is None:
        return place.recording
    reached = [policy.servers[call.server].recording for call in facts.calls.every if call.server in policy.servers]
    return max((place.recording, *reached), key=_LEAST.index)
