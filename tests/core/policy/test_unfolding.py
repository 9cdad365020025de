"""What arguments say that a tool would call: all of them fit the declaration, or none is a call."""

import json

import pytest

from extproc.core.limits import MAX_INNER_CALLS
from extproc.core.policy.unfolding import Told, unfold
from policies import HEAD, load

TOOLS = {
    "call": "{tool: name, arguments: arguments}",
    "bare": "{tool: name}",
    "batch": "{tool: calls.*.name, arguments: calls.*.arguments, other: [calls.*.id, note]}",
    "stages": "{tool: stages.*.calls.*.name}",
    "rpc": "{tool: request.@json.params.name, arguments: request.@json.params.arguments,"
    " fixed: {request.@json.jsonrpc: '2.0', request.@json.method: tools/call}, other: [request.@json.id]}",
    "rpcs": "{tool: requests.*.@json.name}",
    "route": "{server: to.server, tool: to.tool, arguments: input.@json}",
    "routes": "{server: server, tool: calls.*.tool}",
    "names": "{tool: names.*}",
    "fixed": "{on: other, tool: tool}",
}
POLICY = load(
    HEAD
    + "servers:\n  other: {unlisted_tools: query}\n  hub:\n    unlisted_tools: query\n    tools:\n"
    + "".join(f"      {name}: {{verb: calls, calls: {calls}}}\n" for name, calls in TOOLS.items())
    + "roles:\n  reader: {assigned_to: {groups: [readers]}, grants: [{servers: [hub]}]}\n"
)


def told(tool, arguments):
    return unfold(POLICY.servers["hub"].inspections.exact[tool].shape, arguments)


def rpc(**more):
    return {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "run", "arguments": {"a": 1}}} | more


@pytest.mark.parametrize(
    ("tool", "arguments", "calls"),
    [
        ("call", {"name": "run", "arguments": {"a": [1]}}, [(None, "run", {"a": [1]})]),
        ("call", {"name": "run"}, [(None, "run", {})]),
        ("bare", {"name": "run"}, [(None, "run", {})]),
        (
            "batch",
            {"calls": [{"name": "a", "arguments": {"x": 1}}, {"id": {}, "name": "b"}], "note": ["any"]},
            [(None, "a", {"x": 1}), (None, "b", {})],
        ),
        (
            "stages",
            {"stages": [{"calls": [{"name": "a"}, {"name": "b"}]}, {"calls": [{"name": "c"}]}]},
            [(None, "a", {}), (None, "b", {}), (None, "c", {})],
        ),
        ("rpc", {"request": json.dumps(rpc())}, [(None, "run", {"a": 1})]),
        ("rpcs", {"requests": ['{"name":"a"}', '{"name":"b"}']}, [(None, "a", {}), (None, "b", {})]),
        ("route", {"to": {"server": "s", "tool": "t"}, "input": '{"q":"x"}'}, [("s", "t", {"q": "x"})]),
        ("route", {"to": {"server": "s", "tool": "t"}}, [("s", "t", {})]),
        ("routes", {"server": "s", "calls": [{"tool": "a"}, {"tool": "b"}]}, [("s", "a", {}), ("s", "b", {})]),
        ("names", {"names": ["a", "b"]}, [(None, "a", {}), (None, "b", {})]),
        ("fixed", {"tool": "t"}, [("other", "t", {})]),
    ],
)
def test_what_fits_is_each_call_in_its_order(tool, arguments, calls):
    assert told(tool, arguments) == tuple(Told(server=s, tool=t, arguments=a) for s, t, a in calls)


SECRET = "hunter2"


@pytest.mark.parametrize(
    ("tool", "arguments", "why"),
    [
        ("call", {}, "`name` is missing"),
        ("call", {"arguments": {}}, "`name` is missing"),
        ("call", {"name": None}, "`name` must be a text"),
        ("call", {"name": ["run"]}, "`name` must be a text"),
        ("call", {"name": ""}, "`name` must be a text"),
        ("call", {"name": "n" * 5000}, "nor too long"),
        ("call", {"name": "run", "arguments": None}, "`arguments` must be an object"),
        ("call", {"name": "run", "arguments": []}, "`arguments` must be an object"),
        ("call", {"name": "run", "arguments": json.dumps({"a": SECRET})}, "`arguments` must be an object"),
        # somebody may read another member as the call
        ("call", {"name": "echo", "tool": SECRET}, "may have only the members `name`, `arguments`"),
        ("call", {"name": "echo", "Name": SECRET}, "may have only the members"),
        ("call", {"name": "echo", "params": {"name": SECRET}}, "may have only the members"),
        ("batch", {"calls": [{"name": "echo", SECRET: 1}]}, "`calls.*` may have only the members"),
        ("bare", {"name": "run", "arguments": {}}, "may have only the members `name`"),
        ("batch", {}, "`calls` is missing"),
        ("batch", {"calls": []}, "`calls` must be a list that is not empty"),
        ("batch", {"calls": {"name": "run"}}, "`calls` must be a list"),
        ("batch", {"calls": "[]"}, "`calls` must be a list"),
        ("batch", {"calls": [["name"]]}, "`calls.*` must be an object"),
        ("batch", {"calls": [{"name": "a"}, {"id": 1}]}, "`calls.*.name` is missing"),
        ("batch", {"calls": [{"name": "a"}] * (MAX_INNER_CALLS + 1)}, "more than 64 calls"),
        ("stages", {"stages": [{"calls": [{"name": "a"}] * 40}] * 2}, "more than 64 calls"),
        ("stages", {"stages": [{}]}, "`stages.*.calls` is missing"),
        ("rpc", {"request": rpc()}, "`request` must be a text of JSON"),
        ("rpc", {"request": "{"}, "`request` must be a text of JSON"),
        ("rpc", {"request": '{"method":"tools/call","method":"tools/list"}'}, "with one reading"),
        ("rpc", {"request": json.dumps(rpc()).replace('"a": 1', '"a": 0.1000000000000000055511')}, "one reading"),
        ("rpc", {"request": "\ud800"}, "`request` must be a text of JSON"),
        ("rpc", {"request": json.dumps([rpc()])}, "`request.@json` must be an object"),
        ("rpc", {"request": json.dumps(rpc(method="tools/list"))}, "`request.@json.method` must be `tools/call`"),
        ("rpc", {"request": json.dumps({"params": {"name": "run"}})}, "`request.@json.jsonrpc` must be `2.0`"),
        ("rpc", {"request": json.dumps(rpc(jsonrpc=2.0))}, "`request.@json.jsonrpc` must be `2.0`"),
        ("names", {"names": ["a", {}]}, "`names.*` must be a text"),
        ("route", {"to": {"tool": "t"}}, "`to.server` must be a text"),
        ("route", {"to": {"server": 1, "tool": "t"}}, "`to.server` must be a text"),
        ("route", {"to": {"server": "s", "tool": "t"}, "input": "[1]"}, "`input.@json` must be an object"),
    ],
)
def test_what_does_not_fit_is_no_call_and_is_not_quoted(tool, arguments, why):
    said = told(tool, arguments)
    assert isinstance(said, str)
    assert why in said
    assert SECRET not in said
