from extproc.core.model import Effect, Era, Message, MessageKind, Principal, ResourceKind, Target, Verb
from extproc.core.policy.explain import Finding, explain, in_role
from policies import GOOD, HEAD, load

POLICY = load(
    HEAD
    + """\
servers:
  db:
    tools: {query: {verb: query}, drop: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts], roles: [an]}
    grants:
      - {servers: [db], tools: [query], when: arguments.rows < 10}
  steward:
    assigned_to: {groups: [stewards]}
    grants:
      - {servers: [db]}
deny:
  - {name: never, servers: [db], tools: [drop], when: arguments.table == "x"}
"""
)
ANALYST = Principal(issuer="https://idp", subject="a", groups=frozenset({"analysts"}))
STEWARD = Principal(issuer="https://idp", subject="s", groups=frozenset({"stewards"}))


def message(name: str = "", kind: ResourceKind = ResourceKind.TOOL, **arguments: object) -> Message:
    return Message(
        kind=MessageKind.REQUEST,
        method="tools/call",
        era=Era.MODERN,
        revision="2026-07-28",
        verb=Verb.MUTATE,
        targets=(Target(kind=kind, name=name),),
        arguments=arguments,
    )


def test_a_refusal_names_what_would_have_allowed_and_why_not() -> None:
    found = explain(POLICY, ANALYST, "db", message("query", rows=10))
    assert found.decision.rule == "role:analyst#1"
    assert found.granting == (
        Finding(rule="role:analyst#1", speaks=False, why="the condition `arguments.rows < 10` is false"),
        Finding(rule="role:steward#1", speaks=False, why="needs role `steward`"),
    )
    missing = explain(POLICY, ANALYST, "db", message("query"))
    assert "errors (a missing key or another type)" in missing.granting[0].why


def test_an_allow_names_the_rule_that_allows() -> None:
    found = explain(POLICY, STEWARD, "db", message("query"))
    assert found.decision.effect is Effect.ALLOW
    assert found.granting[1] == Finding(rule="role:steward#1", speaks=True, why="has no condition")
    assert found.roles == (frozenset({"steward"}),)


def test_deny_rules_are_shown_also_where_the_client_is_not_told() -> None:
    found = explain(POLICY, ANALYST, "db", message("drop", table="x"))
    assert found.decision.rule == "default"
    assert found.refusing == (
        Finding(rule="deny:never", speaks=True, why='the condition `arguments.table == "x"` is true'),
    )
    assert not explain(POLICY, STEWARD, "db", message("drop", table="y")).refusing[0].speaks


def test_a_tool_that_is_not_listed_is_noted() -> None:
    found = explain(POLICY, STEWARD, "db", message("other"))
    assert found.granting == ()
    assert "the tool `other` is not listed" in found.notes[0]


def test_somebody_without_a_role_and_an_unknown_server_are_noted() -> None:
    nobody = Principal(issuer="https://idp", subject="n")
    assert explain(POLICY, nobody, "db", message("query")).notes == ("the principal has no role",)
    assert explain(POLICY, nobody, "else", message("query")).notes == ("the policy has no server `else`",)


def test_a_question_on_the_server_lists_the_grants_that_open_it() -> None:
    found = explain(POLICY, ANALYST, "db", message(kind=ResourceKind.SERVER))
    assert [(one.rule, one.speaks) for one in found.granting] == [("role:analyst#1", True), ("role:steward#1", False)]


def test_shadow_mode_is_noted() -> None:
    shadowed = load("mode: shadow\n" + GOOD)
    note = "shadow mode: the refusal is recorded, and the call goes through"
    assert note in explain(shadowed, STEWARD, "db", message("query")).notes


def test_a_role_can_be_asked_for_by_name() -> None:
    found = in_role(POLICY, "analyst")
    assert found is not None
    policy, principal = found
    assert principal.groups == {"analysts"}
    assert principal.roles == {"an"}
    assert explain(policy, principal, "db", message("query", rows=1)).roles == (frozenset({"analyst"}),)
    assert in_role(POLICY, "nobody") is None


BY_ARGUMENTS = load(
    HEAD
    + """\
servers:
  db:
    tools: {query: {verb: query}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants:
      - {servers: [db], tools: [query], arguments: {database: [sales]}, when: arguments.rows < 10}
deny:
  - {name: no-payroll, servers: [db], arguments: {"*": {matches: [payroll]}}}
"""
)


def test_the_arguments_that_rules_name_are_judged_as_the_gateway_judges_them() -> None:
    fitting = explain(BY_ARGUMENTS, ANALYST, "db", message("query", database="sales", rows=1))
    assert fitting.decision.effect is Effect.ALLOW
    assert fitting.granting == (
        Finding(
            rule="role:analyst#1",
            speaks=True,
            why="argument `database` fits; the condition `arguments.rows < 10` is true",
        ),
    )
    assert fitting.refusing == (
        Finding(rule="deny:no-payroll", speaks=False, why="argument `*` has nothing of what the rule names"),
    )
    other = explain(BY_ARGUMENTS, ANALYST, "db", message("query", database="hr", rows=1))
    assert other.decision.effect is Effect.DENY
    assert not other.granting[0].speaks
    assert other.granting[0].why.startswith("argument `database` does not fit, or is missing; ")
    named = explain(BY_ARGUMENTS, ANALYST, "db", message("query", database="sales", note="the payroll"))
    assert named.decision.rule == "deny:no-payroll"
    assert named.refusing[0] == Finding(rule="deny:no-payroll", speaks=True, why="argument `*` has what the rule names")
