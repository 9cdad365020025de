"""Who has a role by a policy, who may borrow one, and who may answer an approval."""

from extproc.core.model import Principal
from extproc.core.policy.membership import faces
from policies import HEAD, SERVERS, load

TWO_ISSUERS = """\
version: 1
identity:
  issuers:
    - {name: corp, issuer: "https://idp", audience: aud}
    - {name: other, issuer: "https://other", audience: aud}
  workloads: [{trust_domain: prod.example.com}]
"""
GRANTS = "    grants: [{servers: [db]}]\n"


def roles_of(text: str, **who: object) -> set[str]:
    principal = Principal(**({"issuer": "https://idp", "subject": "ann"} | who))  # type: ignore[arg-type]
    (held,) = faces(load(text).membership, principal)
    return set(held)


def test_a_role_is_held_by_group_role_subject_workload_and_condition() -> None:
    ways = {
        "{groups: [readers]}": {"groups": frozenset({"readers"})},
        "{roles: [app]}": {"roles": frozenset({"app"})},
        "{subjects: [{issuer: corp, subject: ann}]}": {},
        "{workloads: ['spiffe://prod.example.com/*']}": {
            "issuer": "spiffe://prod.example.com",
            "workload": "spiffe://prod.example.com/agent",
        },
        "{when: principal.subject == 'ann'}": {},
    }
    for way, who in ways.items():
        text = HEAD + SERVERS + f"roles:\n  r:\n    assigned_to: {way}\n" + GRANTS
        assert roles_of(text, **who) == {"r"}, way
        assert roles_of(text, subject="eve") == set(), way


def test_a_subject_is_one_of_its_issuer_alone() -> None:
    role = "roles:\n  r:\n    assigned_to: {subjects: [{issuer: other, subject: ann}]}\n" + GRANTS
    text = TWO_ISSUERS + SERVERS + role
    assert roles_of(text, issuer="https://other") == {"r"}
    assert roles_of(text) == set()


def test_what_several_roles_name_gives_all_of_them() -> None:
    role = "    assigned_to: {groups: [readers]}\n" + GRANTS
    text = HEAD + SERVERS + "roles:\n  a:\n" + role + "  b:\n" + role
    assert roles_of(text, groups=frozenset({"readers"})) == {"a", "b"}


def test_a_role_is_lent_on_the_approval_that_it_names() -> None:
    text = (
        HEAD
        + SERVERS
        + "approvals:\n  lead:\n    approvers: {subjects: [{issuer: corp, subject: dana}], groups: [leads]}\n"
        + "roles:\n  steward:\n    assigned_to: {groups: [g]}\n    lend: {approval: lead, at_most: 30m}\n"
        + GRANTS
    )
    loan = load(text).lent["steward"]
    assert (loan.approval.name, loan.seconds) == ("lead", 1800)
    assert loan.approval.approvers.subjects == {("https://idp", "dana")}
    assert loan.approval.approvers.groups == {"leads"}
