import pytest

from policies import HEAD, SERVERS, load, problems

ROLE = "roles:\n  r:\n    assigned_to: {subjects: [%s]}\n    grants: [{servers: [db]}]\n"


def test_a_subject_without_issuer_is_of_the_only_one():
    assert ("https://idp", "ann") in load(HEAD + SERVERS + ROLE % "ann").membership.subjects
    named = load(HEAD + SERVERS + ROLE % "{issuer: corp, subject: ann}")
    assert ("https://idp", "ann") in named.membership.subjects


@pytest.mark.parametrize(
    ("subject", "what"),
    [
        ("{issuer: other, subject: ann}", "there is no issuer named `other`"),
        ("{subject: ann}", "has no `issuer`"),
        ("{issuer: corp}", "has no `subject`"),
        ("7", "must be text"),
    ],
)
def test_a_subject_that_nobody_can_be_does_not_load(subject, what):
    assert what in "\n".join(map(str, problems(HEAD + SERVERS + ROLE % subject)))


def test_of_two_issuers_one_must_be_said():
    two = HEAD.replace("audience: aud}]", 'audience: aud}, {name: two, issuer: "https://two", audience: aud}]')
    assert "is a subject of which issuer?" in "\n".join(map(str, problems(two + SERVERS + ROLE % "ann")))
