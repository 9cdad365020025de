import pytest

from extproc.core.audit.filters import EVERYTHING, Filter, takes

EVENT = {
    "kind": "decision",
    "at": 50,
    "server": "sales-db",
    "verb": "query",
    "effect": "allow",
    "rule": "role:analyst#1",
    "principal": {"issuer": "https://idp", "subject": "Ana"},
    "targets": [{"kind": "tool", "name": "run_query"}, "odd"],
    "arguments": {"sql": "SELECT \u00e9 FROM orders"},
}
INNER = {"calls": {"tools": [{"tool": "find"}, "odd", {"tool": "call", "calls": {"tools": [{"tool": "run_shell"}]}}]}}


@pytest.mark.parametrize(
    "chosen",
    [
        EVERYTHING,
        Filter(principal="idp ana"),
        Filter(server="sales-db", verb="query", decision="allow"),
        Filter(tool="QUERY"),
        Filter(rule="analyst"),
        Filter(since=50, until=51),
        Filter(text="select \u00c9"),
    ],
)
def test_a_call_is_taken_where_all_that_is_given_holds(chosen):
    assert takes(chosen, EVENT)


@pytest.mark.parametrize(
    "chosen",
    [
        Filter(principal="bob"),
        Filter(server="sales"),
        Filter(verb="admin"),
        Filter(decision="deny"),
        Filter(tool="drop"),
        Filter(rule="steward"),
        Filter(since=51),
        Filter(until=50),
        Filter(text="customers"),
        Filter(server="sales-db", rule="steward"),
    ],
)
def test_a_call_is_left_out_where_one_does_not(chosen):
    assert not takes(chosen, EVENT)


def test_a_tool_counts_wherever_it_would_be_called():
    assert takes(Filter(tool="find"), EVENT | INNER)
    assert takes(Filter(tool="shell"), EVENT | INNER)
    assert not takes(Filter(tool="drop"), EVENT | INNER)
    assert not takes(Filter(tool="find"), EVENT | {"calls": {"tools": 7}})


def test_an_event_of_another_form_is_taken_only_where_nothing_is_asked_of_it():
    odd = {"at": "x", "principal": None, "targets": 7, "rule": None, "arguments": None}
    assert takes(EVERYTHING, odd)
    assert takes(Filter(until=1), odd)
    for chosen in (Filter(principal="a"), Filter(tool="a"), Filter(rule="a"), Filter(text="a")):
        assert not takes(chosen, odd)
