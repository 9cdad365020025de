"""OCSF: every kind of event, and anything at all, is an event that the schema's own definition takes, with nothing lost.

The definitions are those of the package ocsf-json-schema, made from schema.ocsf.io.
"""

import functools
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from ocsf_json_schema import get_ocsf_schema
from ocsf_json_schema.embedded import OcsfJsonSchemaEmbedded

from extproc.core import audit
from extproc.core.approval import open_ticket
from extproc.core.audit.steps import (
    Skipped,
    approval_step,
    approver_step,
    definition_step,
    export_step,
    key_step,
    loan_step,
    login_step,
    purge_step,
    read_step,
    revocation_step,
    seal_step,
    sink_step,
)
from extproc.core.model import (
    Client,
    Decision,
    Effect,
    Era,
    Message,
    MessageKind,
    Principal,
    RequestHead,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.ocsf import ocsf_event
from extproc.core.ocsf.classes import ACTIVITIES, EFFECTS, KINDS, VERSION
from extproc.core.rejection import INVALID_REQUEST, Rejection
from extproc.core.shared_state import Elevation, Pin, Revocation, Revoked
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Vote

NOW = 1_800_000_000_123_456_789
DAN = Approver(issuer="local", subject="dan", groups=frozenset({"dba"}), name="Dan")
HEAD = RequestHead(
    server="sales-db", http_method="POST", path="/mcp", headers={}, claims={}, source="[2001:db8::7]:40112"
)
ANA = Principal(
    issuer="https://idp", subject="ana", groups=frozenset({"a", "b"}), roles=frozenset(), claims={}, workload=None
)
CALL = Message(
    kind=MessageKind.REQUEST,
    method="tools/call",
    era=Era.MODERN,
    revision="2026-07-28",
    verb=Verb.QUERY,
    targets=(Target(kind=ResourceKind.TOOL, name="query"),),
    id="7",
    client=Client(name="agent", version="1"),
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    body=b"",
)
ASK = Ask(kind=AskKind.CALL, issuer="i", subject="ann", policy_digest="p", approval="change", arguments="{}")
TICKET = open_ticket(ASK, ApprovalRule(name="change", approvers=Approvers(groups=frozenset({"dba"}))), id="t1", at=NOW)
VOTE = Vote(issuer="local", subject="dan", name="Dan", approves=True, forced=False, reason="fine", at=NOW)
OUT = Revocation(id="r1", kind=Revoked.SUBJECT, value="ann", at=NOW, reason="left")
PIN = Pin(server="db", tool="query", digest="b", definition="{}", at=NOW)
LOAN = Elevation(id="t1", issuer="i", subject="ann", role="steward", at=NOW, until=NOW + 1)


def decided(effect=Effect.ALLOW, verb=Verb.QUERY, **changes):
    given = {
        "at": NOW,
        "decision_id": "d-1",
        "head": HEAD,
        "principal": ANA,
        "message": CALL,
        "verdict": Decision(effect=effect, rule="role:analyst#1", reason="granted", verb=verb, policy_digest="p1"),
        "session": "s",
        "arguments": {"sql": "select 1"},
        "arguments_digest": "abc",
        "body_bytes": 7,
    }
    return audit.decided(**{**given, **changes})


REJECTED = Rejection(status=400, code=INVALID_REQUEST, message="no", reason="no JSON")
EVENTS = {
    "allow": decided(),
    "hold": decided(Effect.HOLD, Verb.ADMIN),
    "deny": decided(Effect.DENY, Verb.MUTATE),
    "shadow": decided() | {"effect": "shadow"},
    "reject": decided(verdict=REJECTED, message=None, principal=None, session=None),
    "outcome": audit.concluded(
        at=NOW,
        decision_id="d-1",
        server="sales-db",
        session="s",
        status=200,
        result="complete",
        bytes=3,
        digest=None,
        payload={"x": 1},
        duration_ns=1_500_000,
        hidden=0,
    ),
    "cut": audit.concluded(
        at=NOW,
        decision_id="d-1",
        server="",
        session=None,
        status=None,
        result="cut",
        bytes=0,
        digest=None,
        payload=None,
        duration_ns=0,
        hidden=0,
    ),
    "server_request": audit.server_asked(
        at=NOW,
        decision_id="d-1",
        server="sales-db",
        session=None,
        issuer="i",
        subject="ana",
        asks="elicitation",
        host="login.example.com",
        effect="deny",
        reason="not listed",
    ),
    "asked": approval_step(at=NOW, step="asked", ticket=TICKET),
    "approved": approval_step(at=NOW, step="approved", ticket=TICKET, vote=VOTE),
    "revoked": revocation_step(at=NOW, step="revoked", revocation=OUT, by="sec"),
    "lifted": revocation_step(at=NOW, step="lifted", revocation=OUT, by="sec"),
    "changed": definition_step(at=NOW, step="changed", pin=PIN, before="a"),
    "lent": loan_step(at=NOW, step="lent", loan=LOAN, by="dan"),
    "ended": loan_step(at=NOW, step="ended", loan=LOAN, by="dan"),
    "login": login_step(at=NOW, step="signed_in", person=DAN, local=True, source="10.0.0.9"),
    "login_oidc": login_step(at=NOW, step="signed_in", person=DAN, local=False),
    "login_refused": login_step(at=NOW, step="refused", person=None, local=True, reason="not known"),
    "logout": login_step(at=NOW, step="signed_out", person=DAN, local=True),
    "approver_added": approver_step(at=NOW, step="added", name="dan", groups=["dba"], by="root"),
    "approver_removed": approver_step(at=NOW, step="removed", name="dan", groups=[], by="root"),
    "key_rotated": key_step(at=NOW, step="rotated", of="seals", keys=["k"], by="root"),
    "key_in_use": key_step(at=NOW, step="in_use", of="payloads", keys=["k"]),
    "sink_failed": sink_step(at=NOW, step="failed", sink="siem", reason="the collector answers 503"),
    "sink_skipped": sink_step(
        at=NOW,
        step="skipped",
        sink="siem",
        reason="too large",
        skipped=Skipped(journal="n-0", seq=7, hash="ab", said="the collector answers 413", by="eve"),
    ),
    "sink_recovered": sink_step(at=NOW, step="recovered", sink="siem"),
    "read": read_step(at=NOW, session="s", calls=1, recipient="auditor", by="eve"),
    "message": audit.message(
        at=NOW,
        decision_id="d-1",
        server="sales-db",
        session="s",
        trace="4bf92f3577b34da6a3ce929d0e0e4736",
        number=1,
        kind="notification",
        method="notifications/progress",
        id=None,
        raw=b"{}",
        digest="hmac-sha256:0:ab",
        payload={"progress": 1},
    ),
    "policy": audit.policy_loaded(at=NOW, source="policy.yaml", digest="p1", problems=0),
    "policy_broken": audit.policy_loaded(at=NOW, source="policy.yaml", digest="p1", problems=2),
    "started": audit.started(at=NOW, node="n", worker="n-0", version="1.2.3", shadow_mode=False),
    "stopped": audit.stopped(at=NOW, reason="told to stop"),
    "opened": audit.opened(at=NOW, node="n", worker="n-0", version="1", segment=1, previous="0" * 64),
    "recovered": audit.recovered(at=NOW, segment=1, cut_bytes=3, cut_digest="a", fault=None),
    "unsynced": audit.unsynced(at=NOW, segment=1, first=3, last=4),
    "sealed": seal_step(at=NOW, notes=["note"], broken={}),
    "sealed_broken": seal_step(at=NOW, notes=[], broken={"n-0": "event 3"}),
    "exported": export_step(at=NOW, session="s", calls=1, digest="d", by="eve"),
    "purged": purge_step(at=NOW, journal="n-0", ranges=((1, 2),), events=2, policy="p"),
    "damaged": {"kind": "damaged", "file": "00000001.jsonl", "said": "no"},
    "unknown": {"kind": "something new", "at": NOW},
}


@functools.cache
def validator(version, class_uid, profiles):
    schema = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
    return Draft202012Validator(schema.get_class_schema(schema.lookup_class_name_from_uid(class_uid), list(profiles)))


def mapped(event, *versions):
    found = ocsf_event(journal="n-0", seq=7, hash="f" * 64, event=event)
    for version in versions or (VERSION,):
        profiles = tuple(found["metadata"]["profiles"])
        errors = [
            f"{list(error.path)}: {error.message}"
            for error in validator(version, found["class_uid"], profiles).iter_errors(found)
        ]
        assert errors == []
    assert found["unmapped"] == {"journal": "n-0", "seq": 7, "hash": "f" * 64, "event": event}
    assert (found["metadata"]["uid"], found["metadata"]["sequence"]) == ("n-0/7", 7)
    assert found["type_uid"] == found["class_uid"] * 100 + found["activity_id"]
    return found


@pytest.mark.parametrize("name", EVENTS)
def test_every_kind_of_event_is_one_of_its_class_in_its_version_and_the_newest(name):
    mapped(EVENTS[name], VERSION, "1.8.0")


@pytest.mark.parametrize("member", ["api", "actor", "src_endpoint", "metadata", "time"])
def test_the_definition_refuses_what_lacks_a_member(member):
    found = mapped(EVENTS["allow"])
    known = validator(VERSION, 6003, tuple(found["metadata"]["profiles"]))
    del found[member]
    assert not known.is_valid(found)


def test_every_kind_that_is_listed_is_tried_here():
    assert {event["kind"] for event in EVENTS.values()} == {*KINDS, "something new"}


def test_activities_are_called_what_the_schema_calls_them():
    classes = {each["uid"]: each for each in get_ocsf_schema(version=VERSION)["classes"].values()}
    for row in KINDS.values():
        known = classes[row.cls.uid]["attributes"]["activity_id"]["enum"]
        assert {str(number) for number in (row.activity, *row.activities.values())} <= known.keys()
        for number, name in ACTIVITIES[row.cls.uid].items():
            assert known[str(number)]["caption"] == name
        assert row.cls.name == classes[row.cls.uid]["caption"]
        assert row.cls.category == classes[row.cls.uid]["category_name"]
    dispositions = classes[6003]["attributes"]["disposition_id"]["enum"]
    assert {dispositions[str(each.disposition)]["caption"]: each.named for each in EFFECTS.values()} == {
        each.named: each.named for each in EFFECTS.values()
    }


def test_a_decision_says_who_did_what_where_and_what_came_of_it():
    event = mapped(EVENTS["allow"])
    assert (event["class_uid"], event["type_name"], event["time"]) == (6003, "API Activity: Read", NOW // 10**6)
    assert event["actor"]["user"] == {"uid": "ana", "domain": "https://idp", "groups": [{"name": "a"}, {"name": "b"}]}
    assert event["actor"]["session"]["uid"] == EVENTS["allow"]["session"]
    assert event["actor"]["app_name"] == "agent"
    assert event["src_endpoint"] == {"ip": "2001:db8::7", "port": 40112}
    assert event["api"] == {
        "operation": "tools/call",
        "service": {"name": "sales-db"},
        "request": {"uid": "d-1"},
    }
    assert event["resources"] == [{"name": "query", "type": "tool"}]
    assert event["policy"] == {"uid": "p1"}
    assert event["firewall_rule"] == {"name": "role:analyst#1"}
    assert event["trace"] == {"uid": "4bf92f3577b34da6a3ce929d0e0e4736"}
    assert event["metadata"]["correlation_uid"] == mapped(EVENTS["outcome"])["metadata"]["correlation_uid"] == "d-1"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("allow", ("Read", 1, 1, "Allowed", "Informational")),
        ("hold", ("Admin", 99, 99, "Delayed", "Informational")),
        ("deny", ("Update", 2, 2, "Blocked", "Low")),
        ("shadow", ("Read", 1, 3, "Detected", "Low")),
        ("reject", ("Unknown", 2, 2, "Rejected", "Low")),
    ],
)
def test_what_was_decided_is_told_in_the_words_of_security_control(name, told):
    event = mapped(EVENTS[name])
    names = ("activity_name", "status_id", "action_id", "disposition", "severity")
    assert tuple(event[each] for each in names) == told


@pytest.mark.parametrize(
    ("name", "status"), [("login", 1), ("login_refused", 2), ("sink_failed", 2), ("sink_recovered", 1)]
)
def test_what_failed_is_told_as_a_failure(name, status):
    assert mapped(EVENTS[name])["status_id"] == status


def test_a_call_of_nobody_names_nobody():
    event = mapped(EVENTS["reject"])
    assert event["actor"] == {"app_name": "unknown"}
    assert event["api"]["operation"] == "POST"


@pytest.mark.parametrize(
    ("name", "class_uid", "activity"),
    [
        ("outcome", 6003, "Response"),
        ("server_request", 6003, "Server Request"),
        ("asked", 3004, "Create"),
        ("approved", 3004, "Update"),
        ("revoked", 3004, "Disable"),
        ("lifted", 3004, "Enable"),
        ("lent", 3005, "Assign Privileges"),
        ("ended", 3005, "Revoke Privileges"),
        ("login", 3002, "Logon"),
        ("login_refused", 3002, "Logon"),
        ("logout", 3002, "Logoff"),
        ("approver_added", 3004, "Create"),
        ("approver_removed", 3004, "Delete"),
        ("key_in_use", 3004, "Enable"),
        ("message", 6003, "Message"),
        ("read", 1008, "Read"),
        ("sink_failed", 1008, "Delivery"),
        ("started", 6002, "Start"),
        ("stopped", 6002, "Stop"),
        ("purged", 1008, "Delete"),
        ("exported", 1008, "Export"),
        ("sealed", 1008, "Seal"),
        ("unknown", 0, "Other"),
    ],
)
def test_each_kind_has_its_class_and_activity(name, class_uid, activity):
    event = mapped(EVENTS[name])
    assert (event["class_uid"], event["activity_name"]) == (class_uid, activity)


@pytest.mark.parametrize(
    ("name", "severity"),
    [
        ("sealed_broken", "High"),
        ("damaged", "High"),
        ("changed", "Medium"),
        ("sink_failed", "Medium"),
        ("login_refused", "Medium"),
        ("policy_broken", "Medium"),
        ("policy", "Informational"),
    ],
)
def test_what_somebody_must_look_at_is_more_severe(name, severity):
    assert mapped(EVENTS[name])["severity"] == severity


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(sorted(EFFECTS)),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["subject", "name", "groups", "kind"]), inner)
    ),
    max_leaves=6,
)
NAMES = sorted({name for event in EVENTS.values() for name in event} - {"kind"})


@settings(max_examples=50)
@given(st.sampled_from([*sorted(KINDS), "other"]), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=8))
def test_whatever_stands_in_an_event_it_is_one_of_its_class(kind, members):
    mapped({"kind": kind} | members)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_event_that_says_nothing_but_its_kind_is_one_of_its_class(kind):
    assert mapped({"kind": kind})["class_uid"] == KINDS[kind].cls.uid


@pytest.mark.parametrize("kind", [None, 7, ["decision"], {"a": 1}])
def test_an_event_of_no_kind_is_a_base_event(kind):
    assert mapped({"kind": kind})["class_uid"] == 0


def test_groups_and_targets_that_are_none_are_left_out():
    event = mapped(decided() | {"targets": [3, {"name": ""}], "principal": {"subject": "ann", "groups": [1]}})
    assert "resources" not in event
    assert event["actor"]["user"] == {"uid": "ann"}


def test_the_table_of_the_readme_is_the_mapping():
    readme = Path(__file__).parents[3] / "extproc" / "edges" / "sinks" / "README.md"
    rows = re.findall(r"^\| `(\w+)` \| (.+) \((\d+)\) \| (.+) \|$", readme.read_text("utf-8"), re.MULTILINE)
    assert {(kind, name, int(uid)) for kind, name, uid, _ in rows} == {
        (kind, row.cls.name, row.cls.uid) for kind, row in KINDS.items()
    }
    for kind, _, _, told in rows:
        row = KINDS[kind]
        named = [f"{value}: {called(row, number)}" for value, number in row.activities.items()]
        rest = called(row, row.activity) if row.activity != 99 else f"Other: {row.otherwise}"
        covered = kind in {"decision", "loan", "revocation"}
        words = named if covered else [*named, f"else {rest}" if named else rest]
        assert told == ", ".join(words)


def called(row, number):
    return ACTIVITIES[row.cls.uid].get(number, "Other")
