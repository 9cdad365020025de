"""One access request as the rules see it: what a rule covers, and what its condition says.

A question may leave variables open. Then a condition that depends on an open variable could hold, and does not
certainly hold; any other error keeps its meaning: it never allows, and it always refuses (invariant 2).
"""

from typing import Final

import msgspec
from msgspec.structs import replace

from extproc.core.access import AccessRequest, Facts, ShellFacts, SqlFacts
from extproc.core.model import ResourceKind, Target, Verb
from extproc.core.policy.arguments import ArgumentRule
from extproc.core.policy.conditions import FACT_NAMES, FACTS, Condition, variables
from extproc.core.policy.patterns import Patterns, as_pattern, folded
from extproc.core.policy.rules import DenyRule, Reach

__all__ = ["Question", "covers_kind", "covers_name", "looks_denied", "patterns_for"]

_NOTHING: Final[frozenset[str]] = frozenset()
_NO_NAMES: Final = ("",)
_NOTHING_FOUND: Final = Facts(
    sql=SqlFacts(
        verb=Verb.QUERY,
        parsed=True,
        statements=_NO_NAMES,
        tables=_NO_NAMES,
        columns=_NO_NAMES,
        functions=_NO_NAMES,
    ),
    shell=ShellFacts(verb=Verb.QUERY, parsed=True, commands=_NO_NAMES, writes=_NO_NAMES),
)
"""Facts of which no condition errs that asks for the first of them."""


class Question(msgspec.Struct, kw_only=True):
    """One request; not frozen, because the hot path makes one per target.

    ``unbound`` variables are left out; with ``tolerant`` a condition that depends on one of them could be either.
    """

    request: AccessRequest
    unbound: frozenset[str] = _NOTHING
    tolerant: bool = False

    def could(self, condition: Condition | None) -> bool:
        """Whether a grant's condition holds, or could hold where it depends on what is open."""
        if condition is None:
            return True
        holds = self.ask(condition)
        return self._is_open(condition) if holds is None else holds

    def certainly(self, condition: Condition | None) -> bool:
        """Whether a deny rule's condition holds or errors, whatever is open.

        A condition over facts concerns a call without them only where it holds whatever they would be, or where its
        other half errs; one over a command that could not be read holds.
        """
        if condition is None:
            return True
        for kind, names in FACTS.items():
            if not condition.names.isdisjoint(names - self.unbound):
                found: SqlFacts | ShellFacts | None = getattr(self.request.facts, kind)
                if found is None:
                    holds = self.ask(condition)
                    return self._errs_elsewhere(condition, names) if holds is None else holds
                if not found.parsed:
                    return True
        holds = self.ask(condition)
        return not self._is_open(condition) if holds is None else holds

    def fits(self, rules: tuple[ArgumentRule, ...]) -> bool:
        """Whether a grant takes the arguments, or could take some where they are open."""
        return self._open_arguments or all(rule.holds(self.request.arguments) for rule in rules)

    def shows(self, rules: tuple[ArgumentRule, ...]) -> bool:
        """Whether a deny rule applies to the arguments, whatever is open."""
        return not rules or (not self._open_arguments and all(rule.appears(self.request.arguments) for rule in rules))

    @property
    def _open_arguments(self) -> bool:
        return "arguments" in self.unbound

    def ask(self, condition: Condition) -> bool | None:
        """What the condition says, with the facts open that the call has none of; None where it errors."""
        names = condition.names - self.unbound
        if not names.isdisjoint(FACT_NAMES):
            for kind, of_kind in FACTS.items():
                if getattr(self.request.facts, kind) is None:
                    names -= of_kind
        return condition.holds(variables(self.request, names))

    def _errs_elsewhere(self, condition: Condition, facts: frozenset[str]) -> bool:
        """Whether it is not for want of facts that a condition errs: it does so too where nothing was found."""
        if condition.names <= facts:
            return False
        found = replace(self.request, facts=_NOTHING_FOUND)
        return condition.holds(variables(found, condition.names - self.unbound)) is None

    def _is_open(self, condition: Condition) -> bool:
        return self.tolerant and not self.unbound.isdisjoint(condition.names)


def covers_kind(reach: Reach, question: Question) -> bool:
    """Whether a grant covers the thing that the request names, byte for byte, with its verb."""
    request = question.request
    if reach.verbs is not None and request.verb not in reach.verbs:
        return False
    return covers_name(reach, request.target)


def covers_name(reach: Reach, target: Target) -> bool:
    """Whether a grant covers the thing whatever its verb."""
    if reach.everything:
        return True
    patterns = patterns_for(reach, target.kind)
    if patterns is None:
        return False
    if target.kind is ResourceKind.TEMPLATE:
        return patterns.overlap(as_pattern(target.name))
    return patterns.cover(target.name)


def looks_denied(rule: DenyRule, question: Question) -> bool:
    """Whether a deny rule covers the thing or one that looks like it; a template only with all that it stands for."""
    request = question.request
    if rule.reach.verbs is not None and request.verb not in rule.reach.verbs:
        return False
    if rule.reach.everything:
        return True
    target = request.target
    patterns, looks = patterns_for(rule.reach, target.kind), patterns_for(rule.looks, target.kind)
    if patterns is None or looks is None:
        return False
    if target.kind is ResourceKind.TEMPLATE:
        template = as_pattern(target.name)
        return patterns.contain(template) or looks.contain(folded(template))
    return patterns.cover(target.name) or looks.cover(folded(target.name))


def patterns_for(reach: Reach, kind: ResourceKind) -> Patterns | None:
    """The patterns of a rule for one kind of thing; None where it names none of that kind."""
    if kind is ResourceKind.TOOL:
        return reach.tools
    if kind is ResourceKind.PROMPT:
        return reach.prompts
    return None if kind is ResourceKind.SERVER else reach.resources
