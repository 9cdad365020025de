"""The plan of a column says of each of its texts what a search would find in it, or that it must be searched."""

import re2

from extproc.core.redaction.detectors.rules import Rule, only_near
from extproc.core.redaction.detectors.values import ELSEWHERE, NOTHING, WHOLE, always, plan


def rule(**more):
    return Rule(type="x", anchor="", pattern=r"\d+", **more)


def told(one, spans, shape, text, *, name="", threshold=0.5):
    """What each test of the plan says of a text."""
    found = plan([(one, re2.compile(one.pattern), spans)], shape, name, threshold)
    return [int(test.holds(text)) for test in found]


def test_a_rule_that_takes_the_whole_text_is_told_by_its_check_alone():
    assert told(rule(), ((0, 3),), "000", "123") == [WHOLE]
    assert told(rule(check=lambda text: text == "123"), ((0, 3),), "000", "123") == [WHOLE]
    assert told(rule(check=lambda text: text == "123"), ((0, 3),), "000", "124") == [NOTHING]
    assert always("") == WHOLE


def test_a_rule_that_may_take_a_part_says_how_much():
    for size, says in ((3, WHOLE), (2, ELSEWHERE), (0, NOTHING)):
        assert told(rule(part=lambda _, size=size: size), ((0, 3),), "000", "123") == [says]


def test_a_rule_that_waits_for_a_word_has_a_test_only_under_a_name_that_says_it():
    waits = only_near("x", "", r"\d+", str.isdigit, "phone")
    assert told(waits, ((0, 3),), "000", "123") == []
    assert told(waits, ((0, 3),), "000", "123", name="phone") == [WHOLE]
    assert told(waits, (), "a 000", "a 123") == []
    assert told(waits, (), "aaaaa 000", "phone 123") == [ELSEWHERE]
    assert told(waits, ((6, 9),), "aaaaa 000", "phone 123") == [ELSEWHERE]
    assert told(waits, ((2, 5),), "a 000", "a 123") == []


def test_where_the_shape_does_not_tell_enough_the_text_is_asked():
    assert told(rule(), (), "a00", "a12") == [ELSEWHERE]
    assert told(rule(), (), "a00", "abc") == [NOTHING]


def test_where_something_else_must_stand_somewhere_the_text_is_searched():
    assert told(rule(apart=True), ((0, 3),), "000", "123") == [ELSEWHERE]
    assert told(rule(apart=True), ((0, 3),), "000", "abc") == [NOTHING]


def test_a_part_of_the_text_counts_if_it_stands_alone_and_behind_the_whole():
    assert told(rule(), ((2, 5),), "a 000", "a 123") == [ELSEWHERE]
    assert told(rule(), ((1, 4),), "a000", "a123") == []
    assert told(rule(), ((0, 3),), "000a", "123a") == []
    assert told(rule(part=len), ((0, 3),), "000a", "123a") == [ELSEWHERE]
    assert told(rule(edges=False), ((1, 4),), "a000", "a123") == [ELSEWHERE]
    two = plan([(rule(), None, ((2, 5), (6, 9))), (rule(), None, ((0, 9),))], "a 000 000", "", 0.5)
    assert [int(test.holds("a 123 123")) for test in two] == [WHOLE, ELSEWHERE]
