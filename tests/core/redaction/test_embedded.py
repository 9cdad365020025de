"""JSON inside of a text is found in linear time, and written back in the hand that wrote it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from extproc.core.redaction.embedded import documents, looks_like_json, written

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def found(text: str) -> list[Any]:
    return [document.value for document in documents(text).found]


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{"a": 1, "b": 2}', [{"a": 1, "b": 2}]),
        (" \ufeff\n[1, 2, 3, 4]\n", [[1, 2, 3, 4]]),
        ('"a \\u0041 text"', ["a A text"]),
        ('Here: {"a": "b"} and\n```json\n[{"x": "y"}]\n```', [{"a": "b"}, [{"x": "y"}]]),
        ('{"a": "b"}\n{"a": "c"}\n', [{"a": "b"}, {"a": "c"}]),
        ('{not json} {"a": {"b": 1}}', [{"a": {"b": 1}}]),
        ("see [1] and {x} and [email]", []),
        ("4111111111111111", []),
        ('{"a": 1', []),
        ('{"a": NaN, "b": 1}', []),
        ('{"a": 1, "a": 2}', []),
        ('{"a": "\\ud800", "b": 1}', []),
        ('{"a": "\ud800", "b": 1}', []),
        ("", []),
        ('{"n": ' + "9" * 5000 + "}", []),
    ],
)  # fmt: skip
def test_documents_are_found_where_they_are_json_with_one_reading(text: str, values: list[Any]) -> None:
    assert found(text) == values


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        '{"a":' * 20_000,
        '["a",x' * 20_000,
        '{"a":x ' * 20_000,
        "[[1 " * 30_000,
        '{ "a' * 20_000,
        '["' * 30_000,
    ],
)
def test_hostile_text_is_given_up_and_said_to_be_tangled_or_read_to_its_end(text: str) -> None:
    assert documents(text).found == ()


def test_a_document_longer_than_the_first_look_is_found_and_one_that_never_ends_is_not() -> None:
    long = {"a": ["x" * 50] * 100, "b": "\\" * 5000, "c": 10**60}
    assert found("so: " + json.dumps(long) + " end") == [long]
    assert found('so: {"a": "' + "x" * 5000) == []
    assert found('so: {"a": [' + "1," * 5000) == []
    assert found("so: [1, " + "9" * 5000 + "]") == []
    assert found('so: {"a": ' + '["b", ' * 900 + "x" * 5000) == []
    assert documents("so: " + '{"a":' * 5000).tangled


def test_a_search_that_was_given_up_says_so() -> None:
    assert documents("[[1 " * 30_000).tangled
    assert not documents('{"a": 1').tangled
    assert documents('{"first": 1} ' + "[[1 " * 30_000).found


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        *((text, True) for text in ("{'a': 1}", '["a"]', "{}", " {\n'a': 1} ")),
        *((text, False) for text in ("[1, 2", "[email]", "[masked:00]", "", "[", "text")),
    ],
)
def test_what_begins_and_ends_as_json_looks_like_it(text: str, looks: bool) -> None:
    assert looks_like_json(text) is looks


STYLES: list[dict[str, Any]] = [
    {},
    {"separators": (",", ":")},
    {"separators": (", ", ":")},
    {"separators": (",", ": ")},
    {"separators": (",", ":"), "ensure_ascii": False},
    {"indent": 2},
    {"indent": 2, "ensure_ascii": False},
    {"indent": 4},
    {"indent": "\t", "ensure_ascii": False},
    {"indent": 0},
]


@pytest.mark.parametrize("style", STYLES, ids=str)
@pytest.mark.parametrize("value", [{"a": 1, "b": [1, 2, {"c": "é"}]}, [1, 2, 3], ["a", "b"], {"a": 2**70, "é": {}}])
def test_a_document_is_written_as_it_was(value: Any, style: dict[str, Any]) -> None:
    text = json.dumps(value, **style)
    assert written(value, text) == text


@given(VALUES, st.sampled_from(STYLES))
def test_whatever_the_style_the_value_is_the_same(value: Any, style: dict[str, Any]) -> None:
    assert json.loads(written(value, json.dumps(value, **style))) == value
