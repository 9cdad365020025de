"""The manifest and the tests hold each other: each promise has a test, and each test holds a promise."""

import ast
import re
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path

import pytest

import extproc
from requirements import REQUIREMENTS

TESTS = Path(__file__).resolve().parent


@cache
def functions() -> dict[str, list[str]]:
    """The test functions of every test file, by its path below this folder."""
    found = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        if "node_modules" not in path.parts:
            tree = ast.parse(path.read_text("utf-8"))
            names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
            found[path.relative_to(TESTS).as_posix()] = [name for name in names if name.startswith("test_")]
    return found


def held(pattern: str) -> list[tuple[str, str]]:
    file, _, name = pattern.partition("::")
    return [(file, each) for each in functions().get(file, []) if fnmatchcase(each, name or "*")]


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_promise_has_tests(requirement):
    missing = [pattern for pattern in REQUIREMENTS[requirement].tests if not held(pattern)]
    assert missing == []


def test_every_test_holds_a_promise():
    holding = {test for each in REQUIREMENTS.values() for pattern in each.tests for test in held(pattern)}
    every = {(file, name) for file, names in functions().items() for name in names}
    assert sorted(every - holding) == []


def test_every_invariant_is_a_promise():
    numbers = set(re.findall(r"^(\d+)\. ", extproc.__doc__ or "", re.MULTILINE))
    assert numbers == {key[1:] for key in REQUIREMENTS if re.fullmatch(r"I\d+", key)}
