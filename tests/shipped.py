"""The shipped Envoy configurations as documents that a test may change, and the parts it changes."""

from collections.abc import Iterator
from functools import cache
from typing import Any

from extproc.core.doctor import Finding, examined, from_bootstrap
from extproc.demo.proxy import shipped_configuration

__all__ = ["ext_proc", "found", "front", "http_filter", "problems", "route", "routes", "shipped"]


def shipped(chain: Any = "one-message") -> Any:
    """A configuration of one's own to change: what YAML shares between places is apart here."""
    return _apart(_read(chain))


@cache
def _read(chain: Any) -> Any:
    return shipped_configuration(chain)


def _apart(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _apart(each) for name, each in value.items()}
    return [_apart(each) for each in value] if isinstance(value, list) else value


def front(document: Any) -> Any:
    listener = document["static_resources"]["listeners"][0]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]


def http_filter(document: Any, name: str) -> Any:
    return next(each for each in front(document)["http_filters"] if each["name"].endswith(name))


def ext_proc(document: Any) -> Any:
    return http_filter(document, "ext_proc")["typed_config"]


def routes(document: Any) -> Iterator[Any]:
    for host in front(document)["route_config"]["virtual_hosts"]:
        yield from host["routes"]


def route(document: Any, name: str = "mcp-post") -> Any:
    return next(each for each in routes(document) if each["name"] == name)


def found(document: Any) -> tuple[Finding, ...]:
    return examined(from_bootstrap(document))


def problems(document: Any) -> list[str]:
    """``severity: problem`` of each finding."""
    return [f"{each.severity.name.lower()}: {each.problem}" for each in found(document)]
