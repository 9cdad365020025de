from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from extproc.core.identity.key_sets import read_key_set
from extproc.core.identity.principals import challenge, identify, resource_metadata_url
from extproc.core.identity.tokens import Memory
from extproc.core.model import IdentityConfig, Issuer, Principal, RequestHead
from extproc.core.rejection import Rejection
from signing import CORP, NOW, claims, jwk, key_set, private_key, token

OTHER = Issuer(
    name="other", issuer="https://other.example.com", audiences=("https://gw.example.com/files/mcp",), max_token_age=60
)
TOKENS = IdentityConfig(issuers=(CORP, OTHER))
MESH = IdentityConfig(trust_domains=frozenset({"corp"}))
BOTH = IdentityConfig(issuers=(CORP, OTHER), trust_domains=frozenset({"corp", "prod.example.com"}))
METADATA = 'resource_metadata="https://gw.example.com/.well-known/oauth-protected-resource/mcp"'
HEAD = RequestHead(server="sales-db", http_method="POST", path="/mcp")


def keys():
    read = read_key_set(key_set(jwk(private_key("ES256"), kid="ES256")))
    assert isinstance(read, tuple)
    return {"corp": read}


def from_envoy(config: IdentityConfig = TOKENS, **head):
    return identify(config, structs.replace(HEAD, **head), now=NOW, keys=None)


def from_header(config: IdentityConfig = TOKENS, **head):
    return identify(config, structs.replace(HEAD, **head), now=NOW, keys=keys())


def refusal(identified: Principal | Rejection) -> str:
    assert isinstance(identified, Rejection), identified
    assert identified.code == 1403
    if identified.status == 401:
        assert identified.challenge is not None
        assert identified.challenge.startswith("Bearer")
    else:
        assert (identified.status, identified.challenge) == (403, None)
    return identified.reason


def person(identified: Principal | Rejection) -> Principal:
    assert isinstance(identified, Principal), identified
    return identified


def test_a_token_that_envoy_verified_names_the_principal():
    given_claims = claims(groups=["data-analysts", "staff"], roles="reader", email="ann@example.com", scope="a b")
    ann = person(from_envoy(claims=given_claims))
    assert (ann.issuer, ann.subject) == (CORP.issuer, "ann")
    assert ann.groups == {"data-analysts", "staff"}
    assert ann.roles == {"reader"}
    assert ann.claims == given_claims
    assert ann.workload is None
    assert ann.expires_at == NOW + 600


def test_a_person_is_gone_when_his_token_expires_or_is_too_old_whatever_comes_first():
    dates = {"iat": NOW - 3000, "exp": NOW + 86400}
    ends = NOW - 3000 + CORP.max_token_age
    assert person(from_envoy(claims=claims(**dates))).expires_at == ends
    assert person(from_header(headers={"authorization": f"Bearer {token(**dates)}"})).expires_at == ends


def test_a_token_verified_here_names_the_same_principal():
    ann = person(from_header(headers={"authorization": f"Bearer {token(groups=['data-analysts'])}"}))
    assert ann == person(from_envoy(claims=claims(groups=["data-analysts"])))


def test_the_memory_of_signatures_is_used():
    memory, head = Memory(), structs.replace(HEAD, headers={"authorization": f"Bearer {token()}"})
    assert isinstance(identify(TOKENS, head, now=NOW, keys=keys(), memory=memory), Principal)
    assert len(memory.signatures) == 1


def test_no_credential_is_a_challenge_that_leads_to_the_metadata():
    for identified in (from_envoy(), from_header(), from_envoy(BOTH), from_header(MESH)):
        assert refusal(identified) == "token_missing"
    missing = from_envoy()
    assert isinstance(missing, Rejection)
    assert missing.challenge == f"Bearer {METADATA}"


def test_a_bad_token_is_a_challenge_with_an_error():
    for bad in (from_envoy(claims=claims(exp=1)), from_header(headers={"authorization": "Bearer x"})):
        assert isinstance(bad, Rejection)
        assert bad.challenge == f'Bearer error="invalid_token", {METADATA}'


def test_the_challenge_names_the_audience_of_the_path_that_was_asked_for():
    assert "oauth-protected-resource/files/mcp" in challenge(TOKENS, "/files/mcp?x=1", error=None)
    assert "oauth-protected-resource/mcp" in challenge(TOKENS, "/elsewhere", error=None)


def test_a_challenge_without_any_audience_url_is_bare():
    assert challenge(MESH, "/mcp", error=None) == "Bearer"
    odd = IdentityConfig(issuers=(replace(CORP, audiences=("api://sales", "http://[x")),))
    assert challenge(odd, "/mcp", error="invalid_token") == 'Bearer error="invalid_token"'


@pytest.mark.parametrize(
    ("audience", "url"),
    [
        ("https://gw.example/mcp", "https://gw.example/.well-known/oauth-protected-resource/mcp"),
        ("https://gw.example", "https://gw.example/.well-known/oauth-protected-resource"),
        ("https://gw.example/", "https://gw.example/.well-known/oauth-protected-resource"),
        ("https://gw.example/a/", "https://gw.example/.well-known/oauth-protected-resource/a/"),
        ("https://gw.example?k=v", "https://gw.example/.well-known/oauth-protected-resource?k=v"),
        ("https://gw.example/?k=v", "https://gw.example/.well-known/oauth-protected-resource?k=v"),
        ("http://127.0.0.1:10000/mcp", "http://127.0.0.1:10000/.well-known/oauth-protected-resource/mcp"),
        ("http://[::1]:10000/mcp", "http://[::1]:10000/.well-known/oauth-protected-resource/mcp"),
        ("api://sales", None),
        ("sales", None),
        ("", None),
        ("https:///mcp", None),
        ("https://gw.example/mcp#x", None),
        ('https://gw.example/"x', None),
        ("https://gw.example/\\x", None),
        ("https://gw.example/a b", None),
        ("https://gw.example/\r\nx: y", None),
        ("https://gw.example/é", None),
    ],
)
def test_the_metadata_stands_between_host_and_path(audience, url):
    assert resource_metadata_url(audience) == url


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": "https://evil.example"}, "token_issuer"),
        ({"aud": "https://evil.example"}, "token_audience"),
        ({"sub": ""}, "token_subject"),
        ({"sub": 7.0}, "token_subject"),
        ({"exp": NOW - 31}, "token_expired"),
        ({"iat": NOW - 3631}, "token_too_old"),
        ({"iat": ...}, "token_dates"),
        ({"cnf": {"jkt": "x"}}, "token_bound"),
    ],
)
def test_the_claims_that_envoy_verified_are_judged_again(changes, why):
    assert refusal(from_envoy(claims=claims(**changes))) == why


@pytest.mark.parametrize(
    ("header", "why"),
    [
        ({"alg": "HS256"}, "token_algorithm"),
        ({}, "token_algorithm"),
        ({"alg": "ES256", "typ": "logout+jwt"}, "token_type"),
        ({"alg": "ES256", "jku": "https://evil.example"}, "token_header"),
        ({"alg": "ES256", "crit": ["x"]}, "token_header"),
    ],
)
def test_the_header_that_envoy_forwards_is_judged_again(header, why):
    assert refusal(from_envoy(claims=claims(), token_header=header)) == why


def test_a_good_header_beside_the_claims_is_accepted():
    assert person(from_envoy(claims=claims(), token_header={"alg": "ES256", "typ": "JWT", "kid": "k"})).subject == "ann"


def test_credentials_that_envoy_let_through_without_verifying_are_refused():
    peer = ("spiffe://corp/agent",)
    assert refusal(from_envoy(headers={"authorization": f"Bearer {token()}"})) == "token_unverified"
    assert refusal(from_envoy(BOTH, headers={"authorization": "Bearer x"}, peer_uris=peer)) == "token_unverified"


def test_claims_beside_a_token_that_must_be_verified_here_count_for_nothing():
    assert refusal(from_header(claims=claims())) == "token_missing"


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_may_be_written_in_any_case(scheme):
    assert person(from_header(headers={"authorization": f"{scheme} {token()}"})).subject == "ann"


@pytest.mark.parametrize(
    ("form", "why"),
    [
        ("Bearer  {}", "token_form"),
        ("Bearer\t{}", "token_scheme"),
        ("Bearer {} ", "token_form"),
        (" Bearer {}", "token_scheme"),
        ("{}", "token_scheme"),
        ("Bearer", "token_form"),
        ("Bearer ", "token_form"),
        ("", "token_scheme"),
        ("Basic {}", "token_scheme"),
        ("DPoP {}", "token_scheme"),
        ("Bearer {},Bearer {}", "token_form"),
        ("Bearer {}, Bearer {}", "token_form"),
        ("Bearer {},{}", "token_form"),
        ('Bearer token="{}"', "token_form"),
    ],
)
def test_a_token_is_accepted_in_one_form_only(form, why):
    assert refusal(from_header(headers={"authorization": form.replace("{}", token())})) == why


def test_a_token_in_the_query_or_a_cookie_counts_for_nothing():
    path = f"/mcp?access_token={token()}&authorization=Bearer%20{token()}"
    assert refusal(from_header(path=path, headers={"cookie": f"authorization=Bearer {token()}"})) == "token_missing"


@pytest.mark.parametrize(
    "name",
    [
        "x-user",
        "x-forwarded-for",
        "x-envoy-peer-metadata",
        "x-gw-principal",
        "x-jwt-payload",
        "proxy-authorization",
        "x-forwarded-client-cert",
    ],
)
def test_no_other_header_makes_a_principal(name):
    for value in ("ann", f"Bearer {token()}", "By=spiffe://corp/gw;URI=spiffe://corp/admin"):
        assert refusal(from_header(BOTH, headers={name: value})) == "token_missing"
        assert refusal(from_envoy(BOTH, headers={name: value})) == "token_missing"


def test_the_same_subject_of_two_issuers_is_two_principals():
    ann = person(from_envoy(claims=claims()))
    twin = person(from_envoy(claims=claims(iss=OTHER.issuer, aud=OTHER.audiences[0], iat=NOW)))
    assert ann.subject == twin.subject
    assert ann != twin


@pytest.mark.parametrize("sub", ["Admin", "\u0430dmin", "\uff41dmin", "admin ", "ADMIN"])
def test_a_twin_of_a_subject_is_somebody_else(sub):
    assert person(from_envoy(claims=claims(sub=sub))).subject == sub != "admin"


@pytest.mark.parametrize("extra", [{}, {"azp": "client"}, {"client_id": "client"}, {"scope": ["a"]}, {"scope": "a b"}])
def test_a_token_needs_no_client_and_its_scopes_are_no_roles(extra):
    ann = person(from_envoy(claims=claims(**extra)))
    assert ann.roles == frozenset()
    assert ann.groups == frozenset()


@pytest.mark.parametrize(
    ("value", "names"),
    [
        (..., set()),
        (None, set()),
        ([], set()),
        ("staff", {"staff"}),
        ("data analysts", {"data analysts"}),
        (["a", "b", "a"], {"a", "b"}),
    ],
)
@pytest.mark.parametrize("claim", ["groups", "roles"])
def test_groups_and_roles_are_a_name_or_a_list_of_names(claim, value, names):
    assert getattr(person(from_envoy(claims=claims(**{claim: value}))), claim) == names


@pytest.mark.parametrize(
    "value", [7, True, {"a": 1}, [7], ["a", None], [["a"]], "", [""], ["a\x00"], "a\nb", "x" * 1025]
)
@pytest.mark.parametrize("claim", ["groups", "roles"])
def test_groups_and_roles_of_another_shape_are_refused(claim, value):
    assert refusal(from_envoy(claims=claims(**{claim: value}))) == "token_claims"


def test_groups_and_roles_may_stand_deeper_in_the_claims():
    nested = replace(CORP, groups=("org", "groups"), roles=("realm_access", "roles"))
    config = IdentityConfig(issuers=(nested,))
    given_claims = claims(org={"groups": ["g"]}, realm_access={"roles": ["r"]}, groups=["no"], roles=["no"])
    ann = person(from_envoy(config, claims=given_claims))
    assert (ann.groups, ann.roles) == ({"g"}, {"r"})
    assert person(from_envoy(config, claims=claims())).groups == frozenset()
    assert person(from_envoy(config, claims=claims(org={}))).groups == frozenset()
    assert refusal(from_envoy(config, claims=claims(org="groups"))) == "token_claims"
    assert refusal(from_envoy(config, claims=claims(realm_access=["roles"]))) == "token_claims"


def test_a_workload_without_a_token_is_a_principal_of_its_trust_domain():
    agent = person(from_envoy(BOTH, peer_uris=("spiffe://prod.example.com/ns/a/sa/agent",)))
    spiffe_id = "spiffe://prod.example.com/ns/a/sa/agent"
    assert agent == Principal(issuer="spiffe://prod.example.com", subject=spiffe_id, workload=spiffe_id)
    assert agent == person(from_header(BOTH, peer_uris=(spiffe_id,)))


def test_a_token_beside_a_workload_is_a_person_with_that_workload():
    ann = person(from_envoy(BOTH, claims=claims(), peer_uris=("spiffe://corp/agent",)))
    assert (ann.issuer, ann.subject, ann.workload) == (CORP.issuer, "ann", "spiffe://corp/agent")


def test_a_bad_token_is_refused_also_beside_a_good_workload():
    assert refusal(from_envoy(BOTH, claims=claims(exp=1), peer_uris=("spiffe://corp/agent",))) == "token_expired"


MALFORMED = [
    "spiffe://corp/admin/../svc",
    "spiffe://corp/./svc",
    "spiffe://corp/..",
    "spiffe://corp/a%2fb",
    "spiffe://corp/a%00",
    "SPIFFE://corp/admin",
    "Spiffe://corp/admin",
    "spiffe://CORP/admin",
    "spiffe://corp",
    "spiffe://corp/",
    "spiffe://corp/admin/",
    "spiffe://corp//admin",
    "spiffe:///admin",
    "spiffe://corp:443/admin",
    "spiffe://user@corp/admin",
    "spiffe://corp/admin?x=1",
    "spiffe://corp/admin#x",
    "spiffe://corp/admin\x00.evil",
    "spiffe://corp/admin\n",
    " spiffe://corp/admin",
    "spiffe://corp/admin,spiffe://corp/other",
    "spiffe://corp/\u0430dmin",
    "spiffe://corp/" + "a" * 2040,
    "spiffe://" + "a" * 256 + "/x",
    "https://corp/admin",
    "spiffe.corp/admin",
    "corp/admin",
    "",
]


@pytest.mark.parametrize("uri", MALFORMED)
def test_a_peer_that_is_no_spiffe_id_is_refused_with_and_without_a_token(uri):
    assert refusal(from_envoy(BOTH, peer_uris=(uri,))) == "workload_malformed"
    assert refusal(from_envoy(BOTH, peer_uris=(uri,), claims=claims())) == "workload_malformed"


def test_two_uris_in_one_certificate_are_refused():
    assert refusal(from_envoy(BOTH, peer_uris=("spiffe://corp/a", "spiffe://corp/b"))) == "workload_malformed"


@pytest.mark.parametrize("uri", ["spiffe://evil/admin", "spiffe://corp.evil/admin", "spiffe://xcorp/admin"])
def test_a_trust_domain_outside_of_the_list_is_refused_with_and_without_a_token(uri):
    assert refusal(from_envoy(BOTH, peer_uris=(uri,))) == "workload_untrusted"
    assert refusal(from_envoy(BOTH, peer_uris=(uri,), claims=claims())) == "workload_untrusted"


def test_without_trust_domains_a_peer_certificate_says_nothing():
    assert refusal(from_envoy(TOKENS, peer_uris=("spiffe://corp/agent",))) == "token_missing"
    assert person(from_envoy(TOKENS, peer_uris=("spiffe://corp/agent", "x"), claims=claims())).workload is None


def test_a_dns_name_that_looks_like_a_spiffe_id_is_no_uri_and_gives_no_workload():
    assert refusal(from_envoy(BOTH, peer_uris=())) == "token_missing"


def test_the_longest_spiffe_id_is_accepted():
    longest = "spiffe://corp/" + "a" * 2034
    assert len(longest) == 2048
    assert person(from_envoy(BOTH, peer_uris=(longest,))).subject == longest


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "iat", "nbf", "groups", "roles", "cnf"]), json_values)
)
def test_identify_is_total_whatever_the_claims(changes):
    identified = from_envoy(claims=claims(**changes))
    assert isinstance(identified, Principal | Rejection)


@given(st.text(), st.lists(st.text(), max_size=2))
def test_identify_is_total_whatever_the_header_and_the_peer(value, uris):
    assert isinstance(from_header(BOTH, headers={"authorization": value}, peer_uris=tuple(uris)), Rejection)


def test_a_claim_names_the_human_behind_an_account_where_the_policy_says_which():
    config = IdentityConfig(issuers=(replace(CORP, human=("act", "sub")),))
    assert person(from_envoy(config, claims=claims(act={"sub": "ann@example.com"}))).human == "ann@example.com"
    assert person(from_envoy(config, claims=claims())).human == ""
    assert person(from_envoy(claims=claims(act={"sub": "ann@example.com"}))).human == ""
    assert refusal(from_envoy(config, claims=claims(act={"sub": ["ann", "bob"]}))) == "token_claims"
    assert refusal(from_envoy(config, claims=claims(act={"sub": 7}))) == "token_claims"
