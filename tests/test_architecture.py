"""The shape of the code: import directions, a test file for each module, names, nothing of one machine."""

import ast
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BANNED = {"utils", "util", "helpers", "helper", "common", "manager", "handler", "misc", "data", "info", "ctx"}
NOT_OURS = {"__pycache__", "node_modules", ".venv", ".git", "build", "dist", "pb", "run", ".hypothesis"}
TEXT = {".py", ".md", ".yaml", ".yml", ".toml", ".txt", ".mjs", ".js", ".json", ".proto", ".sh", ".sql", ""}

# written in pieces, because this file is searched too
OF_ONE_MACHINE = re.compile(
    "(?<![A-Za-z0-9_.*-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "ho" + "me", "Us" + "ers"]) + ")/"
)


@cache
def files():
    found = []
    for folder, below, names in os.walk(ROOT):
        top = Path(folder) == ROOT
        below[:] = [
            each
            for each in below
            if not (each in NOT_OURS or each.endswith(".egg-info") or (top and each.startswith(".") and each != ".ci"))
        ]
        found += [Path(folder, name) for name in names if not (top and name.startswith("."))]
    return sorted(found)


def ours(*suffixes):
    return [path for path in files() if path.suffix in suffixes]


def modules():
    return [path for path in ours(".py") if path.relative_to(ROOT).parts[0] == "extproc"]


def test_the_import_contracts_hold():
    linter = Path(sys.executable).with_name("lint-imports")
    ran = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


DECIDING = (ast.If, ast.IfExp, ast.For, ast.While, ast.Match, ast.Try, ast.BoolOp, ast.comprehension, ast.Compare)


def core_modules():
    """The modules that decide something; nouns and tables do not."""
    for path in modules():
        if "core" in path.parts and any(isinstance(node, DECIDING) for node in ast.walk(ast.parse(path.read_text()))):
            yield path


def test_every_module_of_the_core_has_its_test_file():
    expected = []
    for module in core_modules():
        name = module.parent.name if module.name == "__init__.py" else module.stem
        expected.append(ROOT / "tests" / module.relative_to(ROOT / "extproc").parent / f"test_{name}.py")
    assert len(expected) > 50
    assert [str(path.relative_to(ROOT)) for path in expected if not path.exists()] == []


def test_our_folder_envoy_is_no_package():
    # the Envoy wheel and the xds packages own the name; ours would hide them
    assert not list((ROOT / "envoy").rglob("__init__.py"))


def test_no_file_speaks_of_one_machine():
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in ours(*TEXT)
        for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1)
        if OF_ONE_MACHINE.search(line)
    ]
    assert not found


def defined_names(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno


def words(name):
    return set(re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_"))


def test_no_name_says_nothing():
    found = [str(path.relative_to(ROOT)) for path in modules() if words(path.stem) & BANNED]
    for path in modules():
        for name, line in defined_names(ast.parse(path.read_text())):
            if words(name) & BANNED:
                found.append(f"{path.relative_to(ROOT)}:{line}: {name}")
    assert not found


def test_every_module_says_what_it_promises_and_what_it_offers():
    bare = []
    for path in modules():
        tree = ast.parse(path.read_text())
        targets = [target for node in tree.body if isinstance(node, ast.Assign) for target in node.targets]
        names = {target.id for target in targets if isinstance(target, ast.Name)}
        if ast.get_docstring(tree) is None or (len(tree.body) > 1 and "__all__" not in names):
            bare.append(str(path.relative_to(ROOT)))
    assert not [name for name in bare if not name.endswith("__main__.py")]


def test_every_skip_prints_its_reason():
    silent = []
    for path in ours(".py"):
        if path.relative_to(ROOT).parts[0] == "tests":
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Call) and ast.unparse(node.func) in {"pytest.skip", "pytest.mark.skipif"}:
                    reasoned = node.args if ast.unparse(node.func) == "pytest.skip" else node.keywords
                    if not reasoned:
                        silent.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not silent
