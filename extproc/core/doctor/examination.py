"""Everything that is wrong in an Envoy, found place by place."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from extproc.core.doctor.chain import chain
from extproc.core.doctor.credentials import credentials
from extproc.core.doctor.effective import Position, on_route, positions
from extproc.core.doctor.findings import Finding, Severity, merged
from extproc.core.doctor.instance import instance
from extproc.core.doctor.listeners import front_settings, route_settings
from extproc.core.doctor.processing import EXT_PROC, NAMESPACE, processing
from extproc.core.doctor.setup import Front, Route, Setup

__all__ = ["examined"]

ADD_CHAIN: Final = "add the chain of envoy/standalone/envoy.yaml to the listener"


def examined(setup: Setup) -> tuple[Finding, ...]:
    """Every finding, the worst first; none means that each call to an MCP server behind ext_proc is judged."""
    return merged(_all(setup))


def _all(setup: Setup) -> Iterator[Finding]:
    judged: set[str] = set()
    passed: list[tuple[str, Route]] = []
    for front in setup.fronts:
        if front.routes is None:
            yield from _at(
                [
                    Finding(
                        Severity.WEAK,
                        "its routes are not in here; they could not be looked at",
                        "examine a running Envoy",
                    )
                ],
                f"listener {front.listener}",
            )
        judges = positions(front, EXT_PROC)
        guarded = False
        for route in front.routes or ():
            if route.action is None:
                continue
            active = [each for each in judges if on_route(each.filter, route) is not None and _ours(each, route)]
            if not active:
                passed.append((front.listener, route))
                continue
            guarded = True
            judged.update(route.clusters)
            yield from _at(_route(setup, front, route, active[0]), f"listener {front.listener}, route {route.name}")
        if guarded:
            yield from _at(front_settings(front), f"listener {front.listener}")
    if not judged:
        yield Finding(Severity.UNSAFE, "no route that leads to a server has ext_proc: nothing is judged", ADD_CHAIN)
    yield from _past(setup, judged, passed)
    yield from instance(setup)


def _route(setup: Setup, front: Front, route: Route, judge: Position) -> Iterator[Finding]:
    yield from processing(on_route(judge.filter, route) or {}, setup.clusters)
    yield from chain(front, route, judge)
    yield from credentials(front, route, judge)
    yield from route_settings(route)


def _ours(judge: Position, route: Route) -> bool:
    """Whether this ext_proc is the policy service's: it may set the decision, or a route names a server for it.

    Another one, of somebody else, may stand in the same chain.
    """
    settings = on_route(judge.filter, route) or {}
    return NAMESPACE in str(settings.get("metadata_options", "")) or "x-mcp-server" in str(settings)


def _past(setup: Setup, judged: set[str], passed: Iterable[tuple[str, Route]]) -> Iterator[Finding]:
    """Ways to a server that do not lead through the policy service."""
    for listener, route in passed:
        place = f"listener {listener}, route {route.name}"
        shared = sorted(judged.intersection(route.clusters))
        if shared:
            problem = f"a way past the policy to {', '.join(shared)}: ext_proc is off here"
            yield from _at([Finding(Severity.UNSAFE, problem, "delete the route, or switch ext_proc on")], place)
        elif judged:
            names = ", ".join(route.clusters) or "a server"
            problem = f"not judged: the way to {names}; right only if no MCP server is there"
            yield from _at([Finding(Severity.WEAK, problem, ADD_CHAIN)], place)
    for listener, clusters in setup.tunnels.items():
        if shared := sorted(judged & clusters):
            problem = f"a way past the policy to {', '.join(shared)}: a TCP proxy"
            yield from _at([Finding(Severity.UNSAFE, problem, "delete the listener")], f"listener {listener}")


def _at(findings: Iterable[Finding], place: str) -> Iterator[Finding]:
    for each in findings:
        yield replace(each, where=(place,))
