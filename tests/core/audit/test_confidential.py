"""What of an event is for auditors with a key alone."""

import pytest

from extproc.core import audit
from extproc.core.audit.confidential import CONFIDENTIAL, bound_to, joined, split
from extproc.core.audit.schema import KINDS

DECISION = {
    "kind": "decision",
    "at": 1,
    "decision": "d",
    "arguments": {"ssn": 1},
    "arguments_digest": "ab",
    "rule": "r",
}


def test_arguments_go_with_their_digest_and_come_back():
    public, secret = split(DECISION)
    assert public == {**DECISION, "arguments": None, "arguments_digest": None}
    assert b"ssn" in secret
    assert joined({**public, "encrypted": {}}, secret) == DECISION


@pytest.mark.parametrize("event", [{"kind": "stopped", "at": 1}, {"kind": "outcome", "payload": None}, {}])
def test_an_event_with_nothing_to_hide_stays_as_it_is(event):
    assert split(event) is None


@pytest.mark.parametrize("secret", [b"[]", b"no json", b'{"rule":"another"}'])
def test_nothing_else_is_put_into_an_event(secret):
    assert joined(DECISION, secret) is None


def test_no_two_events_are_bound_alike():
    others = [{"kind": "outcome"}, {"at": 2}, {"decision": "e"}, {"decision": None, "ticket": "t"}, {"number": 1}]
    assert len({bound_to(DECISION), *(bound_to({**DECISION, **other}) for other in others)}) == len(others) + 1
    assert audit.encode(["decision", 1, "d", None]) == bound_to(DECISION)


def test_only_members_of_the_schema_that_may_be_null_are_hidden():
    for kind, names in CONFIDENTIAL.items():
        assert "encrypted" in KINDS[kind]["properties"]
        assert all("null" in KINDS[kind]["properties"][name]["type"] for name in names)
    assert [kind for kind in KINDS if "encrypted" in KINDS[kind]["properties"]] == [
        kind for kind in KINDS if kind in CONFIDENTIAL
    ]
