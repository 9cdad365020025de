import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extproc.core.limits import MAX_POLICY_BYTES, MAX_POLICY_DEPTH
from extproc.core.policy.positions import Listing, Members, Problem, Scalar, Spot, read_tree


def read(text: str) -> Members:
    tree = read_tree(text, source="p.yaml")
    assert isinstance(tree, Members), tree
    return tree


def value(text: str) -> Scalar:
    node = read(text).entries[0][1]
    assert isinstance(node, Scalar)
    return node


@pytest.mark.parametrize(
    ("text", "spot", "what"),
    [
        ("a: 1\na: 2\n", (2, 1), "stands twice (first in line 1)"),
        ('a: 1\n"\\x61": 2\n', (2, 1), "stands twice"),
        ("a: {b: 1, b: 2}\n", (1, 11), "stands twice"),
        ("a: &x 1\n", (1, 4), "anchor"),
        ("a: &x {}\n", (1, 4), "anchor"),
        ("a: *x\n", (1, 4), "alias"),
        ("<<: {a: 1}\n", (1, 1), "merge key"),
        ("a: !!python/object:os.system x\n", (1, 4), "tag"),
        ("a: !x [1]\n", (1, 4), "tag"),
        ("%YAML 1.2\n---\na: 1\n", (2, 1), "directive"),
        ("%TAG ! tag:x,2000:\n---\na: 1\n", (2, 1), "directive"),
        ("a: 1\n---\nb: 1\n", (2, 1), "second document"),
        ("a: [1\n", (2, 1), "not YAML"),
        ("%YAML 9.9\n---\na: 1\n", (1, 1), "not YAML"),
        ("a: b: c\n", (1, 5), "not YAML"),
        ("ab: \x07\n", (1, 5), "does not allow"),
        ("ab: 1\nc: \ud800\n", (2, 4), "does not allow"),
        ("\u00e9: \ufffe\n", (1, 4), "does not allow"),
        ('a: "\\UFFFFFFFF"\n', (1, 1), "not YAML"),
        ('a: "\\ud800"\n', (1, 4), "half of a character"),
        ("? [a]\n: 1\n", (1, 3), "not a word"),
        ("", (1, 1), "mapping of keys"),
        ("[1]\n", (1, 1), "mapping of keys"),
        ("word\n", (1, 1), "mapping of keys"),
        ("a: " + "[" * (MAX_POLICY_DEPTH + 1), (1, MAX_POLICY_DEPTH + 3), "too deep"),
        ("#" * (MAX_POLICY_BYTES + 1), (1, 1), "larger than"),
    ],
)
def test_what_has_two_readings_or_is_no_plain_yaml_is_refused_where_it_stands(
    text: str, spot: tuple[int, int], what: str
) -> None:
    problems = read_tree(text, source="p.yaml")
    assert isinstance(problems, tuple)
    assert (problems[0].line, problems[0].column) == spot
    assert what in problems[0].what
    assert problems[0].source == "p.yaml"


def test_a_bomb_of_brackets_is_refused_before_it_costs() -> None:
    problems = read_tree("[" * 500_000, source="p.yaml")
    assert isinstance(problems, tuple)
    assert "too deep" in problems[0].what


def test_every_duplicate_is_reported_also_beside_a_fault_that_ends_the_reading() -> None:
    problems = read_tree("a: 1\na: 2\na: 3\n", source="p.yaml")
    assert isinstance(problems, tuple)
    assert [problem.line for problem in problems] == [2, 3]
    problems = read_tree("a: {b: 1, b: 2}\nc: *x\n", source="p.yaml")
    assert isinstance(problems, tuple)
    assert [problem.line for problem in problems] == [1, 2]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1", 1),
        ("-7", -7),
        ("1.5", 1.5),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
        ("no", "no"),
        ("0x10", "0x10"),
        ('"1"', "1"),
        ("'true'", "true"),
        ("60/1m", "60/1m"),
        ("1e400", float("inf")),
    ],
)
def test_a_plain_scalar_reads_as_yaml_1_2_and_a_quoted_one_as_text(text: str, expected: object) -> None:
    scalar = value(f"a: {text}\n")
    assert scalar.value == expected
    assert type(scalar.value) is type(expected)


@pytest.mark.parametrize(
    ("text", "inside", "indent"),
    [
        ("a: tool == 1\n", Spot(1, 4), 0),
        ("a: 'tool == 1'\n", Spot(1, 5), 0),
        ('a: "tool == 1"\n', Spot(1, 5), 0),
        ('a: "tool\\x20== 1"\n', None, 0),
        ("a: tool\n  == 1\n", None, 0),
        ("a: |\n  tool\n  == 1\n", Spot(2, 3), 2),
        ("a: >\n  tool\n  == 1\n", None, 0),
        ("a: |\n\n  tool\n", None, 0),
    ],
)
def test_the_place_of_the_text_is_known_where_the_file_writes_it_as_it_is(
    text: str, inside: Spot | None, indent: int
) -> None:
    scalar = value(text)
    assert (scalar.inside, scalar.indent) == (inside, indent)


def test_lists_and_mappings_keep_their_places() -> None:
    tree = read("a:\n  - x\n  - {b: y}\n")
    listing = tree.entries[0][1]
    assert isinstance(listing, Listing)
    assert [item.spot for item in listing.items] == [Spot(2, 5), Spot(3, 5)]


def test_a_line_break_of_another_kind_does_not_move_a_place_out_of_the_file() -> None:
    assert value("a: x\u2028y\n").text
    read_tree("a: 'x\u2028\u2028\u2028\u2028y'\nb: 'z\u2028'", source="p.yaml")


def test_a_problem_reads_as_place_what_fix() -> None:
    problem = Problem(source="p.yaml", line=1, column=2, what="a tag", fix="Remove it")
    assert str(problem) == "p.yaml:1:2: a tag. Remove it."
    question = Problem(source="p.yaml", line=1, column=2, what="unknown key", fix="Did you mean `tools`?")
    assert str(question) == "p.yaml:1:2: unknown key. Did you mean `tools`?"


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("abU\\:-[]{},'\"|>&*!%#?\n \t~\u2028\x00"), max_size=40))
def test_any_text_gives_a_tree_or_problems(text: str) -> None:
    tree = read_tree(text, source="p.yaml")
    assert isinstance(tree, Members) or all(isinstance(problem, Problem) for problem in tree)
