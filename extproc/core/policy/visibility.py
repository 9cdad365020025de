"""Whether some call on a thing could be allowed: what lists show, and what a refusal may tell of a thing.

A tool that calls others is worth showing only where it could call something: a tool that its caller could call itself.
A pattern of tools counts as one where a grant meets it.
"""

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from extproc.core.access import NO_FACTS, AccessRequest, CallFacts, Facts, ShellFacts, SqlFacts, is_meant_for
from extproc.core.limits import MAX_CALL_DEPTH
from extproc.core.model import ResourceKind, Target, Verb
from extproc.core.policy.conditions import FACT_NAMES
from extproc.core.policy.inspections import EVERY_VERB, inspection_of
from extproc.core.policy.metatools import Shape
from extproc.core.policy.question import Question, covers_kind, looks_denied
from extproc.core.policy.rules import DenyRule, Grant, Policy, Server
from extproc.core.policy.verbs import verb_of

__all__ = ["askable", "is_visible", "open_question", "permits", "refuses", "verb_in"]

_OF_ARGUMENTS: Final = frozenset({"arguments", "session.calls"})


def verb_in(place: Server, target: Target, otherwise: Verb, facts: Facts) -> Verb | None:
    """The verb of what is done to the target; None for a tool that the policy does not know."""
    if target.kind is not ResourceKind.TOOL:
        return otherwise
    verb = verb_of(place.tools, target.name)
    inspection = inspection_of(place.inspections, target.name) if verb is not None else None
    if inspection is None:
        return verb
    found: SqlFacts | ShellFacts | CallFacts | None = getattr(facts, inspection.kind)
    return Verb.ADMIN if found is None else found.verb


def is_visible(
    policy: Policy, place: Server, roles: frozenset[str], request: AccessRequest, depth: int = MAX_CALL_DEPTH
) -> bool:
    """Whether some call on the target could be allowed."""
    if not any(_could_be_used(place, roles, each) for each in askable(place, request)):
        return False
    target = request.target
    inspection = inspection_of(place.inspections, target.name) if target.kind is ResourceKind.TOOL else None
    if inspection is None or inspection.shape is None:
        return True
    return any(
        _has_something(policy, called, roles, replace(request, server=called.name), depth)
        for called in _called(policy, place, inspection.shape)
        if is_meant_for(called.audiences, request.principal)
    )


def _called(policy: Policy, place: Server, shape: Shape) -> Iterator[Server]:
    """The servers on which a tool may call something."""
    if shape.server is not None:
        yield from policy.servers.values()
    else:
        yield place if shape.on is None else policy.servers[shape.on.value]


def _has_something(policy: Policy, place: Server, roles: frozenset[str], request: AccessRequest, depth: int) -> bool:
    for name in place.tools.exact if depth else ():
        target = Target(kind=ResourceKind.TOOL, name=name)
        verb = verb_in(place, target, Verb.ADMIN, NO_FACTS)
        each = replace(request, target=target, verb=Verb.ADMIN if verb is None else verb)
        if is_visible(policy, place, roles, each, depth - 1):
            return True
    wide = (*place.tools.globs, *((("*", place.tools.unlisted),) if place.tools.unlisted is not None else ()))
    return any(grant.role in roles and _meets(grant, pattern, verb) for grant in place.grants for pattern, verb in wide)


def _meets(grant: Grant, pattern: str, verb: Verb) -> bool:
    reach = grant.reach
    if reach.verbs is not None and verb not in reach.verbs:
        return False
    return reach.everything or (reach.tools is not None and reach.tools.overlap(pattern))


def askable(place: Server, request: AccessRequest) -> tuple[AccessRequest, ...]:
    """The request with each verb that it may have: of an inspected tool any, as its argument goes."""
    target = request.target
    if target.kind is not ResourceKind.TOOL or inspection_of(place.inspections, target.name) is None:
        return (request,)
    return tuple(replace(request, verb=verb) for verb in EVERY_VERB)


def _could_be_used(place: Server, roles: frozenset[str], request: AccessRequest) -> bool:
    question = open_question(request)
    if any(refuses(rule, question) for rule in place.denies):
        return False
    return any(grant.role in roles and permits(grant, question) for grant in place.grants)


def open_question(request: AccessRequest) -> Question:
    """The question whether some call on the target could be allowed."""
    kind = request.target.kind
    unbound = _OF_ARGUMENTS | FACT_NAMES
    if kind is not ResourceKind.TOOL:  # several methods touch it
        unbound |= {"method"}
    if kind is ResourceKind.TEMPLATE:
        unbound |= {"uri"}
    return Question(request=request, unbound=unbound, tolerant=True)


def permits(grant: Grant, question: Question) -> bool:
    """Whether a grant allows what is asked, or could where that is open."""
    return covers_kind(grant.reach, question) and question.fits(grant.arguments) and question.could(grant.when)


def refuses(rule: DenyRule, question: Question) -> bool:
    """Whether a deny rule refuses what is asked, whatever is open."""
    return looks_denied(rule, question) and question.shows(rule.arguments) and question.certainly(rule.when)
