import asyncio
import itertools
from dataclasses import replace

import pytest

from extproc.core.approval import Refusal, answer
from extproc.core.shared_state import NOTHING_SHARED, Elevation, Revocation, Revoked, SharedState
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket, TicketState
from extproc.desk import MAX_WAITING, Desk
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets
from extproc.ports import StoreError

IDP = "https://idp.example.com"
SECOND = 1_000_000_000
RULE = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})), expires_after=60)
ASK = Ask(
    kind=AskKind.CALL,
    issuer=IDP,
    subject="ann",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    target="drop_table",
    arguments="{}",
)
DBA = Approver(issuer=IDP, subject="dan", groups=frozenset({"dba"}))
EVA = Approver(issuer=IDP, subject="eva", groups=frozenset({"dba"}))


class World:
    """A desk with its store, its clock and its record."""

    def __init__(self, tickets: DatabaseTickets) -> None:
        self.now = 1_800_000_000 * SECOND
        self.events: list[dict] = []
        self.full = False
        self.shared = NOTHING_SHARED
        ids = itertools.count(1)
        self.loans: list[Elevation] = []
        self.tickets = tickets
        self.desk = Desk(
            tickets,
            record=self._record,
            clock=lambda: self.now,
            new_id=lambda: f"t{next(ids)}",
            lend=self._lend,
            shared=lambda: self.shared,
        )

    async def _lend(self, loan: Elevation) -> None:
        self.loans.append(loan)

    async def _record(self, event) -> None:
        if self.full:
            raise StoreError("the disk is full")
        self.events.append(dict(event))

    @property
    def steps(self) -> list[str]:
        return [event["step"] for event in self.events]

    async def asked(self, ask: Ask = ASK, rule: ApprovalRule = RULE) -> Ticket:
        ticket = await self.desk.ask(ask, rule)
        assert isinstance(ticket, Ticket)
        return ticket

    async def answered(self, approver: Approver = DBA, *, approves: bool = True) -> Ticket:
        ticket = await self.desk.answer("t1", approver, approves=approves, reason="seen")
        assert isinstance(ticket, Ticket)
        return ticket


@pytest.fixture
async def world(tmp_path):
    database = open_database(tmp_path / "shared.db")
    await database.open()
    yield World(DatabaseTickets(database))
    await database.close()


async def test_a_call_is_asked_for_answered_and_used_with_each_step_on_the_record(world):
    ticket = await world.asked()
    approved = await world.answered()
    assert approved.state is TicketState.APPROVED
    used = await world.desk.use("t1", ASK)
    assert isinstance(used, Ticket)
    assert world.steps == ["asked", "answering", "approved", "used"]
    assert {event["ticket"] for event in world.events} == {ticket.id}


async def test_the_identical_later_call_finds_its_ticket(world):
    first = await world.asked()
    assert await world.asked() == first
    await world.answered()
    assert (await world.asked()).state is TicketState.APPROVED
    assert world.steps.count("asked") == 1


async def test_a_denial_is_remembered_for_as_long_as_a_question_waits(world):
    await world.asked()
    await world.answered(approves=False)
    assert (await world.asked()).state is TicketState.DENIED
    world.now += 60 * SECOND
    assert (await world.asked()).id == "t2"


async def test_a_used_approval_is_asked_for_anew(world):
    await world.asked()
    await world.desk.use((await world.answered()).id, ASK)
    assert (await world.asked()).state is TicketState.PENDING


async def test_of_fifty_calls_at_once_one_uses_the_approval(world):
    await world.asked()
    await world.answered()
    used = await asyncio.gather(*(world.desk.use("t1", ASK) for _ in range(50)))
    assert sum(isinstance(each, Ticket) for each in used) == 1
    assert world.steps.count("used") == 1


async def test_of_two_answers_at_once_one_wins_and_both_are_on_record(world):
    await world.asked()
    answers = await asyncio.gather(
        world.desk.answer("t1", DBA, approves=True, reason=""), world.desk.answer("t1", EVA, approves=False, reason="")
    )
    assert sum(isinstance(each, Ticket) for each in answers) == 1
    assert world.steps.count("answering") == 2
    assert world.steps.count("superseded") == 1


async def test_an_answer_that_cannot_be_recorded_does_not_count(world):
    await world.asked()
    world.full = True
    with pytest.raises(StoreError):
        await world.desk.answer("t1", DBA, approves=True, reason="")
    world.full = False
    assert (await world.desk.get("t1")).state is TicketState.PENDING


async def test_a_use_that_cannot_be_recorded_runs_nothing_and_leaves_nothing_to_run(world):
    await world.asked()
    await world.answered()
    world.full = True
    with pytest.raises(StoreError):
        await world.desk.use("t1", ASK)
    world.full = False
    assert isinstance(await world.desk.use("t1", ASK), Refusal)


async def test_who_waits_is_told_of_the_answer(world):
    ticket = await world.asked()
    waiting = asyncio.create_task(world.desk.wait(ticket, 30))
    await world.answered()
    assert (await waiting).state is TicketState.APPROVED


async def test_a_wait_ends_with_its_time_and_with_the_ticket(world):
    ticket = await world.asked()
    assert (await world.desk.wait(ticket, 0.01)).state is TicketState.PENDING
    world.now += 60 * SECOND
    assert (await world.desk.wait(ticket, 30)).state is TicketState.EXPIRED
    assert world.steps[-1] == "expired"


async def test_nobody_answers_what_is_not_there_or_not_his(world):
    unknown = await world.desk.answer("t9", DBA, approves=True, reason="")
    assert unknown == Refusal("unknown", "There is no such request.")
    await world.asked()
    own = await world.desk.answer("t1", replace(DBA, subject="ann"), approves=True, reason="")
    assert isinstance(own, Refusal)
    assert own.reason == "own_request"
    assert world.steps == ["asked"]


async def test_one_requester_has_a_bounded_number_of_questions(world):
    for number in range(MAX_WAITING):
        await world.asked(replace(ASK, arguments=str(number)))
    full = await world.desk.ask(replace(ASK, arguments="more"), RULE)
    assert isinstance(full, Refusal)
    assert full.reason == "too_many_waiting"
    assert isinstance(await world.desk.ask(replace(ASK, subject="bob"), RULE), Ticket)
    world.now += 60 * SECOND
    assert isinstance(await world.desk.ask(replace(ASK, arguments="more"), RULE), Ticket)


async def test_a_request_can_be_taken_back(world):
    ticket = await world.asked()
    gone = await world.desk.withdraw(ticket)
    assert isinstance(gone, Ticket)
    assert isinstance(await world.desk.withdraw(gone), Refusal)
    stale = await world.desk.withdraw(ticket)
    assert isinstance(stale, Refusal)
    assert stale.reason == "superseded"
    late = await world.desk.answer("t1", DBA, approves=True, reason="")
    assert isinstance(late, Refusal)


async def test_what_expired_is_written_down_once(world):
    await world.asked()
    world.now += 60 * SECOND
    await asyncio.gather(world.desk.sweep(), world.desk.sweep())
    assert world.steps == ["asked", "expired"]


async def test_a_call_that_is_asked_back_goes_on_once(world):
    await world.asked()
    await world.answered()
    used = await world.desk.use("t1", ASK)
    assert isinstance(used, Ticket)
    rounds = await asyncio.gather(*(world.desk.use("t1", ASK, used.revision) for _ in range(10)))
    assert sum(isinstance(each, Ticket) for each in rounds) == 1
    assert world.steps[-1] == "resumed"
    assert isinstance(await world.desk.use("t9", ASK), Refusal)


def without(subject: str, *, as_of: int | None = None) -> SharedState:
    return SharedState(
        as_of=as_of, revocations=(Revocation(id="r1", kind=Revoked.SUBJECT, value=subject, issuer=IDP, at=0),)
    )


async def test_the_answer_of_somebody_who_is_revoked_does_not_count(world):
    await world.asked()
    world.shared = without("dan")
    refused = await world.desk.answer("t1", DBA, approves=True, reason="")
    assert isinstance(refused, Refusal)
    assert refused.reason == "approver_revoked"
    assert world.steps == ["asked"]
    assert (await world.answered(EVA)).state is TicketState.APPROVED


async def test_what_somebody_approved_who_is_revoked_since_does_not_run_and_is_asked_for_anew(world):
    await world.asked()
    await world.answered()
    world.shared = without("dan")
    refused = await world.desk.use("t1", ASK)
    assert isinstance(refused, Refusal)
    assert refused.reason == "approver_revoked"
    assert world.steps[-1] == "withdrawn"
    assert (await world.asked()).id == "t2"


async def test_what_he_approved_goes_on_no_further_either(world):
    await world.asked()
    await world.answered()
    used = await world.desk.use("t1", ASK)
    world.shared = without("dan")
    refused = await world.desk.use("t1", ASK, used.revision)
    assert isinstance(refused, Refusal)
    assert refused.reason == "approver_revoked"
    world.shared = NOTHING_SHARED
    assert isinstance(await world.desk.use("t1", ASK, used.revision), Ticket)


async def test_where_it_cannot_be_told_who_is_revoked_nothing_is_answered_and_nothing_runs(world):
    await world.asked()
    await world.answered()
    await world.asked(replace(ASK, arguments="more"))
    world.shared = without("nobody", as_of=world.now - 60 * SECOND)
    with pytest.raises(StoreError):
        await world.desk.use("t1", ASK)
    with pytest.raises(StoreError):
        await world.desk.answer("t2", DBA, approves=True, reason="")
    world.shared = NOTHING_SHARED
    assert isinstance(await world.desk.use("t1", ASK), Ticket)


WISH = replace(ASK, kind=AskKind.ACCESS, role="steward", seconds=1800, server="", target="", arguments="")


async def test_an_approved_role_is_lent_once_and_ends_by_itself(world):
    await world.asked(WISH)
    answered = await world.answered()
    assert answered.state is TicketState.USED
    (loan,) = world.loans
    assert (loan.subject, loan.role, loan.until - loan.at) == ("ann", "steward", 1800 * SECOND)
    assert world.steps[-2:] == ["used", "lent"]
    await world.desk.sweep()
    assert len(world.loans) == 1


async def test_a_role_that_is_denied_is_not_lent(world):
    await world.asked(WISH)
    await world.answered(approves=False)
    assert world.loans == []


async def test_a_role_whose_lending_is_not_recorded_is_not_lent(world):
    await world.asked(WISH)

    async def record(event) -> None:
        if event["kind"] == "loan":
            raise StoreError("the disk is full")

    world.desk._record = record
    with pytest.raises(StoreError):
        await world.desk.answer("t1", DBA, approves=True, reason="seen")
    assert world.loans == []


async def test_a_role_that_was_approved_by_somebody_who_is_revoked_since_is_not_lent(world):
    ticket = await world.asked(WISH)
    approved = answer(ticket, DBA, approves=True, reason="", at=world.now)
    assert isinstance(approved, Ticket)
    assert await world.tickets.exchange(ticket, approved)  # and the store went away before the role was lent
    world.shared = without("dan")
    await world.desk.sweep()
    assert world.loans == []
    assert world.steps[-1] == "withdrawn"
