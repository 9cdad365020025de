"""Why a decision is what it is: every rule that speaks to the question, and what each one says.

For the operator, never for a client: it tells what a refusal hides.
"""

from dataclasses import dataclass, replace

from extproc.core.access import NO_FACTS, AccessRequest, Facts
from extproc.core.model import Decision, Effect, Message, Principal, ResourceKind, Verb
from extproc.core.policy.conditions import Condition
from extproc.core.policy.decide import client_of, judge, verb_in
from extproc.core.policy.membership import Membership, faces
from extproc.core.policy.question import Question, covers_kind, looks_denied
from extproc.core.policy.rules import Policy, Server

__all__ = ["Explanation", "Finding", "explain", "in_role"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that speaks to the question. ``speaks`` is whether it applies, ``why`` what that depends on."""

    rule: str
    speaks: bool
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """A decision with all that led to it.

    ``roles`` are those of the principal (a token and a workload certificate each have their own). ``refusing`` are the
    deny rules on the things that were asked for, ``granting`` the grants, ``notes`` what no rule speaks of.
    """

    decision: Decision
    roles: tuple[frozenset[str], ...]
    refusing: tuple[Finding, ...]
    granting: tuple[Finding, ...]
    notes: tuple[str, ...]


def explain(
    policy: Policy,
    principal: Principal,
    server: str,
    message: Message,
    *,
    session_calls: int = 0,
    facts: Facts = NO_FACTS,
) -> Explanation:
    """The decision of ``judge`` on the same question, and every rule that allows, refuses or would have allowed."""
    decision = judge(policy, principal, server, message, session_calls=session_calls, facts=facts)
    held = faces(policy.membership, principal)
    place = policy.servers.get(server)
    if place is None:
        note = f"the policy has no server `{server}`"
        return Explanation(decision=decision, roles=held, refusing=(), granting=(), notes=(note,))
    refusing: list[Finding] = []
    granting: list[Finding] = []
    notes: list[str] = []
    for target in message.targets:
        verb = verb_in(place, target, message.verb, facts)
        if verb is None:
            notes.append(
                f"the tool `{target.name}` is not listed under server `{server}`, and unlisted tools are refused"
            )
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
        refusing += _refusing(place, Question(request=request))
        if verb is not None:
            granting += _granting(place, Question(request=request), held)
    if not any(held):
        notes.append("the principal has no role")
    if decision.effect is Effect.DENY and decision.shadowed:
        notes.append("shadow mode: the refusal is recorded, and the call goes through")
    return Explanation(
        decision=decision,
        roles=held,
        refusing=tuple(dict.fromkeys(refusing)),
        granting=tuple(dict.fromkeys(granting)),
        notes=tuple(dict.fromkeys(notes)),
    )


def in_role(policy: Policy, role: str) -> tuple[Policy, Principal] | None:
    """The policy with one principal who has exactly this role, and that principal; None for an unknown role."""
    if role not in policy.roles:
        return None
    members = policy.membership
    issuer = next((issuer.issuer for issuer in policy.identity.issuers), "")
    principal = Principal(
        issuer=issuer,
        subject=f"any {role}",
        groups=frozenset(group for group, roles in members.groups.items() if role in roles),
        roles=frozenset(name for name, roles in members.roles.items() if role in roles),
    )
    only = Membership(
        groups={},
        roles={},
        subjects={(principal.issuer, principal.subject): frozenset({role})},
        workloads=(),
        conditions=(),
    )
    return replace(policy, membership=only), principal


def _refusing(place: Server, question: Question) -> list[Finding]:
    return [
        Finding(rule=rule.rule, speaks=question.certainly(rule.when), why=_condition(question, rule.when))
        for rule in place.denies
        if looks_denied(rule, question)
    ]


def _granting(place: Server, question: Question, held: tuple[frozenset[str], ...]) -> list[Finding]:
    found: list[Finding] = []
    everything = question.request.target.kind is ResourceKind.SERVER
    for grant in place.grants:
        if not everything and not covers_kind(grant.reach, question):
            continue
        if not all(grant.role in roles for roles in held):
            found.append(Finding(rule=grant.rule, speaks=False, why=f"needs role `{grant.role}`"))
        elif everything:
            found.append(Finding(rule=grant.rule, speaks=True, why="allows something on this server"))
        else:
            why = _condition(question, grant.when)
            found.append(Finding(rule=grant.rule, speaks=question.could(grant.when), why=why))
    return found


def _condition(question: Question, condition: Condition | None) -> str:
    if condition is None:
        return "has no condition"
    holds = question.ask(condition)
    says = {True: "is true", False: "is false", None: "errors (a missing key or another type)"}[holds]
    return f"the condition `{' '.join(condition.text.split())}` {says}"
