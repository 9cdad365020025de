"""What of a large value an audit event keeps, and what it says of the rest."""

import json

import pytest

from extproc.core.audit import encode
from extproc.core.audit.fitting import fit


@pytest.mark.parametrize("value", [{"k": "v" * 92}, ["x" * 96], "x" * 98, None, 1])
def test_what_is_not_larger_than_the_limit_is_kept_whole(value):
    assert fit(value, 100) == (value, None)


def test_whole_members_are_kept_as_long_as_there_is_room():
    value = {"a": 1, "blob": "x" * 100, "z": "kept"}
    kept, cut = fit(value, 60)
    assert kept == {"a": 1, "z": "kept"}
    assert cut == {"bytes": len(json.dumps(value, separators=(",", ":"))), "members": 1}


def test_many_small_members_are_cut_at_the_limit():
    value = {f"k{number}": "v" * 10 for number in range(100)}
    kept, cut = fit(value, 500)
    assert 450 < len(encode(kept)) <= 500
    assert cut["members"] == 100 - len(kept)


@pytest.mark.parametrize("value", [["x" * 100], "x" * 100])
def test_what_has_no_members_is_kept_whole_or_not_at_all(value):
    assert fit(value, 50) == (None, {"bytes": len(encode(value))})
