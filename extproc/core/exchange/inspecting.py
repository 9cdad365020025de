"""From the arguments of a call to the facts that policy judges: which argument is inspected, the policy says."""

from extproc.core.access import NO_FACTS, Facts, ShellFacts, SqlFacts
from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.sql import inspect_sql
from extproc.core.model import Json, Message, ResourceKind, Verb
from extproc.core.policy.inspections import argument, inspection_of
from extproc.core.policy.rules import Policy

__all__ = ["facts_of"]

_UNREADABLE = ShellFacts(verb=Verb.ADMIN, parsed=False, findings=("a command that could not be read",))


def facts_of(policy: Policy, server: str, message: Message) -> Facts:
    """What inspection finds in a message; of a server or tool that asks for none, nothing."""
    place = policy.servers.get(server)
    if place is None or not (place.inspections.exact or place.inspections.globs):
        return NO_FACTS
    for target in message.targets:
        inspection = inspection_of(place.inspections, target.name) if target.kind is ResourceKind.TOOL else None
        if inspection is not None:
            value = argument(message.arguments, inspection.path)
            if inspection.kind == "sql":
                return Facts(sql=_sql(value, inspection.dialect))
            return Facts(shell=_shell(value))
    return NO_FACTS


def _shell(value: Json) -> ShellFacts:
    if isinstance(value, str):
        return inspect_shell(value)
    if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
        return inspect_shell(value)
    return _UNREADABLE


def _sql(value: Json, dialect: str | None) -> SqlFacts:
    texts = value if isinstance(value, list) and value else [value]
    # what is no text is read as nothing, and so not at all
    return inspect_sql(tuple(text if isinstance(text, str) else "" for text in texts), dialect)
