"""A recorded call asked again: the same question as far as the record holds it, and what it lacks is said."""

import pytest

from extproc.core.exchange.again import judged_again
from extproc.core.model import Effect
from policies import HEAD, load

POLICY = (
    HEAD
    + """\
servers:
  db:
    tools: {query: {verb: sql, sql: {argument: sql}}, drop: {verb: admin}}
roles:
  reader:
    assigned_to: {groups: [readers]}
    grants: [{servers: [db], verbs: [query], when: 'client.name == "c" || sql.tables.size() == 0'}]
  keeper:
    assigned_to: {roles: [keepers]}
    grants: [{servers: [db], verbs: [admin], approval: ask}]
approvals: {ask: {approvers: {groups: [dba]}}}
"""
)


def event(sql: str = "SELECT 1 FROM t", **changes):
    arguments = {"sql": sql}
    given = {
        "kind": "decision",
        "server": "db",
        "principal": {"issuer": "https://idp", "subject": "ann", "groups": ["readers"], "roles": [], "workload": None},
        "method": "tools/call",
        "era": "modern",
        "revision": "2026-07-28",
        "targets": [{"kind": "tool", "name": "query"}],
        "client": {"name": "c", "version": "1"},
        "arguments": arguments,
        "arguments_digest": "hmac-sha256:0:ab",
        "effect": "allow",
    }
    return {**given, **changes}


def again(text: str = POLICY, **changes):
    return judged_again(load(text), event(**changes))


def test_the_same_policy_decides_the_same():
    found = again()
    assert (found.decision.effect, found.differs, found.unsure) == (Effect.ALLOW, False, "")


@pytest.mark.parametrize(
    "changes",
    [
        {"sql": "DELETE FROM t"},
        {"client": {"name": "d"}},
        {"client": None},
        {"server": "other"},
        {"targets": [{"kind": "tool", "name": "drop"}]},
        {"targets": [{"kind": "strange", "name": "query"}]},
        {"targets": None},
        {"principal": {"issuer": "https://idp", "subject": "ann", "groups": None}},
    ],
)
def test_every_part_of_the_question_counts(changes):
    found = again(**changes)
    assert (found.decision.effect, found.differs) == (Effect.DENY, True)


def test_what_was_refused_and_would_be_again_is_no_difference():
    assert not again(sql="DELETE FROM t", effect="deny").differs
    assert again(effect="deny").differs
    assert again(effect="deny", era="legacy", revision="2025-06-18").differs


def test_a_shadow_is_compared_with_what_shadow_would_do():
    shadowed = POLICY.replace("version: 1\n", "version: 1\nmode: shadow\n", 1)
    assert not again(shadowed, sql="DELETE FROM t", effect="shadow").differs
    assert again(sql="DELETE FROM t", effect="shadow").differs


def test_what_was_approved_would_be_held_again_which_is_no_difference():
    keeper = {"issuer": "https://idp", "subject": "ann", "groups": [], "roles": ["keepers"]}
    asked = {"principal": keeper, "targets": [{"kind": "tool", "name": "drop"}]}
    assert not again(**asked, ticket="t1").differs
    assert again(**asked).differs


@pytest.mark.parametrize(
    ("changes", "unsure"),
    [
        ({"arguments": None}, "not recorded"),
        ({"arguments": None, "arguments_digest": None, "encrypted": {"for": {}}}, "encrypted"),
        ({"arguments_cut": {"bytes": 9}}, "cut"),
        ({"arguments": {"sql": "SELECT 1 FROM t WHERE a = '[masked]'"}, "arguments_masked": True}, "masked"),
    ],
)
def test_what_the_record_lacks_is_said(changes, unsure):
    assert unsure in again(**changes).unsure


def test_a_call_without_arguments_lacks_none():
    assert again(arguments=None, arguments_digest=None).unsure == ""


def test_what_never_came_to_a_policy_is_not_asked():
    for changes in ({"effect": "reject"}, {"principal": None}, {"method": "strange"}, {"method": None}):
        assert again(**changes) is None


def test_a_notification_is_asked_too():
    assert (
        again(method="notifications/initialized", targets=[{"kind": "server", "name": ""}], arguments=None) is not None
    )
