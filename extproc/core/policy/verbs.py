"""Which verb a tool has: what the operator wrote, never what the server or the client says of it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from extproc.core.model import Verb
from extproc.core.policy.patterns import Patterns, compile_patterns, covers, folded, weight

__all__ = ["ToolVerbs", "compile_verbs", "verb_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolVerbs:
    """The listed tools of one server; ``globs`` stand in the order of their precedence.

    ``unlisted`` is the verb of every other tool, None where another tool is refused. ``looks`` are the listed names
    folded.
    """

    exact: Mapping[str, Verb]
    globs: tuple[tuple[str, Verb], ...]
    unlisted: Verb | None
    looks: Patterns


def compile_verbs(tools: Iterable[tuple[str, Verb]], unlisted: Verb | None) -> ToolVerbs:
    """The verbs of the listed tools, the most specific pattern first and of two equals the stricter verb."""
    kept = tuple(tools)
    globs = sorted((tool for tool in kept if "*" in tool[0]), key=lambda tool: (weight(tool[0]), tool[1]), reverse=True)
    return ToolVerbs(
        exact={name: verb for name, verb in kept if "*" not in name},
        globs=tuple(globs),
        unlisted=unlisted,
        looks=compile_patterns(folded(name) for name, _ in kept),
    )


def verb_of(tools: ToolVerbs, name: str) -> Verb | None:
    """The verb of a tool; None for a tool that is not listed where such are refused.

    None too for a name that only looks like a listed one: a server that folds names would run that one, whose verb and
    inspection are its own.
    """
    verb = tools.exact.get(name)
    if verb is not None:
        return verb
    alike = folded(name)
    if alike in tools.looks.exact:
        return None
    verb = next((verb for pattern, verb in tools.globs if covers(pattern, name)), None)
    return tools.unlisted if verb is None and not tools.looks.cover(alike) else verb
