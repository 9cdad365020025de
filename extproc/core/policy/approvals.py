"""``approvals`` of a policy: who answers, how many, how long; and the roles that are lent by the same answer."""

from typing import Final

from extproc.core.model import IdentityConfig
from extproc.core.policy.entries import ApprovalEntry, ApproversEntry, LendEntry, RoleEntry
from extproc.core.policy.positions import Members, Node, Scalar
from extproc.core.policy.reading import Reading, Word, listed
from extproc.core.policy.subjects import check_subjects, read_subjects

__all__ = ["check_approvals", "read_approvals", "read_lending"]

_LONGEST_HOLD: Final = 300
"""Seconds; clients give up long before, and Envoy's own clocks are set for it."""
_WHO: Final = ("groups", "roles", "subjects")
_MOST: Final = 10


def read_approvals(node: Node | None, reading: Reading) -> tuple[ApprovalEntry, ...]:
    """The entries under ``approvals``."""
    return tuple(_approval(name, entry, reading) for name, entry in reading.entries(node, "`approvals`"))


def _approval(name: Word, node: Node, reading: Reading) -> ApprovalEntry:
    what = f"approval `{name.value}`"
    keys = ("approvers", "quorum", "reason", "expires_after", "hold", "force")
    found = reading.members(node, what, keys, required=("approvers",))
    hold = reading.duration(found.get("hold"), f"`hold` of {what}")
    if hold is not None and hold > _LONGEST_HOLD:
        reading.problem(found["hold"].spot, f"a call is held for at most {_LONGEST_HOLD}s", "Write a shorter time")
    return ApprovalEntry(
        name=name,
        approvers=_approvers(found.get("approvers"), f"`approvers` of {what}", reading),
        quorum=_quorum(found.get("quorum"), what, reading),
        reason_required=reading.choice(found.get("reason"), f"`reason` of {what}", ("required", "optional"))
        == "required",
        expires_after=reading.duration(found.get("expires_after"), f"`expires_after` of {what}") or 900,
        hold=50 if hold is None else hold,
        force=_approvers(found.get("force"), f"`force` of {what}", reading),
    )


def _approvers(node: Node | None, what: str, reading: Reading) -> ApproversEntry:
    if node is None:
        return ApproversEntry()
    found = reading.members(node, what, _WHO)
    if isinstance(node, Members) and not node.entries:
        reading.problem(node.spot, f"{what} names nobody, and nothing could be approved", f"Name one of {listed(_WHO)}")
    return ApproversEntry(
        groups=reading.words(found.get("groups"), f"`groups` of {what}"),
        roles=reading.words(found.get("roles"), f"`roles` of {what}"),
        subjects=read_subjects(found.get("subjects"), f"`subjects` of {what}", reading),
    )


def _quorum(node: Node | None, what: str, reading: Reading) -> int:
    if node is None:
        return 1
    value = node.value if isinstance(node, Scalar) else None
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= _MOST:
        return value
    reading.problem(node.spot, f"`quorum` of {what} is no number of approvers", f"Write 1 to {_MOST}")
    return 1


def read_lending(node: Node | None, role: str, reading: Reading) -> LendEntry | None:
    """``lend`` of a role: who approves it, and for how long at most."""
    if node is None:
        return None
    what = f"`lend` of {role}"
    found = reading.members(node, what, ("approval", "at_most"), required=("approval", "at_most"))
    approval = reading.word(found.get("approval"), f"`approval` of {what}")
    at_most = reading.duration(found.get("at_most"), f"`at_most` of {what}")
    return None if approval is None or at_most is None else LendEntry(approval=approval, at_most=at_most)


def check_approvals(
    approvals: tuple[ApprovalEntry, ...],
    roles: tuple[RoleEntry, ...],
    identity: IdentityConfig,
    reading: Reading,
) -> None:
    """Note every approval that is not there, that nothing asks for, or that names a subject nobody can be."""
    names = [entry.name.value for entry in approvals]
    wanted = [grant.approval for role in roles for grant in role.grants if grant.approval is not None]
    wanted += [role.lend.approval for role in roles if role.lend is not None]
    for word in wanted:
        if word.value not in names:
            fix = f"Declare it under `approvals`{f', or use one of {listed(names)}' if names else ''}"
            reading.problem(word.spot, f"there is no approval `{word.value}`", fix)
    for entry in approvals:
        if not any(word.value == entry.name.value for word in wanted):
            what = f"approval `{entry.name.value}` is never asked for"
            reading.problem(entry.name.spot, what, "Name it in a grant, or remove it")
        for who in (entry.approvers, entry.force):
            check_subjects(who.subjects, identity, reading)
