from msgspec.structs import replace

from asked import ALICE, message, tool
from extproc.core.model import Verb
from extproc.core.policy import decide
from policies import GOOD, HEAD, load


def test_a_hidden_and_a_missing_tool_are_refused_in_the_same_words() -> None:
    policy = load(GOOD)
    hidden = decide.judge(policy, ALICE, "db", message(tool("update")))
    missing = decide.judge(policy, ALICE, "db", message(tool("upgrade")))
    assert hidden.message.replace("update", "upgrade") == missing.message
    assert replace(hidden, message="", verb=Verb.ADMIN) == replace(missing, message="", verb=Verb.ADMIN)


LEAKY = (
    HEAD
    + """\
servers:
  db:
    tools: {query: {verb: query}, secret: {verb: admin}}
roles:
  reader:
    assigned_to: {groups: [readers]}
    grants: [{servers: [db], verbs: [query]}, {servers: [db], tools: [secret], when: '"x" in principal.groups'}]
deny:
  - {name: by-verb, servers: [db], verbs: [admin]}
  - {name: by-word, servers: [db], when: verb == "admin"}
  - {name: by-name, servers: [db], tools: ["secre*"]}
"""
)


def test_no_deny_rule_tells_a_hidden_tool_from_a_missing_one() -> None:
    policy = load(LEAKY)
    for hidden, missing in (("secret", "secrex"), ("secret", "secret2")):
        told = [decide.judge(policy, ALICE, "db", message(tool(name))) for name in (hidden, missing)]
        assert {decision.rule for decision in told} == {"deny:by-name"}
        assert told[0].message.replace(hidden, missing) == told[1].message
    unnamed = load(LEAKY.replace('  - {name: by-name, servers: [db], tools: ["secre*"]}\n', ""))
    assert {decide.judge(unnamed, ALICE, "db", message(tool(name))).rule for name in ("secret", "other")} == {"default"}
