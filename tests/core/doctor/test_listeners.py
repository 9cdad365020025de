"""The edge around the chain: hardenings, and what a route does beside it."""

import pytest

from shipped import front, problems, route, routes, shipped


def setting(**settings):
    def changed(document):
        front(document).update(settings)

    return changed


def action(**settings):
    def changed(document):
        route(document)["route"].update(settings)

    return changed


def retried_host(document):
    front(document)["route_config"]["virtual_hosts"][0]["retry_policy"] = {"retry_on": "5xx"}


def default_timeout(document):
    del route(document)["route"]["timeout"]


UPGRADE = [{"upgrade_type": "websocket"}]
CASES = {
    "upgrade": (setting(upgrade_configs=UPGRADE), "unsafe: an upgraded connection"),
    "upgrade-on-a-route": (action(upgrade_configs=UPGRADE), "unsafe: an upgraded connection"),
    "certificates": (
        setting(forward_client_cert_details="APPEND_FORWARD"),
        "unsafe: clients can claim another's certificate",
    ),
    "path": (setting(normalize_path=False), "weak: a path can be spelled"),
    "slashes": (setting(merge_slashes=False), "weak: a path can be spelled"),
    "escaped": (setting(path_with_escaped_slashes_action="KEEP_UNCHANGED"), "weak: a path can be spelled"),
    "address": (setting(use_remote_address=False), "weak: clients can claim another address"),
    "underscores": (setting(common_http_protocol_options={}), "weak: mcp_name and mcp-name"),
    "streams": (setting(http2_protocol_options={}), "weak: one connection may open any number"),
    "retry": (action(retry_policy={"retry_on": "5xx"}), "unsafe: an allowed call can run more than once"),
    "retry-of-the-host": (retried_host, "unsafe: an allowed call can run more than once"),
    "hedge": (action(hedge_policy={}), "unsafe: an allowed call can run more than once"),
    "mirror": (action(request_mirror_policies=[{"cluster": "x"}]), "unsafe: a copy of the call"),
    "redirect": (action(internal_redirect_policy={}), "unsafe: the MCP server can send"),
    "header": (action(cluster_header="x-to"), "unsafe: a header of the request chooses"),
    "timeout": (default_timeout, "broken: Envoy cuts event streams"),
}


@pytest.mark.parametrize("chain", ["one-message", "portable"])
@pytest.mark.parametrize("name", CASES)
def test_what_is_missing_around_the_chain_is_named(chain, name):
    changed, said = CASES[name]
    document = shipped(chain)
    changed(document)
    assert [each for each in problems(document) if each.startswith(said)], problems(document)


def test_an_upgrade_that_is_switched_off_is_none():
    document = shipped()
    setting(upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}])(document)
    action(upgrade_configs=[{"upgrade_type": "websocket", "enabled": False}])(document)
    assert problems(document) == []


def test_a_listener_without_the_chain_is_not_judged_like_one_with_it():
    document = shipped()
    for each in routes(document):
        each.pop("route", None)
    setting(upgrade_configs=UPGRADE)(document)
    assert not [each for each in problems(document) if "upgraded" in each]
