from extproc.core.model import Principal
from extproc.core.policy.membership import faces
from policies import HEAD, SERVERS, load

ROLES = """\
roles:
  by-group: {assigned_to: {groups: [g, h]}, grants: [{servers: [db]}]}
  by-role: {assigned_to: {roles: [x]}, grants: [{servers: [db]}]}
  by-subject: {assigned_to: {subjects: ["auth0|alice"]}, grants: [{servers: [db]}]}
  by-workload: {assigned_to: {workloads: ["spiffe://prod.example.com/a/*"]}, grants: [{servers: [db]}]}
  by-claim: {assigned_to: {when: principal.claims.department == "data"}, grants: [{servers: [db]}]}
"""
MEMBERSHIP = load(HEAD + SERVERS + ROLES).membership
PEER = "spiffe://prod.example.com/a/b"


def roles(issuer: str = "https://idp", subject: str = "bob", **more: object) -> list[set[str]]:
    return [set(held) for held in faces(MEMBERSHIP, Principal(issuer=issuer, subject=subject, **more))]  # type: ignore[arg-type]


def test_any_one_way_gives_the_role_and_ways_add_up() -> None:
    assert roles() == [set()]
    assert roles(groups=frozenset({"g", "h", "other"})) == [{"by-group"}]
    assert roles(roles=frozenset({"x", "y"}), groups=frozenset({"h"})) == [{"by-role", "by-group"}]
    assert roles(subject="auth0|alice") == [{"by-subject"}]
    assert roles(claims={"department": "data"}) == [{"by-claim"}]
    assert roles(claims={"department": {"x": 1}}) == [set()]


def test_issuer_and_subject_count_together_and_exactly() -> None:
    assert roles(issuer="https://idp/", subject="auth0|alice") == [set()]
    assert roles(issuer="https://idp|auth0", subject="alice") == [set()]
    assert roles(subject="Auth0|Alice") == [set()]


def test_a_group_of_the_name_of_a_role_gives_nothing() -> None:
    assert roles(groups=frozenset({"x", "by-role"})) == [set()]


def test_a_workload_alone_has_one_face() -> None:
    assert roles(issuer="spiffe://prod.example.com", subject=PEER, workload=PEER) == [{"by-workload"}]


def test_a_token_and_a_workload_have_two_faces_that_lend_each_other_nothing() -> None:
    assert roles(groups=frozenset({"g"}), workload=PEER) == [{"by-group"}, {"by-workload"}]
    assert roles(claims={"department": "data"}, workload=PEER) == [{"by-claim"}, {"by-workload"}]
    assert roles(groups=frozenset({"g"}), workload="spiffe://prod.example.com/web") == [{"by-group"}, set()]


def test_a_workload_beside_a_token_is_one_face_where_no_role_is_for_workloads() -> None:
    text = """\
roles:
  r: {assigned_to: {when: principal.workload == "spiffe://prod.example.com/a/b"}, grants: [{servers: [db]}]}
"""
    members = load(HEAD + SERVERS + text).membership
    assert faces(members, Principal(issuer="https://idp", subject="x", workload=PEER)) == (frozenset({"r"}),)
