"""Which recorded calls somebody asks for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from extproc.core.audit.chain import encode
from extproc.core.model import Json

__all__ = ["EVERYTHING", "Filter", "takes"]


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
    at = event.get("at")
    if not isinstance(at, int):
        at = 0
    if (chosen.since is not None and at < chosen.since) or (chosen.until is not None and at >= chosen.until):
        return False
    exact = ((chosen.server, "server"), (chosen.verb, "verb"), (chosen.decision, "effect"))
    if any(wanted is not None and wanted != event.get(name) for wanted, name in exact):
        return False
    parts = (
        (chosen.principal, _who(event)),
        (chosen.tool, _targets(event)),
        (chosen.rule, str(event.get("rule") or "")),
    )
    if any(wanted is not None and wanted.lower() not in found.lower() for wanted, found in parts):
        return False
    return chosen.text is None or chosen.text.lower() in encode(event.get("arguments")).decode().lower()


def _who(event: Mapping[str, Json]) -> str:
    principal = event.get("principal")
    return f"{principal.get('issuer')} {principal.get('subject')}" if isinstance(principal, Mapping) else ""


def _targets(event: Mapping[str, Json]) -> str:
    targets = event.get("targets")
    named = (
        [str(each.get("name")) for each in targets if isinstance(each, Mapping)] if isinstance(targets, list) else []
    )
    return "\n".join([*named, *_called(event)])


def _called(event: Mapping[str, Json]) -> Iterator[str]:
    """The tools that a call would make its tool call, at any depth."""
    calls = event.get("calls")
    tools = calls.get("tools") if isinstance(calls, Mapping) else None
    for each in tools if isinstance(tools, list) else ():
        if isinstance(each, Mapping):
            yield str(each.get("tool"))
            yield from _called(each)
