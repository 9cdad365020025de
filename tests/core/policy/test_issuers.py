import pytest

from extproc.core.model import IdentityConfig, Issuer
from policies import ROLES, SERVERS, load, problems


def identity(text: str) -> str:
    return f"version: 1\nidentity:\n{text}" + SERVERS + ROLES


GOOD = '  issuers: [{name: corp, issuer: "https://idp", audience: aud%s}]\n'


def test_an_issuer_is_read_whole() -> None:
    text = """\
  issuers:
    - name: corp
      issuer: https://idp/
      audience: [a, b]
      jwks_uri: https://idp/jwks
      max_token_age: 15m
      claims: {groups: realm.groups, roles: ["https://corp/roles"]}
  workloads: [{trust_domain: prod.example.com}]
"""
    assert load(identity(text)).identity == IdentityConfig(
        issuers=(
            Issuer(
                name="corp",
                issuer="https://idp/",
                audiences=("a", "b"),
                max_token_age=900.0,
                groups=("realm", "groups"),
                roles=("https://corp/roles",),
                jwks_uri="https://idp/jwks",
            ),
        ),
        trust_domains=frozenset({"prod.example.com"}),
    )


def test_what_is_left_out_has_a_safe_default() -> None:
    issuer = load(identity(GOOD % "")).identity.issuers[0]
    assert (issuer.max_token_age, issuer.groups, issuer.roles) == (3600.0, ("groups",), ("roles",))
    issuer = load(identity(GOOD % ", claims: {roles: r}")).identity.issuers[0]
    assert (issuer.groups, issuer.roles) == (("groups",), ("r",))


@pytest.mark.parametrize(
    "uri", ["https://idp/jwks", "http://127.0.0.1:1/jwks", "http://localhost/x", "http://[::1]:1/x"]
)
def test_keys_may_come_over_tls_or_from_this_machine(uri: str) -> None:
    assert load(identity(GOOD % f', jwks_uri: "{uri}"')).identity.issuers[0].jwks_uri == uri


@pytest.mark.parametrize(
    "uri",
    [
        "http://idp/jwks",
        "file:///etc/passwd",
        "https://",
        "idp",
        "https://idp@evil/x",
        "http://[::1",
        "http://127.0.0.1.evil/",
    ],
)
def test_keys_that_anybody_can_replace_are_refused(uri: str) -> None:
    (problem,) = problems(identity(GOOD % f', jwks_uri: "{uri}"'))
    assert "`jwks_uri`" in problem.what
    assert (problem.line, problem.column) == (3, 74)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (GOOD % ", jwks_uri: 'https://a/b', jwks_file: x", "both `jwks_uri` and `jwks_file`"),
        (GOOD % ", max_token_age: 5", "`max_token_age` must be a length of time"),
        (GOOD % ", max_token_age: [5m]", "`max_token_age` must be a length of time"),
        (GOOD % ", claims: {groups: a..b}", "empty step"),
        (GOOD % ", claims: {groups: 5}", "must be text"),
        (GOOD % ", claims: {mail: x}", "unknown key `mail`"),
        (GOOD % ", keys: x", "unknown key `keys`"),
        (GOOD.replace("https://idp", "spiffe://prod") % "", "cannot be a SPIFFE trust domain"),
        (GOOD % "" + "  workloads: [{trust_domain: 'spiffe://prod'}]\n", "no trust domain"),
        (GOOD % "" + "  workloads: [{trust_domain: Prod.example}]\n", "no trust domain"),
        (GOOD % "" + "  workloads: [{trust_domain: 5}]\n", "`trust_domain` must be text"),
    ],
)
def test_a_mistake_in_identity_is_told(text: str, what: str) -> None:
    (problem,) = problems(identity(text))
    assert what in problem.what


def test_two_issuers_of_one_name_or_one_url_are_refused() -> None:
    one, other = '{name: a, issuer: "https://a", audience: x}', '{name: %s, issuer: "https://%s", audience: x}'
    for name, url in (("a", "b"), ("b", "a")):
        (problem,) = problems(identity(f"  issuers: [{one}, {other % (name, url)}]\n"))
        assert "two issuers" in problem.what


def test_an_issuer_without_a_name_is_told_once_and_a_role_of_its_tokens_is_nobodys() -> None:
    found = problems(identity('  issuers: [{issuer: "https://a", audience: x}]\n'))
    assert [problem.what for problem in found] == [
        "an issuer has no `name`",
        "nobody can have role `reader` by this: no token issuer is configured",
    ]


def test_the_claim_of_the_human_is_a_path_and_absent_by_default():
    assert load(identity(GOOD % "")).identity.issuers[0].human == ()
    named = load(identity(GOOD % ", claims: {human: act.sub}")).identity.issuers[0]
    assert (named.human, named.groups) == (("act", "sub"), ("groups",))
