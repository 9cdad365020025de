import pytest

from extproc.core.limits import MAX_NAME_CHARS
from extproc.core.model import ResourceKind, Target
from extproc.core.rejection import INVALID_PARAMS, Rejection
from extproc.core.wire.methods import METHODS
from extproc.core.wire.targets import Aim, aim

SERVER = Target(kind=ResourceKind.SERVER)


def read(method: str, params) -> Aim | Rejection:
    return aim(method, METHODS[method], params)


@pytest.mark.parametrize(
    "method",
    [
        "initialize",
        "ping",
        "logging/setLevel",
        "server/discover",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "notifications/initialized",
        "notifications/cancelled",
    ],
)
def test_what_names_nothing_is_about_the_server(method):
    assert read(method, {}) == Aim(targets=(SERVER,))


@pytest.mark.parametrize(
    ("method", "params", "kind", "name"),
    [
        ("tools/call", {"name": "run\u200bshell"}, ResourceKind.TOOL, "run\u200bshell"),
        ("prompts/get", {"name": "p"}, ResourceKind.PROMPT, "p"),
        ("resources/read", {"uri": "file:///a"}, ResourceKind.RESOURCE, "file:///a"),
        ("resources/subscribe", {"uri": "file:///a"}, ResourceKind.RESOURCE, "file:///a"),
        ("resources/unsubscribe", {"uri": "file:///a"}, ResourceKind.RESOURCE, "file:///a"),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "p", "title": "P"}}, ResourceKind.PROMPT, "p"),
        (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": "f:///{x}"}},
            ResourceKind.TEMPLATE,
            "f:///{x}",
        ),
    ],
)
def test_what_is_named_is_the_target_as_it_is_written(method, params, kind, name):
    assert read(method, params) == Aim(targets=(Target(kind=kind, name=name),))


def test_arguments_are_handed_on():
    assert read("tools/call", {"name": "t", "arguments": {"a": 1}}) == Aim(
        targets=(Target(kind=ResourceKind.TOOL, name="t"),), arguments={"a": 1}
    )


def test_a_listener_touches_the_server_and_each_resource():
    wanted = {"toolsListChanged": True, "resourceSubscriptions": ["file:///a", "demo://b"]}
    resources = [Target(kind=ResourceKind.RESOURCE, name=uri) for uri in wanted["resourceSubscriptions"]]
    assert read("subscriptions/listen", {"notifications": wanted}) == Aim(targets=(SERVER, *resources))
    assert read("subscriptions/listen", {"notifications": {}}) == Aim(targets=(SERVER,))


@pytest.mark.parametrize(
    ("method", "params"),
    [
        *[("tools/call", {"name": name}) for name in (None, 1, "", [], "x" * (MAX_NAME_CHARS + 1))],
        ("tools/call", {}),
        *[("tools/call", {"name": "t", "arguments": value}) for value in (None, [], '{"a":1}', 1)],
        ("prompts/get", {"uri": "x"}),
        ("resources/read", {"uri": "file:///x/%2e%2e/etc/passwd"}),
        ("resources/subscribe", {"uri": "FILE:///x"}),
        ("completion/complete", {}),
        *[("completion/complete", {"ref": ref}) for ref in (None, [], "x", {}, {"type": "ref/tool", "name": "x"})],
        ("completion/complete", {"ref": {"type": ["ref/prompt"], "name": "x"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "a", "uri": "b"}}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "a", "Name": "b"}}),
        ("completion/complete", {"ref": {"type": "ref/resource", "uri": ""}}),
        ("subscriptions/listen", {}),
        *[("subscriptions/listen", {"notifications": value}) for value in (None, [], {"other": True})],
        *[
            ("subscriptions/listen", {"notifications": {"resourceSubscriptions": value}})
            for value in (None, "file:///a", {}, ["file:///a", "file:///../b"], [1])
        ],
        ("subscriptions/listen", {"notifications": {"taskIds": []}}),
    ],
)
def test_another_shape_than_the_schemas_is_refused(method, params):
    rejection = read(method, params)
    assert isinstance(rejection, Rejection)
    assert (rejection.status, rejection.code) == (400, INVALID_PARAMS)
