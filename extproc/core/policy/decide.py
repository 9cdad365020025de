"""The decision on one message, and on what a list may show: default deny, deny rules first, then grants.

Promises: total; every target of a message is judged with every face of its principal and the strictest answer wins; a
condition that errors never allows. What a refusal says depends on the name that was asked for and never on whether
such a thing exists: a thing that the principal cannot see is refused in the words of a thing that does not exist.
"""

from collections.abc import Iterable
from itertools import chain
from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core.access import NO_FACTS, NOBODY, AccessRequest, CallFacts, Facts, InnerCall, is_meant_for
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
from extproc.core.policy.conditions import FACT_NAMES
from extproc.core.policy.membership import faces
from extproc.core.policy.owed import owed_masking
from extproc.core.policy.question import Question, covers_name
from extproc.core.policy.rules import DenyRule, Grant, Limit, Policy, Server
from extproc.core.policy.visibility import askable, is_visible, open_question, permits, refuses, verb_in
from extproc.core.tickets import ApprovalRule

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

_OF_ONE_URI: Final = frozenset({"uri"})
_NOTHING: Final[frozenset[str]] = frozenset()
_LEAST: Final[tuple[Recording, ...]] = (Recording.MASKED, Recording.DIGEST, Recording.NONE)
_OF_THINGS: Final = frozenset({"arguments", "tool", "prompt", "uri"}) | FACT_NAMES


class _Verdict(msgspec.Struct, kw_only=True):
    """The answer on one target for one face; not frozen, because the hot path makes one per target."""

    effect: Effect
    rule: str
    reason: str
    message: str = ""
    verb: Verb = Verb.ADMIN
    approval: ApprovalRule | None = None


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
        no = _default(server, target, Verb.ADMIN)
        no.reason = "unknown_server"
        return _decision(policy, None, no, Obligations())
    held = faces(policy.membership, principal)
    owed = Obligations(
        recording=_recording(policy, place, facts),
        masking=owed_masking(policy, place, held, principal, message.targets, calls=facts.calls),
    )
    allowed: _Verdict | None = None
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
            for verdict in _verdicts(policy, place, roles, request, exists=verb is not None):
                if verdict.effect is Effect.DENY:
                    return _decision(policy, place, verdict, owed)
                if allowed is not None and _needs_two_approvals(allowed, verdict):
                    return _decision(policy, place, _two_approvals(place, target, verdict), owed)
                if allowed is None or _is_stricter(verdict, allowed):
                    allowed = verdict
    if allowed is None:
        no = _default(server, Target(kind=ResourceKind.SERVER), message.verb)
        return _decision(policy, place, no, owed)
    quotas = _quotas(policy, place, principal, message, facts)
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
    """Whether a list may show a thing: some arguments could be allowed to each face of the principal.

    In shadow mode lists stay whole, as calls go through.
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
    if kind is ResourceKind.SERVER:
        return all(_judge_server(place, roles, request).effect is Effect.ALLOW for roles in held)
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
    no = _Verdict(effect=Effect.DENY, rule=name, reason="must_not_leave", message=said, verb=decision.verb)
    return _decision(policy, place, no, replace(decision.obligations, quotas=()))


def over_quota(policy: Policy, server: str, decision: Decision, quota: Quota) -> Decision:
    """The refusal of a call that was allowed but is over a limit."""
    place = policy.servers.get(server)
    words = answers.too_many(quota.rule, quota.calls, quota.seconds)
    no = _Verdict(effect=Effect.DENY, rule=quota.rule, reason="over_limit", message=words, verb=decision.verb)
    return _decision(policy, place, no, replace(decision.obligations, quotas=()))


def changed_definition(policy: Policy, server: str, decision: Decision, changed: tuple[str, str]) -> Decision:
    """The refusal of a call that was allowed: nobody has approved the definition of a tool, on its server, as it is."""
    place = policy.servers.get(server)
    words = answers.changed_since_approved(changed[0], Target(kind=ResourceKind.TOOL, name=changed[1]))
    no = _Verdict(
        effect=Effect.DENY, rule="tool_definitions", reason="definition_changed", message=words, verb=decision.verb
    )
    return _decision(policy, place, no, replace(decision.obligations, quotas=()))


def _verdicts(
    policy: Policy, place: Server, roles: frozenset[str], request: AccessRequest, *, exists: bool
) -> tuple[_Verdict, ...]:
    """The answer on a target, and on each call that it would make of other tools.

    Those come first where one is refused: what the tool itself is refused for could tell what verb they have.
    """
    own = _judge_target(policy, place, roles, request, exists=exists)
    calls = request.facts.calls
    if calls is None or not exists:
        return (own,)
    if own.effect is Effect.DENY and not is_visible(policy, place, roles, request):
        return (own,)
    if calls.fault:
        words = answers.calls_unread(place.name, request.target, calls.fault)
        return (_Verdict(effect=Effect.DENY, rule=answers.CALLS, reason="calls_unread", message=words),)
    inner = [verdict for call in calls.calls for verdict in _called(policy, roles, request, call)]
    for verdict in inner:
        if verdict.effect is Effect.DENY:
            verdict.message = answers.called_through(place.name, request.target, verdict.message)
            return (verdict,)
    return (own, *inner)


def _called(policy: Policy, roles: frozenset[str], request: AccessRequest, call: InnerCall) -> tuple[_Verdict, ...]:
    """The answers on one call as if it was made directly."""
    place, target = policy.servers.get(call.server), Target(kind=ResourceKind.TOOL, name=call.tool)
    if place is None or not is_meant_for(place.audiences, request.principal):
        return (_default(call.server, target, Verb.ADMIN),)
    verb = verb_in(place, target, Verb.ADMIN, call.facts)
    inner = replace(
        request,
        server=call.server,
        target=target,
        verb=Verb.ADMIN if verb is None else verb,
        arguments=call.arguments,
        facts=call.facts,
    )
    return _verdicts(policy, place, roles, inner, exists=verb is not None)


def _judge_target(
    policy: Policy, place: Server, roles: frozenset[str], request: AccessRequest, *, exists: bool
) -> _Verdict:
    kind = request.target.kind
    if kind is ResourceKind.SERVER:
        return _judge_server(place, roles, request)
    # a template stands for many URIs: a condition on the URI has no answer for it, and so refuses
    question = Question(request=request, unbound=_OF_ONE_URI if kind is ResourceKind.TEMPLATE else _NOTHING)
    denies = [rule for rule in place.denies if refuses(rule, question)]
    if exists and not denies:
        granted = _granted(place, roles, question)
        if granted is not None:
            return granted
    return _refusal(policy, place, roles, request, denies, exists=exists)


def _granted(place: Server, roles: frozenset[str], question: Question) -> _Verdict | None:
    """What the grants say: a call is held where any grant that fits it wants an approval (deny > hold > allow)."""
    allowing: Grant | None = None
    for grant in place.grants:
        if grant.role in roles and (allowing is None or grant.approval is not None) and permits(grant, question):
            allowing = grant
            if grant.approval is not None or not place.holds:
                break
    if allowing is None:
        return None
    effect, reason = (Effect.ALLOW, "granted") if allowing.approval is None else (Effect.HOLD, "approval_required")
    verb = question.request.verb
    return _Verdict(effect=effect, rule=allowing.rule, reason=reason, verb=verb, approval=allowing.approval)


def _is_stricter(one: _Verdict, other: _Verdict) -> bool:
    return (one.effect is Effect.HOLD, one.verb) > (other.effect is Effect.HOLD, other.verb)


def _needs_two_approvals(one: _Verdict, other: _Verdict) -> bool:
    return one.approval is not None and other.approval is not None and one.approval.name != other.approval.name


def _two_approvals(place: Server, target: Target, verdict: _Verdict) -> _Verdict:
    words = answers.two_approvals(place.name, target)
    return _Verdict(effect=Effect.DENY, rule=verdict.rule, reason="two_approvals", message=words, verb=verdict.verb)


def _refusal(
    policy: Policy,
    place: Server,
    roles: frozenset[str],
    request: AccessRequest,
    denies: list[DenyRule],
    *,
    exists: bool,
) -> _Verdict:
    """What a refusal may tell: a rule is named only where its name does not tell that a hidden thing exists."""
    visible = exists and is_visible(policy, place, roles, request)
    if not visible:
        # the same answer for a name that exists and one that does not: nothing here looks at the verb of a tool
        near = any(grant.role in roles and covers_name(grant.reach, request.target) for grant in place.grants)
        denies = [rule for rule in denies if near and _is_blind(rule)]
    server, target = place.name, request.target
    if denies:
        # what was found tells that there is something to look into
        words = answers.denied_by(denies[0], server, target, request.facts if visible else NO_FACTS)
        return _Verdict(effect=Effect.DENY, rule=denies[0].rule, reason="deny_rule", message=words, verb=request.verb)
    if visible:
        questions = [open_question(each) for each in askable(place, request)]
        grant = next(
            grant
            for grant in place.grants
            if grant.role in roles and any(permits(grant, question) for question in questions)
        )
        words = answers.arguments_refused(grant, server, target, request.verb, request.facts)
        return _Verdict(
            effect=Effect.DENY, rule=grant.rule, reason="condition_not_met", message=words, verb=request.verb
        )
    return _default(server, target, request.verb)


def _judge_server(place: Server, roles: frozenset[str], request: AccessRequest) -> _Verdict:
    """The handshake, lists and streams are for whoever may use something here; what they show is judged on its own."""
    question = Question(request=request, unbound=_OF_THINGS, tolerant=True)
    grant = next((grant for grant in place.grants if grant.role in roles and question.could(grant.when)), None)
    if grant is None:
        return _default(place.name, request.target, request.verb)
    for rule in place.denies:
        if refuses(rule, question):
            words = answers.denied_by(rule, place.name, request.target)
            return _Verdict(effect=Effect.DENY, rule=rule.rule, reason="deny_rule", message=words, verb=request.verb)
    return _Verdict(effect=Effect.ALLOW, rule=grant.rule, reason="granted", verb=request.verb)


def _is_blind(rule: DenyRule) -> bool:
    """Whether the rule treats a tool that exists like one that does not: it does not look at the verb."""
    return rule.reach.verbs is None and (rule.when is None or "verb" not in rule.when.names)


def _default(server: str, target: Target, verb: Verb) -> _Verdict:
    words = answers.not_available(server, target)
    return _Verdict(effect=Effect.DENY, rule=answers.DEFAULT, reason="not_granted", message=words, verb=verb)


def _decision(
    policy: Policy,
    place: Server | None,
    verdict: _Verdict,
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


def _quotas(policy: Policy, place: Server, principal: Principal, message: Message, facts: Facts) -> tuple[Quota, ...]:
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
