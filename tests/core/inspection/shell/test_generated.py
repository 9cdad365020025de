import pytest

from extproc.core.inspection.shell import inspect_shell
from extproc.core.inspection.shell.generated import is_generated


@pytest.mark.parametrize(
    "path", ["node_modules", "./a/b/__pycache__", "node_modules/.cache", "packages/*/node_modules", "a.egg-info"]
)
def test_what_tools_make_anew_is_told_by_its_name(path):
    assert is_generated(path)
    assert not inspect_shell(f"rm -rf {path}").findings


@pytest.mark.parametrize(
    "path",
    [
        "src",
        "build",
        "node_modules/../src",
        "/usr/lib/node_modules",
        "~/node_modules",
        "$X/node_modules",
        "my_node_modules",
    ],
)
def test_what_may_be_somebodys_own_is_not(path):
    assert not is_generated(path)
    assert inspect_shell(f"rm -rf {path}").findings


@pytest.mark.parametrize(
    ("search", "is_harm"),
    [
        ("find . -name node_modules -type d", False),
        ("find node_modules -name __pycache__", False),
        ("find -name __pycache__", False),
        ("find . -name src", True),
        ("find .. -name node_modules", True),
        ("find /usr -name node_modules", True),
        ("find . -name node_modules -o -name src", True),
        ("find . -not -name node_modules", True),
        ("find . -name node_modules -name src", True),
        ("find -L . -name node_modules", True),
        ("find . -name $X", True),
        ('find . -name node_modules -path "$X"', True),
    ],
)
def test_a_search_for_them_below_this_folder_finds_nothing_else(search, is_harm):
    assert inspect_shell(f"{search} -exec rm -rf {{}} +").destructive is is_harm


def test_where_the_line_goes_to_a_system_folder_they_are_not_made_anew():
    assert inspect_shell("cd /usr/lib && rm -rf node_modules").destructive
    assert not inspect_shell("cd app && rm -rf node_modules").destructive
