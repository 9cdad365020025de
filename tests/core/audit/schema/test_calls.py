"""What the schema says of a tool that calls others: calls inside of calls, as deep as they are read, and no deeper."""

from jsonschema import Draft202012Validator

from extproc.core.audit.schema.calls import CALLS
from extproc.core.limits import MAX_CALL_DEPTH

SCHEMA = Draft202012Validator(CALLS["decision"][2]["calls"])


def nested(depth):
    inner = {"calls": nested(depth - 1)} if depth else {}
    tool = {"server": "hub", "tool": "call_tool", **inner}
    return {"verb": "query", "parsed": True, "fault": None, "tools": [tool]}


def test_calls_are_described_to_the_depth_to_which_they_are_read():
    assert SCHEMA.is_valid(nested(0))
    assert SCHEMA.is_valid(nested(MAX_CALL_DEPTH))
    assert not SCHEMA.is_valid(nested(MAX_CALL_DEPTH + 1))


def test_a_call_says_its_server_and_its_tool_and_nothing_else():
    assert not SCHEMA.is_valid(nested(0) | {"tools": [{"tool": "x"}]})
    assert not SCHEMA.is_valid(nested(0) | {"tools": [{"server": "s", "tool": "x", "arguments": {}}]})
