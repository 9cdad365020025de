"""The decision on one message, and on what a list may show: default deny, deny rules first, then grants.

Promises: total; every target of a message is judged with every face of its principal and the strictest answer wins; a
condition that errors never allows. What a refusal says depends on the name that was asked for and never on whether
such a thing exists: a thing that the principal cannot see is refused in the words of a thing that does not exist.
"""

from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core.access import NO_FACTS, NOBODY, AccessRequest, Facts, ShellFacts, SqlFacts
from extproc.core.masking import NO_MASKING, Masking
from extproc.core.model import (
    Client,
    Decision,
    Effect,
    Message,
    Obligations,
    Principal,
    Quota,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.policy import answers
from extproc.core.policy.conditions import FACT_NAMES
from extproc.core.policy.inspections import EVERY_VERB, inspection_of
from extproc.core.policy.membership import faces
from extproc.core.policy.owed import owed_masking
from extproc.core.policy.question import Question, covers_kind, covers_name, looks_denied
from extproc.core.policy.rules import DenyRule, Grant, Limit, Policy, Server
from extproc.core.policy.verbs import verb_of
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

_OF_ARGUMENTS: Final = frozenset({"arguments", "session.calls"})
_OF_ONE_URI: Final = frozenset({"uri"})
_NOTHING: Final[frozenset[str]] = frozenset()
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
        return _decision(policy, None, no, (), NO_MASKING)
    held = faces(policy.membership, principal)
    owed = owed_masking(place, held, principal, message.targets)
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
            verdict = _judge_target(place, roles, request, exists=verb is not None)
            if verdict.effect is Effect.DENY:
                return _decision(policy, place, verdict, (), owed)
            if allowed is not None and _needs_two_approvals(allowed, verdict):
                return _decision(policy, place, _two_approvals(place, target, verdict), (), owed)
            if allowed is None or _is_stricter(verdict, allowed):
                allowed = verdict
    if allowed is None:
        no = _default(server, Target(kind=ResourceKind.SERVER), message.verb)
        return _decision(policy, place, no, (), owed)
    return _decision(policy, place, allowed, _quotas(place, principal, message), owed)


def masking(policy: Policy, principal: Principal, server: str, targets: Iterable[Target]) -> Masking:
    """All that what concerns these things owes in masking."""
    place = policy.servers.get(server)
    if place is None or not place.masks:
        return NO_MASKING
    return owed_masking(place, faces(policy.membership, principal), principal, targets)


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
    return all(_is_visible(place, roles, request) for roles in held)


def asks_session_calls(policy: Policy, server: str) -> bool:
    """Whether a decision on the server depends on the number of earlier calls in the session."""
    place = policy.servers.get(server)
    return place is not None and place.asks_calls


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
    return _decision(policy, place, no, (), decision.obligations.masking)


def over_quota(policy: Policy, server: str, decision: Decision, quota: Quota) -> Decision:
    """The refusal of a call that was allowed but is over a limit."""
    place = policy.servers.get(server)
    words = answers.too_many(quota.rule, quota.calls, quota.seconds)
    no = _Verdict(effect=Effect.DENY, rule=quota.rule, reason="over_limit", message=words, verb=decision.verb)
    return _decision(policy, place, no, (), decision.obligations.masking)


def changed_definition(policy: Policy, server: str, decision: Decision, tool: str) -> Decision:
    """The refusal of a call that was allowed, of a tool whose definition nobody has approved as it is now."""
    place = policy.servers.get(server)
    words = answers.changed_since_approved(server, Target(kind=ResourceKind.TOOL, name=tool))
    no = _Verdict(
        effect=Effect.DENY, rule="tool_definitions", reason="definition_changed", message=words, verb=decision.verb
    )
    return _decision(policy, place, no, (), decision.obligations.masking)


def _judge_target(place: Server, roles: frozenset[str], request: AccessRequest, *, exists: bool) -> _Verdict:
    kind = request.target.kind
    if kind is ResourceKind.SERVER:
        return _judge_server(place, roles, request)
    # a template stands for many URIs: a condition on the URI has no answer for it, and so refuses
    question = Question(request=request, unbound=_OF_ONE_URI if kind is ResourceKind.TEMPLATE else _NOTHING)
    denies = [rule for rule in place.denies if _refuses(rule, question)]
    if exists and not denies:
        granted = _granted(place, roles, question)
        if granted is not None:
            return granted
    return _refusal(place, roles, request, denies, exists=exists)


def _granted(place: Server, roles: frozenset[str], question: Question) -> _Verdict | None:
    """What the grants say: a call is held where any grant that fits it wants an approval (deny > hold > allow)."""
    allowing: Grant | None = None
    for grant in place.grants:
        if grant.role in roles and (allowing is None or grant.approval is not None) and _permits(grant, question):
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
    place: Server, roles: frozenset[str], request: AccessRequest, denies: list[DenyRule], *, exists: bool
) -> _Verdict:
    """What a refusal may tell: a rule is named only where its name does not tell that a hidden thing exists."""
    visible = exists and _is_visible(place, roles, request)
    if not visible:
        # the same answer for a name that exists and one that does not: nothing here looks at the verb of a tool
        near = any(grant.role in roles and covers_name(grant.reach, request.target) for grant in place.grants)
        denies = [rule for rule in denies if near and _is_blind(rule)]
    server, target = place.name, request.target
    if denies:
        words = answers.denied_by(denies[0], server, target, request.facts)
        return _Verdict(effect=Effect.DENY, rule=denies[0].rule, reason="deny_rule", message=words, verb=request.verb)
    if visible:
        questions = [_open_question(each) for each in _askable(place, request)]
        grant = next(
            grant
            for grant in place.grants
            if grant.role in roles and any(_permits(grant, question) for question in questions)
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
        if _refuses(rule, question):
            words = answers.denied_by(rule, place.name, request.target)
            return _Verdict(effect=Effect.DENY, rule=rule.rule, reason="deny_rule", message=words, verb=request.verb)
    return _Verdict(effect=Effect.ALLOW, rule=grant.rule, reason="granted", verb=request.verb)


def _is_visible(place: Server, roles: frozenset[str], request: AccessRequest) -> bool:
    return any(_could_be_used(place, roles, each) for each in _askable(place, request))


def _askable(place: Server, request: AccessRequest) -> tuple[AccessRequest, ...]:
    """The request with each verb that it may have: of an inspected tool any, as its argument goes."""
    target = request.target
    if target.kind is not ResourceKind.TOOL or inspection_of(place.inspections, target.name) is None:
        return (request,)
    return tuple(replace(request, verb=verb) for verb in EVERY_VERB)


def _could_be_used(place: Server, roles: frozenset[str], request: AccessRequest) -> bool:
    question = _open_question(request)
    if any(_refuses(rule, question) for rule in place.denies):
        return False
    return any(grant.role in roles and _permits(grant, question) for grant in place.grants)


def _open_question(request: AccessRequest) -> Question:
    """The question whether some call on the target could be allowed."""
    kind = request.target.kind
    unbound = _OF_ARGUMENTS | FACT_NAMES
    if kind is not ResourceKind.TOOL:  # several methods touch it
        unbound |= {"method"}
    if kind is ResourceKind.TEMPLATE:
        unbound |= {"uri"}
    return Question(request=request, unbound=unbound, tolerant=True)


def _permits(grant: Grant, question: Question) -> bool:
    return covers_kind(grant.reach, question) and question.fits(grant.arguments) and question.could(grant.when)


def _refuses(rule: DenyRule, question: Question) -> bool:
    return looks_denied(rule, question) and question.shows(rule.arguments) and question.certainly(rule.when)


def _is_blind(rule: DenyRule) -> bool:
    """Whether the rule treats a tool that exists like one that does not: it does not look at the verb."""
    return rule.reach.verbs is None and (rule.when is None or "verb" not in rule.when.names)


def verb_in(place: Server, target: Target, otherwise: Verb, facts: Facts) -> Verb | None:
    """The verb of what is done to the target; None for a tool that the policy does not know."""
    if target.kind is not ResourceKind.TOOL:
        return otherwise
    verb = verb_of(place.tools, target.name)
    inspection = inspection_of(place.inspections, target.name) if verb is not None else None
    if inspection is None:
        return verb
    found: SqlFacts | ShellFacts | None = getattr(facts, inspection.kind)
    return Verb.ADMIN if found is None else found.verb


def _default(server: str, target: Target, verb: Verb) -> _Verdict:
    words = answers.not_available(server, target)
    return _Verdict(effect=Effect.DENY, rule=answers.DEFAULT, reason="not_granted", message=words, verb=verb)


def _decision(
    policy: Policy, place: Server | None, verdict: _Verdict, quotas: tuple[Quota, ...], masking: Masking
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
        obligations=Obligations(quotas=quotas)
        if place is None
        else Obligations(recording=place.recording, quotas=quotas, masking=masking),
    )


def _quotas(place: Server, principal: Principal, message: Message) -> tuple[Quota, ...]:
    """The counts that a call on a tool, prompt or resource must fit into; the rest of the protocol is not counted."""
    named = next((target for target in message.targets if target.kind is not ResourceKind.SERVER), None)
    if named is None or not place.limits:
        return ()
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
