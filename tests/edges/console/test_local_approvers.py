import stat

import pytest

from extproc.edges.console.local_approvers import LOCAL, LocalApprovers, LocalApproversError


def test_an_approver_is_known_by_the_secret_that_was_shown_once(tmp_path):
    approvers = LocalApprovers(tmp_path / "approvers.json")
    assert approvers.verify("dan", "anything") is None
    secret = approvers.add("dan", groups=["dba", "dba"], human="dan@example.com")
    known = approvers.verify("dan", secret)
    assert known is not None
    assert (known.issuer, known.subject, known.groups, known.human) == (LOCAL, "dan", {"dba"}, "dan@example.com")
    assert approvers.verify("dan", secret + "x") is None
    assert approvers.verify("eva", secret) is None
    assert approvers.names() == {"dan": ("dba",)}


def test_a_new_secret_replaces_the_old_one_and_a_removed_approver_is_nobody(tmp_path):
    approvers = LocalApprovers(tmp_path / "approvers.json")
    first, second = approvers.add("dan", groups=["dba"]), approvers.add("dan", groups=["dba"])
    assert approvers.verify("dan", first) is None
    assert approvers.verify("dan", second) is not None
    assert approvers.remove("dan")
    assert not approvers.remove("dan")
    assert approvers.verify("dan", second) is None


def test_the_file_is_its_owners_alone_and_holds_no_secret(tmp_path):
    path = tmp_path / "approvers.json"
    secret = LocalApprovers(path).add("dan", groups=["dba"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert secret not in path.read_text()


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 65, "a\n"])
def test_a_name_is_a_name(tmp_path, name):
    with pytest.raises(LocalApproversError, match="is no name"):
        LocalApprovers(tmp_path / "approvers.json").add(name, groups=[])


def test_a_broken_file_is_an_error_and_lets_nobody_in(tmp_path):
    path = tmp_path / "approvers.json"
    path.write_text("{")
    with pytest.raises(LocalApproversError, match="is no list of approvers"):
        LocalApprovers(path).verify("dan", "x")
    with pytest.raises(LocalApproversError, match="cannot be read"):
        LocalApprovers(tmp_path).verify("dan", "x")
    with pytest.raises(LocalApproversError, match="cannot be written"):
        LocalApprovers(tmp_path / "missing" / "approvers.json").add("dan", groups=[])
