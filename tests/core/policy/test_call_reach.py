"""Tools that call nothing, or past the mode of a server, do not load."""

import pytest

from policies import HEAD, load, problems

ROLES = "roles:\n  reader: {assigned_to: {groups: [readers]}, grants: [{servers: [hub]}]}\n"


def text(hub="", other="", *, calls="{tool: name}", top=""):
    tools = f"{{call: {{verb: calls, calls: {calls}}}, echo: {{verb: query}}}}"
    return f"{HEAD}{top}servers:\n  hub:\n    tools: {tools}\n{hub}  other:\n    tools: {{list: {{verb: query}}}}\n{other}{ROLES}"


@pytest.mark.parametrize(
    ("policy", "what", "fix"),
    [
        (text(calls="{tool: name, on: othre}"), "there is no server `othre`", "`hub`, `other`"),
        (
            text().replace(", echo: {verb: query}", ""),
            "`call` can call nothing: there is no other tool on `hub`",
            "`tools`",
        ),
        (
            text(calls="{tool: name, on: other}").replace("tools: {list: {verb: query}}", "audience: aud"),
            "`call` can call nothing: there is no other tool on `other`",
            "Declare",
        ),
        (
            text(calls="{tool: name, on: other}", other="    mode: shadow\n"),
            "calls tools of server `other`, which is in another mode than `hub`",
            "same `mode`",
        ),
        (text(calls="{tool: name, server: s}", hub="    mode: shadow\n"), "in another mode", "same `mode`"),
        (
            text(calls="{tool: name, server: s}", other="    mode: enforce\n", top="mode: shadow\n"),
            "in another mode",
            "",
        ),
    ],
)
def test_what_calls_nothing_or_past_a_mode_does_not_load(policy, what, fix):
    (problem,) = problems(policy)
    assert what in problem.what
    assert fix in problem.fix
    assert (problem.line, problem.column) > (1, 1)


@pytest.mark.parametrize(
    "policy",
    [
        text(),
        text(other="    mode: shadow\n"),
        text(calls="{tool: name, server: s}", hub="    mode: shadow\n", other="    mode: shadow\n"),
        text(hub="    unlisted_tools: query\n").replace(", echo: {verb: query}", ""),
    ],
)
def test_what_calls_something_loads(policy):
    assert load(policy).servers["hub"].calls
    assert not load(policy).servers["other"].calls
