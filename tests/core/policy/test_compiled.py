import hashlib

import pytest

from extproc.core.limits import MAX_POLICY_BYTES
from extproc.core.policy.compiled import load_bytes
from extproc.core.policy.rules import Policy
from policies import GOOD, HEAD, ROLES, SERVERS, load, problems

GRANTS = "roles:\n  r:\n    assigned_to: {groups: [g]}\n    grants:\n      - servers: [db]\n"


def test_the_digest_is_the_sha256_of_the_file() -> None:
    assert load(GOOD).digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert load(GOOD + "# é\n").digest == hashlib.sha256((GOOD + "# é\n").encode()).hexdigest()


def test_rules_are_named_by_role_and_place() -> None:
    text = HEAD + SERVERS + GRANTS + "      - servers: ['*']\n" + "deny: [{name: d, servers: ['*'], verbs: [mutate]}]\n"
    server = load(text).servers["db"]
    assert [grant.rule for grant in server.grants] == ["role:r#1", "role:r#2"]
    assert [rule.rule for rule in server.denies] == ["deny:d"]


def test_a_server_has_the_rules_that_name_it_and_those_that_name_all() -> None:
    servers = SERVERS + "  files: {tools: {read: {verb: query}}}\n"
    text = (
        HEAD
        + servers
        + GRANTS
        + "      - servers: ['*']\n"
        + "limits: [{per: principal, servers: [files], calls: 1/1s}]\n"
    )
    policy = load(text)
    assert [grant.rule for grant in policy.servers["files"].grants] == ["role:r#2"]
    assert [limit.rule for limit in policy.servers["files"].limits] == ["limit#1"]
    assert policy.servers["db"].limits == ()


def test_only_a_server_whose_rules_ask_counts_session_calls() -> None:
    servers = SERVERS + "  files: {tools: {read: {verb: query}}}\n"
    grants = HEAD + servers + GRANTS + "        when: session.calls < 5\n      - servers: [files]\n"
    assert {name: server.asks_calls for name, server in load(grants).servers.items()} == {"db": True, "files": False}
    denies = (
        HEAD
        + servers
        + GRANTS.replace("[db]", "['*']")
        + "deny: [{name: d, servers: [files], when: session.calls > 5}]\n"
    )
    assert {name: server.asks_calls for name, server in load(denies).servers.items()} == {"db": False, "files": True}


def test_bytes_load_like_their_text_with_and_without_a_byte_order_mark() -> None:
    policy = load_bytes(GOOD.encode(), source="p.yaml")
    assert isinstance(policy, Policy)
    assert policy.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert isinstance(load_bytes(b"\xef\xbb\xbf" + GOOD.encode(), source="p.yaml"), Policy)


@pytest.mark.parametrize(
    ("raw", "place", "what"),
    [
        (b"version: 1\nmode: \xff\n", (2, 7), "not UTF-8"),
        (GOOD.encode("utf-16"), (1, 1), "not UTF-8"),
        (b"#" * (MAX_POLICY_BYTES + 1), (1, 1), "larger than"),
    ],
)
def test_bytes_that_are_no_text_are_refused(raw: bytes, place: tuple[int, int], what: str) -> None:
    found = load_bytes(raw, source="p.yaml")
    assert isinstance(found, tuple)
    assert (found[0].line, found[0].column) == place
    assert what in found[0].what


def test_a_file_that_is_no_yaml_gives_no_policy() -> None:
    assert len(problems("a: [")) == 1


def test_a_file_with_one_mistake_gives_no_policy() -> None:
    assert len(problems(GOOD + "limits: [{per: principal, servers: [db], calls: x}]\n")) == 1


def test_the_policies_of_the_repository_load() -> None:
    from pathlib import Path  # noqa: PLC0415 - only here a file is read

    path = Path(__file__).resolve().parents[3] / "extproc" / "demo" / "policy.yaml"
    policy = load_bytes(path.read_bytes(), source=str(path))
    assert isinstance(policy, Policy), "\n".join(map(str, policy))
    assert set(policy.servers) == {"sales-db"}
    assert policy.roles == ("analyst", "steward")


def test_roles_keep_the_order_of_the_file() -> None:
    assert load(HEAD + SERVERS + ROLES + GRANTS.removeprefix("roles:\n")).roles == ("reader", "r")
