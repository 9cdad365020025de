import pytest

from extproc.core.model import Principal
from extproc.core.shared_state import (
    MAX_AGE_SECONDS,
    NOTHING_SHARED,
    Elevation,
    Revocation,
    Revoked,
    SharedState,
)

NOW = 1_800_000_000_000_000_000
IDP = "https://idp.example.com"
ANN = Principal(issuer=IDP, subject="ann", claims={"jti": "token-1"}, workload="spiffe://prod.example.com/agent")


def out(kind: Revoked, value: str, *, issuer: str = "", until: int | None = None) -> SharedState:
    one = Revocation(id="r1", kind=kind, value=value, issuer=issuer, at=NOW, until=until)
    return SharedState(as_of=NOW, revocations=(one,))


@pytest.mark.parametrize(
    "state",
    [
        out(Revoked.SUBJECT, "ann"),
        out(Revoked.SUBJECT, "ann", issuer=IDP),
        out(Revoked.SUBJECT, "spiffe://prod.example.com/agent"),
        out(Revoked.TOKEN, "token-1"),
        out(Revoked.ISSUER, IDP),
        out(Revoked.SESSION, "abcd"),
        out(Revoked.SUBJECT, "ann", until=NOW + 1),
    ],
)
def test_who_is_revoked_is_out(state):
    assert state.revocation(ANN, "abcd", NOW) is not None


@pytest.mark.parametrize(
    "state",
    [
        NOTHING_SHARED,
        out(Revoked.SUBJECT, "bob"),
        out(Revoked.SUBJECT, "ann", issuer="https://other.example.com"),
        out(Revoked.TOKEN, "token-2"),
        out(Revoked.TOKEN, "token-1", issuer="https://other.example.com"),
        out(Revoked.ISSUER, "https://other.example.com"),
        out(Revoked.SESSION, "dcba"),
        out(Revoked.SESSION, ""),
        out(Revoked.SUBJECT, "ann", until=NOW),
    ],
)
def test_others_are_not(state):
    assert state.revocation(ANN, "abcd", NOW) is None


def test_a_message_without_session_is_not_of_a_revoked_session():
    assert out(Revoked.SESSION, "").revocation(ANN, "", NOW) is None


def test_a_token_without_id_is_not_the_one_that_is_revoked():
    nobody = Principal(issuer=IDP, subject="bob")
    assert out(Revoked.TOKEN, "token-1").revocation(nobody, "", NOW) is None


def test_a_role_is_lent_to_one_principal_for_a_while():
    loan = Elevation(id="e1", issuer=IDP, subject="ann", role="steward", at=NOW, until=NOW + 10)
    state = SharedState(as_of=NOW, elevations=(loan,))
    assert state.lent(ANN, NOW) == (loan,)
    assert state.lent(ANN, NOW + 9) == (loan,)
    assert state.lent(ANN, NOW + 10) == ()
    assert state.lent(ANN, NOW - 1) == ()
    assert state.lent(Principal(issuer="https://other.example.com", subject="ann"), NOW) == ()
    assert state.lent(Principal(issuer=IDP, subject="bob"), NOW) == ()


def test_a_copy_without_news_is_not_relied_on():
    limit = MAX_AGE_SECONDS * 1_000_000_000
    assert SharedState(as_of=NOW).is_fresh(NOW + limit)
    assert not SharedState(as_of=NOW).is_fresh(NOW + limit + 1)
    assert not SharedState(as_of=NOW).is_fresh(NOW - limit - 1)
    assert NOTHING_SHARED.is_fresh(NOW)


def test_a_login_is_out_like_the_principal_it_is():
    assert out(Revoked.SUBJECT, "ann").is_out(IDP, "ann", NOW)
    assert out(Revoked.ISSUER, IDP).is_out(IDP, "bob", NOW)
    assert not out(Revoked.SUBJECT, "ann").is_out(IDP, "bob", NOW)
