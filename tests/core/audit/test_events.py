"""What an audit event says, and what it must never hold."""

import json

import pytest

from extproc.core import audit
from extproc.core.audit.begun import SCHEMA_VERSION
from extproc.core.limits import MAX_ARGUMENT_EVENT_BYTES, MAX_PAYLOAD_EVENT_BYTES
from extproc.core.masking import Masking
from extproc.core.model import (
    Client,
    Decision,
    Effect,
    Era,
    Message,
    MessageKind,
    Obligations,
    Principal,
    RequestHead,
    ResourceKind,
    Target,
    Verb,
)
from extproc.core.rejection import INVALID_REQUEST, Rejection

HEAD = RequestHead(
    server="sales-db",
    http_method="POST",
    path="/mcp?token=hunter2",
    headers={"authorization": "Bearer hunter2"},
    claims={"sub": "ana", "secret": "hunter2"},
    source="10.0.0.7:40112",
)
ANA = Principal(
    issuer="https://idp",
    subject="ana",
    groups=frozenset({"b", "a"}),
    roles=frozenset({"r"}),
    claims={"secret": "hunter2"},
    workload="spiffe://prod/agent",
)
CALL = Message(
    kind=MessageKind.REQUEST,
    method="tools/call",
    era=Era.MODERN,
    revision="2026-07-28",
    verb=Verb.ADMIN,
    targets=(Target(kind=ResourceKind.TOOL, name="query"),),
    id="7",
    client=Client(name="agent", version="1"),
    trace_id="4bf92f3577b34da6a3ce929d0e0e4736",
    body=b"hunter2",
)
ALLOW = Decision(effect=Effect.ALLOW, rule="role:analyst#1", reason="granted", verb=Verb.QUERY, policy_digest="d1")
SESSION = "0b7f-upstream-session-id"


def event_of(**changes: object) -> dict:
    given = {
        "at": 5,
        "decision_id": "d-1",
        "head": HEAD,
        "principal": ANA,
        "message": CALL,
        "verdict": ALLOW,
        "session": SESSION,
        "arguments": {"sql": "select 1"},
        "arguments_digest": "abc",
        "body_bytes": 7,
    }
    return audit.decided(**{**given, **changes})


def outcome_of(**changes: object) -> dict:
    given = {
        "at": 9,
        "decision_id": "d-1",
        "server": "sales-db",
        "session": SESSION,
        "status": 200,
        "result": "complete",
        "bytes": 12,
        "digest": "ab",
        "payload": {"content": []},
        "duration_ns": 4,
        "hidden": 0,
        "masked": {"email": 2},
    }
    return audit.concluded(**{**given, **changes})


def test_an_allowed_call_is_recorded_whole():
    assert event_of() == {
        "kind": "decision",
        "schema": SCHEMA_VERSION,
        "at": 5,
        "decision": "d-1",
        "server": "sales-db",
        "source": "10.0.0.7:40112",
        "http_method": "POST",
        "body_bytes": 7,
        "session": audit.session_digest(SESSION),
        "principal": {
            "issuer": "https://idp",
            "subject": "ana",
            "groups": ["a", "b"],
            "roles": ["r"],
            "workload": "spiffe://prod/agent",
        },
        "arguments": {"sql": "select 1"},
        "arguments_digest": "abc",
        "message": "request",
        "method": "tools/call",
        "era": "modern",
        "revision": "2026-07-28",
        "id": "7",
        "targets": [{"kind": "tool", "name": "query"}],
        "client": {"name": "agent", "version": "1"},
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
        "rewritten": False,
        "effect": "allow",
        "verb": "query",
        "rule": "role:analyst#1",
        "reason": "granted",
        "policy": "d1",
        "shadow": False,
    }


def test_a_denial_and_a_shadowed_denial_differ_in_effect_and_flag():
    deny = Decision(effect=Effect.DENY, rule="default", reason="no_grant", policy_digest="d1")
    shadowed = Decision(effect=Effect.DENY, rule="default", reason="no_grant", policy_digest="d1", shadowed=True)
    assert (event_of(verdict=deny)["effect"], event_of(verdict=deny)["shadow"]) == ("deny", False)
    assert (event_of(verdict=shadowed)["effect"], event_of(verdict=shadowed)["shadow"]) == ("shadow", True)


def test_shadow_mode_stands_on_every_decision_made_under_it():
    rejection = Rejection(status=400, code=INVALID_REQUEST, message="no", reason="batch")
    assert event_of(shadow_mode=True)["shadow"] is True
    assert event_of(shadow_mode=True)["effect"] == "allow"
    assert event_of(shadow_mode=True, verdict=rejection)["shadow"] is True


def test_a_rejection_before_parsing_is_recorded_with_what_is_known():
    rejection = Rejection(status=400, code=INVALID_REQUEST, message="no", reason="batch", id=3)
    event = event_of(verdict=rejection, message=None, principal=None, session=None, arguments=None, policy_digest="d1")
    assert (event["effect"], event["reason"], event["status"], event["code"]) == (
        "reject",
        "batch",
        400,
        INVALID_REQUEST,
    )
    assert (event["principal"], event["session"], event["rule"], event["verb"]) == (None, None, None, None)
    assert (event["id"], event["policy"], event["shadow"]) == (3, "d1", False)
    assert "method" not in event


def test_a_rejection_after_parsing_keeps_the_message():
    rejection = Rejection(status=401, code=INVALID_REQUEST, message="no", reason="no_token")
    event = event_of(verdict=rejection)
    assert (event["method"], event["verb"], event["id"]) == ("tools/call", "admin", "7")


@pytest.mark.parametrize("id_", [1, "1", None])
def test_a_request_id_keeps_its_type(id_):
    message = Message(
        kind=CALL.kind, method=CALL.method, era=CALL.era, revision=CALL.revision, verb=CALL.verb, targets=(), id=id_
    )
    event = event_of(message=message)
    assert event["id"] == id_
    assert type(event["id"]) is type(id_)
    assert event["client"] is None


def test_no_session_id_header_claim_or_path_is_in_an_event():
    for event in (event_of(), outcome_of()):
        text = audit.encode(event).decode()
        assert SESSION not in text
        assert "hunter2" not in text


def test_the_session_digest_is_short_and_stable_and_total():
    assert audit.session_digest(SESSION) == audit.session_digest(SESSION)
    assert len(audit.session_digest(SESSION)) == 16
    assert audit.session_digest("a") != audit.session_digest("b")
    assert audit.session_digest("\ud800")


def test_arguments_are_kept_only_where_they_are_handed_in():
    event = event_of(arguments=None)
    assert event["arguments"] is None
    assert event["arguments_digest"] == "abc"
    assert "arguments_cut" not in event


def test_large_arguments_are_cut_by_whole_members_and_marked():
    big = "x" * MAX_ARGUMENT_EVENT_BYTES
    event = event_of(arguments={"a": 1, "blob": big, "z": "kept"})
    assert event["arguments"] == {"a": 1, "z": "kept"}
    assert event["arguments_cut"] == {"bytes": len(big) + 28, "members": 1}
    assert event["arguments_cut"]["bytes"] == len(json.dumps({"a": 1, "blob": big, "z": "kept"}, separators=(",", ":")))


def test_many_small_members_are_cut_at_the_bound():
    arguments = {f"k{n}": "v" * 10 for n in range(MAX_ARGUMENT_EVENT_BYTES)}
    event = event_of(arguments=arguments)
    kept = event["arguments"]
    assert len(audit.encode(kept)) <= MAX_ARGUMENT_EVENT_BYTES
    assert event["arguments_cut"]["members"] == len(arguments) - len(kept)


def test_arguments_at_the_bound_are_kept_whole():
    arguments = {"k": "v" * (MAX_ARGUMENT_EVENT_BYTES - len('{"k":""}'))}
    assert event_of(arguments=arguments)["arguments"] == arguments
    assert "arguments_cut" not in event_of(arguments=arguments)


def test_an_outcome_is_recorded_whole():
    assert outcome_of() == {
        "kind": "outcome",
        "schema": SCHEMA_VERSION,
        "at": 9,
        "decision": "d-1",
        "server": "sales-db",
        "session": audit.session_digest(SESSION),
        "status": 200,
        "result": "complete",
        "bytes": 12,
        "digest": "ab",
        "payload": {"content": []},
        "duration_ns": 4,
        "hidden": 0,
        "masked": {"email": 2},
        "trace": None,
    }


def message_of(**changes: object) -> dict:
    given = {
        "at": 9,
        "decision_id": "d-1",
        "server": "sales-db",
        "session": SESSION,
        "trace": "t",
        "number": 3,
        "kind": "notification",
        "method": "notifications/message",
        "id": None,
        "raw": b'{"method":"notifications/message"}',
        "digest": "hmac-sha256:0:ab",
        "payload": {"data": "x"},
    }
    return audit.message(**{**given, **changes})


def test_a_message_of_a_stream_is_recorded_whole():
    event = message_of(masked={"email": 1})
    assert (event["number"], event["method"], event["payload"]) == (3, "notifications/message", {"data": "x"})
    assert (event["bytes"], event["digest"], event["masked"]) == (34, "hmac-sha256:0:ab", {"email": 1})
    assert event["session"] == audit.session_digest(SESSION)
    assert "payload_cut" not in event


def test_a_message_that_is_too_large_is_kept_as_its_size_and_digest():
    event = message_of(raw=b" " * (MAX_PAYLOAD_EVENT_BYTES + 1))
    assert (event["payload"], event["payload_cut"]) == (None, {"bytes": MAX_PAYLOAD_EVENT_BYTES + 1})
    assert event["digest"] == "hmac-sha256:0:ab"
    assert message_of(session=None, payload=None)["session"] is None


def test_the_outcome_of_a_stream_counts_its_messages():
    assert outcome_of(messages=2)["messages"] == 2
    assert "messages" not in outcome_of()


def test_a_decision_names_the_masking_rules_and_counts_what_they_masked_in_the_request():
    owing = Decision(
        effect=Effect.ALLOW, rule="r", reason="granted", obligations=Obligations(masking=Masking(rules=("pii",)))
    )
    event = event_of(verdict=owing, masked={"email": 2})
    assert (event["masking"], event["masked"]) == (["pii"], {"email": 2})
    assert not {"masking", "masked"} & event_of().keys()


def test_an_outcome_without_session_or_payload_says_so():
    event = outcome_of(session=None, payload=None, status=None, result="cut")
    assert (event["session"], event["payload"], event["status"]) == (None, None, None)
    assert "payload_cut" not in event


def test_a_large_payload_that_is_no_object_is_left_out_and_marked():
    event = outcome_of(payload=["x" * MAX_PAYLOAD_EVENT_BYTES])
    assert event["payload"] is None
    assert event["payload_cut"] == {"bytes": MAX_PAYLOAD_EVENT_BYTES + 4}
