"""Which masking a message owes: every rule on its server that touches one of its targets, unless its caller is exempt.

Promises: where a message is about the server as a whole (a handshake, a list, a stream, an answer of the client), every
rule of the server counts, because anything may pass there. Names are taken strictly, as deny rules take them: a rule
covers a thing also when it only looks like what the rule names. A caller with two faces (membership.py) is exempt only
where both are. For the record every rule counts, for everybody.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import lru_cache
from itertools import chain

from extproc.core.access import CallFacts
from extproc.core.masking import NO_MASKING, NO_MASKS, Block, Masking, Masks
from extproc.core.model import Principal, ResourceKind, Target
from extproc.core.policy.inspections import inspection_of
from extproc.core.policy.patterns import as_pattern, folded
from extproc.core.policy.question import patterns_for
from extproc.core.policy.rules import MaskRule, Policy, Server

__all__ = ["owed_masking"]


def owed_masking(
    policy: Policy,
    place: Server,
    held: tuple[frozenset[str], ...],
    principal: Principal,
    targets: Iterable[Target],
    *,
    calls: CallFacts | None = None,
) -> Masking:
    """All that a message on these targets owes; ``held`` are the roles of each face of the principal.

    A tool that calls others owes with ``calls`` what those owe; where they are not known, and where the message is
    about the server as a whole, all that anything owes which it could call.
    """
    if not (place.masks or place.calls):
        return NO_MASKING
    wanted = tuple(targets)
    touched = tuple(rule for rule in place.masks if any(_touches(rule, target) for target in wanted))
    if place.calls:
        touched = tuple(dict.fromkeys((*touched, *_of_calls(policy, place, wanted, calls))))
    if not touched:
        return NO_MASKING
    return _joined(tuple(rule for rule in touched if _binds(rule, held, principal)), touched)


def _of_calls(
    policy: Policy, place: Server, targets: tuple[Target, ...], calls: CallFacts | None
) -> Iterator[MaskRule]:
    """The rules on what a message would call: their paths may lead to it from anywhere in arguments and results."""
    if calls is not None and not calls.fault:
        for call in calls.every:
            called, target = policy.servers.get(call.server), Target(kind=ResourceKind.TOOL, name=call.tool)
            if called is not None:
                yield from (_anywhere(rule) for rule in called.masks if _touches(rule, target))
    elif any(target.kind is ResourceKind.SERVER or _calls_others(place, target) for target in targets):
        for name in (place.name, *place.reaches):
            yield from map(_anywhere, policy.servers[name].masks)


def _calls_others(place: Server, target: Target) -> bool:
    if target.kind is not ResourceKind.TOOL:
        return False
    inspection = inspection_of(place.inspections, target.name)
    return inspection is not None and inspection.shape is not None


@lru_cache(maxsize=4096)
def _anywhere(rule: MaskRule) -> MaskRule:
    # made once for each rule: masks are compared by identity
    if all(field.steps[0].deep for field in rule.masks.fields if field.steps):
        return rule
    fields = tuple(
        replace(field, steps=(replace(field.steps[0], deep=True), *field.steps[1:])) if field.steps else field
        for field in rule.masks.fields
    )
    return replace(rule, masks=replace(rule.masks, fields=fields))


def _touches(rule: MaskRule, target: Target) -> bool:
    if target.kind is ResourceKind.SERVER or rule.reach.everything:
        return True
    patterns, looks = patterns_for(rule.reach, target.kind), patterns_for(rule.looks, target.kind)
    if patterns is None or looks is None:
        return False
    if target.kind is ResourceKind.TEMPLATE:
        template = as_pattern(target.name)
        return patterns.overlap(template) or looks.overlap(folded(template))
    return patterns.cover(target.name) or looks.cover(folded(target.name))


def _binds(rule: MaskRule, held: tuple[frozenset[str], ...], principal: Principal) -> bool:
    """Whether the rule is for this caller, and one of its faces at least is no exception."""
    if rule.roles is not None and all(rule.roles.isdisjoint(roles) for roles in held):
        return False
    named = (principal.issuer, principal.subject) in rule.exempt_subjects
    token_is_exempt = named or not rule.exempt_groups.isdisjoint(principal.groups)
    return any(
        rule.exempt_roles.isdisjoint(roles) and not (token_is_exempt and face == 0) for face, roles in enumerate(held)
    )


@lru_cache(maxsize=4096)
def _joined(binding: tuple[MaskRule, ...], touched: tuple[MaskRule, ...]) -> Masking:
    # made once for each set of rules: what is compiled from a masking is kept by its identity
    requests = [rule for rule in binding if rule.on_requests]
    return Masking(
        rules=tuple(dict.fromkeys(rule.name for rule in binding)),
        responses=_union(rule.masks for rule in binding if rule.on_responses),
        requests=_union(rule.masks for rule in requests if not rule.blocks),
        blocks=tuple(Block(rule=rule.name, masks=rule.masks, message=rule.message) for rule in requests if rule.blocks),
        recorded=_union(rule.masks for rule in touched),
    )


def _union(several: Iterable[Masks]) -> Masks:
    masks = tuple(several)
    if len(masks) <= 1:
        return masks[0] if masks else NO_MASKS
    return _united(masks)


@lru_cache(maxsize=4096)
def _united(masks: tuple[Masks, ...]) -> Masks:
    return Masks(
        fields=tuple(chain.from_iterable(each.fields for each in masks)),
        detections=tuple(chain.from_iterable(each.detections for each in masks)),
        own=tuple(dict.fromkeys(chain.from_iterable(each.own for each in masks))),
        blocks_opaque=any(each.blocks_opaque for each in masks),
        recogniser=next((each.recogniser for each in masks if each.recogniser is not None), None),
    )
