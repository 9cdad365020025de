"""Who may come in, and who no longer."""

import json
from dataclasses import replace

import pytest
from msgspec import structs

from extproc.core.exchange import (
    Answer,
    BodyReceived,
    Forward,
    Snapshot,
)
from extproc.core.shared_state import Elevation, Revoked, SharedState
from held import DROP, HELD, SECOND, Desk, handshake, out, script
from script import AUDIENCE, ISSUER, NOW, POLICY, RING, Script, call, claims, legacy, policy


def test_a_revoked_subject_is_refused_whatever_his_token_says():
    (told,) = Script(shared=out(Revoked.SUBJECT, "ann")).begin()
    assert told.reply.status == 401
    assert "revoked" in json.loads(told.reply.body)["error"]["message"]


def test_a_revoked_session_is_unknown():
    from extproc.core.audit import session_digest  # noqa: PLC0415

    session = handshake({})
    request = legacy("tools/call", {"name": "echo", "arguments": {}}, **{"mcp-session-id": session})
    shared = out(Revoked.SESSION, session_digest("upstream-1"))
    (told,) = script(groups=("data-analysts",), shared=shared).post(request)
    assert told.reply.status == 404
    (forward,) = script(groups=("data-analysts",), shared=out(Revoked.SESSION, "another")).post(request)
    assert isinstance(forward, Forward)


def of_two(wanted):
    """A policy whose issuer serves two servers, of which this one wants its own tokens."""
    text = POLICY.replace(f'audience: "{AUDIENCE}"', f'audience: ["{AUDIENCE}", "https://mcp.example.com/hr/mcp"]')
    return text.replace("  sales-db:\n", f"  sales-db:\n    audience: {wanted}\n")


@pytest.mark.parametrize("aud", ["https://mcp.example.com/hr/mcp", ["https://mcp.example.com/hr/mcp"]])
def test_a_token_for_another_server_is_refused_with_the_words_that_lead_to_a_right_one(aud):
    (told,) = Script(of_two(AUDIENCE), who=claims(aud=aud)).begin()
    assert told.reply.status == 401
    assert "meant for another server" in json.loads(told.reply.body)["error"]["message"]
    assert "sales-db" in dict(told.reply.headers)["www-authenticate"]


@pytest.mark.parametrize("aud", [AUDIENCE, ["https://mcp.example.com/hr/mcp", AUDIENCE]])
def test_a_token_for_this_server_is_taken_also_if_it_is_for_more(aud):
    (forward,) = Script(of_two(AUDIENCE), who=claims(aud=aud)).post(call("echo"))
    assert isinstance(forward, Forward)


def test_a_copy_that_is_too_old_lets_nobody_in():
    (told,) = Script(shared=SharedState(as_of=NOW - 60 * SECOND)).begin()
    assert told.reply.status == 503


def test_a_token_that_grew_too_old_during_a_hold_lets_nothing_run():
    played = script(desk=Desk(at=NOW + 200 * SECOND))
    who = claims(groups=("stewards",), iat=NOW / 1e9 - 3500, exp=NOW / 1e9 + 86400)
    (told,) = played.post(DROP, claims=who)
    assert played.world.records[0]["reason"] == "token_expired"
    assert isinstance(told, Answer)


FREEZE = "deny: [{name: freeze, servers: [sales-db], tools: [echo]}]\n"


@pytest.mark.parametrize(
    ("change", "at", "reason"),
    [
        ({}, NOW + SECOND, "granted"),
        ({"shared": out(Revoked.SUBJECT, "ann")}, NOW + SECOND, "revoked"),
        ({"shared": SharedState(as_of=NOW - 60 * SECOND)}, NOW + SECOND, "shared_state_stale"),
        ({"policy": policy(POLICY + FREEZE)}, NOW + SECOND, "deny_rule"),
        ({}, NOW + 700 * SECOND, "token_expired"),
    ],
    ids=["all as it was", "revoked", "nobody knows who is revoked", "another policy", "expired"],
)
def test_a_body_that_comes_after_its_head_is_judged_by_what_is_true_when_it_comes(change, at, reason):
    played = Script()
    headers, body = call("echo", {"text": "x"})
    played.begin(headers)
    by_now = replace(Snapshot(policy=policy(POLICY), ring=RING), **change)
    (said,) = played.play(BodyReceived(at=at, body=body, snapshot=by_now))
    assert played.world.records[-1]["reason"] == reason
    assert isinstance(said, Forward) == (reason == "granted")


def test_a_role_on_loan_counts_for_calls_until_it_ends():
    loan = Elevation(id="e", issuer=ISSUER, subject="ann", role="steward", at=NOW - SECOND, until=NOW + SECOND)
    lent = SharedState(as_of=NOW, elevations=(loan,))
    played = script(groups=("data-analysts",), shared=lent)
    played.world.snapshot = replace(played.world.snapshot, shared=replace(lent, elevations=()))
    (told,) = played.post(DROP)
    assert played.world.records[0]["reason"] == "not_granted"
    assert isinstance(told, Answer)
    assert len(played.world.asks) == 1


@pytest.mark.parametrize(
    ("text", "age", "has_it"),
    [
        (HELD, 1800, True),
        (HELD.replace("at_most: 1h", "at_most: 10m"), 1800, False),
        (HELD.replace("at_most: 1h", "at_most: 10m"), 300, True),
        (HELD.replace("    lend: {approval: schema-change, at_most: 1h}\n", ""), 300, False),
    ],
    ids=["as lent", "lent for less by now", "within that", "lent no more"],
)
def test_a_loan_counts_only_as_the_policy_lends_that_role_now(text, age, has_it):
    loan = Elevation(
        id="e", issuer=ISSUER, subject="ann", role="steward", at=NOW - age * SECOND, until=NOW + 1800 * SECOND
    )
    played = script(text, groups=("data-analysts",), shared=SharedState(as_of=NOW, elevations=(loan,)))
    played.post(DROP)
    assert bool(played.world.asks) is has_it


def test_a_workload_without_a_token_has_no_audience_to_compare():
    text = of_two(AUDIENCE).replace("identity:\n", "identity:\n  workloads: [{trust_domain: prod.example.com}]\n")
    text = text.replace("groups: [data-analysts]", "workloads: ['spiffe://prod.example.com/*']")
    played = Script(text)
    played.head = structs.replace(played.head, claims=None, peer_uris=("spiffe://prod.example.com/agents/a",))
    (forward,) = played.post(call("echo"))
    assert isinstance(forward, Forward)
