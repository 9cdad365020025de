"""What README.md tells a user to type does what it says; what cannot run here is at least spelt as it should be."""

import os
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from extproc.core.policy import compiled
from extproc.core.policy.rules import Policy

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", README, re.MULTILINE)
BIN = Path(sys.executable).parent
SLOW = ("make", "envoy", ".venv/bin/extproc up", ".venv/bin/extproc serve", ".venv/bin/extproc doctor http")
"""Run by the stack tests, or what is running now."""
REFUSED = "--as analyst --server sales-db --tool drop_table"


def run(command: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    words = [word.replace(".venv/bin", str(BIN), 1) for word in shlex.split(command)]
    return subprocess.run(
        words, cwd=cwd, env=os.environ | environment, capture_output=True, text=True, check=False, timeout=60
    )


@cache
def help_of(page: str) -> str:
    return run(f".venv/bin/extproc {page} --help", ROOT, COLUMNS="200").stdout


def quick() -> list[str]:
    return [command for command in COMMANDS if not command.startswith(SLOW)]


def names_a_file(command: str) -> bool:
    """Whether it is about a file that is in the repository."""
    return "policy.yaml" in command or "envoy.yaml" in command


@pytest.mark.parametrize("command", [*filter(names_a_file, quick())])
def test_a_file_command_of_the_readme_runs(command: str) -> None:
    ended = run(command, ROOT)
    assert ended.returncode == (3 if REFUSED in command else 0), ended.stderr
    assert ended.stdout


RECORDED = (".venv/bin/extproc sessions", ".venv/bin/extproc verify")


def test_the_commands_on_shared_state_run_in_their_order(tmp_path: Path) -> None:
    for command in quick():
        if not names_a_file(command) and not command.startswith(RECORDED):
            ended = run(command, tmp_path)
            assert ended.returncode == 0, (command, ended.stderr)
            assert ended.stdout


@pytest.mark.parametrize("command", [command for command in quick() if command.startswith(RECORDED)])
def test_a_recording_command_of_the_readme_names_what_is_missing(command: str, tmp_path: Path) -> None:
    ended = run(command, tmp_path)
    assert ended.returncode == 2
    assert ended.stderr.startswith("no recording in .extproc")


def test_the_readme_s_commands_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    known = help_of("")
    for command in COMMANDS:
        program, *words = shlex.split(command)
        if program == "make":
            assert words[0] in targets
        elif program.endswith("extproc"):
            assert re.search(rf"\b{words[0]}\b", known)
            named = [word for word in words[:2] if re.fullmatch(r"[a-z]+", word)]
            pages = [" ".join(named[: length + 1]) for length in range(len(named))]
            for option in (word for word in words if word.startswith("--")):
                assert any(re.search(rf"{option}\b", help_of(page)) for page in pages), command
        else:
            assert program == "envoy"
            assert (ROOT / words[-1]).is_file()


def test_the_readme_s_policy_loads() -> None:
    text, *_ = re.findall(r"^```yaml\n(version:.*?)^```", README, re.MULTILINE | re.DOTALL)
    loaded = compiled.load(text, source="README.md")
    assert isinstance(loaded, Policy), loaded


@pytest.mark.parametrize("page", ["README.md", "envoy/standalone/README.md"])
def test_the_files_that_a_page_names_exist(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert ((ROOT / page).parent / link).exists(), link
    for name in re.findall(r"`((?:envoy|extproc)/[\w./-]+\.\w+)`", text):
        assert (ROOT / name).exists(), name
