"""Refusal of masking that never happens: rules that reach nothing, exceptions for nobody, detectors nobody uses."""

from extproc.core.policy.entries import Document, MaskEntry, RoleEntry
from extproc.core.policy.reach import check_scope
from extproc.core.policy.reading import Reading, Word, listed
from extproc.core.policy.subjects import check_subjects

__all__ = ["check_masking"]

_EVERY_SERVER = "*"


def check_masking(document: Document, reading: Reading) -> None:
    """Note every masking rule, exception and detector that can never matter."""
    known = {server.name.value: server for server in document.servers}
    for rule in document.masking:
        what = f"masking rule `{rule.name.value}`"
        check_scope(rule.scope, what, known, reading, folds=True)
        _check_roles(rule, what, document.roles, reading)
        check_subjects(rule.exempt_subjects, document.identity, reading)
    used = {kind for rule in document.masking for detection in rule.detections for kind in detection.types}
    for name, detector in document.detectors:
        if detector.name not in used:
            fix = "Name it in the `detect` of one, or remove it"
            reading.problem(name.spot, f"no masking rule uses detector `{name.value}`", fix)


def _check_roles(rule: MaskEntry, what: str, roles: tuple[RoleEntry, ...], reading: Reading) -> None:
    known = {role.name.value: role for role in roles}
    for word in (*(rule.roles or ()), *rule.exempt_roles):
        if word.value not in known:
            fix = f"Use one of {listed(list(known))}" if known else "Declare it under `roles`"
            reading.problem(word.spot, f"there is no role `{word.value}`", fix)
    if rule.roles is None:
        return
    if all(word in rule.exempt_roles for word in rule.roles):
        reading.problem(rule.roles[0].spot, f"{what} masks for nobody: its roles are its exceptions", "Remove one")
    for word in rule.roles:
        role = known.get(word.value)
        if role is not None and not any(_meets(grant.servers, rule.scope.servers) for grant in role.grants):
            why = f"{what} never masks for role `{word.value}`: none of its grants is on these servers"
            reading.problem(word.spot, why, "Remove it, or name another server")


def _meets(granted: tuple[Word, ...], masked: tuple[Word, ...]) -> bool:
    names, others = {word.value for word in granted}, {word.value for word in masked}
    return _EVERY_SERVER in names | others or not names.isdisjoint(others)
