"""A member of an event is read as what is asked for, whatever stands there."""

from extproc.core.audit.members import members_of, number_in, text_of


def test_a_member_of_another_kind_is_nothing():
    assert [text_of(value) for value in (None, "a", 3, [])] == ["", "a", "3", "[]"]
    assert [number_in(value) for value in (None, "3", 3, 1.5)] == [0, 0, 3, 0]
    assert [members_of(value) for value in (None, [], {"a": 1})] == [{}, {}, {"a": 1}]
