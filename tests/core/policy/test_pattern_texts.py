"""A pattern of the operator is tried when the file is loaded."""

import pytest
import re2

from extproc.core.limits import MAX_PATTERN_CHARS
from extproc.core.policy.pattern_texts import compiled_pattern, read_pattern
from extproc.core.policy.positions import Scalar, Spot
from extproc.core.policy.reading import Reading


def read(text):
    reading = Reading(source="p.yaml")
    return read_pattern(Scalar(spot=Spot(3, 7), text=text, value=text), "each pattern", reading), reading.problems


def test_a_good_pattern_is_kept_with_its_place():
    word, problems = read("rm\\s+-rf")
    assert word is not None
    assert (word.value, word.spot, problems) == ("rm\\s+-rf", Spot(3, 7), [])
    assert compiled_pattern(word.value).search("sudo rm  -rf /") is not None


@pytest.mark.parametrize("text", ["(", "(?=x)", "\\1", "x{99999}", "x" * (MAX_PATTERN_CHARS + 1), " "])
def test_one_that_cannot_be_searched_for_is_a_problem(text):
    word, problems = read(text)
    assert word is None
    assert [(each.line, each.column) for each in problems] == [(3, 7)]


def test_compiling_what_is_none_raises():
    with pytest.raises(re2.error):
        compiled_pattern("(")
