from typing import Any

import pytest

from extproc.core.access import AccessRequest
from extproc.core.limits import MAX_DEPTH
from extproc.core.model import Client, Principal, ResourceKind, Target, Verb
from extproc.core.policy.conditions import ANYTHING, PRINCIPAL, Condition, Fault, compile_condition, variables

REQUEST = AccessRequest(
    principal=Principal(
        issuer="https://idp",
        subject="alice",
        groups=frozenset({"b", "a"}),
        roles=frozenset({"r"}),
        claims={"level": 3, "nested": {"list": [1, {"x": "y"}]}},
        workload="spiffe://prod/a",
    ),
    server="db",
    method="tools/call",
    verb=Verb.MUTATE,
    target=Target(kind=ResourceKind.TOOL, name="update"),
    arguments={"n": 1, "f": 1.5, "s": "text", "nothing": None, "list": [1, 2]},
    client=Client(name="desk", version="1.0"),
    session_calls=7,
)


def condition(text: str) -> Condition:
    compiled = compile_condition(text)
    assert isinstance(compiled, Condition), compiled
    return compiled


def ask(text: str, request: AccessRequest = REQUEST, *, without: frozenset[str] = frozenset()) -> bool | None:
    compiled = condition(text)
    return compiled.holds(variables(request, compiled.names - without))


@pytest.mark.parametrize(
    "text",
    [
        'principal.subject == "alice" && principal.issuer == "https://idp"',
        '"a" in principal.groups && principal.roles == ["r"]',
        "principal.claims.level >= 3 && principal.claims.nested.list[1].x == 'y'",
        'principal.workload.startsWith("spiffe://prod/")',
        'server == "db" && method == "tools/call" && verb == "mutate"',
        'tool == "update" && prompt == "" && uri == ""',
        "arguments.n == 1 && arguments.n == 1.0 && arguments.f > 1.0 && arguments.nothing == null",
        "arguments.list.all(x, x < 3) && !has(arguments.missing)",
        'client.name == "desk" && client.version == "1.0" && session.calls == 7',
        'tool.lowerAscii().matches("^up") && arguments.s.matches(r"t.*t")',
        "tool == \"matches(\" || \"x\".matches('''x''')",
    ],
)
def test_every_variable_has_its_value(text: str) -> None:
    assert ask(text) is True


def test_prompt_and_uri_have_the_name_of_their_kind() -> None:
    def at(kind: ResourceKind) -> AccessRequest:
        target = Target(kind=kind, name="n")
        return AccessRequest(principal=REQUEST.principal, server="db", method="m", verb=Verb.QUERY, target=target)

    assert ask('prompt == "n" && tool == "" && uri == ""', at(ResourceKind.PROMPT))
    assert ask('uri == "n" && tool == "" && prompt == ""', at(ResourceKind.RESOURCE))
    assert ask('uri == "n"', at(ResourceKind.TEMPLATE))


@pytest.mark.parametrize(
    "text",
    [
        "arguments.missing == 1",
        "arguments.s > 1",
        "principal.claims.absent == 'x'",
        "arguments.list[5] == 1",
        "1 / (session.calls - 7) == 1",
    ],
)
def test_an_error_is_neither_true_nor_false(text: str) -> None:
    assert ask(text) is None


@pytest.mark.parametrize("bad", [2**64, -(2**70), "\ud800", (1, 2), {1}, object()])
def test_what_cel_cannot_hold_is_an_error_not_a_crash(bad: Any) -> None:
    request = AccessRequest(
        principal=REQUEST.principal,
        server="db",
        method="m",
        verb=Verb.QUERY,
        target=REQUEST.target,
        arguments={"bad": bad, "n": 1},
    )
    assert ask("arguments.n == 1", request) is None
    assert ask('tool == "update"', request) is True


def test_claims_nested_deeper_than_any_message_are_an_error_not_a_crash() -> None:
    def nested(depth: int) -> AccessRequest:
        claims: Any = {"x": 1}
        for level in range(depth - 1):
            claims = {"x": claims} if level % 2 else {"x": [claims]}
        principal = Principal(issuer="i", subject="s", claims=claims)
        return AccessRequest(principal=principal, server="db", method="m", verb=Verb.QUERY, target=REQUEST.target)

    assert ask("has(principal.claims.x)", nested(20)) is True
    assert ask("has(principal.claims.x)", nested(MAX_DEPTH * 200)) is None
    assert ask('principal.subject == "s"', nested(MAX_DEPTH * 200)) is True


def test_a_loop_that_runs_away_is_an_error() -> None:
    request = AccessRequest(
        principal=REQUEST.principal,
        server="db",
        method="m",
        verb=Verb.QUERY,
        target=REQUEST.target,
        arguments={"l": list(range(400))},
    )
    text = "arguments.l.all(a, arguments.l.all(b, arguments.l.all(c, a + b + c >= 0)))"
    assert ask(text, request) is None


def test_an_open_variable_leaves_only_what_depends_on_it_undecided() -> None:
    without = frozenset({"arguments"})
    assert ask("arguments.n == 1", without=without) is None
    assert ask('server == "x" && arguments.n == 1', without=without) is False
    assert ask('arguments.n == 1 && server == "x"', without=without) is False
    assert ask('server == "db" || arguments.n == 1', without=without) is True


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("arguments.n == 1 && session.calls < 3", {"arguments", "session.calls"}),
        ("[1].exists(arguments, arguments == 1)", set()),
        ('client.name == "verb"', {"client.name"}),
        ('tool == "arguments"', {"tool"}),
        ("has(principal.claims.a)", {"principal.claims"}),
    ],
)
def test_the_variables_that_matter_are_known_exactly(text: str, names: set[str]) -> None:
    assert condition(text).names == names


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("principal.nope == 1", (1, 10), "undeclared reference to 'principal.nope'"),
        ("tool ==\n  zzz", (2, 3), "undeclared reference to 'zzz'"),
        ("tool == 1", (1, 6), "no matching overload"),
        ("tool ==", (1, 8), "Syntax error"),
        ("arguments.x", (1, 1), "not boolean but DYN"),
        ("tool", (1, 1), "not boolean but STRING"),
        ("(" * 50 + "true" + ")" * 50, (1, 1), "recursion limit"),
        ("a" * 100_001, (1, 1), "codepoint limit"),
        ("tool.matches('(')", (1, 6), "no RE2 pattern"),
        ("tool ==\n 'x' || tool.matches(arguments.p)", (2, 14), "not a fixed text"),
        ("tool.matches('a' + tool)", (1, 6), "not a fixed text"),
        ("matches(tool, 'a')", (1, 1), "not a fixed text"),
        ("tool.matches(b'a' == b'a' ? 'x' : 'y')", (1, 6), "not a fixed text"),
        ("tool == '\ud800'", (1, 1), "does not compile"),
    ],
)
def test_a_text_that_is_no_condition_says_where_and_why(text: str, place: tuple[int, int], what: str) -> None:
    fault = compile_condition(text)
    assert isinstance(fault, Fault)
    assert (fault.line, fault.column) == place
    assert what in fault.what
    assert "[INVALID_ARGUMENT]" not in fault.what
    assert fault.fix


def test_the_fix_for_an_unknown_variable_lists_the_known_ones() -> None:
    fault = compile_condition("sql.drops", PRINCIPAL)
    assert isinstance(fault, Fault)
    assert "`principal.groups`" in fault.fix
    assert "`arguments`" not in fault.fix
    assert set(PRINCIPAL) < set(ANYTHING)


@pytest.mark.parametrize(
    ("text", "never"),
    [("false", True), ("1 / 0 == 1", True), ('tool == "a" && false', True), ("true", False), ('tool == "a"', False)],
)
def test_a_condition_that_no_request_makes_true_is_known(text: str, never: bool) -> None:
    assert condition(text).never() == never
