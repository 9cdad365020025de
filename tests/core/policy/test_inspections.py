import pytest

from extproc.core.access import Facts, ShellFacts
from extproc.core.model import Client, Effect, Era, Message, MessageKind, Principal, ResourceKind, Target, Verb
from extproc.core.policy.decide import judge, sees
from extproc.core.policy.explain import explain
from extproc.core.policy.inspections import Inspection, argument, inspection_of
from policies import HEAD, load, problems

SERVERS = """\
servers:
  db:
    tools: {run: {verb: shell, shell: {argument: options.command}}, "sh_*": {verb: shell}, list: {verb: query}}
"""
ROLES = """\
roles:
  reader:
    assigned_to: {groups: [readers]}
    grants: [{servers: [db], verbs: [query]}]
  builder:
    assigned_to: {groups: [builders]}
    grants: [{servers: [db], tools: [run], when: "!shell.network && shell.commands.all(c, c in [\'make\', \'rm\'])"}]
"""
DENY = """\
deny: [{name: no-destruction, servers: ["*"], when: shell.destructive, message: Ask first.}]
"""
POLICY = load(HEAD + SERVERS + ROLES + DENY)
LS = ShellFacts(verb=Verb.QUERY, parsed=True, commands=("ls",))
MAKE = ShellFacts(verb=Verb.MUTATE, parsed=True, commands=("make",))
RM = ShellFacts(
    verb=Verb.ADMIN, parsed=True, commands=("rm",), destructive=True, findings=("rm -r on /",), writes=("/",)
)
NONSENSE = ShellFacts(verb=Verb.ADMIN, parsed=False, findings=("a command that could not be read",))


def who(*groups):
    return Principal(issuer="https://idp", subject="ann", groups=frozenset(groups))


def call(tool="run"):
    return Message(
        kind=MessageKind.REQUEST,
        method="tools/call",
        era=Era.MODERN,
        revision="2026-07-28",
        verb=Verb.QUERY,
        targets=(Target(kind=ResourceKind.TOOL, name=tool),),
    )


def decided(facts, *groups, tool="run", policy=POLICY):
    return judge(policy, who(*groups), "db", call(tool), facts=Facts(shell=facts))


def test_a_call_has_the_verb_of_its_command():
    assert decided(LS, "readers").effect is Effect.ALLOW
    assert (decided(LS, "readers").verb, decided(MAKE, "readers").verb) == (Verb.QUERY, Verb.MUTATE)
    assert decided(MAKE, "readers").effect is Effect.DENY


def test_a_command_of_which_nothing_is_known_is_the_worst():
    assert decided(None, "readers").verb is Verb.ADMIN
    assert decided(NONSENSE, "readers").effect is Effect.DENY


def test_a_refusal_says_what_was_found_and_what_is_allowed():
    message = decided(MAKE, "readers").message
    assert "this is mutate" in message
    assert "rule `role:reader#1` allows query" in message
    assert "(rm -r on /)" in decided(RM, "builders").message
    assert "Ask first." in decided(RM, "builders").message


def test_a_condition_over_facts_decides():
    assert decided(MAKE, "builders").effect is Effect.ALLOW
    assert decided(LS, "builders").effect is Effect.DENY
    assert decided(ShellFacts(verb=Verb.MUTATE, parsed=True, commands=("make",), network=True), "builders").effect is (
        Effect.DENY
    )


def test_a_deny_rule_over_facts_concerns_only_calls_that_have_them():
    assert decided(None, "readers", tool="list").effect is Effect.ALLOW
    assert decided(RM, "builders").rule == "deny:no-destruction"


def test_a_deny_rule_over_facts_holds_for_what_could_not_be_read():
    assert decided(NONSENSE, "builders").rule == "deny:no-destruction"


def test_an_inspected_tool_is_listed_where_some_command_could_be_allowed():
    for groups in (["readers"], ["builders"]):
        assert sees(POLICY, who(*groups), "db", Client(), ResourceKind.TOOL, "run")
    assert not sees(POLICY, who("nobody"), "db", Client(), ResourceKind.TOOL, "run")


def test_explain_judges_by_the_same_facts():
    assert explain(POLICY, who("readers"), "db", call(), facts=Facts(shell=LS)).decision.effect is Effect.ALLOW
    assert explain(POLICY, who("readers"), "db", call(), facts=Facts(shell=MAKE)).decision.effect is Effect.DENY


def test_the_policy_says_which_argument_is_the_command():
    inspections = POLICY.servers["db"].inspections
    assert inspection_of(inspections, "run") == Inspection(kind="shell", path=("options", "command"))
    assert inspection_of(inspections, "sh_x") == Inspection(kind="shell", path=("command",))
    assert inspection_of(inspections, "list") is None
    assert argument({"options": {"command": "ls"}}, ("options", "command")) == "ls"
    assert argument({"options": 1}, ("options", "command")) is None


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (
            "verb: shell, shell: {argument: options.command}",
            "verb: query, shell: {argument: c}",
            "without `verb: shell`",
        ),
        ("argument: options.command", "argument: options..command", "has an empty step"),
        ("{argument: options.command}", "{}", "has no `argument`"),
        ("verb: shell, shell: {argument: options.command}", "verb: sql", "is not supported yet"),
        ("verb: shell", "verb: query", "no tool there has `verb: shell`"),
    ],
)
def test_an_inspection_that_is_not_one_does_not_load(old, new, what):
    text = (HEAD + SERVERS + ROLES + DENY).replace(old, new)
    if "query" in new and "shell:" not in new:
        text = text.replace(", shell: {argument: options.command}", "")
    assert what in "\n".join(map(str, problems(text)))
