import pytest

from extproc.core.model import Client, Effect, Era, Message, MessageKind, Principal, ResourceKind, Target, Verb
from extproc.core.policy.decide import judge, sees
from extproc.core.policy.explain import explain
from extproc.core.tickets import ApprovalRule, Approvers
from policies import HEAD, load, problems

SERVERS = """\
servers:
  db:
    tools: {query: {verb: query}, update: {verb: mutate}, drop_table: {verb: admin}}
"""
GRANTS = """\
roles:
  reader:
    assigned_to: {groups: [readers]}
    grants: [{servers: [db], verbs: [query]}]
  steward:
    assigned_to: {groups: [stewards]}
    lend: {approval: schema-change, at_most: 1h}
    grants:
      - {servers: [db], verbs: [query, mutate]}
      - {servers: [db], verbs: [admin], approval: schema-change}
"""
APPROVALS = """\
approvals:
  schema-change: {approvers: {groups: [dba], subjects: [olga]}, quorum: 2, reason: required, expires_after: 5m}
"""
POLICY = load(HEAD + SERVERS + GRANTS + APPROVALS)
RULE = ApprovalRule(
    name="schema-change",
    approvers=Approvers(groups=frozenset({"dba"}), subjects=frozenset({("https://idp", "olga")})),
    quorum=2,
    reason_required=True,
    expires_after=300,
)


def who(*groups: str, lent: str = "") -> Principal:
    return Principal(
        issuer="https://idp", subject="ann", groups=frozenset(groups), lent=frozenset({lent}) if lent else frozenset()
    )


def call(*tools: str) -> Message:
    return Message(
        kind=MessageKind.REQUEST,
        method="tools/call",
        era=Era.MODERN,
        revision="2026-07-28",
        verb=Verb.QUERY,
        targets=tuple(Target(kind=ResourceKind.TOOL, name=tool) for tool in tools),
    )


def decided(principal: Principal, *tools: str, policy=POLICY):
    return judge(policy, principal, "db", call(*tools))


def test_a_call_under_an_approval_is_held_with_who_must_approve():
    decision = decided(who("stewards"), "drop_table")
    assert (decision.effect, decision.rule, decision.reason) == (Effect.HOLD, "role:steward#2", "approval_required")
    assert decision.approval == RULE


def test_a_call_that_another_grant_allows_is_not_held():
    assert decided(who("stewards"), "update").effect is Effect.ALLOW


def test_hold_is_stronger_than_allow_whatever_comes_first():
    both = GRANTS.replace("    grants: [{servers: [db], verbs: [query]}]", "    grants: [{servers: [db]}]")
    policy = load(HEAD + SERVERS + both + APPROVALS)
    assert decided(who("readers", "stewards"), "drop_table", policy=policy).effect is Effect.HOLD
    assert decided(who("readers"), "drop_table", policy=policy).effect is Effect.ALLOW


def test_deny_is_stronger_than_hold():
    deny = "deny: [{name: no-drops, servers: [db], tools: [drop_table]}]\n"
    policy = load(HEAD + SERVERS + GRANTS + APPROVALS + deny)
    assert decided(who("stewards"), "drop_table", policy=policy).effect is Effect.DENY


def test_the_strictest_of_several_things_counts():
    assert decided(who("stewards"), "query", "drop_table", "update").effect is Effect.HOLD
    assert decided(who("readers"), "query", "drop_table").effect is Effect.DENY


def test_two_things_that_want_different_approvals_are_not_run_on_one():
    grants = GRANTS.replace("verbs: [query, mutate]}", "verbs: [mutate], approval: writes}")
    policy = load(HEAD + SERVERS + grants + APPROVALS + "  writes: {approvers: {groups: [dba]}}\n")
    assert decided(who("stewards"), "update", policy=policy).approval.name == "writes"
    both = decided(who("stewards"), "update", "drop_table", policy=policy)
    assert (both.effect, both.reason) == (Effect.DENY, "two_approvals")


def test_what_may_be_approved_is_listed():
    assert sees(POLICY, who("stewards"), "db", Client(), ResourceKind.TOOL, "drop_table")
    assert not sees(POLICY, who("readers"), "db", Client(), ResourceKind.TOOL, "drop_table")


def test_a_role_on_loan_counts_like_a_role():
    assert decided(who("readers"), "update").effect is Effect.DENY
    assert decided(who("readers", lent="steward"), "update").effect is Effect.ALLOW
    assert decided(who("readers", lent="steward"), "drop_table").effect is Effect.HOLD


def test_a_role_says_who_lends_it_and_for_how_long():
    assert POLICY.lent["steward"].seconds == 3600
    assert POLICY.lent["steward"].approval == RULE
    assert "reader" not in POLICY.lent


def test_a_hold_is_shadowed_like_a_refusal():
    policy = load(HEAD + "mode: shadow\n" + SERVERS + GRANTS + APPROVALS)
    assert decided(who("stewards"), "drop_table", policy=policy).shadowed


def test_a_role_may_be_had_on_loan_alone():
    policy = load(HEAD + SERVERS + GRANTS.replace("    assigned_to: {groups: [stewards]}\n", "") + APPROVALS)
    assert decided(who(lent="steward"), "update", policy=policy).effect is Effect.ALLOW


def test_explain_names_the_grant_that_holds():
    explanation = explain(POLICY, who("stewards"), "db", call("drop_table"))
    assert any(finding.rule == "role:steward#2" and finding.speaks for finding in explanation.granting)


def test_the_defaults_are_one_approver_fifteen_minutes_and_a_short_hold():
    policy = load(HEAD + SERVERS + GRANTS + "approvals: {schema-change: {approvers: {roles: [dba]}}}\n")
    rule = policy.lent["steward"].approval
    assert (rule.quorum, rule.reason_required, rule.expires_after, rule.hold) == (1, False, 900, 50)


@pytest.mark.parametrize(
    ("approvals", "what"),
    [
        ("", "there is no approval `schema-change`"),
        ("approvals: {other: {approvers: {groups: [x]}}}\n", "there is no approval `schema-change`"),
        (APPROVALS + "  unused: {approvers: {groups: [x]}}\n", "approval `unused` is never asked for"),
        ("approvals: {schema-change: {quorum: 1}}\n", "approval `schema-change` has no `approvers`"),
        ("approvals: {schema-change: {approvers: {}}}\n", "names nobody, and nothing could be approved"),
        (APPROVALS.replace("quorum: 2", "quorum: 0"), "is no number of approvers"),
        (APPROVALS.replace("quorum: 2", "quorum: true"), "is no number of approvers"),
        (APPROVALS.replace("quorum: 2", "quorum: [1]"), "is no number of approvers"),
        (APPROVALS.replace("reason: required", "reason: yes"), "`reason` of approval `schema-change` is none of"),
        (APPROVALS.replace("expires_after: 5m", "hold: 10m"), "held for at most 300s"),
        (APPROVALS.replace("olga", "{issuer: nobody, subject: olga}"), "there is no issuer named `nobody`"),
    ],
)
def test_an_approval_that_cannot_be_given_does_not_load(approvals, what):
    assert what in "\n".join(map(str, problems(HEAD + SERVERS + GRANTS + approvals)))


@pytest.mark.parametrize(
    ("lend", "what"),
    [
        ("{approval: schema-change}", "has no `at_most`"),
        ("{at_most: 1h}", "has no `approval`"),
        ("{approval: none-such, at_most: 1h}", "there is no approval `none-such`"),
    ],
)
def test_a_loan_that_cannot_be_given_does_not_load(lend, what):
    text = GRANTS.replace("{approval: schema-change, at_most: 1h}", lend)
    assert what in "\n".join(map(str, problems(HEAD + SERVERS + text + APPROVALS)))
