"""Which settings of a filter hold on a route: what is nearest to it wins (Envoy's ``typed_per_filter_config``)."""

from dataclasses import dataclass
from typing import Any

from extproc.core.doctor.setup import Document, Filter, Front, Route, kind_of

__all__ = ["Position", "on_route", "positions"]


@dataclass(frozen=True, slots=True)
class Position:
    """A filter and its place in the chain."""

    at: int
    filter: Filter


def positions(front: Front, kind: str) -> list[Position]:
    """The filters of this kind, in their order."""
    return [Position(at, each) for at, each in enumerate(front.filters) if each.kind == kind]


def on_route(found: Filter, route: Route) -> Document | None:
    """The settings of the filter on that route, or None where it is off.

    ``overrides`` of ext_proc add up over the places; any other filter's nearest settings replace all others.
    """
    running, settings = not found.disabled, dict(found.config)
    for layer in route.layers:
        if found.name not in layer:
            continue
        nearer = layer[found.name]
        if kind_of(nearer) == "FilterConfig":
            running = not nearer.get("disabled", False)
            nearer = nearer.get("config") or {}
        else:
            running = not nearer.get("disabled", False)
        settings = _with(settings, nearer)
    return settings if running else None


def _with(settings: dict[str, Any], nearer: Document) -> dict[str, Any]:
    if kind_of(nearer) == "ExtProcPerRoute":
        return settings | {name: value for name, value in nearer.get("overrides", {}).items() if name != "@type"}
    if kind_of(nearer) == "RBACPerRoute":
        return dict(nearer.get("rbac") or {})
    return settings
