"""What ext_proc may be told, on the filter and on a route: each unsafe setting is named."""

import pytest

from extproc.core.doctor import Severity
from shipped import ext_proc, found, problems, route, shipped

CHAINS = ("one-message", "portable")


def change(**settings):
    def changed(document):
        ext_proc(document).update(settings)

    return changed


def without(name):
    def changed(document):
        del ext_proc(document)[name]

    return changed


def on_route(**overrides):
    def changed(document):
        route(document)["typed_per_filter_config"]["envoy.filters.http.ext_proc"]["overrides"].update(overrides)

    return changed


def no_cluster(document):
    clusters = document["static_resources"]["clusters"]
    clusters[:] = [each for each in clusters if each["name"] != "mcp_extproc"]


def panic(document):
    cluster = next(each for each in document["static_resources"]["clusters"] if each["name"] == "mcp_extproc")
    del cluster["common_lb_config"]


def unnamed(document):
    route(document)["typed_per_filter_config"]["envoy.filters.http.ext_proc"]["overrides"]["grpc_initial_metadata"] = []


def in_the_service(document):
    unnamed(document)
    ext_proc(document)["grpc_service"]["initial_metadata"] = [{"key": "x-mcp-server", "value": "sales-db"}]


CASES = {
    "faults-pass": (change(failure_mode_allow=True), "unsafe: every fault"),
    "faults-pass-on-a-route": (on_route(failure_mode_allow=True), "unsafe: every fault"),
    "observes-only": (change(observability_mode=True), "unsafe: Envoy does not wait"),
    "no-immediate-response": (change(disable_immediate_response=True), "broken: refusals become plain errors"),
    "default-timeout": (without("message_timeout"), "broken: a decision that takes more"),
    "no-holds": (without("max_message_timeout"), "broken: no call can be held"),
    "no-body": (change(processing_mode={"request_header_mode": "SEND"}), "unsafe: the body is not judged"),
    "no-mode": (without("processing_mode"), "unsafe: the body is not judged"),
    "no-body-on-a-route": (
        on_route(processing_mode={"request_header_mode": "SEND", "request_body_mode": "NONE"}),
        "unsafe: the body is not judged",
    ),
    "no-override": (without("allow_mode_override"), "unsafe: responses cannot be masked"),
    "an-unlisted-mode": (
        change(allowed_override_modes=[{"request_body_mode": "BUFFERED", "response_header_mode": "SEND"}]),
        "unsafe: responses cannot be masked",
    ),
    "no-cluster": (no_cluster, "unsafe: the cluster mcp_extproc of the policy service is missing"),
    "another-service": (change(grpc_service={"google_grpc": {}}), "weak: the policy service is not reached"),
    "panic": (panic, "weak: with half of the workers away"),
    "no-metadata": (change(metadata_options={}), "broken: Envoy drops the decision"),
    "no-server": (unnamed, "broken: the service is not told which MCP server"),
    "route-cache": (without("route_cache_action"), "weak: an answer of the service could lead to another route"),
    "any-header": (without("mutation_rules"), "weak: the service may change any header"),
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("name", CASES)
def test_an_unsafe_setting_is_named(chain, name):
    changed, said = CASES[name]
    document = shipped(chain)
    changed(document)
    assert [each for each in problems(document) if each.startswith(said)], problems(document)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize(
    "changed",
    [
        in_the_service,
        change(allowed_override_modes=[]),
        change(route_cache_action="DEFAULT", disable_clear_route_cache=True),
    ],
)
def test_another_way_to_write_what_is_safe_is_no_finding(chain, changed):
    document = shipped(chain)
    changed(document)
    assert problems(document) == []


def test_a_finding_names_the_routes_that_have_it_once():
    document = shipped()
    ext_proc(document)["failure_mode_allow"] = True
    (finding,) = found(document)
    assert finding.severity is Severity.UNSAFE
    assert "listener mcp, route mcp-post" in finding.where
    assert len(finding.where) == len(set(finding.where)) > 2
    assert finding.cure == "failure_mode_allow: false"
