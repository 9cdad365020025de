"""Which roles a principal has.

A role is had by any of: a loan, a group, a role of the token, an exact (issuer, subject), a workload pattern, a
condition over the principal. Who comes with a token and with a workload certificate has two faces where the policy
gives roles to workloads: each face is judged with its own roles, and both must be allowed (threat G23), so a
certificate never adds to what a token may do, and a token never to what a workload may.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from msgspec.structs import replace

from extproc.core.access import AccessRequest
from extproc.core.model import Principal, ResourceKind, Target, Verb
from extproc.core.policy.conditions import Condition, variables
from extproc.core.policy.patterns import Patterns

__all__ = ["Membership", "faces"]

_NONE: Final[frozenset[str]] = frozenset()
_NO_TARGET: Final = Target(kind=ResourceKind.SERVER)
_SPIFFE: Final = "spiffe://"


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Who has which roles, from the one who comes to the roles."""

    groups: Mapping[str, frozenset[str]]
    roles: Mapping[str, frozenset[str]]
    subjects: Mapping[tuple[str, str], frozenset[str]]
    workloads: tuple[tuple[Patterns, str], ...]
    conditions: tuple[tuple[Condition, str], ...]


def faces(membership: Membership, principal: Principal) -> tuple[frozenset[str], ...]:
    """The roles of each face of the principal: one set, or two that must both be allowed."""
    workload = principal.workload
    if not membership.workloads or workload is None or principal.issuer.startswith(_SPIFFE):
        return (_roles(membership, principal),)
    trust_domain = _SPIFFE + workload.removeprefix(_SPIFFE).partition("/")[0]
    token = replace(principal, workload=None)
    # a role is lent to the whole of them: whoever approved it saw this principal
    peer = Principal(issuer=trust_domain, subject=workload, workload=workload, lent=principal.lent)
    return _roles(membership, token), _roles(membership, peer)


def _roles(membership: Membership, principal: Principal) -> frozenset[str]:
    held = membership.subjects.get((principal.issuer, principal.subject), _NONE) | principal.lent
    for group in principal.groups:
        held |= membership.groups.get(group, _NONE)
    for role in principal.roles:
        held |= membership.roles.get(role, _NONE)
    if principal.workload is not None:
        held |= {role for patterns, role in membership.workloads if patterns.cover(principal.workload)}
    if membership.conditions:
        request = AccessRequest(principal=principal, server="", method="", verb=Verb.ADMIN, target=_NO_TARGET)
        for condition, role in membership.conditions:
            if condition.holds(variables(request, condition.names)) is True:
                held |= {role}
    return held
