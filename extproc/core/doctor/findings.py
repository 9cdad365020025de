"""What the examination of an Envoy says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

__all__ = ["Finding", "Severity", "merged"]


class Severity(IntEnum):
    """How bad it is, worst first."""

    UNSAFE = 0
    """A request could pass unjudged, run twice, or carry what it must not."""
    BROKEN = 1
    """Nothing passes that should not, but honest requests are refused."""
    WEAK = 2
    """A hardening that is missing; also what could not be looked at."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One setting: ``where`` names listeners and routes, ``problem`` what it leads to, ``cure`` what to write."""

    severity: Severity
    problem: str
    cure: str
    where: tuple[str, ...] = ()


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Equal findings of several places as one, the worst first, otherwise in the order in which they were found."""
    found: dict[Finding, list[str]] = {}
    for each in findings:
        places = found.setdefault(replace(each, where=()), [])
        places += [place for place in each.where if place not in places]
    joined = [replace(each, where=tuple(places)) for each, places in found.items()]
    return tuple(sorted(joined, key=lambda each: each.severity))
