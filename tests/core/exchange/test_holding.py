"""A held call: asked, waited for, decided again, run once."""

import json
from dataclasses import replace

import pytest

from extproc.core.exchange import (
    Answer,
    ApprovalRefused,
    AskApproval,
    Closed,
    Conclude,
    Forward,
    Snapshot,
    UseApproval,
)
from extproc.core.shared_state import Revocation, Revoked, SharedState
from extproc.core.tickets import TicketState
from held import APPROVALS, CONSOLE, DROP, HELD, SECOND, UNHELD, Desk, script, words_of
from script import ISSUER, NOW, RING, answer_of, call, claims, modern, policy


def test_an_approved_call_goes_upstream_with_its_ticket_on_the_record():
    played = script()
    (forward,) = played.post(DROP)
    assert isinstance(forward, Forward)
    (event,) = played.world.records
    assert (event["effect"], event["reason"], event["ticket"], event["approval"]) == (
        "allow",
        "approved",
        "t-1",
        "schema-change",
    )
    assert event["approved_by"] == [{"issuer": ISSUER, "subject": "dan", "name": "Dan"}]
    assert played.world.ticket.state is TicketState.USED
    (asked,) = played.world.asks
    assert (asked.ask.arguments, asked.ask.target, asked.seconds) == ('{"table":"orders"}', "drop_table", 30)


def test_a_held_call_goes_on_with_the_bytes_that_envoy_has_or_with_those_that_were_judged():
    headers, body = DROP
    played = script()
    (forward,) = played.post((headers, body))
    assert forward.body is None
    assert played.world.records[0]["body_bytes"] == len(body)
    inexact = call("drop_table", {"table": "orders", "n": 1})
    again = script()
    (forward,) = again.post((inexact[0], inexact[1].replace(b'"n": 1', b'"n": 0.12345678901234567890')))
    assert json.loads(forward.body)["params"]["arguments"]["table"] == "orders"
    assert again.world.records[0]["body_bytes"] == len(forward.body)


def test_nothing_is_forwarded_before_the_ticket_is_used_and_the_decision_stored():
    played = script()
    played.post(DROP)
    kinds = [type(command).__name__ for command in played.world.asked]
    assert kinds == ["Acknowledge", "AskApproval", "UseApproval", "Store", "Forward"]


def test_a_denied_call_says_who_and_why():
    played = script(desk=Desk(says=False, reason="not on a Friday"))
    text = words_of(played.post(DROP))
    assert "denied by Dan" in text
    assert "not on a Friday" in text
    assert played.world.records[0]["reason"] == "approval_denied"
    assert played.exchange.verdict.effect == "deny"


def test_a_call_that_nobody_answers_is_told_where_it_waits():
    played = script(desk=Desk(says=None))
    text = words_of(played.post(DROP))
    assert "waits for it as request t-1" in text
    assert (played.world.records[0]["effect"], played.world.records[0]["reason"]) == ("hold", "approval_pending")


def test_with_a_console_the_words_name_the_page():
    played = script(desk=Desk(says=None), console=CONSOLE)
    assert f"{CONSOLE}/approvals/t-1" in words_of(played.post(DROP))


def test_an_expired_ticket_is_no_approval():
    desk = Desk(says=None, at=NOW + 2000 * SECOND)
    at_the_end = Snapshot(policy=policy(HELD), ring=RING)
    desk.snapshot = at_the_end
    played = script(desk=desk)
    assert played.post(DROP, claims=claims(groups=("stewards",), exp=NOW / 1e9 + 3600, iat=NOW / 1e9 - 10))
    assert played.world.records[0]["reason"] == "approval_expired"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"policy": policy(HELD + "# another day\n")}, "approval_approved"),
        ({"policy": policy(HELD.replace("[stewards]", "[masters]"))}, "not_granted"),
        (
            {"policy": policy(HELD + "deny: [{name: freeze, servers: [sales-db], tools: [drop_table]}]\n")},
            "deny_rule",
        ),
        (
            {
                "shared": SharedState(
                    as_of=NOW, revocations=(Revocation(id="r", kind=Revoked.SUBJECT, value="ann", at=NOW),)
                )
            },
            "revoked",
        ),
        ({"shared": SharedState(as_of=NOW - 60 * SECOND)}, "shared_state_stale"),
    ],
    ids=["another policy", "role lost", "denied meanwhile", "revoked meanwhile", "nobody knows who is revoked"],
)
def test_what_changes_during_the_hold_counts(change, reason):
    desk = Desk(snapshot=replace(Snapshot(policy=policy(HELD), ring=RING), **change))
    played = script(desk=desk)
    (told,) = played.post(DROP)
    assert isinstance(told, Answer)
    assert played.world.records[0]["reason"] == reason
    assert played.world.ticket.state is TicketState.APPROVED


def test_a_token_that_expires_during_the_hold_runs_nothing():
    desk = Desk(at=NOW + 700 * SECOND)
    played = script(desk=desk)
    (told,) = played.post(DROP)
    assert (told.reply.status, played.world.records[0]["reason"]) == (401, "token_expired")
    assert dict(told.reply.headers)["www-authenticate"].startswith("Bearer")


def test_a_policy_that_wants_no_approval_any_more_lets_the_call_through():
    desk = Desk(
        says=None,
        snapshot=Snapshot(
            policy=policy(
                UNHELD.replace(APPROVALS, "").replace("    lend: {approval: schema-change, at_most: 1h}\n", "")
            ),
            ring=RING,
        ),
    )
    played = script(desk=desk)
    (forward,) = played.post(DROP)
    assert isinstance(forward, Forward)
    assert played.world.records[0]["reason"] == "granted"


def test_an_approval_of_another_call_runs_nothing():
    first = script()
    first.post(DROP)
    stolen = replace(first.world.ticket, state=TicketState.APPROVED)
    second = script(desk=Desk(ticket=stolen))
    (told,) = second.post(call("drop_table", {"table": "orders "}))
    assert isinstance(told, Answer)
    assert "another state of things" in words_of([told])


def test_a_used_ticket_runs_nothing_again():
    desk = Desk()
    played = script(desk=desk)
    played.post(DROP)
    again = script(desk=Desk(ticket=desk.ticket))
    (told,) = again.post(DROP)
    assert isinstance(told, Answer)


def test_who_is_faster_uses_the_ticket_and_the_other_is_refused():
    class Race(Desk):
        def answer(self, command):
            if isinstance(command, UseApproval):
                return ApprovalRefused(at=NOW, reason="used_elsewhere", words="Used by another call.")
            return super().answer(command)

    played = script(desk=Race())
    assert "Used by another call." in words_of(played.post(DROP))
    assert played.world.records[0]["effect"] == "deny"


def test_a_question_that_cannot_be_put_is_a_refusal():
    played = script(desk=Desk(refuses="too_many_waiting"))
    assert "Not now." in words_of(played.post(DROP))
    assert played.world.records[0]["reason"] == "too_many_waiting"


def test_without_the_store_nothing_is_asked_and_nothing_runs():
    played = script(desk=Desk(stored=False))
    (told,) = played.post(DROP)
    assert told.reply.status == 503


def test_a_limit_is_asked_before_the_ticket_is_used():
    limited = HELD + "limits: [{per: principal, servers: [sales-db], calls: 1/1m}]\n"
    desk = Desk(exceeded=True, snapshot=Snapshot(policy=policy(limited), ring=RING))
    played = script(limited, desk=desk)
    (told,) = played.post(DROP)
    assert isinstance(told, Answer)
    assert played.world.ticket.state is TicketState.APPROVED
    free = Desk(snapshot=Snapshot(policy=policy(limited), ring=RING))
    (forward,) = script(limited, desk=free).post(DROP)
    assert isinstance(forward, Forward)


@pytest.mark.parametrize("until", [AskApproval, UseApproval])
def test_a_client_that_hangs_up_while_it_is_held_gets_a_record_and_no_call(until):
    class Silent(Desk):
        def answer(self, command):
            return None if isinstance(command, until) else super().answer(command)

    played = script(desk=Silent())
    assert isinstance(played.post(DROP)[-1], until)
    (gone,) = played.play(Closed(at=NOW + SECOND))
    assert isinstance(gone, Conclude)
    assert (gone.event["effect"], gone.event["reason"]) == ("hold", "client_gone")
    assert not played.exchange.over


def test_shadow_mode_lets_a_held_call_through_and_says_so():
    shadowed = HELD + "mode: shadow\n"
    played = script(shadowed)
    (forward,) = played.post(DROP)
    assert isinstance(forward, Forward)
    assert (played.world.records[0]["effect"], played.world.asks) == ("shadow", [])


def test_a_denial_of_another_method_is_an_error():
    resources = HELD.replace("{servers: [sales-db], verbs: [query, admin], approval", "{servers: [sales-db], approval")
    played = script(resources, desk=Desk(says=False))
    _, body = answer_of(played.post(modern("resources/read", {"uri": "schema://sales/a"})))
    assert body["error"]["code"] == 1403
