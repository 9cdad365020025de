"""What a decision says: the words for the model, and the decision around them.

A refusal is one sentence on what was refused and by which rule, and one on what to do next. It quotes the name that
was asked for, cut and without control characters, and nothing else of the request.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from extproc.core.access import NO_FACTS, Facts
from extproc.core.limits import MAX_QUOTED_CHARS
from extproc.core.model import ResourceKind, Target, Verb
from extproc.core.policy.arguments import ArgumentRule
from extproc.core.policy.rules import DenyRule, Grant

__all__ = [
    "CALLS",
    "DEFAULT",
    "arguments_refused",
    "called_through",
    "calls_unread",
    "changed_since_approved",
    "denied_by",
    "must_not_leave",
    "not_available",
    "too_many",
    "two_approvals",
]

DEFAULT: Final = "default"
"""The rule of what no rule allows."""
CALLS: Final = "calls"
"""The rule of a tool that calls others: its arguments must be as the policy declares them."""

_THINGS: Final[Mapping[ResourceKind, tuple[str, str]]] = MappingProxyType(
    {
        ResourceKind.TOOL: ("tool", "tools/list"),
        ResourceKind.PROMPT: ("prompt", "prompts/list"),
        ResourceKind.RESOURCE: ("resource", "resources/list"),
        ResourceKind.TEMPLATE: ("resource template", "resources/templates/list"),
    }
)


def _named(server: str, target: Target) -> str:
    if target.kind is ResourceKind.SERVER:
        return f'The server "{_quoted(server)}"'
    return f'The {_THINGS[target.kind][0]} "{_quoted(target.name)}" on server "{_quoted(server)}"'


def _quoted(name: str) -> str:
    cut = name if len(name) <= MAX_QUOTED_CHARS else name[:MAX_QUOTED_CHARS] + "…"
    return "".join(character if character.isprintable() else "\ufffd" for character in cut)


def not_available(server: str, target: Target) -> str:
    """The refusal of what no rule allows, the same whether the thing exists or not."""
    what = f"{_named(server, target)} is not available to you: no rule of the policy allows it (rule `{DEFAULT}`)."
    if target.kind is ResourceKind.SERVER:
        return f"{what} Ask the operator of this gateway for a role that may use it."
    return f"{what} Use only what {_THINGS[target.kind][1]} shows, or ask the operator of this gateway for a role."


def denied_by(rule: DenyRule, server: str, target: Target, facts: Facts = NO_FACTS) -> str:
    """The refusal of a deny rule, with the operator's own sentence where there is one."""
    then = rule.message or "Do not repeat it; ask the operator of this gateway if you need it."
    found = _found(facts) or _about(rule.arguments)
    return f"{_named(server, target)} was refused by rule `{rule.rule}`{found}. {then}"


def _found(facts: Facts) -> str:
    """What inspection found, for the end of a clause; nothing that was an argument's own text."""
    findings = [finding for each in facts.found for finding in each.findings]
    return f" ({_quoted('; '.join(findings[:3]))})" if findings else ""


def _about(rules: tuple[ArgumentRule, ...]) -> str:
    """Which arguments a rule looks at, for the end of a clause; nothing of what is in them."""
    return f" (arguments: {_quoted(', '.join(rule.path for rule in rules))})" if rules else ""


def arguments_refused(
    grant: Grant, server: str, target: Target, verb: Verb = Verb.ADMIN, facts: Facts = NO_FACTS
) -> str:
    """The refusal of a thing that may be used, but not like this."""
    if facts.found and grant.reach.verbs is not None and verb not in grant.reach.verbs:
        may = ", ".join(each.name.lower() for each in sorted(grant.reach.verbs))
        what = f"{_named(server, target)} may not be used in this way: this is {verb.name.lower()}{_found(facts)}"
        return f"{what}, and rule `{grant.rule}` allows {may}. Change it, or ask the operator of this gateway."
    what = f"{_named(server, target)} may not be used in this way: the condition of rule `{grant.rule}` is not met"
    what = f"{what}{_about(grant.arguments)}."
    return f"{what} Change the arguments, or ask the operator of this gateway what is allowed."


def changed_since_approved(server: str, target: Target) -> str:
    """The refusal of a tool that is not as somebody approved it."""
    named = _named(server, target)
    what = f"{named} has changed since it was approved, so it is not used (rule `tool_definitions`)."
    return f"{what} Ask the operator of this gateway to look at it."


def called_through(server: str, target: Target, words: str) -> str:
    """The refusal of a tool for another one that it would call, in the words of that one's refusal."""
    return f"{_named(server, target)} was not called, because of what it would call. {words}"


def calls_unread(server: str, target: Target, fault: str) -> str:
    """The refusal of a tool whose arguments do not say, as the policy declares it, what it would call."""
    what = f"{_named(server, target)} was refused by rule `{CALLS}`: its arguments do not say what it would call"
    return f"{what} ({fault}). Correct the arguments, or call the tools themselves."


def two_approvals(server: str, target: Target) -> str:
    """The refusal of a message whose parts want approvals of different people."""
    what = f"{_named(server, target)} and another thing in this message need different approvals."
    return f"{what} Ask for them one by one."


def must_not_leave(rule: str, types: tuple[str, ...], message: str, server: str, target: Target) -> str:
    """The refusal of a request that holds what must not leave; names what was found by its type, never the value."""
    found = ", ".join(types)
    then = message or "Leave it out, or ask the operator of this gateway how to pass it."
    return f"{_named(server, target)} was not called: rule `{rule}` found {found} in the request. {then}"


def too_many(limit: str, calls: int, seconds: int) -> str:
    """The refusal of a call over a limit."""
    what = f"This call was refused by rule `{limit}`: at most {calls} calls in {seconds} seconds are allowed."
    return f"{what} Wait, then try again."
