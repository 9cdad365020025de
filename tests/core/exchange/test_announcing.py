"""A server learns of its client's capabilities what the policy opens, and of the rest nothing."""

import json

import pytest

from extproc.core.exchange.announcing import Announced, announced
from extproc.core.model import Era, Message, MessageKind, Verb
from extproc.core.policy.server_requests import ServerRequests
from script import ASKING, POLICY, Script, asked, call, legacy, modern, reply

EVERYTHING = {
    "sampling": {},
    "roots": {"listChanged": True},
    "elicitation": {"form": {}, "url": {}},
    "experimental": {},
}
CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"
SHADOW = "mode: shadow\n" + POLICY


def handshake(capabilities):
    return legacy("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}})


def tool(capabilities):
    return modern("tools/call", {"name": "echo", "arguments": {"a": 1}, "_meta": {CAPABILITIES: capabilities}})


@pytest.mark.parametrize("request_of", [handshake, tool])
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (POLICY, {"experimental": {}}),
        (ASKING, {**EVERYTHING, "elicitation": {"form": {}}}),
        (SHADOW, None),
    ],
)
def test_what_is_not_open_is_taken_out_of_what_the_client_announces(request_of, text, kept):
    headers, body = request_of(EVERYTHING)
    forward = Script(text).forwarded((headers, body))
    if kept is None:
        assert forward.body is None
        return
    expected = json.loads(body)
    params = expected["params"]
    (params if "capabilities" in params else params["_meta"]).update(
        {"capabilities" if "capabilities" in params else CAPABILITIES: kept}
    )
    assert json.loads(forward.body) == expected


@pytest.mark.parametrize("request_of", [handshake, tool])
@pytest.mark.parametrize("capabilities", [{}, {"experimental": {"x": {}}}])
def test_a_message_that_announces_nothing_of_it_is_left_as_it_is(request_of, capabilities):
    assert Script().forwarded(request_of(capabilities)).body is None


@pytest.mark.parametrize("told", [None, 7, [], "sampling"])
def test_what_is_no_announcement_is_nobodys(told):
    message = Message(
        kind=MessageKind.REQUEST,
        method="initialize",
        era=Era.LEGACY,
        revision="2025-11-25",
        verb=Verb.QUERY,
        targets=(),
        params={"capabilities": told},
    )
    assert announced(message, ServerRequests()) == Announced(message=message)


def test_a_session_remembers_that_its_client_opens_urls_though_the_server_never_hears_of_it():
    script = asked(handshake({"elicitation": {"url": {}}}))
    session = script.response(reply({}), mcp_session_id="up-1")[0].headers["mcp-session-id"]
    headers, body = call("echo", era=legacy)
    later = asked((headers | {"mcp-session-id": session}, body))
    again = later.response(reply({}), mcp_session_id="up-1")[0].headers["mcp-session-id"]
    assert again == session, "a server that repeats its header does not make its client forget"
