from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from extproc.cli import app
from policies import GOOD


def check(*files: Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, files)])


@pytest.fixture
def good(tmp_path: Path) -> Path:
    file = tmp_path / "good.yaml"
    file.write_text(GOOD)
    return file


@pytest.fixture
def bad(tmp_path: Path) -> Path:
    file = tmp_path / "bad.yaml"
    file.write_text(GOOD.replace("verbs", "vrebs") + "limits: 5\n")
    return file


def test_a_good_file_is_summed_up_with_its_digest(good: Path) -> None:
    ran = check(good)
    assert ran.exit_code == 0
    assert "1 server, 1 role, 1 grant, 0 deny rules. Digest " in ran.stdout
    good.write_text(GOOD + "mode: shadow\n")
    assert "Shadow mode, nothing is enforced, on: db." in check(good).stdout


def test_every_mistake_is_one_line_with_place_and_fix(bad: Path) -> None:
    ran = check(bad)
    assert ran.exit_code == 1
    assert ran.stderr.splitlines() == [
        f"{bad}:11:30: unknown key `vrebs` in a grant of role `reader`. Did you mean `verbs`?",
        f"{bad}:12:9: `limits` must be a list that is not empty. Write `[…]`, or remove the key.",
        f"{bad}: 2 problems.",
    ]


def test_what_cannot_be_read_is_one_line(tmp_path: Path, good: Path, bad: Path) -> None:
    ran = check(tmp_path / "nowhere", tmp_path, good, bad)
    assert ran.exit_code == 2
    assert f"{tmp_path / 'nowhere'} does not exist." in ran.stderr
    assert f"{tmp_path} is no file." in ran.stderr
    assert "good." in ran.stdout
    assert "problems" in ran.stderr
    assert "Traceback" not in ran.output


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["check", "a" * 300], f"{'a' * 300}: File name too long\n"),
        (["seal", "key", "--state", "/dev/null"], "/dev/null/seals/key.pub: Not a directory\n"),
        (["approvals", "show", "\udcff"], "an argument is not UTF-8\n"),
        (
            ["approvers", "list", "--state", "/nowhere"],
            "/nowhere: there is no state directory; name the service's with --state\n",
        ),
    ],
)
def test_what_the_system_refuses_is_one_line_and_2_in_every_command(
    arguments: list[str], line: str, tmp_path: Path
) -> None:
    (tmp_path / "journal").mkdir()
    ran = CliRunner().invoke(app, arguments, env={"EXTPROC_STATE_DIR": str(tmp_path)})
    assert ran.exit_code == 2, ran.exception
    assert ran.stderr == line
