"""A held call: asked, waited for, decided again, run once."""

import json
from dataclasses import dataclass, field, replace

import pytest

from extproc.core.approval import Refusal, answer, open_ticket, resume, settled, use
from extproc.core.exchange import (
    Answer,
    ApprovalAnswered,
    ApprovalRefused,
    ApprovalUsed,
    AskApproval,
    BodyReceived,
    Closed,
    Conclude,
    Forward,
    Snapshot,
    StoreFailed,
    UseApproval,
)
from extproc.core.shared_state import Elevation, Revocation, Revoked, SharedState
from extproc.core.tickets import Approver, Ticket, TicketState
from script import ISSUER, NOW, POLICY, RING, Script, World, answer_of, call, claims, legacy, modern, policy, reply

SECOND = 1_000_000_000
CONSOLE = "https://gateway.example.com"
STEWARD = """\
  steward:
    assigned_to: {groups: [stewards]}
    lend: {approval: schema-change, at_most: 1h}
    grants:
      - {servers: [sales-db], verbs: [query, admin], approval: schema-change}
recording:"""
APPROVALS = "approvals: {schema-change: {approvers: {groups: [dba]}, hold: 30s}}\n"
HELD = POLICY.replace("recording:", STEWARD) + APPROVALS
UNHELD = HELD.replace(", approval: schema-change}\n", "}\n")
DAN = Approver(issuer=ISSUER, subject="dan", groups=frozenset({"dba"}), name="Dan")
URLS = {"_meta": {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {"url": {}}}}}


@dataclass
class Desk(World):
    """A world with humans: ``says`` is their answer to whatever is asked, None for silence."""

    says: bool | None = True
    reason: str = "fine"
    ticket: Ticket | None = None
    snapshot: Snapshot | None = None
    at: int = NOW + SECOND
    refuses: str = ""
    asks: list = field(default_factory=list)

    def answer(self, command):
        match command:
            case AskApproval(ask=ask, rule=rule):
                self.asks.append(command)
                if self.refuses:
                    return ApprovalRefused(at=self.at, reason=self.refuses, words="Not now.")
                if not self.stored:
                    return StoreFailed(at=self.at, reason="down")
                self.ticket = self.ticket or open_ticket(ask, rule, id="t-1", at=NOW)
                if self.says is not None and self.ticket.state is TicketState.PENDING:
                    self.ticket = answer(self.ticket, DAN, approves=self.says, reason=self.reason, at=NOW)
                self.ticket = settled(self.ticket, at=self.at)
                return ApprovalAnswered(at=self.at, ticket=self.ticket, snapshot=self.snapshot)
            case UseApproval(ask=ask, used=used):
                step = use(self.ticket, ask, at=self.at) if used is None else resume(self.ticket, ask, used, at=self.at)
                if isinstance(step, Refusal):
                    return ApprovalRefused(at=self.at, reason=step.reason, words=step.words)
                self.ticket = step
                return ApprovalUsed(at=self.at, ticket=step)
        return super().answer(command)


def script(text=HELD, *, desk=None, console="", groups=("stewards",), **more) -> Script:
    world = desk or Desk()
    made = Script(text, world=world, who=claims(groups=groups), console=console, **more)
    world.snapshot = world.snapshot or made.exchange._request.snapshot
    return made


def words_of(said) -> str:
    status, body = answer_of(said)
    assert status == 200
    assert body["result"]["isError"] is True
    return body["result"]["content"][0]["text"]


DROP = call("drop_table", {"table": "orders"})


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
    assert played.world.ticket.state is TicketState.USED
    (asked,) = played.world.asks
    assert (asked.ask.arguments, asked.ask.target, asked.seconds) == ('{"table":"orders"}', "drop_table", 30)


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


# --- what the client can do ------------------------------------------------------------------------------------


def urls(tool="drop_table", arguments=None, **more):
    params = {"name": tool, "arguments": arguments or {"table": "orders"}} | URLS | more
    return modern("tools/call", params)


def test_a_modern_client_that_opens_urls_is_sent_to_the_page_at_once():
    played = script(desk=Desk(says=None), console=CONSOLE)
    _, body = answer_of(played.post(urls()))
    assert body["result"]["resultType"] == "input_required"
    (asked,) = body["result"]["inputRequests"].values()
    assert asked["params"]["url"] == f"{CONSOLE}/approvals/t-1"
    assert played.world.asks[0].seconds == 0


def state_after_first_round(desk) -> str:
    _, body = answer_of(script(desk=desk, console=CONSOLE).post(urls()))
    return body["result"]["requestState"]


def second_round(state, desk, *, accepted=True, **more) -> Script:
    played = script(desk=desk, console=CONSOLE)
    answers = {"inputResponses": {"mcp_extproc_approval": {"action": "accept"}}} if accepted else {}
    played.said = played.post(urls(requestState=state, **answers, **more))
    return played


def test_it_is_held_when_it_comes_back_and_asked_no_second_time():
    desk = Desk(says=None)
    played = second_round(state_after_first_round(desk), desk)
    _, body = answer_of(played.said)
    assert body["result"]["resultType"] == "input_required"
    assert "inputRequests" not in body["result"]
    assert played.world.asks[-1].seconds == 30


def test_what_a_client_answers_is_no_approval():
    desk = Desk(says=None)
    state = state_after_first_round(desk)
    _, body = answer_of(second_round(state, desk).said)
    assert body["result"]["resultType"] == "input_required"
    assert desk.ticket.state is TicketState.PENDING


def test_the_approved_round_reaches_the_upstream_as_a_first_call():
    desk = Desk(says=None)
    state = state_after_first_round(desk)
    desk.says = True
    (forward,) = second_round(state, desk).said
    params = json.loads(forward.body)["params"]
    assert "requestState" not in params
    assert "inputResponses" not in params
    assert params["arguments"] == {"table": "orders"}


def test_what_the_client_answers_to_the_upstream_goes_on_to_it():
    desk = Desk(says=None)
    state = state_after_first_round(desk)
    desk.says = True
    answers = {"mcp_extproc_approval": {"action": "accept"}, "theirs": {"action": "accept"}}
    played = script(desk=desk, console=CONSOLE)
    (forward,) = played.post(urls(requestState=state, inputResponses=answers))
    assert json.loads(forward.body)["params"]["inputResponses"] == {"theirs": {"action": "accept"}}


@pytest.mark.parametrize("change", ["tampered", "another tool", "another argument", "another user", "late", "nonsense"])
def test_a_state_that_is_not_of_this_call_is_refused(change):
    desk = Desk()
    state = state_after_first_round(Desk(says=None))
    played = script(desk=desk, console=CONSOLE)
    match change:
        case "tampered":
            said = played.post(urls(requestState=("A" if state[0] != "A" else "B") + state[1:]))
        case "another tool":
            said = played.post(urls("list_tables", requestState=state))
        case "another argument":
            said = played.post(urls(arguments={"table": "orders "}, requestState=state))
        case "another user":
            said = played.post(urls(requestState=state), claims=claims(subject="bob", groups=("stewards",)))
        case "late":
            headers, body = urls(requestState=state)
            played.begin(headers)
            said = played.play(BodyReceived(at=NOW + 901 * SECOND, body=body))
        case _:
            said = played.post(urls(requestState=17))
    status, body = answer_of(said)
    assert (status, body["error"]["code"]) == (400, -32602)
    assert played.world.asks == []


def test_an_upstream_that_asks_back_finds_the_same_approval_once():
    desk = Desk()
    played = script(desk=desk)
    played.post(DROP)
    asked_back = {"resultType": "input_required", "requestState": "theirs", "inputRequests": {"a": {}}}
    said = played.response(reply(asked_back))
    state = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))["result"]["requestState"]
    assert state != "theirs"
    going_on = call("drop_table", {"table": "orders"})
    params = json.loads(going_on[1])["params"] | {"requestState": state, "inputResponses": {"a": {"action": "accept"}}}
    again = script(desk=desk)
    (forward,) = again.post(modern("tools/call", params))
    assert json.loads(forward.body)["params"]["requestState"] == "theirs"
    assert again.world.records[-1]["reason"] == "approved"
    replayed = script(desk=desk)
    (told,) = replayed.post(modern("tools/call", params))
    assert isinstance(told, Answer)


def test_a_state_of_an_unapproved_call_is_sealed_to_its_owner_too():
    played = Script()
    played.forwarded(call("echo"))
    said = played.response(reply({"resultType": "input_required", "requestState": "theirs"}))
    state = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))["result"]["requestState"]
    params = {"name": "echo", "arguments": {}, "requestState": state}
    assert json.loads(Script().forwarded(modern("tools/call", params)).body)["params"]["requestState"] == "theirs"
    (told,) = Script(who=claims(subject="bob")).post(modern("tools/call", params))
    assert told.reply.status == 400


def test_a_state_too_large_to_travel_is_withheld():
    played = Script()
    played.forwarded(call("echo"))
    said = played.response(reply({"resultType": "input_required", "requestState": "x" * (64 << 10)}))
    body = json.loads(b"".join(command.body for command in said if hasattr(command, "body")))
    assert body["error"]["data"]["reason"] == "withheld"


def test_where_responses_pass_unseen_their_states_do_too():
    unseen = POLICY.replace("payloads: masked", "payloads: none")
    params = {"name": "echo", "arguments": {}, "requestState": "theirs"}
    forward = Script(unseen).forwarded(modern("tools/call", params))
    assert forward.body is None


def handshake(capabilities) -> str:
    played = script(desk=Desk(says=None), console=CONSOLE)
    played.post(legacy("initialize", {"protocolVersion": "2025-11-25", "capabilities": capabilities, "clientInfo": {}}))
    said = played.response(reply({}), mcp_session_id="upstream-1")
    return said[0].headers["mcp-session-id"]


def test_a_legacy_client_that_opens_urls_is_told_the_page_in_an_error():
    session = handshake({"elicitation": {"url": {}}})
    played = script(desk=Desk(says=None), console=CONSOLE)
    request = legacy(
        "tools/call", {"name": "drop_table", "arguments": {"table": "orders"}}, **{"mcp-session-id": session}
    )
    _, body = answer_of(played.post(request))
    assert body["error"]["code"] == -32042
    assert body["error"]["data"]["elicitations"][0]["url"] == f"{CONSOLE}/approvals/t-1"
    assert played.world.asks[0].seconds == 0


@pytest.mark.parametrize("capabilities", [{}, {"elicitation": {}}, {"elicitation": {"form": {}}}, {"elicitation": []}])
def test_every_other_client_is_held_and_told_in_words(capabilities):
    session = handshake(capabilities)
    played = script(desk=Desk(says=None), console=CONSOLE)
    request = legacy(
        "tools/call", {"name": "drop_table", "arguments": {"table": "orders"}}, **{"mcp-session-id": session}
    )
    assert CONSOLE in words_of(played.post(request))
    assert played.world.asks[0].seconds == 30


# --- who may come in -------------------------------------------------------------------------------------------


def out(kind, value) -> SharedState:
    return SharedState(as_of=NOW, revocations=(Revocation(id="r", kind=kind, value=value, at=NOW),))


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


def test_a_copy_that_is_too_old_lets_nobody_in():
    (told,) = Script(shared=SharedState(as_of=NOW - 60 * SECOND)).begin()
    assert told.reply.status == 503


def test_a_role_on_loan_counts_for_calls_until_it_ends():
    loan = Elevation(id="e", issuer=ISSUER, subject="ann", role="steward", at=NOW - SECOND, until=NOW + SECOND)
    lent = SharedState(as_of=NOW, elevations=(loan,))
    played = script(groups=("data-analysts",), shared=lent)
    played.world.snapshot = replace(played.world.snapshot, shared=replace(lent, elevations=()))
    (told,) = played.post(DROP)
    assert played.world.records[0]["reason"] == "not_granted"
    assert isinstance(told, Answer)
    assert len(played.world.asks) == 1


def open_stream(shared=None) -> tuple[Script, Forward]:
    played = script(groups=("data-analysts",), **({"shared": shared} if shared else {}))
    (forward,) = played.bodiless("GET", {"accept": "text/event-stream"})
    assert isinstance(forward, Forward)
    return played, forward


def test_a_long_stream_ends_with_the_role_on_loan_that_it_may_rest_on():
    loan = Elevation(id="e", issuer=ISSUER, subject="ann", role="steward", at=NOW - SECOND, until=NOW + 60 * SECOND)
    assert open_stream(SharedState(as_of=NOW, elevations=(loan,)))[1].until == NOW / 1e9 + 60
    assert open_stream()[1].until == NOW / 1e9 + 600


@pytest.mark.parametrize(
    ("change", "stands"),
    [
        ({}, True),
        ({"shared": out(Revoked.SUBJECT, "bob")}, True),
        ({"shared": out(Revoked.SUBJECT, "ann")}, False),
        ({"shared": out(Revoked.ISSUER, ISSUER)}, False),
        ({"shared": SharedState(as_of=NOW - 60 * SECOND)}, False),
        ({"policy": policy(HELD + "# another day\n")}, False),
        (
            {
                "shared": SharedState(
                    as_of=NOW,
                    elevations=(Elevation(id="e", issuer=ISSUER, subject="ann", role="r", at=0, until=2 * NOW),),
                )
            },
            False,
        ),
    ],
)
def test_a_long_stream_goes_on_only_while_all_that_it_rests_on_stands(change, stands):
    played, _ = open_stream()
    now = replace(Snapshot(policy=policy(HELD), ring=RING), **change)
    assert played.exchange.stands(now, NOW) is stands
