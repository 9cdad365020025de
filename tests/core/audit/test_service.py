"""The events of the service itself: its journals, its workers, its policy."""

import pytest

from extproc.core import audit
from extproc.core.audit.begun import SCHEMA_VERSION


def test_what_a_copy_has_in_the_place_of_a_damaged_line_is_an_event_too():
    assert audit.damaged(file="1.jsonl", said="changed")["kind"] == "damaged"


def test_the_events_of_a_journals_own_life():
    assert audit.opened(at=1, node="n", worker="w", version="v", segment=2, previous="p") == {
        "kind": "opened",
        "schema": SCHEMA_VERSION,
        "at": 1,
        "node": "n",
        "worker": "w",
        "version": "v",
        "segment": 2,
        "previous": "p",
    }
    assert audit.recovered(at=1, segment=2, cut_bytes=3, cut_digest="d", fault=None)["kind"] == "recovered"
    assert audit.unsynced(at=1, segment=2, first=3, last=4) == {
        "kind": "unsynced",
        "schema": SCHEMA_VERSION,
        "at": 1,
        "segment": 2,
        "first": 3,
        "last": 4,
    }
    assert audit.started(at=1, node="n", worker="w", version="v", shadow_mode=True)["shadow"] is True
    assert audit.stopped(at=1, reason="signal") == {
        "kind": "stopped",
        "schema": SCHEMA_VERSION,
        "at": 1,
        "reason": "signal",
    }


@pytest.mark.parametrize(("problems", "ok"), [(0, True), (2, False)])
def test_a_policy_event_says_whether_the_policy_is_in_force(problems, ok):
    event = audit.policy_loaded(at=1, source="p.yaml", digest="d", problems=problems)
    assert (event["ok"], event["problems"], event["policy"]) == (ok, problems, "d")
