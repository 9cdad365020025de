"""What is answered on one thing for one face of a principal: deny rules first, then grants, and no by default.

A refusal says what was asked for and never whether such a thing exists: a thing that the principal cannot see is
refused in the words of a thing that does not exist.
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core.access import NO_FACTS, AccessRequest, InnerCall, is_meant_for
from extproc.core.model import Effect, ResourceKind, Target, Verb
from extproc.core.policy import answers
from extproc.core.policy.conditions import FACT_NAMES
from extproc.core.policy.question import Question, covers_name
from extproc.core.policy.rules import DenyRule, Grant, Policy, Server
from extproc.core.policy.visibility import askable, is_visible, open_question, permits, refuses, verb_in
from extproc.core.tickets import ApprovalRule

__all__ = ["Verdict", "is_stricter", "needs_two_approvals", "not_granted", "two_approvals", "verdicts"]

_OF_ONE_URI: Final = frozenset({"uri"})
_NOTHING: Final[frozenset[str]] = frozenset()
_OF_THINGS: Final = frozenset({"arguments", "tool", "prompt", "uri"}) | FACT_NAMES


class Verdict(msgspec.Struct, kw_only=True):
    """The answer on one target for one face; not frozen, because the hot path makes one per target."""

    effect: Effect
    rule: str
    reason: str
    message: str = ""
    verb: Verb = Verb.ADMIN
    approval: ApprovalRule | None = None


def verdicts(
    policy: Policy, place: Server, roles: frozenset[str], request: AccessRequest, *, exists: bool
) -> tuple[Verdict, ...]:
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
        return (Verdict(effect=Effect.DENY, rule=answers.CALLS, reason="calls_unread", message=words),)
    inner = [verdict for call in calls.calls for verdict in _called(policy, roles, request, call)]
    for verdict in inner:
        if verdict.effect is Effect.DENY:
            verdict.message = answers.called_through(place.name, request.target, verdict.message)
            return (verdict,)
    return (own, *inner)


def _called(policy: Policy, roles: frozenset[str], request: AccessRequest, call: InnerCall) -> tuple[Verdict, ...]:
    """The answers on one call as if it was made directly."""
    place, target = policy.servers.get(call.server), Target(kind=ResourceKind.TOOL, name=call.tool)
    if place is None or not is_meant_for(place.audiences, request.principal):
        return (not_granted(call.server, target, Verb.ADMIN),)
    verb = verb_in(place, target, Verb.ADMIN, call.facts)
    inner = replace(
        request,
        server=call.server,
        target=target,
        verb=Verb.ADMIN if verb is None else verb,
        arguments=call.arguments,
        facts=call.facts,
    )
    return verdicts(policy, place, roles, inner, exists=verb is not None)


def _judge_target(
    policy: Policy, place: Server, roles: frozenset[str], request: AccessRequest, *, exists: bool
) -> Verdict:
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


def _granted(place: Server, roles: frozenset[str], question: Question) -> Verdict | None:
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
    return Verdict(effect=effect, rule=allowing.rule, reason=reason, verb=verb, approval=allowing.approval)


def is_stricter(one: Verdict, other: Verdict) -> bool:
    """Whether one of two answers that allow asks for more: a hold, or the greater verb."""
    return (one.effect is Effect.HOLD, one.verb) > (other.effect is Effect.HOLD, other.verb)


def needs_two_approvals(one: Verdict, other: Verdict) -> bool:
    """Whether two answers hold for different approvals, of which nobody can have both."""
    return one.approval is not None and other.approval is not None and one.approval.name != other.approval.name


def two_approvals(place: Server, target: Target, verdict: Verdict) -> Verdict:
    """The refusal of a call that would need them."""
    words = answers.two_approvals(place.name, target)
    return Verdict(effect=Effect.DENY, rule=verdict.rule, reason="two_approvals", message=words, verb=verdict.verb)


def _refusal(
    policy: Policy,
    place: Server,
    roles: frozenset[str],
    request: AccessRequest,
    denies: list[DenyRule],
    *,
    exists: bool,
) -> Verdict:
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
        return Verdict(effect=Effect.DENY, rule=denies[0].rule, reason="deny_rule", message=words, verb=request.verb)
    if visible:
        questions = [open_question(each) for each in askable(place, request)]
        grant = next(
            grant
            for grant in place.grants
            if grant.role in roles and any(permits(grant, question) for question in questions)
        )
        words = answers.arguments_refused(grant, server, target, request.verb, request.facts)
        return Verdict(
            effect=Effect.DENY, rule=grant.rule, reason="condition_not_met", message=words, verb=request.verb
        )
    return not_granted(server, target, request.verb)


def _judge_server(place: Server, roles: frozenset[str], request: AccessRequest) -> Verdict:
    """The handshake, lists and streams are for whoever may use something here; what they show is judged on its own."""
    question = Question(request=request, unbound=_OF_THINGS, tolerant=True)
    grant = next((grant for grant in place.grants if grant.role in roles and question.could(grant.when)), None)
    if grant is None:
        return not_granted(place.name, request.target, request.verb)
    for rule in place.denies:
        if refuses(rule, question):
            words = answers.denied_by(rule, place.name, request.target)
            return Verdict(effect=Effect.DENY, rule=rule.rule, reason="deny_rule", message=words, verb=request.verb)
    return Verdict(effect=Effect.ALLOW, rule=grant.rule, reason="granted", verb=request.verb)


def _is_blind(rule: DenyRule) -> bool:
    """Whether the rule treats a tool that exists like one that does not: it does not look at the verb."""
    return rule.reach.verbs is None and (rule.when is None or "verb" not in rule.when.names)


def not_granted(server: str, target: Target, verb: Verb) -> Verdict:
    """The answer where no rule allows it."""
    words = answers.not_available(server, target)
    return Verdict(effect=Effect.DENY, rule=answers.DEFAULT, reason="not_granted", message=words, verb=verb)
