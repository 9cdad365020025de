"""Which recorded calls somebody asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from extproc.core.audit.chain import encode
from extproc.core.audit.members import number_in, text_of
from extproc.core.model import Json

__all__ = ["EVERYTHING", "Filter", "said_of", "takes", "targets_of", "who_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Each member that is given must hold; ``since`` and ``until`` in nanoseconds since the epoch.

    ``principal``, ``tool``, ``rule`` and ``text`` are parts of what stands there, whatever their case; ``text`` is
    looked for in the arguments as they were recorded, so masked.
    """

    principal: str | None = None
    server: str | None = None
    tool: str | None = None
    verb: str | None = None
    decision: str | None = None
    rule: str | None = None
    since: int | None = None
    until: int | None = None
    text: str | None = None


EVERYTHING = Filter()


def takes(chosen: Filter, event: Mapping[str, Json]) -> bool:
    """Whether a decision event is asked for."""
    at = number_in(event.get("at"))
    if (chosen.since is not None and at < chosen.since) or (chosen.until is not None and at >= chosen.until):
        return False
    exact = ((chosen.server, "server"), (chosen.verb, "verb"), (chosen.decision, "effect"))
    if any(wanted is not None and wanted != event.get(name) for wanted, name in exact):
        return False
    parts = (
        (chosen.principal, who_of(event)),
        (chosen.tool, targets_of(event)),
        (chosen.rule, text_of(event.get("rule"))),
    )
    if any(wanted is not None and wanted.lower() not in found.lower() for wanted, found in parts):
        return False
    return chosen.text is None or chosen.text.lower() in said_of(event).lower()


def who_of(event: Mapping[str, Json]) -> str:
    """Issuer and subject of a decision; nothing where nobody was identified."""
    principal = event.get("principal")
    return f"{principal.get('issuer')} {principal.get('subject')}" if isinstance(principal, Mapping) else ""


def targets_of(event: Mapping[str, Json]) -> str:
    """The names of the tools, prompts or resources of a decision, each on a line."""
    targets = event.get("targets")
    named = (
        [str(each.get("name")) for each in targets if isinstance(each, Mapping)] if isinstance(targets, list) else []
    )
    return "\n".join([*named, *_called(event)])


def said_of(event: Mapping[str, Json]) -> str:
    """The arguments as they were recorded; nothing where none are."""
    arguments = event.get("arguments")
    return "" if arguments is None else encode(arguments).decode()


def _called(event: Mapping[str, Json]) -> Iterator[str]:
    """The tools that a call would make its tool call, at any depth."""
    calls = event.get("calls")
    tools = calls.get("tools") if isinstance(calls, Mapping) else None
    for each in tools if isinstance(tools, list) else ():
        if isinstance(each, Mapping):
            yield str(each.get("tool"))
            yield from _called(each)
