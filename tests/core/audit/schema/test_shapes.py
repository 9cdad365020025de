"""The pieces of the schema, one by one."""

import pytest
from jsonschema import Draft202012Validator

from extproc.core.audit.schema.shapes import (
    anything,
    counts,
    either,
    flag,
    listed,
    number,
    or_none,
    record,
    text,
)

PAIR = record("x", {"a": number("x")}, {"b": text("x")})


@pytest.mark.parametrize(
    ("shape", "good", "bad"),
    [
        (text("x"), ["", "a"], [None, 1]),
        (text("x", "a", "b"), ["a"], ["c", None]),
        (number("x"), [0, -1, 10**30], [1.5, "1", None]),
        (flag("x"), [True, False], [1, None]),
        (listed("x", number("x")), [[], [1]], [["a"], 1]),
        (counts("x"), [{}, {"a": 1}], [{"a": "1"}, []]),
        (PAIR, [{"a": 1}, {"a": 1, "b": ""}], [{}, {"b": ""}, {"a": 1, "c": 1}, None]),
        (anything("x"), [{"any": [1]}], [[], None]),
        (either("x", "string", "integer"), ["a", 1], [None, 1.5]),
        (or_none(either("x", "string", "integer")), ["a", 1, None], [1.5]),
        (or_none(PAIR), [None, {"a": 1}], [{}]),
        (or_none(text("x", "a")), [None, "a"], ["b"]),
    ],
)
def test_a_shape_takes_what_it_says_and_nothing_else(shape, good, bad):
    Draft202012Validator.check_schema(shape)
    holds = Draft202012Validator(shape).is_valid
    assert all(map(holds, good))
    assert not any(map(holds, bad))
    assert shape["description"] == "x"
