"""The nearest settings of a filter hold."""

from extproc.core.doctor.effective import on_route, positions
from extproc.core.doctor.setup import from_bootstrap
from shipped import http_filter, route, shipped

OVERRIDES = "type.googleapis.com/envoy.extensions.filters.http.ext_proc.v3.ExtProcPerRoute"


def settings(document, name="mcp-post"):
    (front,) = from_bootstrap(document).fronts
    (found,) = positions(front, "ExternalProcessor")
    (chosen,) = [each for each in front.routes or () if each.name == name]
    return on_route(found.filter, chosen)


def test_overrides_of_ext_proc_add_up_and_the_rest_stays():
    document = shipped()
    host = first_host(document)
    host["typed_per_filter_config"] = {
        "envoy.filters.http.ext_proc": {"@type": OVERRIDES, "overrides": {"failure_mode_allow": True}}
    }
    found = settings(document)
    assert found is not None
    assert found["failure_mode_allow"] is True
    assert found["message_timeout"] == "5s"
    assert found["grpc_initial_metadata"][0]["value"] == "sales-db"
    route(document)["typed_per_filter_config"]["envoy.filters.http.ext_proc"]["overrides"]["failure_mode_allow"] = False
    nearer = settings(document)
    assert nearer is not None
    assert nearer["failure_mode_allow"] is False


def first_host(document):
    listener = document["static_resources"]["listeners"][0]
    return listener["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]["virtual_hosts"][0]


def test_a_filter_that_is_off_has_no_settings_where_nothing_switches_it_on():
    document = shipped()
    http_filter(document, "ext_proc")["disabled"] = True
    route(document).pop("typed_per_filter_config")
    assert settings(document) is None
    assert settings(document, "mcp-bodiless") is not None


def test_settings_of_another_kind_of_filter_leave_its_own():
    document = shipped()
    kind = "type.googleapis.com/envoy.extensions.filters.http.x.v3.PerRoute"
    route(document)["typed_per_filter_config"]["envoy.filters.http.ext_proc"] = {"@type": kind}
    found = settings(document)
    assert found is not None
    assert found["message_timeout"] == "5s"
