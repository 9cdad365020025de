"""`verb: calls`: where in the arguments of a tool stands what it calls, and every way of saying that wrongly."""

import pytest

from extproc.core.policy.metatools import reached, scope_of
from policies import HEAD, load, problems

SERVERS = """\
servers:
  hub:
    tools:
      call_tool:
        verb: calls
        calls: {tool: name, arguments: arguments}
      echo: {verb: query}
  other: {tools: {list: {verb: query}}}
roles:
  reader: {assigned_to: {groups: [readers]}, grants: [{servers: [hub]}]}
"""
CALLS = "calls: {tool: name, arguments: arguments}"


def shape(calls):
    policy = load(HEAD + SERVERS.replace(CALLS, f"calls: {calls}"))
    return policy.servers["hub"].inspections.exact["call_tool"].shape


def test_paths_are_read_into_one_closed_tree():
    read = shape("{tool: calls.*.name, arguments: calls.*.args, other: [calls.*.id, note], fixed: {kind: batch}}")
    assert (read.tool, read.arguments) == (("calls", "*", "name"), ("calls", "*", "args"))
    assert read.fixed == ((("kind",), "batch"),)
    assert read.tree == {"calls": {"*": {"name": None, "args": None, "id": None}}, "kind": None, "note": None}
    assert (scope_of(read.tool), scope_of(("note",))) == (("calls", "*"), ())


def test_the_server_is_the_tools_own_a_fixed_one_or_what_an_argument_says():
    own, fixed, said = shape("{tool: a}"), shape("{tool: a, on: other}"), shape("{tool: l.*.a, server: b}")
    servers = ("hub", "other", "third")
    assert reached([own], "hub", servers) == ()
    assert reached([own, fixed], "hub", servers) == ("other",)
    assert reached([said], "hub", servers) == ("other", "third")
    assert load(HEAD + SERVERS).servers["hub"].reaches == ()


@pytest.mark.parametrize(
    ("calls", "place", "what", "fix"),
    [
        ("{arguments: a}", "7:16", "`calls` of tool `call_tool` has no `tool`", "Add `tool:`"),
        ("{tool: a, argument: b}", "7:26", "unknown key `argument`", "Did you mean `arguments`?"),
        ("{tool: 7}", "7:23", "`tool` of tool `call_tool` must be text", "quotes"),
        ("[a]", "7:16", "must be a mapping", "`tool`"),
        ("{tool: a..b}", "7:23", "`a..b` is no path to a member", "`calls.*.name`"),
        ("{tool: '@json.a'}", "7:23", "`@json.a` is no path to a member", "request.@json"),
        ("{tool: '*.name'}", "7:23", "`*.name` is no path to a member", "Write it like"),
        ("{tool: a.@json.@json.b}", "7:23", "is no path to a member", "Write it like"),
        ("{tool: a, arguments: a}", "7:37", "`a` and `a` name one place", "Correct one"),
        ("{tool: a, arguments: a.b}", "7:37", "one leads through the other", "Correct one"),
        ("{tool: a.*.b, arguments: a.c}", "7:41", "read one place as two kinds of value", "Correct one"),
        ("{tool: a.@json.b, arguments: a.*.c}", "7:45", "read one place as two kinds of value", "Correct one"),
        ("{tool: a.*.b, arguments: c}", "7:41", "stand in another list than `tool`", "last `*`"),
        ("{tool: a, server: b.*.c}", "7:34", "`server` of tool `call_tool` stands in a list", "beside `tool`"),
        ("{tool: a, fixed: {b.*.c: x}}", "7:33", "`fixed` of tool `call_tool` stands in a list", "beside `tool`"),
        ("{tool: a, fixed: {b: 2}}", "7:37", "`b` in `fixed` of tool `call_tool` must be text", "quotes"),
        ("{tool: a, other: [a]}", "7:34", "`a` and `a` name one place", "Correct one"),
        ("{tool: a, on: other, server: b}", "7:30", "has both `server` and `on`", "Remove one"),
    ],
)
def test_what_is_no_declaration_does_not_load(calls, place, what, fix):
    said = [str(each) for each in problems(HEAD + SERVERS.replace(CALLS, f"calls: {calls}"))]
    line, column = place.split(":")
    wanted = f"p.yaml:{int(line) + HEAD.count(chr(10)) - 1}:{column}: "
    assert any(each.startswith(wanted) and what in each and fix in each for each in said), said


def test_the_verb_and_the_key_belong_together():
    (missing,) = problems(HEAD + SERVERS.replace(CALLS, "").replace("verb: calls\n        \n", "verb: calls\n"))
    assert "does not say where its calls stand" in missing.what
    assert "tool: name" in missing.fix
    (extra,) = problems(HEAD + SERVERS.replace("verb: calls", "verb: query"))
    assert "has `calls` without `verb: calls`" in extra.what
