"""How long a record is kept, by its server and its kind."""

import pytest

from extproc.core.retention import FOR_EVER, Retention

SECOND = 1_000_000_000
KEPT = Retention(seconds=60, servers={"db": 5})


@pytest.mark.parametrize(
    ("event", "seconds"),
    [
        ({"kind": "decision", "server": "db"}, 5),
        ({"kind": "outcome", "server": "db"}, 5),
        ({"kind": "decision", "server": "other"}, 60),
        ({"kind": "login"}, 60),
        ({"kind": "approval", "server": None}, 60),
        ({"kind": "decision", "server": ["db"]}, 60),
    ],
)
def test_a_record_is_over_when_the_time_of_its_server_is(event, seconds):
    assert KEPT.until({"at": 7, **event}) == 7 + seconds * SECOND


@pytest.mark.parametrize("kind", ["sealed", "purged", "opened", "recovered", "unsynced"])
def test_what_proves_the_rest_is_never_over(kind):
    assert KEPT.until({"kind": kind, "at": 7, "server": "db"}) is None


def test_without_a_time_nothing_is_over():
    assert KEPT.until({"kind": "decision", "server": "db"}) is None
    assert KEPT.until({"kind": "decision", "server": "db", "at": "7"}) is None
    assert FOR_EVER.until({"kind": "decision", "at": 7}) is None
    only = Retention(servers={"db": 5})
    assert only.until({"kind": "login", "at": 7}) is None


def test_some_time_ends_or_none_does():
    assert not FOR_EVER.ends
    assert KEPT.ends
    assert Retention(servers={"db": 5}).ends
