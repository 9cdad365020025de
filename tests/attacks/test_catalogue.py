"""Every case of the catalogue has its test, and each test that is named is there."""

import ast
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

from attacks.catalogue import CASES, SIZES

TESTS = Path(__file__).resolve().parents[1]


@cache
def functions(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text("utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@cache
def texts() -> frozenset[str]:
    """Every text in the sources of the attacks, f-strings by their beginning."""
    trees = (ast.parse(path.read_text("utf-8")) for path in TESTS.glob("attacks/*.py") if path.stem != "catalogue")
    nodes = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(node.value for node in nodes if isinstance(node.value, str))


def test_the_catalogue_is_whole() -> None:
    assert sorted(CASES) == sorted(f"{group}{n:02}" for group, size in SIZES.items() for n in range(1, size + 1))


@pytest.mark.parametrize("case", CASES)
def test_every_case_has_a_test_or_a_reason(case: str) -> None:
    tests = CASES[case]
    if isinstance(tests, str):
        assert len(tests.split()) > 5
        return
    assert tests
    for each in tests:
        named, _, parameter = each.partition("[")
        file, _, function = named.partition("::")
        found = [name for name in functions(file) if fnmatchcase(name, function or "test_*")]
        assert found, each
        assert any(text.startswith(parameter) for text in texts()), each
