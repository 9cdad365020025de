"""Lists and patterns over arguments: what is nested, missing or spelt otherwise falls on the safe side."""

import pytest

from extproc.core.model import Client, Effect, Era, Message, MessageKind, Principal, ResourceKind, Target, Verb
from extproc.core.policy.decide import judge, sees
from policies import HEAD, load, problems

RULES = """
servers: {db: {tools: {query: {verb: query}}}}
roles:
  r:
    assigned_to: {groups: [g]}
    grants: [{servers: [db]%s}]
"""
DENY = "deny: [{name: d, servers: [db], message: No., arguments: %s}]\n"
ANN = Principal(issuer="https://idp", subject="ann", groups=frozenset({"g"}))


def effect(text, arguments):
    return told(text, arguments).effect


def told(text, arguments):
    target = Target(kind=ResourceKind.TOOL, name="query")
    message = Message(
        kind=MessageKind.REQUEST,
        method="tools/call",
        era=Era.MODERN,
        revision="2026-07-28",
        verb=Verb.ADMIN,
        targets=(target,),
        arguments=arguments,
    )
    return judge(load(HEAD + text), ANN, "db", message)


def granted(rule, arguments):
    return effect(RULES % f", arguments: {rule}", arguments) is Effect.ALLOW


def denied(rule, arguments):
    return effect(RULES % "" + DENY % rule, arguments) is Effect.DENY


LISTED = [
    ("{schema: [sales]}", {"schema": "sales"}),
    ("{schema: [sales, 'hr_*']}", {"schema": "hr_eu"}),
    ("{filter.schema: [sales]}", {"filter": {"schema": "sales"}}),
    ("{schemas: [sales, hr]}", {"schemas": ["sales", "hr"]}),
    ("{items.schema: [sales]}", {"items": [{"schema": "sales"}, {"schema": "sales"}]}),
    ("{limit: ['5', 'true', 'null', '1.5']}", {"limit": [5, True, None, 1.5]}),
    ("{schema: {matches: ['[a-z]+']}}", {"schema": "sales"}),
    ("{schema: {matches: ['sal', '.*s']}}", {"schema": "sales"}),
    ("{'*': [schema, sales]}", {"schema": "sales"}),
]


@pytest.mark.parametrize(("rule", "arguments"), LISTED)
def test_what_is_listed_is_granted_and_denied(rule, arguments):
    assert granted(rule, arguments)
    assert denied(rule, arguments)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        ("{schema: [sales]}", {"schema": "SALES"}),
        ("{schema: [sales]}", {"schema": "sаles"}),  # noqa: RUF001 - a Cyrillic letter
        ("{schema: [sales]}", {"schema": "sa\u200bles"}),
        ("{schema: [sales]}", {"schema": ["hr", "sales"]}),
        ("{schema: [sales]}", {"schema": {"a": "sales"}}),
        ("{schema: [sales]}", {"schema": {"sales": 1}}),
        ("{schema: [sales]}", {"schema": [["sales"], 1]}),
        ("{schema: [sales]}", {"Schema": "sales"}),
        ("{schema: [sales]}", {"schema": "sales", "SCHEMA": "hr"}),
        ("{schema: [sales]}", {"schema": "hr", "SCHEMA": "sales"}),
        ("{items.schema: [sales]}", {"items": [{"schema": "sales"}, {}]}),
        ("{schema: {matches: [ale]}}", {"schema": "sales"}),
        ("{schema: {matches: [sales]}}", {"schema": "SALES"}),
        ("{'*': [sales]}", {"schema": {"deep": ["sales"]}}),
    ],
)
def test_what_is_only_partly_that_is_denied_and_not_granted(rule, arguments):
    assert not granted(rule, arguments)
    assert denied(rule, arguments)


@pytest.mark.parametrize(
    ("rule", "arguments"),
    [
        ("{schema: [sales]}", {}),
        ("{schema: [sales]}", {"schema": "hr"}),
        ("{schema: [sales]}", {"schema": []}),
        ("{schema: [sales]}", {"other": "sales"}),
        ("{filter.schema: [sales]}", {"filter": "sales"}),
        ("{filter.schema: [sales]}", {"filter": {}}),
        ("{schema: {matches: ['^s$']}}", {"schema": "sales"}),
        ("{'*': [sales]}", {}),
    ],
)
def test_what_is_not_listed_is_neither_denied_nor_granted(rule, arguments):
    assert not granted(rule, arguments)
    assert not denied(rule, arguments)


def test_all_named_arguments_count_together():
    rule = "{schema: [sales], mode: [raw]}"
    assert granted(rule, {"schema": "sales", "mode": "raw"})
    assert not granted(rule, {"schema": "sales", "mode": "safe"})
    assert denied(rule, {"schema": "sales", "mode": "raw"})
    assert not denied(rule, {"schema": "sales", "mode": "safe"})


def test_a_condition_counts_as_well():
    text = RULES % ", arguments: {schema: [sales]}, when: arguments.limit < 10"
    assert effect(text, {"schema": "sales", "limit": 5}) is Effect.ALLOW
    assert effect(text, {"schema": "sales", "limit": 50}) is Effect.DENY
    assert effect(text, {"schema": "hr", "limit": 5}) is Effect.DENY


def test_a_refusal_names_the_arguments_and_nothing_that_is_in_them():
    said = told(RULES % "" + DENY % "{schema: [secret-thing]}", {"schema": "secret-thing"}).message
    assert said == 'The tool "query" on server "db" was refused by rule `deny:d` (arguments: schema). No.'
    said = told(RULES % ", arguments: {schema: [sales]}", {"schema": "secret-thing"}).message
    assert "the condition of rule `role:r#1` is not met (arguments: schema)." in said
    assert "secret-thing" not in said


@pytest.mark.parametrize("text", [RULES % ", arguments: {schema: [sales]}", RULES % "" + DENY % "{schema: [sales]}"])
def test_a_tool_that_some_arguments_may_be_given_to_is_listed(text):
    assert sees(load(HEAD + text), ANN, "db", Client(), ResourceKind.TOOL, "query")
    assert sees(load(HEAD + text), ANN, "db", Client(), ResourceKind.SERVER, "")


@pytest.mark.parametrize(
    ("rule", "what"),
    [
        ("[]", "`arguments` of a deny rule must be a mapping"),
        ("{}", "`arguments` of a deny rule must be a mapping"),
        ("{schema: []}", "argument `schema` of a deny rule must be a list that is not empty"),
        ("{schema: sales}", "argument `schema` of a deny rule must be a mapping"),
        ("{schema: [5]}", "must be text"),
        ("{schema: {matches: []}}", "must be a list that is not empty"),
        ("{schema: {matches: ['(']}}", "the pattern is not valid RE2"),
        ("{schema: {like: [x]}}", "unknown key `like`"),
        ("{a..b: [x]}", "`a..b` is no path to an argument"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_its_place(rule, what):
    found = problems(HEAD + RULES % "" + DENY % rule)
    assert [each for each in found if what in each.what], found
    assert {each.line for each in found} == {11}
