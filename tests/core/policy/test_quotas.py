from msgspec.structs import replace

from asked import ALICE, SERVER, message, tool, uri
from extproc.core.model import Principal, Quota, Target
from extproc.core.policy import decide
from policies import GOOD, LIMITS, load


def quotas(principal: Principal, *targets: Target) -> tuple[Quota, ...]:
    return decide.judge(load(LIMITS), principal, "db", message(*targets)).obligations.quotas


def test_an_allowed_call_must_fit_into_every_limit() -> None:
    found = quotas(ALICE, tool("query"))
    assert [(quota.rule, quota.calls, quota.seconds) for quota in found] == [
        ("limit#1", 60, 60),
        ("limit#2", 5, 10),
        ("limit#3", 1000, 3600),
    ]


def test_a_limit_per_tool_counts_tools_only_and_the_rest_of_the_protocol_is_not_counted() -> None:
    assert [quota.rule for quota in quotas(ALICE, uri("a://x"))] == ["limit#1", "limit#3"]
    assert quotas(ALICE, SERVER) == ()
    assert quotas(ALICE, tool("update")) == ()


def test_each_principal_tool_and_rule_has_its_own_count() -> None:
    pairs = [
        ("a", "bc"),
        ("ab", "c"),
        ("a,1:b", "c"),
        ("a", "1:b,c"),
        ("a:b", "c"),
        ("a", "b:c"),
        ("https://idp", "alice"),
    ]
    keys: list[str] = []
    for issuer, subject in pairs:
        who = replace(ALICE, issuer=issuer, subject=subject)
        found = quotas(who, tool("query"))
        keys += [quota.key for quota in found[:2]]
        assert found[2].key == quotas(ALICE, tool("query"))[2].key
    assert len(set(keys)) == len(keys)


def test_what_all_callers_share_is_taken_last_so_that_nobody_over_his_own_limit_uses_it_up() -> None:
    shared, own = (
        "  - {per: server, servers: [db], calls: 100/1m}\n",
        "  - {per: principal, servers: [db], calls: 5/1m}\n",
    )
    for limits in (shared + own, own + shared):
        policy = load(GOOD + "limits:\n" + limits)
        found = decide.judge(policy, ALICE, "db", message(tool("query"))).obligations.quotas
        assert [quota.calls for quota in found] == [5, 100]
