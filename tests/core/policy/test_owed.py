"""What a message owes in masking: all rules that touch it, none for who is exempt, and for the record every one."""

import pytest

from extproc.core.masking import NO_MASKING, NO_MASKS, Masking
from extproc.core.model import Principal, ResourceKind, Target
from extproc.core.policy import decide
from named import recognise
from policies import GOOD, load

POLICY = GOOD.replace("  db:\n", "  other: {unlisted_tools: query}\n  db:\n    unlisted_tools: query\n").replace(
    "roles:\n",
    "roles:\n  fraud:\n    assigned_to: {groups: [fraud], workloads: ['spiffe://prod.example.com/fraud/*']}\n"
    "    grants: [{servers: [db]}]\n",
)
SERVER = Target(kind=ResourceKind.SERVER)
READER = Principal(issuer="https://idp", subject="ann", groups=frozenset({"readers"}))
BOTH = Principal(issuer="https://idp", subject="bob", groups=frozenset({"readers", "fraud"}))


def tool(name: str) -> Target:
    return Target(kind=ResourceKind.TOOL, name=name)


def owed(rules: str, *targets: Target, who: Principal = READER, server: str = "db") -> Masking:
    return decide.masking(load(POLICY + f"masking:\n{rules}"), who, server, targets or (SERVER,))


def rule(name: str, **members: str) -> str:
    entry = {"servers": "[db]", "detect": "[email]"} | members
    return f"  - {{name: {name}, " + ", ".join(f"{key.strip('_')}: {value}" for key, value in entry.items()) + "}\n"


def test_rules_touch_their_things_and_everything_where_they_name_none() -> None:
    rules = rule("all") + rule("query", tools="[query]") + rule("docs", resources="['doc://hr/*']")
    assert owed(rules, tool("query")).rules == ("all", "query")
    assert owed(rules, tool("update")).rules == ("all",)
    assert owed(rules, Target(kind=ResourceKind.RESOURCE, name="doc://hr/1")).rules == ("all", "docs")
    assert owed(rules, Target(kind=ResourceKind.PROMPT, name="doc://hr/1")).rules == ("all",)
    assert owed(rules, server="other") is NO_MASKING
    assert owed(rules, server="nowhere") is NO_MASKING


def test_what_is_about_the_whole_server_owes_every_rule() -> None:
    rules = rule("query", tools="[query]") + rule("docs", resources="['doc://hr/*']")
    assert owed(rules).rules == ("query", "docs")
    assert owed(rules, SERVER, tool("update")).rules == ("query", "docs")
    assert owed(rules, tool("update")) is NO_MASKING


@pytest.mark.parametrize("name", ["QUERY", "qu\u200bery", "quer\u0443"])
def test_a_thing_that_only_looks_like_the_one_that_is_named_is_touched_too(name: str) -> None:
    assert owed(rule("query", tools="[query]"), tool(name)).rules == ("query",)


def test_a_template_is_touched_where_it_could_become_what_is_named() -> None:
    rules = rule("docs", resources="['doc://hr/*']")
    assert owed(rules, Target(kind=ResourceKind.TEMPLATE, name="doc://{db}/{x}")).rules == ("docs",)
    assert owed(rules, Target(kind=ResourceKind.TEMPLATE, name="doc://sales/{x}")) is NO_MASKING


@pytest.mark.parametrize(
    ("entry", "who", "binds"),
    [
        ({"roles": "[reader]"}, READER, True),
        ({"roles": "[fraud]"}, READER, False),
        ({"except_": "{roles: [fraud]}"}, READER, True),
        ({"except_": "{roles: [fraud]}"}, BOTH, False),
        ({"except_": "{groups: [fraud]}"}, BOTH, False),
        ({"except_": "{subjects: [bob]}"}, BOTH, False),
        ({"except_": "{subjects: [{issuer: corp, subject: bob}]}"}, READER, True),
    ],
)
def test_a_rule_binds_whom_it_names_and_nobody_who_is_exempt(entry: dict, who: Principal, binds: bool) -> None:
    assert (owed(rule("pii", **entry), who=who).responses is not NO_MASKS) is binds


def test_for_the_record_every_rule_counts_for_everybody() -> None:
    masking = owed(rule("pii", except_="{roles: [fraud]}") + rule("cards", detect="[credit_card]"), who=BOTH)
    assert masking.rules == ("cards",)
    assert [each.rule for each in masking.recorded.detections] == ["pii", "cards"]


def test_a_caller_with_two_faces_is_exempt_only_where_both_are() -> None:
    def come(group: str, workload: str) -> Principal:
        return Principal(
            issuer="https://idp",
            subject="bob",
            groups=frozenset({group}),
            workload=f"spiffe://prod.example.com/{workload}",
        )

    for exception in ("{roles: [fraud]}", "{roles: [fraud], groups: [fraud], subjects: [bob]}"):
        rules = rule("pii", except_=exception)
        assert owed(rules, who=come("fraud", "agents/x")).rules == ("pii",)
        assert owed(rules, who=come("fraud", "fraud/x")).rules == ()
    assert owed(rule("pii", except_="{roles: [fraud]}"), who=come("readers", "fraud/x")).rules == ("pii",)


def test_directions_and_actions_go_apart() -> None:
    rules = (
        rule("in") + rule("out", on="requests", detect="[phone]") + rule("both", on="both", opaque="block")
        + rule("stop", on="both", action="block", detect="[jwt]", message="Never.", fields="[{path: $.token}]")
    )  # fmt: skip
    masking = owed(rules)
    assert masking.rules == ("in", "out", "both", "stop")
    assert [each.rule for each in masking.responses.detections] == ["in", "both", "stop"]
    assert masking.responses.blocks_opaque
    assert [each.rule for each in masking.requests.detections] == ["out", "both"]
    ((block),) = masking.blocks
    assert (block.rule, block.message, [each.rule for each in block.masks.fields]) == ("stop", "Never.", ["stop"])
    assert [each.rule for each in masking.recorded.detections] == ["in", "out", "both", "stop"]


def test_rules_together_keep_the_recogniser_that_one_of_them_wants() -> None:
    text = POLICY + "masking:\n" + rule("mails") + rule("names", detect="[place]") + rule("numbers", detect="[iban]")
    masking = decide.masking(load(text, recogniser=recognise), READER, "db", (SERVER,))
    assert masking.responses.recogniser is recognise
    assert masking.recorded.recogniser is recognise


def test_the_same_rules_make_the_same_masks_once() -> None:
    policy = load(POLICY + "masking:\n" + rule("a") + rule("b", detect="[phone]"))
    first = decide.masking(policy, READER, "db", (tool("query"),))
    second = decide.masking(policy, BOTH, "db", (SERVER,))
    assert first.responses is second.responses
    assert owed(rule("own", detect="[x]") + rule("two", detect="[x]") + "detectors: {x: {words: [y]}}\n").responses.own
