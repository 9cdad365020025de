import math
from dataclasses import replace

import pytest

from extproc.core.identity.claims import check_claims, fits
from extproc.core.model import Issuer
from extproc.core.rejection import Rejection
from signing import CORP, NOW, claims

OTHER = Issuer(name="other", issuer="https://other.example.com", audiences=("urn:other",), max_token_age=60.0)
SKEW = 30.0


def reason(now: float = NOW, **changes) -> str:
    checked = check_claims(claims(**changes), (OTHER, CORP), now=now)
    assert isinstance(checked, Rejection), checked
    assert (checked.status, checked.code) == (401, 1403)
    return checked.reason


def accepted(now: float = NOW, **changes) -> Issuer:
    checked = check_claims(claims(**changes), (OTHER, CORP), now=now)
    assert isinstance(checked, Issuer), checked
    return checked


def test_a_good_set_of_claims_names_its_issuer():
    assert accepted() is CORP


@pytest.mark.parametrize(
    "iss",
    [..., None, 7, "", "https://idp.example.com/", "https://IDP.example.com", "https://idp.example.com.evil", ["x"]],
)
def test_an_issuer_is_compared_exactly(iss):
    assert reason(iss=iss) == "token_issuer"


@pytest.mark.parametrize("aud", [..., None, 7, [None], [7, CORP.audiences[0]], {"a": 1}, [[CORP.audiences[0]]]])
def test_a_malformed_audience_is_refused(aud):
    assert reason(aud=aud) == "token_audience"


@pytest.mark.parametrize(
    "aud",
    [
        "",
        [],
        "https://gw.example.com/mcp/",
        "https://gw.example.com",
        "https://gw.example.com.evil/mcp",
        "https://gw.example.com/mcp2",
        "https://idp.example.com",
        ["https://idp.example.com", "urn:other"],
    ],
)
def test_an_audience_is_compared_exactly_and_another_issuers_audience_is_none(aud):
    assert reason(aud=aud) == "token_audience"


def test_one_audience_of_several_is_enough():
    assert accepted(aud=["https://elsewhere.example.com", CORP.audiences[0]]) is CORP


def test_of_two_entries_of_one_issuer_the_one_with_the_audience_is_meant():
    second = replace(CORP, name="second", audiences=("urn:second",))
    assert check_claims(claims(aud="urn:second"), (CORP, second), now=NOW) is second


@pytest.mark.parametrize(
    "sub",
    [
        ...,
        None,
        7,
        "",
        [],
        "a\x00b",
        "a\nb",
        "a\x7f",
        "a\u202eb",
        "a\u200bb",
        "a\ud800",
        "x" * 1025,
        "é" * 513,
        "x" * 10240,
    ],
)
def test_a_subject_that_is_missing_too_long_or_unreadable_is_refused(sub):
    assert reason(sub=sub) == "token_subject"


@pytest.mark.parametrize("sub", ["a", "x" * 1024, "Ann Öberg", "auth0|5f7c8ec7", "00u1a2b3"])
def test_an_ordinary_subject_is_accepted(sub):
    assert accepted(sub=sub) is CORP


@pytest.mark.parametrize("cnf", [{"x5t#S256": "abc"}, {"jkt": "abc"}, None, {}])
def test_a_token_bound_to_a_key_is_refused(cnf):
    assert reason(cnf=cnf) == "token_bound"


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [None, "1800000600", True, [], math.nan, math.inf, -math.inf, -1, 1e20, 10**400])
def test_a_date_that_is_no_number_of_seconds_is_refused(name, value):
    assert reason(**{name: value}) == "token_dates"


@pytest.mark.parametrize("name", ["exp", "iat"])
def test_expiry_and_issue_date_are_required(name):
    assert reason(**{name: ...}) == "token_dates"


def test_whole_and_fractional_dates_are_accepted():
    assert accepted(exp=int(NOW) + 5, iat=int(NOW) - 5, nbf=int(NOW)) is CORP
    assert accepted(exp=NOW + 0.5, iat=NOW - 0.5) is CORP


def test_a_token_ends_at_its_expiry_plus_the_skew_and_not_a_moment_later():
    assert accepted(exp=NOW, now=NOW + SKEW - 0.001) is CORP
    assert reason(exp=NOW, now=NOW + SKEW) == "token_expired"


@pytest.mark.parametrize("name", ["nbf", "iat"])
def test_a_token_begins_at_its_dates_minus_the_skew(name):
    assert accepted(**{name: NOW + SKEW}) is CORP
    assert reason(**{name: NOW + SKEW + 0.001}) == "token_not_yet"


def test_a_long_lived_token_is_refused_once_it_is_older_than_the_policy_allows():
    age = CORP.max_token_age
    assert accepted(iat=NOW - age - SKEW) is CORP
    assert reason(iat=NOW - age - SKEW - 0.001) == "token_too_old"


def test_the_age_that_counts_is_that_of_the_tokens_own_issuer():
    assert reason(iss=OTHER.issuer, aud="urn:other", iat=NOW - 91) == "token_too_old"


def test_no_words_of_a_refusal_quote_a_claim():
    for changes in ({"iss": "canary"}, {"aud": "canary"}, {"sub": "canary\n"}, {"exp": "canary"}, {"cnf": "canary"}):
        checked = check_claims(claims(**changes), (CORP,), now=NOW)
        assert isinstance(checked, Rejection)
        assert "canary" not in repr(checked)


def test_a_name_fits_if_it_can_be_read():
    assert fits("data-analysts")
    assert not fits("")
    assert not fits("a\x1bb")
