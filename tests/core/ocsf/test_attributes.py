"""What each kind of event says beyond what all say; that it fits its class is tried in test_mapping.py."""

from extproc.core.ocsf.attributes import attributes_of


def test_a_kind_that_has_none_of_its_own_says_nothing():
    assert attributes_of({"kind": "sealed"}) == {}
    assert attributes_of({"kind": "unheard of"}) == {}
    assert attributes_of({}) == {}


def test_a_sink_that_is_away_has_failed_until_it_is_back():
    assert attributes_of({"kind": "sink", "step": "failed", "reason": "refused"}) == {
        "status_id": 2,
        "status_detail": "refused",
    }
    assert attributes_of({"kind": "sink", "step": "recovered"})["status_id"] == 1


def test_who_signs_in_by_a_secret_of_this_node_is_told_apart():
    local = attributes_of({"kind": "login", "local": True, "by": {"subject": "dan"}, "step": "succeeded"})
    assert (local["auth_protocol"], local["status_id"], local["user"]) == ("Local", 1, {"uid": "dan"})
    assert attributes_of({"kind": "login", "step": "refused"})["status_id"] == 2
