"""What can be said of the shipped Envoy configurations without running them."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from extproc.demo.proxy import CHAINS, Chain, find_envoy, gateway_configuration

ENVOY_FOLDER = Path(__file__).resolve().parents[2] / "envoy" / "standalone"


def derived(chain: Chain, **changes: Any) -> Any:
    where = {"port": 1, "admin_port": 2, "workers": ["127.0.0.1:3"], "upstream": "http://127.0.0.1:4/mcp"}
    return gateway_configuration(chain, **({"issuer": "http://127.0.0.1:5", "server": "s"} | where | changes))


def connection(document: Any) -> Any:
    return document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def named(connection_settings: Any, name: str) -> Any:
    return next(each for each in connection_settings["http_filters"] if each["name"] == name)


@pytest.mark.stack
@pytest.mark.parametrize("name", ["envoy.yaml", "portable.yaml"])
def test_envoy_accepts_the_file_as_it_is_shipped(name: str) -> None:
    command = [find_envoy(), "--mode", "validate", "-l", "warn", "-c", ENVOY_FOLDER / name]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 0, ended.stderr
    assert "deprecated" not in ended.stderr.lower()


def test_both_chains_differ_only_where_they_must() -> None:
    one, portable = (derived(chain) for chain in CHAINS)
    first, second = connection(one), connection(portable)
    assert first["local_reply_config"] == second["local_reply_config"]
    names = [{each["name"] for each in each_chain["http_filters"]} for each_chain in (first, second)]
    assert (names[0] - names[1], names[1] - names[0]) == ({"envoy.filters.http.buffer"}, set())
    for name in ("mcp.bytes", "mcp.refuse", "mcp.strip", "mcp.guard", "mcp.session", "envoy.filters.http.jwt_authn"):
        assert named(first, name) == named(second, name)
    assert one["static_resources"]["clusters"] == portable["static_resources"]["clusters"]
    assert one["overload_manager"] == portable["overload_manager"]


@pytest.mark.parametrize("chain", CHAINS)
def test_no_address_of_the_file_is_left_when_it_is_moved(chain: Chain) -> None:
    text = str(derived(chain, port=20001, admin_port=20002, issuer="http://127.0.0.1:20003"))
    for port in ("10000/", ":10000", "9901", "3000", "9000", "50051", "50052", "sales-db"):
        assert port not in text.replace("'max_active_downstream_connections': 10000", "")


@pytest.mark.parametrize("chain", CHAINS)
def test_swapped_ports_do_not_move_twice(chain: Chain) -> None:
    document = derived(chain, port=3000, upstream="http://127.0.0.1:10000/mcp")
    listener = document["static_resources"]["listeners"][0]["address"]["socket_address"]
    upstream = document["static_resources"]["clusters"][0]["load_assignment"]["endpoints"][0]["lb_endpoints"][0]
    assert listener["port_value"] == 3000
    assert upstream["endpoint"]["address"]["socket_address"]["port_value"] == 10000


@pytest.mark.parametrize("chain", CHAINS)
def test_an_upstream_by_name_over_tls_is_resolved_and_verified(chain: Chain) -> None:
    document = derived(chain, upstream="https://mcp.example.com/v1/mcp")
    cluster = document["static_resources"]["clusters"][0]
    assert cluster["type"] == "STRICT_DNS"
    validation = cluster["transport_socket"]["typed_config"]["common_tls_context"]["validation_context"]
    assert validation["match_typed_subject_alt_names"] == [{"san_type": "DNS", "matcher": {"exact": "mcp.example.com"}}]
    route = connection(document)["route_config"]["virtual_hosts"][0]["routes"][0]["route"]
    assert (route["host_rewrite_literal"], route["prefix_rewrite"]) == ("mcp.example.com", "/v1/mcp")


@pytest.mark.parametrize("chain", CHAINS)
def test_every_mode_override_of_the_service_is_listed(chain: Chain) -> None:
    listed = named(connection(derived(chain)), "envoy.filters.http.ext_proc")["typed_config"]["allowed_override_modes"]
    head = {"request_body_mode": "BUFFERED", "response_header_mode": "SEND"}
    streamed = {"response_body_mode": "FULL_DUPLEX_STREAMED", "response_trailer_mode": "SEND"}
    assert listed == [head | {"response_body_mode": "NONE"}, head | streamed]


@pytest.mark.parametrize("chain", CHAINS)
def test_no_request_can_pass_where_the_policy_service_is_silent(chain: Chain) -> None:
    settings = connection(derived(chain))
    ext_proc = named(settings, "envoy.filters.http.ext_proc")["typed_config"]
    assert ext_proc["failure_mode_allow"] is False
    assert ext_proc["mutation_rules"]["disallow_all"] is True
    assert "observability_mode" not in ext_proc
    names = [each["name"] for each in settings["http_filters"]]
    assert (
        names.index("envoy.filters.http.ext_proc") < names.index("mcp.guard") < names.index("envoy.filters.http.router")
    )
    for host in settings["route_config"]["virtual_hosts"]:
        for route in host["routes"]:
            # a filter may be off only where Envoy itself answers
            assert ("route" in route) != ("mcp.guard" in route["typed_per_filter_config"]), route["name"]
            assert ("route" in route) != ("direct_response" in route), route["name"]
