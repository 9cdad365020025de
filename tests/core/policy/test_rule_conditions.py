"""Conditions of rules: what is wrong with one is told where it stands."""

import pytest

from policies import HEAD, ROLES, SERVERS, load, problems

GRANTS = "roles:\n  r:\n    assigned_to: {groups: [g]}\n    grants:\n      - servers: [db]\n"
SQL = "servers:\n  db:\n    tools: {query: {verb: sql, sql: {argument: sql}}, run: {verb: query}}\n"


@pytest.mark.parametrize(
    ("when", "line", "column"),
    [
        ("        when: nope == 1\n", 13, 15),
        ("        when: 'tool == \"x\" && nope'\n", 13, 31),
        ('        when: "tool == nope"\n', 13, 24),
        ("        when: |\n          tool == 'x' &&\n            nope == 1\n", 15, 13),
        ("        when: |\n          nope == 1\n", 14, 11),
        ("        when: >\n          tool == 'x' &&\n          nope == 1\n", 13, 15),
        ('        when: "tool\\x20== nope"\n', 13, 15),
    ],
)
def test_a_fault_in_a_condition_is_told_at_its_place_in_the_file(when: str, line: int, column: int) -> None:
    (problem,) = problems(HEAD + SERVERS + GRANTS + when)
    assert (problem.line, problem.column) == (line, column)
    assert "undeclared reference to 'nope'" in problem.what


def test_a_condition_that_can_never_hold_is_a_mistake() -> None:
    (problem,) = problems(HEAD + SERVERS + GRANTS + "        when: 'false'\n")
    assert "can never be true" in problem.what


def test_a_condition_is_about_what_the_tools_of_its_servers_have() -> None:
    when = "        when: sql.parsed\n"
    assert load(HEAD + SQL + GRANTS + when).servers["db"].grants[0].when is not None
    (problem,) = problems(HEAD + SERVERS + GRANTS + when)
    assert "no tool there has `verb: sql`" in problem.what
    assert (problem.line, problem.column) == (13, 15)


def test_a_condition_is_about_one_kind_of_facts() -> None:
    rule = "deny: [{name: d, servers: [db], when: 'sql.parsed && shell.parsed'}]\n"
    found = problems(HEAD + SQL + ROLES + rule)
    assert any("sql and shell at once" in problem.what or "shell and sql at once" in problem.what for problem in found)
