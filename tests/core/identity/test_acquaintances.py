"""A person is known again by the very token and the very policy, and only while the token surely holds."""

from dataclasses import replace

import pytest
from msgspec import structs

from extproc.core.identity.acquaintances import Acquaintances
from extproc.core.identity.principals import identify
from extproc.core.model import IdentityConfig, Principal, RequestHead
from extproc.core.rejection import Rejection
from signing import CORP, NOW, claims

CONFIG = IdentityConfig(issuers=(CORP,))
MESH = IdentityConfig(issuers=(CORP,), trust_domains=frozenset({"corp"}))
HEADER = {"alg": "ES256", "typ": "at+jwt"}
HEAD = RequestHead(server="sales-db", http_method="POST", path="/mcp", claims=claims(), token_header=HEADER)


def come(known: Acquaintances, head: RequestHead = HEAD, config: IdentityConfig = CONFIG, now: float = NOW):
    return identify(config, head, now=now, keys=None, acquaintances=known)


def test_who_comes_again_with_the_same_token_is_the_same_person():
    known = Acquaintances()
    first = come(known)
    assert isinstance(first, Principal)
    assert come(known) is first
    assert come(known) == come(Acquaintances())


def test_a_token_that_ended_meanwhile_is_refused():
    known = Acquaintances()
    assert isinstance(come(known), Principal)
    ended = come(known, now=float(HEAD.claims["exp"]) + 31)
    assert isinstance(ended, Rejection)
    assert ended.reason == "token_expired"


def test_a_token_that_grew_too_old_meanwhile_is_refused():
    known, long = Acquaintances(), structs.replace(HEAD, claims=claims(exp=NOW + 10_000_000))
    assert isinstance(come(known, long), Principal)
    old = come(known, long, now=float(long.claims["iat"]) + CORP.max_token_age + 31)
    assert isinstance(old, Rejection)
    assert old.reason == "token_too_old"


def test_a_token_is_not_known_before_its_time():
    known = Acquaintances()
    assert isinstance(come(known), Principal)
    early = come(known, now=float(HEAD.claims["iat"]) - 31)
    assert isinstance(early, Rejection)
    assert early.reason == "token_not_yet"


def test_another_policy_judges_anew():
    known = Acquaintances()
    assert isinstance(come(known), Principal)
    stranger = IdentityConfig(issuers=(replace(CORP, issuer="https://elsewhere.example.com"),))
    assert isinstance(come(known, config=stranger), Rejection)


@pytest.mark.parametrize(
    "other", [{"claims": claims(groups=["others"])}, {"token_header": {"alg": "none"}}, {"token_header": None}]
)
def test_other_claims_or_another_header_are_judged_anew(other):
    known = Acquaintances()
    come(known)
    head = structs.replace(HEAD, **other)
    assert come(known, head) == come(Acquaintances(), head)


def test_the_certificate_beside_the_token_counts_at_every_use():
    known = Acquaintances()
    alone = come(known, config=MESH)
    beside = come(known, structs.replace(HEAD, peer_uris=("spiffe://corp/agent",)), MESH)
    assert isinstance(alone, Principal)
    assert isinstance(beside, Principal)
    assert (alone.workload, beside.workload) == (None, "spiffe://corp/agent")


def test_who_comes_without_a_token_is_no_acquaintance():
    known = Acquaintances()
    head = structs.replace(HEAD, claims=None, token_header=None, peer_uris=("spiffe://corp/agent",))
    assert isinstance(come(known, head, MESH), Principal)
    assert not known.known


def test_the_one_seen_longest_ago_is_forgotten():
    known = Acquaintances(capacity=2)
    heads = [structs.replace(HEAD, claims=claims(sub=name)) for name in ("a", "b", "c")]
    come(known, heads[0])
    come(known, heads[1])
    come(known, heads[0])
    come(known, heads[2])
    assert [met.person.subject for met in known.known.values()] == ["a", "c"]
