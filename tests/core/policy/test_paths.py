"""Field paths are JSONPath: what is taken means what RFC 9535 says, and what is not taken is named."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonpath_rfc9535 import JSONPathEnvironment, JSONPathSyntaxError

from extproc.core.limits import MAX_PATH_CHARS, MAX_PATH_STEPS
from extproc.core.masking import Step
from extproc.core.policy.paths import PathFault, read_path

STANDARD = JSONPathEnvironment()


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("$", ()),
        ("$..ssn", (Step(name="ssn", deep=True),)),
        ("$.rows[*].ssn", (Step(name="rows"), Step(), Step(name="ssn"))),
        ("$.*..*..[*]", (Step(), Step(deep=True), Step(deep=True))),
        ("$['a b'][\"c\"]", (Step(name="a b"), Step(name="c"))),
        ("$..['x'][0][-1]..[2]", (Step(name="x", deep=True), Step(index=0), Step(index=-1), Step(index=2, deep=True))),
        ("$.größe", (Step(name="größe"),)),
        (r"$['\u0041\ud83d\ude00\n\'\\']", (Step(name="A😀\n'\\"),)),
        (r'$["\""]', (Step(name='"'),)),
    ],
)
def test_a_path_is_its_steps(text: str, steps: tuple[Step, ...]) -> None:
    assert read_path(text) == steps


@pytest.mark.parametrize(
    ("text", "offset", "what", "fix"),
    [
        ("ssn", 0, "begins with `$`", "$..ssn"),
        ("", 0, "begins with `$`", "$..ssn"),
        ("$.", 1, "no step", "`.name`"),
        ("$..", 1, "no step", "`.name`"),
        ("$a", 1, "needs quotes", "['a']"),
        ("$.first-name", 7, "needs quotes", "['first-name']"),
        ("$.rows[*].first name.x", 15, "needs quotes", "['first name']"),
        ("$.1st", 1, "needs quotes", "['1st']"),
        ("$[?@.a]", 1, "a filter", "Name the fields"),
        ("$..[?@.a]", 1, "a filter", "Name the fields"),
        ("$[1:2]", 1, "a slice", "[*]"),
        ("$['a','b']", 1, "a slice or a list", "[*]"),
        ("$[01]", 1, "no step", "[0]"),
        ("$[-0]", 1, "no step", "[0]"),
        ("$['a'b']", 1, "no step", "`.name`"),
        (r"$['\x']", 1, "no step", "`.name`"),
        (r"$['\"']", 1, "no step", "`.name`"),
        (r"$['\ud800']", 1, "no step", "`.name`"),
        ("$['a", 1, "no step", "`.name`"),
        ("$" + ".a" * (MAX_PATH_STEPS + 1), 0, f"more than {MAX_PATH_STEPS} steps", "Shorten"),
        ("$." + "a" * MAX_PATH_CHARS, 0, f"longer than {MAX_PATH_CHARS}", "Shorten"),
    ],
)
def test_what_is_no_path_is_named_with_its_place_and_the_fix(text: str, offset: int, what: str, fix: str) -> None:
    fault = read_path(text)
    assert isinstance(fault, PathFault)
    assert fault.offset == offset
    assert what in fault.what
    assert fix in fault.fix


@given(
    st.lists(st.sampled_from(["$", ".", "..", "*", "[", "]", "'", '"', "a", "-", "0", "1", "\\", "u", " ", "?", ","]))
)
def test_whatever_is_taken_the_standard_takes_too(parts: list[str]) -> None:
    text = "".join(parts)
    if isinstance(read_path(text), PathFault):
        return
    try:
        STANDARD.compile(text)
    except JSONPathSyntaxError as error:  # pragma: no cover - the failure of the test
        pytest.fail(f"{text!r}: {error}")
