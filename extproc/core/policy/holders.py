"""Who holds what by a policy: the roles, to whom they are assigned or lent, the approvals and who may answer them."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeVar

from extproc.core.policy.conditions import PRINCIPAL
from extproc.core.policy.entries import ApproversEntry, Document, RoleEntry, Subject
from extproc.core.policy.membership import Membership
from extproc.core.policy.patterns import compile_patterns
from extproc.core.policy.reading import Reading
from extproc.core.policy.rule_conditions import condition_of
from extproc.core.policy.rules import Loan
from extproc.core.tickets import ApprovalRule, Approvers

__all__ = ["approvals_of", "lent_of", "membership_of", "principal_of"]

_Key = TypeVar("_Key")


def principal_of(document: Document, subject: Subject) -> tuple[str, str]:
    """Issuer and subject of a subject; without an issuer it is of the only one."""
    issuers = {issuer.name: issuer.issuer for issuer in document.identity.issuers}
    only = next(iter(issuers.values()), "")
    return issuers.get(subject.issuer.value, "") if subject.issuer else only, subject.subject.value


def approvals_of(document: Document) -> dict[str, ApprovalRule]:
    """The approvals by their names."""
    return {
        entry.name.value: ApprovalRule(
            name=entry.name.value,
            approvers=_approvers(document, entry.approvers),
            quorum=entry.quorum,
            reason_required=entry.reason_required,
            expires_after=entry.expires_after,
            hold=entry.hold,
            force=_approvers(document, entry.force),
        )
        for entry in document.approvals
    }


def _approvers(document: Document, entry: ApproversEntry) -> Approvers:
    return Approvers(
        groups=frozenset(word.value for word in entry.groups),
        roles=frozenset(word.value for word in entry.roles),
        subjects=frozenset(principal_of(document, subject) for subject in entry.subjects),
    )


def lent_of(document: Document) -> dict[str, Loan]:
    """The roles that are lent."""
    approvals = approvals_of(document)
    return {
        role.name.value: Loan(approval=approvals[role.lend.approval.value], seconds=role.lend.at_most)
        for role in document.roles
        if role.lend is not None and role.lend.approval.value in approvals
    }


def membership_of(document: Document, reading: Reading) -> Membership:
    """Who has which roles; a mistake in a condition is a problem of the reading."""
    roles = document.roles
    return Membership(
        groups=_index((word.value, role) for role in roles for word in role.assigned_to.groups),
        roles=_index((word.value, role) for role in roles for word in role.assigned_to.roles),
        subjects=_index((principal_of(document, one), role) for role in roles for one in role.assigned_to.subjects),
        workloads=tuple(
            (compile_patterns(word.value for word in role.assigned_to.workloads), role.name.value)
            for role in roles
            if role.assigned_to.workloads
        ),
        conditions=tuple(
            (condition, role.name.value)
            for role in roles
            if (condition := condition_of(role.assigned_to.when, PRINCIPAL, reading)) is not None
        ),
    )


def _index(pairs: Iterable[tuple[_Key, RoleEntry]]) -> Mapping[_Key, frozenset[str]]:
    found: dict[_Key, frozenset[str]] = {}
    for key, role in pairs:
        found[key] = found.get(key, frozenset()) | {role.name.value}
    return MappingProxyType(found)
