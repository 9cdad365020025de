"""Every way to a server is looked at: with ext_proc, past it, and beside it."""

import pytest

from extproc.core.doctor import Severity
from shipped import ext_proc, found, front, http_filter, problems, route, routes, shipped

OFF = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
NAME = "envoy.filters.http.ext_proc"
NOTHING = "unsafe: no route that leads to a server has ext_proc: nothing is judged"


@pytest.mark.parametrize("chain", ["one-message", "portable"])
def test_what_is_shipped_has_no_finding(chain):
    assert found(shipped(chain)) == ()


def test_a_route_without_ext_proc_to_the_same_server_is_a_way_past():
    document = shipped()
    route(document)["typed_per_filter_config"][NAME] = OFF
    (finding,) = found(document)
    assert (finding.severity, finding.where) == (Severity.UNSAFE, ("listener mcp, route mcp-post",))
    assert finding.problem == "a way past the policy to mcp_upstream: ext_proc is off here"


def test_the_other_way_to_switch_it_off_is_seen_too():
    document = shipped()
    route(document)["typed_per_filter_config"][NAME] = {
        "@type": "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute",
        "disabled": True,
    }
    assert problems(document) == ["unsafe: a way past the policy to mcp_upstream: ext_proc is off here"]


@pytest.mark.parametrize("place", ["table", "host"])
def test_what_is_off_further_out_is_on_again_where_the_route_says_so(place):
    document = shipped()
    table = front(document)["route_config"]
    outer = table if place == "table" else table["virtual_hosts"][0]
    outer["typed_per_filter_config"] = {NAME: OFF}
    assert problems(document) == []
    for each in routes(document):
        each.pop("typed_per_filter_config", None)
    assert problems(document)[0] == NOTHING


def test_a_filter_that_is_off_until_a_route_has_settings_for_it_is_on_there():
    document = shipped()
    http_filter(document, "ext_proc")["disabled"] = True
    assert problems(document) == []
    http_filter(document, "mcp.guard")["disabled"] = True
    assert [each for each in problems(document) if "never decided" in each]


def test_settings_within_a_filter_configuration_hold():
    document = shipped()
    inner = route(document)["typed_per_filter_config"][NAME]
    inner["overrides"]["failure_mode_allow"] = True
    route(document)["typed_per_filter_config"][NAME] = OFF | {"disabled": False, "config": inner}
    assert [each.where for each in found(document)] == [("listener mcp, route mcp-post",)]


def test_another_service_behind_the_same_envoy_is_only_mentioned():
    document = shipped()
    other = {
        "name": "web",
        "match": {"prefix": "/web"},
        "route": {"cluster": "web"},
        "typed_per_filter_config": {NAME: OFF},
    }
    front(document)["route_config"]["virtual_hosts"][0]["routes"].insert(0, other)
    assert problems(document) == ["weak: not judged: the way to web; right only if no MCP server is there"]
    del other["route"]["cluster"]
    other["route"]["cluster_specifier_plugin"] = {}
    assert problems(document) == ["weak: not judged: the way to a server; right only if no MCP server is there"]


def test_each_weighted_cluster_is_looked_at():
    document = shipped()
    action = route(document)["route"]
    del action["cluster"]
    action["weighted_clusters"] = {
        "clusters": [{"name": "a", "weight": 1}, {"name": "b", "weight": 1, "typed_per_filter_config": {NAME: OFF}}]
    }
    assert [each for each in problems(document) if each.startswith("unsafe: a way past the policy to a, b")]


def test_a_tunnel_to_the_server_is_a_way_past():
    document = shipped()
    proxy = {"@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy"}
    listener = {"name": "raw", "filter_chains": [{"filters": [{"typed_config": proxy | {"cluster": "mcp_upstream"}}]}]}
    document["static_resources"]["listeners"].append(listener)
    (finding,) = found(document)
    assert finding.problem == "a way past the policy to mcp_upstream: a TCP proxy"
    weighted = {"weighted_clusters": {"clusters": [{"name": "mcp_upstream", "weight": 1}]}}
    listener["filter_chains"] = []
    listener["default_filter_chain"] = {"filters": [{"typed_config": proxy | weighted}]}
    assert found(document) == (finding,)
    listener["default_filter_chain"] = {"filters": [{"typed_config": proxy | {"cluster": "web"}}]}
    assert found(document) == ()


@pytest.mark.parametrize("name", ["ext_proc", "nothing-of-ours"])
def test_without_our_ext_proc_nothing_is_judged(name):
    document = shipped()
    if name == "ext_proc":
        front(document)["http_filters"].remove(http_filter(document, "ext_proc"))
    else:
        ext_proc(document).pop("metadata_options")
        for each in routes(document):
            each.pop("typed_per_filter_config", None)
    assert problems(document)[0] == NOTHING


def test_routes_that_come_from_elsewhere_cannot_be_looked_at():
    document = shipped()
    del front(document)["route_config"]
    front(document)["rds"] = {"route_config_name": "mcp"}
    assert problems(document) == [NOTHING, "weak: its routes are not in here; they could not be looked at"]
