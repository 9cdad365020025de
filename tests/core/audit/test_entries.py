"""What an index keeps of an event is enough to choose and to group it as the event itself would be."""

from hypothesis import given
from hypothesis import strategies as st

from core.audit.test_sessions import call, fields, json_values, outcome
from extproc.core.audit.entries import call_entry, named_owner, outcome_entry
from extproc.core.audit.lanes import key_of, lane_of, number_of, owner_of


def test_the_entry_of_a_decision():
    event = call("d", 7, arguments={"SQL": "Select É"}, trace="t", session="s", effect="deny", rule="Role:X")
    entry = call_entry(event)
    owner = owner_of(event, named=False)
    assert (entry.at, entry.decision, entry.owner, entry.name) == (7, number_of("d"), owner, "s")
    assert (entry.lane, entry.begins, entry.trace) == (lane_of(owner), key_of(owner, "d"), "t")
    assert (entry.refused, entry.client, entry.said) == (True, "agent 1", '{"sql":"select é"}')
    assert (entry.shape.verb, entry.shape.effect, entry.shape.targets, entry.shape.rule) == (
        *("query", "deny", "query", "role:x"),
    )
    assert named_owner(owner) == owner_of(event, named=True)


def test_shapes_are_told_apart_by_each_of_their_parts():
    events = [call("d", 0), *(call("d", 0, **{name: "x"}) for name in ("verb", "effect", "rule"))]
    events.append(call("d", 0, targets=[{"name": "x"}]))
    assert len({call_entry(event).shape.key for event in events}) == 5


def test_the_entry_of_an_outcome():
    entry = outcome_entry(outcome("d", 9, session="s"))
    assert (entry.at, entry.decision, entry.name) == (9, number_of("d"), "s")
    assert outcome_entry({}).name == ""


@given(st.dictionaries(fields, json_values))
def test_every_event_has_an_entry_whatever_it_holds(event):
    assert call_entry(event).at == outcome_entry(event).at


def test_arguments_that_name_a_key_instead_of_a_value_are_taken_as_they_are():
    assert call_entry(call("d", 0, arguments={"key": "K1", "sealed": "AbC"})).said == '{"key":"k1","sealed":"abc"}'
    assert call_entry(call("d", 0, arguments=None)).said == ""
