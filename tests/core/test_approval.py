from dataclasses import replace

import pytest

from extproc.core.approval import (
    Refusal,
    answer,
    digest,
    kept_until,
    may_answer,
    may_count,
    may_force,
    may_see,
    open_ticket,
    resume,
    settled,
    stands,
    use,
    withdraw,
)
from extproc.core.retention import FOR_EVER, Retention
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket, TicketState

NOW = 1_800_000_000_000_000_000
SECOND = 1_000_000_000
IDP = "https://idp.example.com"
RULE = ApprovalRule(
    name="schema-change",
    approvers=Approvers(groups=frozenset({"dba"}), subjects=frozenset({(IDP, "olga")})),
    force=Approvers(roles=frozenset({"incident-lead"})),
    expires_after=60,
)
ASK = Ask(
    kind=AskKind.CALL,
    issuer=IDP,
    subject="ann",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    method="tools/call",
    target="drop_table",
    verb="admin",
    arguments='{"table":"orders"}',
)
DBA = Approver(issuer=IDP, subject="dan", groups=frozenset({"dba"}))
SECOND_DBA = Approver(issuer=IDP, subject="eva", groups=frozenset({"dba"}))
LEAD = Approver(issuer=IDP, subject="lea", roles=frozenset({"incident-lead"}))


def pending(rule: ApprovalRule = RULE, ask: Ask = ASK) -> Ticket:
    return open_ticket(ask, rule, id="t1", at=NOW)


def says(ticket, approver=DBA, *, approves=True, reason="seen", at=NOW, force=False):
    return answer(ticket, approver, approves=approves, reason=reason, at=at, force=force)


def approved(rule: ApprovalRule = RULE) -> Ticket:
    ticket = says(pending(rule))
    assert isinstance(ticket, Ticket)
    return ticket


def test_one_yes_approves_and_exactly_the_same_call_runs_once():
    ticket = approved()
    assert ticket.state is TicketState.APPROVED
    used = use(ticket, ASK, at=NOW)
    assert isinstance(used, Ticket)
    assert used.state is TicketState.USED
    assert use(used, ASK, at=NOW) == Refusal("not_approved", "This request is used.")


@pytest.mark.parametrize(
    "change",
    [
        {"arguments": '{"table":"orders "}'},
        {"arguments": '{"table":"Orders"}'},
        {"server": "other-db"},
        {"method": "prompts/get"},
        {"target": "drop_tables"},
        {"verb": "mutate"},
        {"subject": "bob"},
        {"issuer": "https://other.example.com"},
        {"policy_digest": "p2"},
        {"approval": "other"},
        {"kind": AskKind.ACCESS},
        {"role": "steward"},
        {"seconds": 1},
    ],
)
def test_an_approval_runs_nothing_else(change):
    other = replace(ASK, **change)
    assert digest(other) != digest(ASK)
    assert use(approved(), other, at=NOW) == Refusal("another_request", "This approval is for another request.")


def test_no_two_lists_of_parts_run_together():
    assert digest(replace(ASK, server="a", method="bc")) != digest(replace(ASK, server="ab", method="c"))


def test_the_same_call_is_found_again_whatever_was_only_for_the_eye():
    assert digest(replace(ASK, client="other", findings=("x",), reason="please")) == digest(ASK)


def test_a_pending_ticket_does_not_run():
    assert use(pending(), ASK, at=NOW) == Refusal("not_approved", "This request is pending.")


def test_one_no_denies_and_later_answers_change_nothing():
    denied = says(pending(replace(RULE, quorum=2)), approves=False)
    assert isinstance(denied, Ticket)
    assert denied.state is TicketState.DENIED
    assert denied.votes[0].reason == "seen"
    assert says(denied, SECOND_DBA) == Refusal("not_pending", "This request is denied already.")
    assert isinstance(use(denied, ASK, at=NOW), Refusal)


def test_a_quorum_counts_different_humans():
    first = says(pending(replace(RULE, quorum=2)))
    assert isinstance(first, Ticket)
    assert first.state is TicketState.PENDING
    assert says(first) == Refusal("answered_before", "You have answered this request already.")
    second = says(first, SECOND_DBA)
    assert isinstance(second, Ticket)
    assert second.state is TicketState.APPROVED
    assert second.revision == 2


def test_an_address_that_nobody_verified_shows_its_bearer_nothing():
    ticket = pending(ask=replace(ASK, human="d@example.com"))
    assert may_see(ticket, Approver(issuer="https://idp.example.com", subject="x", human="d@example.com"))
    assert not may_see(ticket, Approver(issuer="https://idp.example.com", subject="x", unverified="d@example.com"))
    assert not may_see(ticket, replace(DBA, unverified="d@example.com"))


def test_an_address_that_nobody_verified_counts_once_all_the_same():
    first = says(pending(replace(RULE, quorum=2)), replace(DBA, unverified="dan@example.com"))
    again = replace(SECOND_DBA, unverified="Dan@example.com")
    assert says(first, again) == Refusal("answered_before", "You have answered this request already.")


def test_two_logins_of_one_human_count_once():
    first = says(pending(replace(RULE, quorum=2)), replace(DBA, human="dan@example.com"))
    assert isinstance(first, Ticket)
    again = replace(SECOND_DBA, human="dan@example.com")
    assert says(first, again) == Refusal("answered_before", "You have answered this request already.")


@pytest.mark.parametrize(
    ("ask", "approver"),
    [
        (ASK, replace(DBA, subject="ann")),
        (replace(ASK, human="dan"), DBA),
        (replace(ASK, human="d@example.com"), replace(DBA, human="d@example.com")),
        (ASK, replace(DBA, human="ann")),
        (replace(ASK, human="eva"), replace(DBA, issuer="https://other.example.com", subject="eva")),
        (replace(ASK, human="D@Example.com"), replace(DBA, human="d@example.com")),
        (replace(ASK, human="d@example.com"), replace(DBA, unverified="d@example.com")),
    ],
    ids=[
        "same login",
        "owner of the service account",
        "same human",
        "service account of hers",
        "another issuer",
        "address written another way",
        "address that nobody verified",
    ],
)
def test_nobody_approves_a_request_of_his_own(ask, approver):
    ticket = pending(ask=ask)
    assert says(ticket, approver) == Refusal("own_request", "Nobody approves a request of his own.")
    assert may_answer(ticket, approver) is not None


def test_the_same_subject_of_another_issuer_is_somebody_else():
    assert isinstance(says(pending(), replace(DBA, subject="ann", issuer="https://other.example.com")), Ticket)


def test_who_is_no_approver_is_refused():
    stranger = Approver(issuer=IDP, subject="sam", groups=frozenset({"sales"}))
    refusal = says(pending(), stranger)
    assert isinstance(refusal, Refusal)
    assert refusal.reason == "not_an_approver"


def test_a_named_approver_may_answer():
    assert isinstance(says(pending(), Approver(issuer=IDP, subject="olga")), Ticket)
    other = Approver(issuer="https://other.example.com", subject="olga")
    assert isinstance(says(pending(), other), Refusal)


def test_who_approves_alone_gives_a_reason_whatever_the_rule_asks():
    refused = says(pending(), LEAD, force=True, reason=" ")
    assert refused == Refusal("reason_missing", "Who approves alone gives a reason.")


def test_counting_and_forcing_are_two_rights_and_the_requester_has_neither():
    ticket = pending()
    assert (may_count(ticket, DBA), may_force(ticket, DBA)) == (True, False)
    assert (may_count(ticket, LEAD), may_force(ticket, LEAD)) == (False, True)
    own = Approver(issuer=ASK.issuer, subject=ASK.subject, groups=DBA.groups, roles=LEAD.roles)
    assert (may_count(ticket, own), may_force(ticket, own)) == (False, False)


def test_force_is_a_right_of_its_own():
    ticket = pending(replace(RULE, quorum=3))
    forced = says(ticket, LEAD, force=True)
    assert isinstance(forced, Ticket)
    assert forced.state is TicketState.APPROVED
    assert forced.votes[0].forced
    for refused in (says(ticket, DBA, force=True), says(ticket, LEAD, force=True, approves=False)):
        assert refused == Refusal("may_not_force", "You may not approve this request alone.")
    quiet = says(ticket, LEAD)
    assert isinstance(quiet, Refusal)
    assert quiet.reason == "not_an_approver"


def test_a_reason_is_asked_for_where_the_rule_says_so():
    ticket = pending(replace(RULE, reason_required=True))
    assert says(ticket, reason=" \n") == Refusal("reason_missing", "`schema-change` asks for a reason.")
    assert isinstance(says(ticket, reason="ticket 4711"), Ticket)


def test_what_nobody_answers_in_time_has_expired():
    late = NOW + 60 * SECOND
    assert settled(pending(), at=late - 1).state is TicketState.PENDING
    assert settled(pending(), at=late).state is TicketState.EXPIRED
    assert says(pending(), at=late) == Refusal("not_pending", "This request is expired already.")


def test_an_approval_waits_no_longer_than_its_time():
    ticket = says(pending(), at=NOW + 59 * SECOND)
    assert isinstance(ticket, Ticket)
    assert isinstance(use(ticket, ASK, at=NOW + 118 * SECOND), Ticket)
    assert use(ticket, ASK, at=NOW + 119 * SECOND) == Refusal("not_approved", "This request is expired.")


def test_ends_stay_ends():
    used = use(approved(), ASK, at=NOW)
    assert isinstance(used, Ticket)
    assert settled(used, at=NOW + 10_000 * SECOND) == used


def test_a_withdrawn_request_never_runs():
    for ticket in (pending(), approved()):
        gone = withdraw(ticket, at=NOW)
        assert isinstance(gone, Ticket)
        assert gone.state is TicketState.WITHDRAWN
        assert isinstance(use(gone, ASK, at=NOW), Refusal)
        assert isinstance(says(gone), Refusal)
        assert isinstance(withdraw(gone, at=NOW), Refusal)


def test_each_step_is_the_next_revision():
    assert [pending().revision, approved().revision] == [0, 1]
    assert settled(pending(), at=NOW + 60 * SECOND).revision == 1


def test_a_request_is_known_to_its_approvers_and_its_requester_alone():
    ticket = pending()
    assert may_see(ticket, DBA)
    assert may_see(ticket, LEAD)
    assert may_see(ticket, Approver(issuer=IDP, subject="ann"))
    assert not may_see(ticket, Approver(issuer=IDP, subject="sam", groups=frozenset({"sales"})))


def test_a_call_that_is_asked_back_goes_on_step_by_step_and_each_step_once():
    used = use(approved(), ASK, at=NOW)
    assert isinstance(used, Ticket)
    going_on = resume(used, ASK, used.revision, at=NOW)
    assert isinstance(going_on, Ticket)
    assert going_on.state is TicketState.USED
    for refused in (
        resume(going_on, ASK, used.revision, at=NOW),
        resume(used, replace(ASK, arguments="{}"), used.revision, at=NOW),
        resume(used, ASK, used.revision, at=used.expires_at),
        resume(approved(), ASK, approved().revision, at=NOW),
    ):
        assert isinstance(refused, Refusal)


def test_an_approval_stands_while_enough_of_those_who_gave_it_are_in():
    both = says(approved(replace(RULE, quorum=2)), SECOND_DBA)
    assert isinstance(both, Ticket)
    assert stands(both, lambda _: False)
    assert not stands(both, lambda vote: vote.subject == "eva")
    forced = says(pending(replace(RULE, quorum=2)), LEAD, force=True)
    assert isinstance(forced, Ticket)
    assert stands(forced, lambda vote: vote.subject == "eva")
    assert not stands(forced, lambda vote: vote.subject == "lea")


@pytest.mark.parametrize(
    ("retention", "seconds"),
    [
        (Retention(seconds=90, servers={"sales-db": 75}), 75),
        (Retention(seconds=90), 90),
        (FOR_EVER, 86_400),
        (Retention(servers={"other": 75}), 86_400),
        (Retention(seconds=365 * 86_400), 86_400),
    ],
)
def test_what_was_asked_is_kept_for_a_day_or_as_long_as_the_records_of_its_server(retention, seconds):
    assert kept_until(pending(), retention) == NOW + seconds * SECOND


def test_an_answer_is_kept_for_as_long_as_it_counts():
    assert kept_until(pending(), Retention(seconds=5)) == pending().expires_at > NOW + 5 * SECOND
