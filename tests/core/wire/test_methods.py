import pytest
from mcp_types import methods as sdk
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS

from extproc.core.model import Era, MessageKind, ResourceKind, Verb
from extproc.core.rejection import INVALID_PARAMS, METHOD_NOT_FOUND, Rejection
from extproc.core.wire.methods import LEGACY_REVISIONS, METHODS, MODERN_REVISIONS, Method, closed, look_up


def test_the_table_has_the_methods_of_the_official_sdk_and_no_other():
    assert (LEGACY_REVISIONS, MODERN_REVISIONS) == (HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS)
    for kind, official in (
        (MessageKind.REQUEST, sdk.CLIENT_REQUESTS),
        (MessageKind.NOTIFICATION, sdk.CLIENT_NOTIFICATIONS),
    ):
        eras = {(method, Era.LEGACY if revision in LEGACY_REVISIONS else Era.MODERN) for method, revision in official}
        assert {(name, era) for name, row in METHODS.items() if row.kind is kind for era in row.eras} == eras


def test_the_parameters_are_those_of_the_official_schemas():
    for official in (sdk.CLIENT_REQUESTS, sdk.CLIENT_NOTIFICATIONS):
        for (method, revision), model in official.items():
            era = Era.LEGACY if revision in LEGACY_REVISIONS else Era.MODERN
            annotation = model.model_fields["params"].annotation
            shapes = [annotation, *getattr(annotation, "__args__", ())]
            fields = next(shape.model_fields for shape in shapes if hasattr(shape, "model_fields"))
            names = {field.alias or name for name, field in fields.items()}
            # core tasks are not supported yet
            assert METHODS[method].allowed(era) == names - {"task"}, (method, revision)


def test_only_a_tool_call_changes_what_a_server_serves():
    assert {name for name, row in METHODS.items() if row.verb is not Verb.QUERY} == {"tools/call"}
    assert METHODS["tools/call"].verb is Verb.MUTATE


def test_a_name_is_mirrored_by_the_methods_of_the_specification():
    named = {name: row.name_field for name, row in METHODS.items() if row.name_field and Era.MODERN in row.eras}
    assert named == {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}
    assert METHODS["resources/read"].names is ResourceKind.RESOURCE


@pytest.mark.parametrize(
    "method",
    [
        "tools/execute",
        "x/y",
        "tasks/get",
        "tools/call ",
        "Tools/Call",
        "tools//call",
        "\ttools/call",
        "sampling/createMessage",
    ],
)
def test_an_unknown_method_is_refused_as_each_era_refuses_it(method):
    for kind, era, status in (
        (MessageKind.REQUEST, Era.MODERN, 404),
        (MessageKind.REQUEST, Era.LEGACY, 200),
        (MessageKind.NOTIFICATION, Era.MODERN, 400),
        (MessageKind.NOTIFICATION, Era.LEGACY, 400),
    ):
        rejection = look_up(method, kind, era)
        assert isinstance(rejection, Rejection)
        assert (rejection.status, rejection.code, rejection.reason) == (status, METHOD_NOT_FOUND, "unknown_method")
        assert rejection.message == ("tasks are not supported yet" if "tasks" in method else "Method not found")


@pytest.mark.parametrize(
    "method", ["initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"]
)
def test_a_method_that_an_era_removed_is_unknown_there(method):
    assert isinstance(look_up(method, MessageKind.REQUEST, Era.MODERN), Rejection)
    assert isinstance(look_up(method, MessageKind.REQUEST, Era.LEGACY), Method)


def test_a_request_without_an_id_and_a_notification_with_one_are_unknown():
    assert isinstance(look_up("tools/call", MessageKind.NOTIFICATION, Era.LEGACY), Rejection)
    assert isinstance(look_up("notifications/initialized", MessageKind.REQUEST, Era.LEGACY), Rejection)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ([], "params"),
        (None, "params"),
        ({"name": 1, "extra": 2}, "unknown_member"),
        ({"name": 1, "Name": 2}, "disguised_member"),
        ({"NAME": 2}, "disguised_member"),
        ({"n\u0430me": 2}, "unknown_member"),
        ({"name\0": 2}, "disguised_member"),
        ({"argument\u017f": 2}, "disguised_member"),
        ({"name": 1, "task": {}}, "task"),
    ],
)
def test_parameters_are_a_closed_set(value, reason):
    rejection = closed(value, {"name", "arguments"}, what="params")
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code, rejection.reason) == (400, INVALID_PARAMS, reason)


def test_allowed_parameters_pass():
    assert closed({"name": 1}, {"name", "arguments"}, what="params") is None
    assert closed({}, {"name"}, what="params") is None
    assert closed({"task": 1}, {"task"}, what="params") is None
