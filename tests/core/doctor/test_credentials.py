"""Who calls is verified, and the credentials stay with Envoy."""

import pytest

from shipped import front, http_filter, problems, route, shipped


def provider(**settings):
    def changed(document):
        http_filter(document, "jwt_authn")["typed_config"]["providers"]["issuer"].update(settings)

    return changed


def keeps(header):
    def changed(document):
        mutations = http_filter(document, "mcp.strip")["typed_config"]["mutations"]["request_mutations"]
        mutations.remove({"remove": header})

    return changed


def forwards_and_keeps(document):
    provider(forward=True)(document)
    keeps("authorization")(document)


def no_jwt(document):
    filters = front(document)["http_filters"]
    filters.remove(http_filter(document, "jwt_authn"))


def no_jwt_and_keeps(document):
    no_jwt(document)
    keeps("authorization")(document)


CASES = {
    "any-audience": (provider(audiences=[]), "unsafe: issuer: a token for any other service is taken"),
    "cache": (provider(jwt_cache_config={"jwt_cache_size": 100}), "unsafe: issuer: tokens of a key that was withdrawn"),
    "query": (provider(from_params=["access_token"]), "unsafe: issuer: tokens in the query string"),
    "no-payload": (provider(payload_in_metadata=""), "broken: issuer: the service does not learn who calls"),
    "no-end": (provider(require_expiration=False), "weak: issuer: Envoy takes a token without an end"),
    "forwards": (forwards_and_keeps, "unsafe: the client's token goes on"),
    "no-jwt": (no_jwt, "weak: Envoy verifies no token"),
    "no-jwt-forwards": (no_jwt_and_keeps, "unsafe: the client's token goes on"),
    "encoded": (keeps("accept-encoding"), "broken: an encoded response"),
}


@pytest.mark.parametrize("chain", ["one-message", "portable"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_wrong_with_credentials_is_named(chain, name):
    changed, said = CASES[name]
    document = shipped(chain)
    changed(document)
    assert [each for each in problems(document) if each.startswith(said)], problems(document)


def test_the_token_may_be_taken_off_in_any_place():
    document = shipped()
    keeps("authorization")(document)
    assert problems(document) == []  # forward: false
    provider(forward=True)(document)
    route(document)["request_headers_to_remove"] = ["Authorization"]
    places = [each for each in problems(document) if "token goes on" in each]
    assert len(places) == 1  # the other routes
    keeps("cookie")(document)
    assert len([each for each in problems(document) if "token goes on" in each]) == 1
