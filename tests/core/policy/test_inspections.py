import pytest

from extproc.core.access import Facts, ShellFacts, SqlFacts
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


EITHER = """\
deny: [{name: either, servers: ["*"], when: 'tool == "list" || shell.destructive'}]
"""


def test_a_deny_rule_over_facts_or_something_else_holds_for_a_call_without_facts_by_the_other_half():
    policy = load(HEAD + SERVERS.replace("list:", "count: {verb: query}, list:") + ROLES + EITHER)
    assert decided(None, "readers", tool="list", policy=policy).rule == "deny:either"
    assert decided(None, "readers", tool="count", policy=policy).effect is Effect.ALLOW
    assert decided(LS, "readers", policy=policy).effect is Effect.ALLOW
    (told,) = explain(policy, who("readers"), "db", call("list")).refusing
    assert (told.speaks, told.why.endswith("is true")) == (True, True)


def test_a_deny_rule_over_facts_or_an_argument_refuses_a_call_whose_argument_it_cannot_read():
    rule = EITHER.replace('tool == "list"', "arguments.rows > 1000")
    policy = load(HEAD + SERVERS + ROLES + rule)
    (told,) = explain(policy, who("readers"), "db", call("list")).refusing
    assert (told.speaks, "errors" in told.why) == (True, True)
    assert decided(None, "readers", tool="list", policy=policy).rule == "deny:either"


def test_a_grant_over_facts_or_something_else_gives_a_call_without_facts_the_other_half_alone():
    either = '\'tool == "list" || shell.commands == ["ls"]\''
    roles = ROLES.replace("verbs: [query]}", f"verbs: [query], when: {either}}}")
    policy = load(HEAD + SERVERS.replace("list:", "count: {verb: query}, list:") + roles)
    assert decided(None, "readers", tool="list", policy=policy).effect is Effect.ALLOW
    assert decided(None, "readers", tool="count", policy=policy).effect is Effect.DENY
    assert decided(LS, "readers", policy=policy).effect is Effect.ALLOW


def test_an_inspected_tool_is_listed_where_some_command_could_be_allowed():
    for groups in (["readers"], ["builders"]):
        assert sees(POLICY, who(*groups), "db", Client(), ResourceKind.TOOL, "run")
    assert not sees(POLICY, who("nobody"), "db", Client(), ResourceKind.TOOL, "run")


def test_explain_judges_by_the_same_facts():
    assert explain(POLICY, who("readers"), "db", call(), facts=Facts(shell=LS)).decision.effect is Effect.ALLOW
    assert explain(POLICY, who("readers"), "db", call(), facts=Facts(shell=MAKE)).decision.effect is Effect.DENY


def test_explain_says_that_a_rule_is_about_what_a_call_has_not():
    told = explain(POLICY, who("readers"), "db", call("list")).refusing
    assert [(one.speaks, one.why) for one in told] == [
        (False, "the condition `shell.destructive` is about shell, which this call has none of")
    ]
    assert "is true" in explain(POLICY, who("readers"), "db", call(), facts=Facts(shell=RM)).refusing[0].why


def test_the_policy_says_which_argument_is_the_command():
    inspections = POLICY.servers["db"].inspections
    assert inspection_of(inspections, "run") == Inspection(kind="shell", path=("options", "command"))
    assert inspection_of(inspections, "sh_x") == Inspection(kind="shell", path=("command",))
    assert inspection_of(inspections, "list") is None
    assert argument({"options": {"command": "ls"}}, ("options", "command")) == "ls"
    assert argument({"options": 1}, ("options", "command")) is None


def test_a_pattern_that_is_inspected_says_nothing_of_a_tool_that_is_declared_otherwise():
    tools = '"db_*": {verb: sql}, db_wipe: {verb: admin}, "db_old_*": {verb: mutate}, "*_run": {verb: shell}'
    servers = SERVERS.replace("list: {verb: query}", f"{tools}, list: {{verb: query}}")
    policy = load(HEAD + servers + ROLES)
    inspections = policy.servers["db"].inspections
    assert inspection_of(inspections, "db_x") == Inspection(kind="sql", path=("sql",))
    assert inspection_of(inspections, "db_wipe") is None
    assert inspection_of(inspections, "db_old_x") is None
    assert inspection_of(inspections, "other") is None
    read = Facts(sql=SqlFacts(verb=Verb.QUERY, parsed=True))
    for name, verb in (("db_x", Verb.QUERY), ("db_wipe", Verb.ADMIN), ("db_old_x", Verb.MUTATE)):
        assert judge(policy, who("readers"), "db", call(name), facts=read).verb is verb


def test_of_two_patterns_of_one_length_the_inspected_one_counts():
    tools = '"a_*": {verb: query}, "*_a": {verb: sql}'
    inspections = load(HEAD + SERVERS.replace("list:", f"{tools}, list:") + ROLES).servers["db"].inspections
    assert inspection_of(inspections, "a_a") == Inspection(kind="sql", path=("sql",))
    assert inspection_of(inspections, "a_b") is None


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (
            "verb: shell, shell: {argument: options.command}",
            "verb: query, shell: {argument: c}",
            "without `verb: shell`",
        ),
        ("argument: options.command", "argument: options..command", "has an empty step"),
        ("shell: {argument: options.command}", "shell: {dialect: mysql}", "`dialect`"),
        (
            "verb: shell, shell: {argument: options.command}",
            "verb: sql, sql: {dialect: postgresql}",
            "Did you mean `postgres`?",
        ),
        ("verb: shell", "verb: query", "no tool there has `verb: shell`"),
        ("shell.destructive", "shell.destructive || sql.drops", "about sql and shell at once, and no call has both"),
        ("shell.destructive", "sql.drops", "no tool there has `verb: sql`"),
    ],
)
def test_an_inspection_that_is_not_one_does_not_load(old, new, what):
    text = (HEAD + SERVERS + ROLES + DENY).replace(old, new)
    if "query" in new and "shell:" not in new:
        text = text.replace(", shell: {argument: options.command}", "")
    assert what in "\n".join(map(str, problems(text)))


SQL = load(
    HEAD
    + """\
servers:
  db:
    tools: {query: {verb: sql, sql: {argument: statements.*.sql, dialect: postgres}}, ask: {verb: sql}, list: {verb: query}}
roles:
  reader:
    assigned_to: {groups: [readers]}
    grants: [{servers: [db], verbs: [query], when: 'sql.tables.all(t, t.startsWith("sales."))'}]
  writer:
    assigned_to: {groups: [writers]}
    grants: [{servers: [db], verbs: [query, mutate]}]
deny: [{name: no-unbounded, servers: ["*"], when: sql.unbounded_write || sql.verb == "admin", message: Ask a steward.}]
"""
)
SALES = SqlFacts(verb=Verb.QUERY, parsed=True, tables=("sales.orders",))
STAFF = SqlFacts(verb=Verb.QUERY, parsed=True, tables=("hr.staff",))
UPDATE = SqlFacts(verb=Verb.MUTATE, parsed=True, tables=("sales.orders",), findings=("UPDATE on sales.orders",))
WIPE = SqlFacts(verb=Verb.MUTATE, parsed=True, unbounded_write=True, findings=("DELETE without WHERE on sales.orders",))
UNREAD = SqlFacts(verb=Verb.ADMIN, parsed=False, findings=("SQL that could not be read",))


def sql(facts, *groups):
    return judge(SQL, who(*groups), "db", call("query"), facts=Facts(sql=facts))


def test_the_verb_and_the_conditions_of_a_call_are_those_of_its_sql():
    assert sql(SALES, "readers").effect is Effect.ALLOW
    assert sql(STAFF, "readers").effect is Effect.DENY
    assert sql(UPDATE, "readers").effect is Effect.DENY
    assert "this is mutate (UPDATE on sales.orders)" in sql(UPDATE, "readers").message
    assert sql(UPDATE, "writers").effect is Effect.ALLOW
    assert sql(None, "writers").verb is Verb.ADMIN


@pytest.mark.parametrize("facts", [WIPE, UNREAD, SqlFacts(verb=Verb.ADMIN, parsed=True)])
def test_a_deny_rule_over_sql_holds_for_what_it_names_and_for_what_was_not_read(facts):
    verdict = sql(facts, "writers")
    assert verdict.rule == "deny:no-unbounded"
    assert "Ask a steward." in verdict.message
    assert all(finding in verdict.message for finding in facts.findings)


def test_a_deny_rule_over_sql_leaves_other_tools_alone():
    assert judge(SQL, who("writers"), "db", call("list")).effect is Effect.ALLOW


def test_the_policy_says_where_the_sql_stands_and_in_which_dialect():
    inspections = SQL.servers["db"].inspections
    assert inspection_of(inspections, "query") == Inspection(
        kind="sql", path=("statements", "*", "sql"), dialect="postgres"
    )
    assert inspection_of(inspections, "ask") == Inspection(kind="sql", path=("sql",))
    items = {"statements": [{"sql": "a"}, {"sql": "b"}, 3]}
    assert argument(items, ("statements", "*", "sql")) == ["a", "b", None]
    assert argument({"statements": ["a"]}, ("statements", "*")) == ["a"]
    assert argument({"statements": "a"}, ("statements", "*")) is None
