"""A bootstrap file in either spelling and a dump of the admin interface are the same configuration."""

import re

import pytest

from extproc.core.doctor import NotEnvoyError, examined, from_bootstrap, from_dump
from shipped import ext_proc, front, http_filter, problems, shipped

TYPE = "type.googleapis.com/envoy.admin.v3."


def camel(value):
    if isinstance(value, dict):
        return {
            re.sub("_([a-z])", lambda found: found[1].upper(), key) if re.fullmatch("[a-z_]+", key) else key: camel(
                each
            )
            for key, each in value.items()
        }
    return [camel(each) for each in value] if isinstance(value, list) else value


def dumped(document, *, dynamic=False, rds=False):
    resources = document["static_resources"]
    listeners = [{"listener": each} for each in resources["listeners"]]
    clusters = [{"cluster": each} for each in resources["clusters"]]
    routes = []
    if rds:
        routes = [{"route_config": front(document).pop("route_config")}]
        front(document)["rds"] = {"route_config_name": "mcp"}
    bootstrap = {"admin": document["admin"], "overload_manager": document["overload_manager"]}
    return {
        "configs": [
            {"@type": TYPE + "BootstrapConfigDump", "bootstrap": bootstrap},
            {
                "@type": TYPE + "ClustersConfigDump",
                "dynamic_active_clusters" if dynamic else "static_clusters": clusters,
            },
            {
                "@type": TYPE + "ListenersConfigDump",
                **(
                    {"dynamic_listeners": [{"active_state": each} for each in listeners]}
                    if dynamic
                    else {"static_listeners": listeners}
                ),
            },
            {
                "@type": TYPE + "RoutesConfigDump",
                "dynamic_route_configs" if dynamic else "static_route_configs": routes,
            },
        ]
    }


@pytest.mark.parametrize("dynamic", [False, True])
@pytest.mark.parametrize("rds", [False, True])
@pytest.mark.parametrize("allow", [False, True])
def test_a_dump_is_judged_like_the_file(dynamic, rds, allow):
    document = shipped()
    ext_proc(document)["failure_mode_allow"] = allow
    expected = problems(document)
    setup = from_dump(dumped(document, dynamic=dynamic, rds=rds), version="abc/1.40.0/Clean/RELEASE/BoringSSL")
    assert setup.version == "1.40.0"
    assert [f"{each.severity.name.lower()}: {each.problem}" for each in examined(setup)] == expected
    assert len(expected) == allow


def test_a_listener_that_is_still_warming_is_not_there_yet():
    dump = dumped(shipped(), dynamic=True)
    dump["configs"][2]["dynamic_listeners"] = [{"name": "mcp", "warming_state": {}}]
    assert from_dump(dump, version="1.40.0").fronts == ()


@pytest.mark.parametrize("allow", [False, True])
def test_a_file_may_be_in_camel_case(allow):
    document = shipped()
    ext_proc(document)["failure_mode_allow"] = allow
    assert problems(camel(document)) == problems(document)


def test_a_typed_struct_is_what_it_stands_for():
    document = shipped()
    found = http_filter(document, "ext_proc")
    told = found["typed_config"] | {"failure_mode_allow": True}
    kind = told.pop("@type")
    found["typed_config"] = {"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": kind, "value": told}
    assert [each[:20] for each in problems(document)] == ["unsafe: every fault "]


def test_names_are_made_up_where_there_are_none():
    document = shipped()
    document["static_resources"]["listeners"][0].pop("name")
    for host in front(document)["route_config"]["virtual_hosts"]:
        for each in host["routes"]:
            each.pop("name")
    ext_proc(document)["failure_mode_allow"] = True
    (finding,) = examined(from_bootstrap(document))
    assert "listener (a listener without a name), route mcp#1" in finding.where


def test_an_api_listener_has_a_manager():
    document = shipped()
    listener = document["static_resources"]["listeners"][0]
    listener["api_listener"] = {"api_listener": listener.pop("filter_chains")[0]["filters"][0]["typed_config"]}
    assert problems(document) == []


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "x",
        {},
        {"static_resources": []},
        {"static_resources": {"listeners": [1]}},
        {"static_resources": {"clusters": [1]}},
    ],
)
def test_what_is_no_bootstrap_is_said_to_be_none(document):
    with pytest.raises(NotEnvoyError):
        from_bootstrap(document)


@pytest.mark.parametrize(
    "dump",
    [
        None,
        {},
        {"configs": {}},
        {"configs": [1]},
        {"configs": [{"@type": TYPE + "ClustersConfigDump", "static_clusters": [{}]}]},
        {"configs": [{"@type": TYPE + "ListenersConfigDump", "static_listeners": 5}]},
    ],
)
def test_what_is_no_dump_is_said_to_be_none(dump):
    with pytest.raises(NotEnvoyError):
        from_dump(dump, version="")


def test_other_protocols_are_none_of_ours():
    document = shipped()
    redis = {"@type": "type.googleapis.com/envoy.extensions.filters.network.redis_proxy.v3.RedisProxy"}
    document["static_resources"]["listeners"].append({"filter_chains": [{"filters": [{"typed_config": redis}]}]})
    assert problems(document) == []
