"""The filters of a chain on one route: the guard behind ext_proc, and what may stand where."""

from collections.abc import Iterator
from typing import Any, Final

from extproc.core.doctor.effective import Position, on_route, positions
from extproc.core.doctor.findings import Finding, Severity
from extproc.core.doctor.processing import NAMESPACE, headers_first
from extproc.core.doctor.setup import Document, Front, Route

__all__ = ["chain"]

HARMLESS_BEHIND: Final = {"RBAC", "Buffer", "HeaderMutation", "Router", "RateLimit", "LocalRateLimit", "HTTPFault"}
"""What may stand behind ext_proc: it refuses, waits, or changes headers as the configuration says."""
GUARD: Final = (
    "an RBAC filter with action ALLOW that wants decision: allow in the metadata mcp_extproc, behind ext_proc"
)


def chain(front: Front, route: Route, judge: Position) -> Iterator[Finding]:
    """Judge the chain around the ext_proc filter ``judge`` as it is on that route."""
    guards = [
        each
        for each in positions(front, "RBAC")
        if each.at > judge.at and (rules := on_route(each.filter, route)) is not None and _guards(rules)
    ]
    if not guards:
        yield Finding(
            Severity.UNSAFE,
            "nothing refuses a call that was never decided: Envoy goes on when the service closes its stream cleanly",
            f"add {GUARD}",
        )
    behind = [each for each in front.filters[judge.at + 1 :] if on_route(each, route) is not None]
    for each in behind:
        if each.kind not in HARMLESS_BEHIND:
            name = f"{each.name} ({each.kind or 'its settings come from elsewhere'})"
            yield Finding(
                Severity.UNSAFE,
                f"{name} stands behind ext_proc and could change what was judged",
                f"move {each.name} before ext_proc",
            )
    settings = on_route(judge.filter, route) or {}
    waits = any(each.kind == "Buffer" for each in front.filters[judge.at + 1 : guards[0].at if guards else None])
    if not headers_first(settings) and not waits:
        yield Finding(
            Severity.BROKEN,
            "the guard looks before the body is judged, and refuses",
            "add envoy.filters.http.buffer between ext_proc and the guard",
        )


def _guards(settings: Document) -> bool:
    """Whether these rules let nothing pass but what the service has allowed."""
    rules = settings.get("rules")
    if rules is None:
        return False
    policies = rules.get("policies") or {}
    if rules.get("action", "ALLOW") != "ALLOW":
        return False
    return all(
        (wanted := policy.get("permissions")) and all(_wants_decision(each) for each in wanted)
        for policy in policies.values()
    )


def _wants_decision(permission: Document) -> bool:
    """Whether the permission is the decision, or a conjunction that has it."""
    matcher: Any = permission.get("sourced_metadata", {}).get("metadata_matcher") or permission.get("metadata") or {}
    if matcher:
        return (
            matcher.get("filter") == NAMESPACE
            and [each.get("key") for each in matcher.get("path", ())] == ["decision"]
            and matcher.get("value", {}).get("string_match", {}).get("exact") == "allow"
            and not matcher.get("invert")
        )
    return any(_wants_decision(each) for each in permission.get("and_rules", {}).get("rules", ()))
