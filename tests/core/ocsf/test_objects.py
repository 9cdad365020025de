"""Parts of OCSF's objects, from events that may hold anything."""

import pytest

from extproc.core.ocsf.objects import by, endpoint, inside, number, user, word


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("10.0.0.7:40112", {"ip": "10.0.0.7", "port": 40112}),
        ("10.0.0.7", {"ip": "10.0.0.7"}),
        ("::1", {"ip": "::1"}),
        ("[fe80::1%eth0]:9", {"ip": "fe80::1", "port": 9}),
        ("10.0.0.7:99999", {"ip": "10.0.0.7"}),
        ("10.0.0.7:" + "9" * 5000, {"ip": "10.0.0.7"}),
        ("10.0.0.7:\u0665", {"ip": "10.0.0.7"}),
        ("/run/envoy.sock", {"name": "/run/envoy.sock"}),
        ("", {"name": "unknown"}),
    ],
)
def test_where_a_call_came_from_is_an_address_or_a_name(source, expected):
    assert endpoint(source) == expected


@pytest.mark.parametrize("value", [None, 7, True, [], {}])
def test_what_is_no_text_is_none(value):
    assert word({"name": value}, "name") == ""


@pytest.mark.parametrize("value", [None, "7", True, -1, 2**63, 1.5])
def test_what_is_no_number_that_the_schema_holds_is_none(value):
    assert number({"at": value}, "at") is None


@pytest.mark.parametrize("value", [None, "x", 3, []])
def test_what_is_no_object_is_empty(value):
    assert inside({"by": value}, "by") == {}


def test_a_person_has_the_names_that_are_known():
    person = {"subject": "ann", "name": "Ann", "issuer": "https://idp", "groups": ["a", 3]}
    assert user(person) == {"uid": "ann", "name": "Ann", "domain": "https://idp", "groups": [{"name": "a"}]}
    assert user({}) == {"uid": "unknown"}
    assert by({}) == {}
