import pytest

from extproc.core.policy.server_requests import NOTHING_OPEN, ServerRequests, kind_of, place_of
from policies import HEAD, ROLES, load, problems

EVERYTHING = ServerRequests(frozenset({"sampling", "roots", "elicitation"}))
LOGIN = ServerRequests(frozenset(), frozenset({"login.example.com", "pay.example.com:8443", "127.0.0.1:8080", "[::1]"}))
METHODS = {"sampling/createMessage": "sampling", "roots/list": "roots", "elicitation/create": "elicitation"}


def server(*lines: str) -> str:
    return HEAD + "servers:\n  db:\n    unlisted_tools: query\n" + "".join(f"    {line}\n" for line in lines) + ROLES


@pytest.mark.parametrize("method", [*METHODS, "tasks/get", "", None, 7, ["roots/list"]])
def test_nothing_is_open_unless_the_policy_says_so(method):
    assert NOTHING_OPEN.fault(method, {}) == f"{kind_of(method)}_not_open"
    assert load(server()).servers["db"].asks == NOTHING_OPEN


@pytest.mark.parametrize(("method", "kind"), METHODS.items())
def test_what_is_open_passes_and_nothing_beside_it(method, kind):
    opened = load(server(f"server_requests: [{kind}]")).servers["db"].asks
    assert [each for each in METHODS if opened.fault(each, {}) is None] == [method]
    assert opened.fault("tasks/list", {}) == "other_not_open"


def test_a_ping_always_passes():
    assert NOTHING_OPEN.fault("ping", None) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://login.example.com",
        "https://login.example.com/",
        "HTTPS://Login.Example.COM/a?b=c#d",
        "https://login.example.com:443/@evil.example.com",
        "https://pay.example.com:8443/x",
        "http://127.0.0.1:8080/x",
        "https://127.0.0.1:8080/x",
        "http://[::1]/",
        "http://[::1]:80/",
    ],
)
def test_a_url_passes_where_its_host_is_open(url):
    assert LOGIN.fault("elicitation/create", {"mode": "url", "url": url}) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example.com/",
        "https://login.example.com:8443/",
        "https://pay.example.com/",
        "https://evil.example.com/login.example.com",
        "https://login.example.com.evil.com/",
        "https://evil-login.example.com/",
        "https://login.example.com@evil.com/",
        "https://login.example.com:x@evil.com/",
        "https://user@login.example.com/",
        "https://login.example.com\\@evil.com/",
        "https://login.example.com\\.evil.com/",
        "https:\\\\login.example.com/",
        "https:/login.example.com/",
        "https:login.example.com/",
        "//login.example.com/",
        "https://login.example.com./",
        "https://login%2eexample.com/",
        "https://login\u3002example.com/",
        "https://l\u043egin.example.com/",
        " https://login.example.com/",
        "https://login.example.com/ x",
        "https://login.example.com/\n",
        "https://login.ex\tample.com/",
        "https://login.example.com:/",
        "https://login.example.com:0443/",
        "http://127.0.0.1/",
        "http://127.1:8080/",
        "javascript:alert(1)//https://login.example.com/",
        "data:text/html,https://login.example.com/",
        "file://login.example.com/",
        "https://\u212aogin.example.com/",
        "",
        None,
        7,
        ["https://login.example.com/"],
    ],
)
def test_a_url_to_any_other_host_does_not_pass(url):
    assert LOGIN.fault("elicitation/create", {"mode": "url", "url": url}) == "host_not_open"
    assert EVERYTHING.fault("elicitation/create", {"mode": "url", "url": url}) == "host_not_open"


def test_a_form_is_no_url_and_a_url_no_form():
    assert EVERYTHING.fault("elicitation/create", {"message": "m", "requestedSchema": {}}) is None
    assert EVERYTHING.fault("elicitation/create", {"mode": "form"}) is None
    assert LOGIN.fault("elicitation/create", {"mode": "form"}) == "elicitation_not_open"
    for params in ({"url": "https://login.example.com/"}, {"mode": "form", "url": "https://login.example.com/"}):
        assert LOGIN.fault("elicitation/create", params) == "host_not_open", "what some client takes for a URL"
    assert EVERYTHING.fault("elicitation/create", {"mode": "new"}) == "host_not_open"
    assert place_of({"mode": "url", "url": "https://a.example.com:444/"}) == "a.example.com:444"


@pytest.mark.parametrize(
    ("opened", "told", "kept"),
    [
        (NOTHING_OPEN, {"sampling": {}, "roots": {}, "elicitation": {}, "tasks": {}}, {}),
        (
            NOTHING_OPEN,
            {"elicitation": {"form": {}, "url": {}}, "experimental": {"a": {}}},
            {"experimental": {"a": {}}},
        ),
        (EVERYTHING, {"sampling": {"tools": {}}, "roots": {}, "elicitation": {}}, None),
        (EVERYTHING, {"elicitation": {"form": {}, "url": {}}}, {"elicitation": {"form": {}}}),
        (EVERYTHING, {"elicitation": {"url": {}}}, {}),
        (LOGIN, {"elicitation": {"form": {}, "url": {}}}, {"elicitation": {"url": {}}}),
        (LOGIN, {"elicitation": {"url": {}}}, None),
        (LOGIN, {"elicitation": {}}, {}),
        (LOGIN, {"elicitation": {"form": {}}, "sampling": {}}, {}),
        (EVERYTHING, {"elicitation": 7}, {"elicitation": {}}),
        (NOTHING_OPEN, {}, None),
    ],
)
def test_a_server_learns_only_of_capabilities_that_are_open(opened, told, kept):
    announced = opened.announced(told)
    assert announced == (told if kept is None else kept)
    assert (announced is told) == (kept is None)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("server_requests: [sampeling]", "is none of"),
        ("server_requests: []", "must be a list that is not empty"),
        ("server_requests: sampling", "must be a list"),
        ("elicitation_hosts: [https://login.example.com]", "is no host"),
        ("elicitation_hosts: [Login.example.com]", "is no host"),
        ("elicitation_hosts: ['*.example.com']", "is no host"),
        ("elicitation_hosts: [a@b]", "is no host"),
        ("elicitation_hosts: [login.example.com/x]", "is no host"),
        ("elicitation_hosts: [a.example.com, a.example.com]", "stands twice"),
    ],
)
def test_a_mistake_is_named_with_its_line(line, what):
    (found,) = problems(server(line))
    assert what in found.what
    assert found.line == 8


def test_hosts_are_read_as_they_are_written():
    policy = load(server("elicitation_hosts: [login.example.com, '127.0.0.1:8080', '[::1]']"))
    assert policy.servers["db"].asks.hosts == {"login.example.com", "127.0.0.1:8080", "[::1]"}
