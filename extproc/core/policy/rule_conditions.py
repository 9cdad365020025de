"""The conditions of a policy's rules: compiled, with every mistake in them at its place in the file."""

from collections.abc import Collection, Mapping

from extproc.core.policy.conditions import ANYTHING, FACTS, Condition, Fault, compile_condition
from extproc.core.policy.positions import Scalar, Spot
from extproc.core.policy.reading import Reading

__all__ = ["condition_of", "condition_of_rule"]


def condition_of(scalar: Scalar | None, variables: Mapping[str, object], reading: Reading) -> Condition | None:
    """The condition of a text; one that does not compile or can never hold is a problem at its place."""
    if scalar is None:
        return None
    condition = compile_condition(scalar.text, variables)
    if isinstance(condition, Fault):
        reading.problem(_place(scalar, condition), condition.what, condition.fix)
        return None
    if condition.never():
        reading.problem(scalar.spot, "the condition can never be true", "Correct it, or remove the rule")
    return condition


def condition_of_rule(scalar: Scalar | None, inspected: Collection[str], reading: Reading) -> Condition | None:
    """The condition of a rule; one over facts that no tool of its servers has, or no call together, is a problem.

    ``inspected`` are the kinds of inspection that the tools of its servers have.
    """
    condition = condition_of(scalar, ANYTHING, reading)
    if condition is None or scalar is None:
        return condition
    kinds = [kind for kind, names in FACTS.items() if not condition.names.isdisjoint(names)]
    if len(kinds) > 1:
        what = f"the condition is about {' and '.join(kinds)} at once, and no call has both"
        reading.problem(scalar.spot, what, "Write a rule for each")
    for kind in kinds:
        if kind not in inspected:
            what = f"the condition is about {kind}, and no tool there has `verb: {kind}`"
            reading.problem(scalar.spot, what, f"Give the tool `verb: {kind}`, or correct the condition")
    return condition


def _place(scalar: Scalar, fault: Fault) -> Spot:
    """Where in the file a fault inside of a condition stands; its start where the file writes the text differently."""
    if scalar.inside is None:
        return scalar.spot
    if fault.line == 1:
        return Spot(scalar.inside.line, scalar.inside.column + fault.column - 1)
    return Spot(scalar.inside.line + fault.line - 1, scalar.indent + fault.column)
