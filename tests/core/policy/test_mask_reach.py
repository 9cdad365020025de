"""A masking rule, an exception or a detector that can never matter does not load."""

import pytest

from policies import GOOD, load, problems

MORE = GOOD.replace("    tools: {query", "    unlisted_tools: deny\n    tools: {query").replace(
    "roles:\n",
    "  other: {tools: {ping: {verb: query}}}\nroles:\n"
    "  fraud:\n    assigned_to: {groups: [fraud]}\n    grants: [{servers: [db]}]\n",
)


def rule(entry: str) -> str:
    return MORE + f"masking: [{{name: pii, detect: [email], {entry}}}]\n"


@pytest.mark.parametrize(
    ("entry", "what", "fix"),
    [
        ("servers: [bd]", "there is no server `bd`", "`db`"),
        ("servers: [db], tools: [drop]", "`drop` matches no tool", "declare the tool"),
        ("servers: [db], resources: ['HTTP://X/*']", "never matches", "lower case"),
        ("servers: [db], roles: [raeder]", "there is no role `raeder`", "`reader`"),
        ("servers: [db], except: {roles: [nobody]}", "there is no role `nobody`", "`reader`"),
        ("servers: [other], roles: [reader]", "never masks for role `reader`", "another server"),
        ("servers: [db], roles: [fraud], except: {roles: [fraud]}", "masks for nobody", "Remove one"),
        ("servers: [db], except: {subjects: [{issuer: x, subject: s}]}", "no issuer named `x`", "`corp`"),
    ],
)
def test_what_never_happens_is_a_mistake(entry: str, what: str, fix: str) -> None:
    found = problems(rule(entry))
    assert len(found) == 1, "\n".join(map(str, found))
    assert what in found[0].what
    assert fix in found[0].fix


def test_a_detector_that_no_rule_uses_is_a_mistake() -> None:
    (found,) = problems(rule("servers: [db]") + "detectors:\n  own: {words: [x]}\n")
    assert (found.what, found.column) == ("no masking rule uses detector `own`", 3)


@pytest.mark.parametrize(
    "entry",
    [
        "servers: ['*']",
        "servers: [db], tools: ['q*']",
        "servers: [db], prompts: [anything]",
        "servers: [db], roles: [reader, fraud], except: {roles: [fraud]}",
        "servers: ['*'], roles: [reader]",
        "servers: [db], except: {subjects: [ann], groups: [anyone]}",
    ],
)
def test_what_can_happen_loads(entry: str) -> None:
    assert load(rule(entry)).servers["db"].masks


def test_without_roles_a_role_in_a_rule_is_told_to_be_declared() -> None:
    text = (
        MORE.partition("roles:")[0] + "roles: {}\nmasking: [{name: pii, servers: [db], detect: [email], roles: [x]}]\n"
    )
    assert any(each.fix == "Declare it under `roles`" for each in problems(text))
