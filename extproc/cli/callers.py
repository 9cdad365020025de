"""For whom a question about a policy is asked: somebody with exactly one role, or a principal that options describe."""

from extproc.core.model import Principal
from extproc.core.policy.explain import in_role
from extproc.core.policy.rules import Policy

__all__ = ["WrongInputError", "caller"]


class WrongInputError(Exception):
    """Options that make no question; the message is the line to print."""


def caller(
    policy: Policy,
    role: str | None,
    *,
    subject: str | None = None,
    issuer: str | None = None,
    groups: list[str] | None = None,
    roles: list[str] | None = None,
    workload: str | None = None,
) -> tuple[Policy, Principal]:
    """The policy and the principal to ask with; nobody where the options describe none.

    Raises:
        WrongInputError: the options contradict each other, or the policy has no such role.
    """
    described = _principal(policy, subject=subject, issuer=issuer, groups=groups, roles=roles, workload=workload)
    if role is None:
        return policy, described or Principal(issuer="", subject="")
    if described is not None:
        raise WrongInputError("--as names a whole role; leave out --subject, --issuer, --group and the like beside it.")
    found = in_role(policy, role)
    if found is None:
        raise WrongInputError(f"the policy has no role `{role}`; it has {', '.join(sorted(policy.roles))}.")
    return found


def _principal(
    policy: Policy,
    *,
    subject: str | None,
    issuer: str | None,
    groups: list[str] | None,
    roles: list[str] | None,
    workload: str | None,
) -> Principal | None:
    """The principal that the options describe, None where they describe none."""
    if not (subject or issuer or groups or roles or workload):
        return None
    if workload is not None and not (subject or issuer or groups or roles):
        domain = workload.removeprefix("spiffe://").partition("/")[0]
        return Principal(issuer=f"spiffe://{domain}", subject=workload, workload=workload)
    return Principal(
        issuer=issuer or next((one.issuer for one in policy.identity.issuers), ""),
        subject=subject or "",
        groups=frozenset(groups or ()),
        roles=frozenset(roles or ()),
        workload=workload,
    )
