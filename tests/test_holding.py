"""X08: however many calls wait for humans, a worker holds so many and no more, and the rest is answered at once."""

import asyncio
import itertools

import pytest

from extproc import holding
from extproc.core.exchange import ApprovalAnswered, ApprovalRefused, AskApproval
from extproc.core.shared_state import NOTHING_SHARED
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, TicketState
from extproc.desk import MAX_WAITING, Desk
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets
from extproc.holding import MAX_HELD, MAX_HELD_EACH, Holding

IDP = "https://idp.example.com"
NOW = 1_800_000_000_000_000_000
RULE = ApprovalRule(name="change", approvers=Approvers(groups=frozenset({"dba"})), expires_after=3600)
DAN = Approver(issuer=IDP, subject="dan", groups=frozenset({"dba"}))
SLOW = (pytest.mark.slow, pytest.mark.timeout(3600))


class World:
    """A worker's holds over a real store; each call is a task."""

    def __init__(self, database) -> None:
        ids = itertools.count()
        self.desk = Desk(
            DatabaseTickets(database),
            record=self._record,
            clock=lambda: NOW,
            new_id=lambda: f"t{next(ids)}",
            lend=self._record,
            shared=lambda: NOTHING_SHARED,
        )
        self.holding = Holding(self.desk, snapshot=lambda: None, clock=lambda: NOW)
        self.held: set[asyncio.Task] = set()

    async def _record(self, _) -> None:
        pass

    def call(self, who: str, arguments: str) -> None:
        ask = Ask(
            kind=AskKind.CALL,
            issuer=IDP,
            subject=who,
            policy_digest="p",
            approval="change",
            server="s",
            target="deploy",
            arguments=arguments,
        )
        self.held.add(asyncio.create_task(self.holding.ask(AskApproval(ask=ask, rule=RULE, seconds=3600))))

    async def answered(self, count: int) -> list[ApprovalAnswered | ApprovalRefused]:
        """What so many of the calls are answered while nobody says anything; the others wait."""
        found = []
        while len(found) < count:
            done, self.held = await asyncio.wait(self.held, return_when=asyncio.FIRST_COMPLETED)
            found += [each.result() for each in done]
        assert len(found) == count
        return found


@pytest.fixture
async def world(tmp_path):
    database = open_database(tmp_path / "shared.db")
    await database.open()
    made = World(database)
    yield made
    for each in made.held:
        each.cancel()
    await asyncio.gather(*made.held, return_exceptions=True)
    await database.close()


async def test_one_agent_has_so_many_questions_open_and_is_refused_the_rest_at_once(world):
    for number in range(3 * MAX_WAITING):
        world.call("ann", f'{{"n":{number}}}')
    refused = await world.answered(2 * MAX_WAITING)
    assert {each.reason for each in refused} == {"too_many_waiting"}
    world.call("bob", "{}")  # nobody else feels it
    await asyncio.sleep(0)
    assert len(world.held) == MAX_WAITING + 1
    shown = await world.desk.answer("t0", DAN, approves=True, reason="seen")
    (allowed,) = await world.answered(1)
    assert allowed.ticket == shown


async def test_of_one_question_asked_again_and_again_so_many_wait_and_the_rest_hears_that_it_is_asked(world):
    for _ in range(3 * MAX_HELD_EACH):
        world.call("ann", "{}")
    told = await world.answered(2 * MAX_HELD_EACH)
    assert {(each.ticket.id, each.ticket.state) for each in told} == {("t0", TicketState.PENDING)}
    await world.desk.answer("t0", DAN, approves=False, reason="no")
    assert {each.ticket.state for each in await world.answered(MAX_HELD_EACH)} == {TicketState.DENIED}


@pytest.mark.parametrize(("most", "agents"), [(40, 60), pytest.param(MAX_HELD, 10_000, marks=SLOW)])
async def test_many_agents_fill_a_worker_whose_other_questions_stay_open_and_are_not_held(
    world, most, agents, monkeypatch
):
    monkeypatch.setattr(holding, "MAX_HELD", most)
    for number in range(agents):
        world.call(f"agent-{number}", "{}")
    told = await world.answered(agents - most)
    assert {each.ticket.state for each in told} == {TicketState.PENDING}
    # one that was not held is asked all the same, and its identical later call finds the answer
    one = told[-1].ticket
    await world.desk.answer(one.id, DAN, approves=True, reason="seen")
    world.call(one.ask.subject, "{}")
    (found,) = await world.answered(1)
    assert (found.ticket.id, found.ticket.state) == (one.id, TicketState.APPROVED)
    assert len(world.held) == most
    # and where a place is free again, it is taken
    held = next(iter(world.held))
    held.cancel()
    await asyncio.wait({held})
    world.held.discard(held)
    world.call("late", "{}")
    world.call("later", "{}")
    (later,) = await world.answered(1)
    assert later.ticket.state is TicketState.PENDING
    assert len(world.held) == most
