"""The corridor's order, by conversation and by property: nothing is forwarded before its event is stored."""

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import signing
from extproc.core.exchange import (
    Abort,
    Acknowledge,
    Answer,
    BodyReceived,
    Closed,
    Conclude,
    CountSession,
    DeadlinePassed,
    Exchange,
    Forward,
    HeadReceived,
    Pass,
    QuotasTaken,
    Release,
    ResponseBodyReceived,
    ResponseHeadReceived,
    ResponseTrailersReceived,
    SessionCounted,
    Snapshot,
    Store,
    Stored,
    StoreFailed,
    TakeQuotas,
    WantKeys,
)
from extproc.core.handles import KeyRing
from extproc.core.limits import MAX_BODY_BYTES
from extproc.core.model import Quota
from script import (
    AUDIENCE,
    ISSUER,
    NOW,
    POLICY,
    RING,
    Script,
    World,
    answer_of,
    call,
    claims,
    legacy,
    modern,
    policy,
)


def test_an_allowed_call_is_stored_and_then_forwarded_as_it_came():
    script = Script()
    forward = script.forwarded(call("echo", {"text": "x"}))
    stored = [type(command) for command in script.world.asked]
    assert stored == [Acknowledge, Store, Forward]
    assert (forward.body, forward.decision_id) == (None, "d-1")
    (event,) = script.world.records
    assert (event["effect"], event["verb"], event["targets"]) == ("allow", "query", [{"kind": "tool", "name": "echo"}])
    assert event["principal"]["subject"] == "ann"
    assert event["arguments"] == {"text": "x"}


def test_a_refused_call_is_recorded_and_answered_in_words():
    script = Script()
    (answer,) = script.post(call("drop_table", {"table": "orders"}))
    status, body = answer_of([answer])
    assert (status, body["id"], body["result"]["isError"]) == (200, 1, True)
    assert "drop_table" in body["result"]["content"][0]["text"]
    assert script.world.records[0]["effect"] == "deny"
    assert script.exchange.over


def test_a_hidden_and_a_missing_tool_are_refused_in_the_same_words():
    hidden = answer_of(Script().post(call("drop_table")))
    missing = answer_of(Script().post(call("dr0p_table")))
    assert json.dumps(hidden).replace("drop_table", "T") == json.dumps(missing).replace("dr0p_table", "T")


def test_without_a_token_nothing_is_read_and_a_challenge_is_given():
    script = Script(who={})
    script.head = script.head.__class__(server="sales-db", http_method="POST", path="/sales-db/mcp")
    said = script.begin()
    (answer,) = said
    assert answer.reply.status == 401
    assert dict(answer.reply.headers)["www-authenticate"] == (
        'Bearer resource_metadata="https://mcp.example.com/.well-known/oauth-protected-resource/sales-db/mcp"'
    )
    assert script.world.records[0]["reason"] == "token_missing"


def test_a_malformed_body_is_recorded_and_refused():
    script = Script()
    script.begin()
    status, body = answer_of(script.play(BodyReceived(at=NOW, body=b'{"jsonrpc":"2.0"')))
    assert (status, body["error"]["code"]) == (400, -32700)
    assert script.world.records[0]["effect"] == "reject"


def test_an_unknown_server_is_refused_and_named_unknown_in_metrics():
    script = Script(server="hr-db")
    status, body = answer_of(script.post(call("echo")))
    assert (status, body["result"]["isError"]) == (200, True)
    assert script.exchange.verdict.server == "unknown"


def test_a_call_that_cannot_be_recorded_is_not_made():
    script = Script(world=World(stored=False))
    status, body = answer_of(script.post(call("echo")))
    assert (status, body["error"]["code"], body["id"]) == (503, -32603, 1)
    assert not any(isinstance(command, Forward) for command in script.world.asked)


def test_a_refusal_stands_when_it_cannot_be_recorded():
    status, body = answer_of(Script(world=World(stored=False)).post(call("drop_table")))
    assert (status, body["result"]["isError"]) == (200, True)


def test_an_unreadable_request_is_refused_when_that_cannot_be_recorded():
    script = Script(world=World(stored=False))
    script.begin()
    assert answer_of(script.play(BodyReceived(at=NOW, body=b"[]")))[0] == 400


LIMITED = POLICY + "limits: [{per: principal, servers: [sales-db], calls: 2/1m}]\n"


def test_a_call_within_its_limit_is_counted_before_it_is_stored():
    script = Script(LIMITED)
    script.forwarded(call("echo"))
    assert [type(command) for command in script.world.asked] == [Acknowledge, TakeQuotas, Store, Forward]


def test_a_call_over_its_limit_is_denied_and_recorded():
    script = Script(LIMITED, world=World(exceeded=True))
    _, body = answer_of(script.post(call("echo")))
    assert body["result"]["isError"]
    assert script.world.records[0]["effect"] == "deny"


def test_a_call_that_cannot_be_counted_is_not_made():
    script = Script(LIMITED, world=World(counted=False))
    assert answer_of(script.post(call("echo")))[0] == 503


SHADOW = POLICY.replace("version: 1", "version: 1\nmode: shadow")


def test_shadow_mode_forwards_what_it_would_deny_and_says_so_on_the_event():
    script = Script(SHADOW)
    script.forwarded(call("drop_table"))
    assert (script.world.records[0]["effect"], script.world.records[0]["shadow"]) == ("shadow", True)
    assert script.exchange.verdict.effect == "shadow"


def test_shadow_mode_does_not_let_malformed_messages_or_strangers_pass():
    script = Script(SHADOW)
    script.begin()
    assert answer_of(script.play(BodyReceived(at=NOW, body=b"[]")))[0] == 400
    assert answer_of([*Script(SHADOW, who=claims(exp=1)).begin()])[0] == 401


COUNTING = POLICY.replace('tools: [echo, "list_*"]}', 'tools: [echo, "list_*"], when: session.calls < 3}')


@pytest.mark.parametrize(("before", "passes"), [(2, True), (3, False)])
def test_a_condition_on_earlier_calls_is_judged_with_their_number(before, passes):
    script = Script(COUNTING, world=World(session_calls=before))
    (said,) = script.post(call("echo"))
    assert isinstance(said, Forward) is passes
    assert isinstance(script.world.asked[1], CountSession)


def test_a_session_that_cannot_be_counted_makes_no_call():
    script = Script(COUNTING, world=World(counted=False))
    assert answer_of(script.post(call("echo")))[0] == 503


def test_an_unknown_key_asks_for_newer_keys_and_refuses():
    token = signing.token(iss=ISSUER, sub="ann", aud=AUDIENCE, iat=NOW // 10**9, exp=NOW // 10**9 + 60)
    script = Script(keys={"corp": ()})
    script.head = script.head.__class__(server="sales-db", http_method="POST", path="/mcp")
    said = script.begin({"authorization": f"Bearer {token}"})
    assert isinstance(said[0], WantKeys)
    assert answer_of(said)[0] == 401


def test_the_second_chance_of_a_body_is_a_fault():
    script = Script()
    script.forwarded(call("echo"))
    assert script.play(BodyReceived(at=NOW, body=b"{}")) == [Abort(reason="BodyReceived while forwarded")]
    assert not script.exchange.over


def test_a_bug_in_a_room_aborts_and_poisons():
    script = Script()
    script.begin()
    assert isinstance(script.play(BodyReceived(at=NOW, body=None))[0], Abort)
    assert script.play(BodyReceived(at=NOW, body=call("echo")[1]))[0].reason == "BodyReceived while failed"


def test_a_gap_in_what_is_known_fails_closed():
    script = Script()
    script.exchange._state = "body"  # as if a wrong row of the table had led here
    assert script.play(BodyReceived(at=NOW, body=b"{}")) == [Abort(reason="bug: LookupError")]


def test_a_local_reply_of_envoy_passes_unchanged():
    script = Script()
    said = script.play(ResponseHeadReceived(at=NOW, status=401, headers={}, bodiless=False))
    assert (said, script.exchange.over, script.world.records) == ([Pass()], True, [])


def test_a_request_that_envoy_answered_before_its_body_is_recorded():
    script = Script()
    script.begin()
    said = script.play(ResponseHeadReceived(at=NOW, status=413, headers={}, bodiless=False))
    assert said == [Pass()]
    assert (script.world.records[0]["reason"], script.world.records[0]["status"]) == ("answered_by_envoy", 413)


def test_a_client_that_leaves_before_the_answer_is_concluded_as_cut():
    script = Script()
    script.forwarded(call("echo"))
    (conclusion,) = script.play(Closed(at=NOW + 5))
    assert (conclusion.result, conclusion.nanoseconds, conclusion.event["result"]) == ("cut", 5, "cut")
    assert not script.exchange.over


def test_a_client_that_leaves_while_its_call_is_stored_is_never_served():
    script = Script()
    script.begin(call("echo")[0])
    (store,) = script.exchange.handle(BodyReceived(at=NOW, body=call("echo")[1]))
    assert isinstance(store, Store)
    (conclusion,) = script.exchange.handle(Closed(at=NOW))
    assert conclusion.result == "cut"
    assert script.exchange.handle(Stored(at=NOW)) == (Abort(reason="Stored while failed"),)


def test_a_client_that_leaves_while_its_refusal_is_stored_needs_no_conclusion():
    script = Script()
    script.begin(call("drop_table")[0])
    script.exchange.handle(BodyReceived(at=NOW, body=call("drop_table")[1]))
    assert script.exchange.handle(Closed(at=NOW)) == ()


def test_a_client_that_leaves_before_anything_was_decided_leaves_no_trace():
    assert Script().play(Closed(at=NOW)) == []


def test_the_response_of_a_modern_call_without_recording_is_not_asked_for():
    script = Script(POLICY.replace("masked", "none"))
    forward = script.forwarded(call("echo"))
    assert not forward.owes
    assert script.exchange.over
    assert script.world.records[0]["arguments"] is None


def test_the_response_of_a_modern_list_is_asked_for_without_recording():
    assert Script(POLICY.replace("masked", "none")).forwarded(modern("tools/list")).owes


def test_a_long_stream_ends_with_the_token_of_its_caller():
    script = Script(who=claims(exp=NOW / 1e9 + 60))
    assert script.forwarded(modern("subscriptions/listen", {"notifications": {}})).until == NOW / 1e9 + 60
    assert Script().forwarded(call("echo")).until is None


def test_a_long_stream_of_a_workload_ends_with_its_policy_alone():
    mesh = POLICY.replace("identity:", "identity:\n  workloads: [{trust_domain: example.com}]")
    mesh = mesh.replace("{groups: [data-analysts]}", '{workloads: ["spiffe://example.com/agent"]}')
    peer = {"claims": None, "peer_uris": ("spiffe://example.com/agent",)}
    request = modern("subscriptions/listen", {"notifications": {}})
    assert Script(mesh).forwarded(request, **peer).until == math.inf


def test_a_body_over_the_limit_is_refused():
    script = Script()
    script.begin()
    assert answer_of(script.play(BodyReceived(at=NOW, body=b" " * (MAX_BODY_BYTES + 1))))[0] == 413


# --- properties ------------------------------------------------------------------------------------------------------

POLICIES = {name: policy(text) for name, text in {"plain": POLICY, "limited": LIMITED, "counting": COUNTING}.items()}
HEAD = Script().head
REQUESTS = [
    call("echo"),
    call("drop_table"),
    modern("tools/list"),
    legacy(
        "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}
    ),
    legacy("notifications/initialized", request_id=None),
    ({}, b"garbage"),
]
EVENTS = st.one_of(
    st.sampled_from(REQUESTS).map(
        lambda request: HeadReceived(
            at=NOW,
            head=HEAD.__class__(
                server="sales-db",
                http_method="POST",
                path="/mcp",
                claims=claims(),
                headers={"content-type": "application/json"} | request[0],
            ),
            bodiless=False,
        )
    ),
    st.sampled_from(REQUESTS).map(lambda request: BodyReceived(at=NOW, body=request[1])),
    st.just(Stored(at=NOW)),
    st.just(StoreFailed(at=NOW, reason="full")),
    st.integers(0, 5).map(lambda calls: SessionCounted(at=NOW, calls=calls)),
    st.sampled_from([None, Quota(rule="limit#1", key="k", calls=1, seconds=1)]).map(
        lambda quota: QuotasTaken(at=NOW, exceeded=quota)
    ),
    st.sampled_from(["application/json", "text/event-stream", "text/html"]).map(
        lambda media: ResponseHeadReceived(at=NOW, status=200, headers={"content-type": media}, bodiless=False)
    ),
    st.builds(
        lambda chunk, last: ResponseBodyReceived(at=NOW, chunk=chunk, last=last), st.binary(max_size=40), st.booleans()
    ),
    st.just(ResponseTrailersReceived(at=NOW, names=("x",))),
    st.just(DeadlinePassed(at=NOW)),
    st.just(Closed(at=NOW)),
)


@settings(max_examples=400)
@given(st.sampled_from(sorted(POLICIES)), st.lists(EVENTS, max_size=12))
def test_nothing_is_forwarded_but_in_answer_to_stored_and_nothing_follows_a_refusal(name, events):
    exchange = Exchange(Snapshot(policy=POLICIES[name], ring=KeyRing([b"k" * 64])), decision_id="d")
    refused = False
    for event in events:
        for command in exchange.handle(event):
            if isinstance(command, Forward):
                assert isinstance(event, Stored)
                assert not refused
            if isinstance(command, Release):
                assert not refused
            refused = refused or isinstance(command, Answer | Abort)


@settings(max_examples=200)
@given(st.lists(EVENTS, max_size=12))
def test_after_a_failure_there_is_nothing_but_abort(events):
    exchange = Exchange(Snapshot(policy=POLICIES["plain"], ring=RING), decision_id="d")
    failed = False
    for event in events:
        commands = exchange.handle(event)
        if failed:
            assert all(isinstance(command, Abort) for command in commands)
        assert not (exchange.over and any(isinstance(command, Abort) for command in commands))
        failed = failed or any(isinstance(command, Abort) for command in commands)
    assert not (failed and exchange.over)


def test_a_conclusion_is_given_once():
    script = Script()
    script.forwarded(call("echo"))
    body = b'{"jsonrpc":"2.0","id":1,"result":{"content":[]}}'
    said = script.response(body)
    assert sum(isinstance(command, Conclude) for command in said) == 1
    assert script.play(Closed(at=NOW)) == []
