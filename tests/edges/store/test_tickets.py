import asyncio
from dataclasses import replace

import pytest

from extproc.core.approval import answer, digest, open_ticket, use, withdraw
from extproc.core.tickets import ApprovalRule, Approver, Approvers, Ask, AskKind, Ticket, TicketState
from extproc.edges.store.database import open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.edges.store.tickets import DatabaseTickets
from extproc.ports import StoreError

NOW = 1_800_000_000_000_000_000
ASK = Ask(
    kind=AskKind.CALL,
    issuer="https://idp.example.com",
    subject="ann",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    method="tools/call",
    target="drop_table",
    arguments='{"table":"orders","note":"ünïcödé \\u202e"}',
    findings=("DROP TABLE orders",),
)
RULE = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})), expires_after=60)
DBA = Approver(issuer="https://idp.example.com", subject="dan", groups=frozenset({"dba"}), name="Dan")


def ticket(id: str = "t1", *, at: int = NOW, ask: Ask = ASK) -> Ticket:  # noqa: A002
    return open_ticket(ask, RULE, id=id, at=at)


def step(taken: object) -> Ticket:
    assert isinstance(taken, Ticket)
    return taken


def yes(to: Ticket) -> Ticket:
    return step(answer(to, DBA, approves=True, reason="seen", at=NOW))


async def test_a_ticket_comes_back_as_it_was_stored(database):
    tickets = DatabaseTickets(database)
    assert await tickets.add(ticket()) == ticket()
    approved = yes(ticket())
    assert await tickets.exchange(ticket(), approved)
    assert await tickets.get("t1") == approved
    assert await tickets.find(digest(ASK)) == approved
    assert await tickets.get("t2") is None
    assert await tickets.find("unknown") is None


async def test_one_question_has_one_open_ticket(database, another):
    first, second = DatabaseTickets(database), DatabaseTickets(another)
    added = await asyncio.gather(*(store.add(ticket(f"t{n}")) for n in range(20) for store in (first, second)))
    assert len({each.id for each in added}) == 1
    assert len(await first.waiting()) == 1


async def test_an_answered_question_may_be_asked_anew(database):
    tickets = DatabaseTickets(database)
    await tickets.add(ticket())
    denied = step(answer(ticket(), DBA, approves=False, reason="no", at=NOW))
    assert await tickets.exchange(ticket(), denied)
    assert (await tickets.add(ticket("t2", at=NOW + 1))).id == "t2"
    assert (await tickets.find(digest(ASK))).id == "t2"


async def test_of_a_hundred_executions_at_once_one_is_made(database, another):
    stores = DatabaseTickets(database), DatabaseTickets(another)
    await stores[0].add(ticket())
    approved = yes(ticket())
    assert await stores[0].exchange(ticket(), approved)
    used = step(use(approved, ASK, at=NOW))
    won = await asyncio.gather(*(stores[n % 2].exchange(approved, used) for n in range(100)))
    assert sum(won) == 1
    assert (await stores[1].get("t1")).state is TicketState.USED


async def test_of_a_yes_and_a_no_at_once_one_counts(database, another):
    stores = DatabaseTickets(database), DatabaseTickets(another)
    await stores[0].add(ticket())
    answers = [yes(ticket()), step(answer(ticket(), DBA, approves=False, reason="no", at=NOW))]
    won = await asyncio.gather(*(stores[n].exchange(ticket(), answers[n]) for n in range(2)))
    assert sorted(won) == [False, True]
    assert await stores[0].get("t1") == answers[won.index(True)]


async def test_who_waits_learns_of_an_answer_given_elsewhere(database, another):
    here, there = DatabaseTickets(database), DatabaseTickets(another)
    watching = asyncio.create_task(DatabaseSharedState(database, news=here.news).watch())
    await here.add(ticket())
    waiting = asyncio.create_task(here.changed("t1", after=0, seconds=30))
    assert await there.exchange(ticket(), yes(ticket()))
    assert (await waiting).state is TicketState.APPROVED
    watching.cancel()


async def test_a_wait_ends_with_its_time(database):
    tickets = DatabaseTickets(database)
    await tickets.add(ticket())
    assert (await tickets.changed("t1", after=0, seconds=0.05)).state is TicketState.PENDING
    assert await tickets.changed("unknown", after=0, seconds=30) is None


async def test_what_came_before_the_wait_is_no_wait(database):
    tickets = DatabaseTickets(database)
    await tickets.add(ticket())
    await tickets.exchange(ticket(), yes(ticket()))
    assert (await tickets.changed("t1", after=0, seconds=30)).state is TicketState.APPROVED


async def test_lists_are_in_their_order(database):
    tickets = DatabaseTickets(database)
    for n in range(4):
        await tickets.add(ticket(f"t{n}", at=NOW + n, ask=replace(ASK, arguments=str(n))))
    gone = ticket("t0", ask=replace(ASK, arguments="0"))
    assert await tickets.exchange(gone, step(withdraw(gone, at=NOW)))
    assert [each.id for each in await tickets.waiting()] == ["t1", "t2", "t3"]
    assert [each.id for each in await tickets.latest(limit=2)] == ["t3", "t2"]
    assert [each.id for each in await tickets.latest(limit=9, before=NOW + 2)] == ["t1", "t0"]


async def test_nobody_gets_more_tickets_than_he_may_have_however_many_he_asks_for_at_once(database, another):
    stores = (DatabaseTickets(database), DatabaseTickets(another))

    def wish(number: int, ask: Ask = ASK) -> Ticket:
        return ticket(f"{ask.subject}-{number}", ask=replace(ask, arguments=str(number)))

    added = await asyncio.gather(*(stores[n % 2].add(wish(n), most=5) for n in range(30)))
    assert sum(each is not None for each in added) == 5
    assert await stores[0].add(wish(99), most=5) is None
    first = next(each for each in added if each is not None)
    assert await stores[1].add(replace(first, id="again"), most=5) == first
    assert await stores[1].add(wish(1, replace(ASK, subject="bob")), most=5) is not None


async def test_tickets_outlive_the_process(place):
    for expected in (0, 1):
        opened = open_database(place)
        tickets = DatabaseTickets(opened)
        assert len(await tickets.waiting()) == expected
        await tickets.add(ticket())
        await opened.close()


async def test_only_what_is_due_is_read(database):
    tickets = DatabaseTickets(database)
    for number in range(70):
        each = ticket(f"t{number:02}", ask=replace(ASK, subject=f"s{number % 2}"))
        await tickets.add(replace(each, digest=f"d{number}", expires_at=NOW + number))
    assert [each.id for each in await tickets.due(NOW + 2)] == ["t00", "t01", "t02"]
    assert [each.id for each in await tickets.due(NOW + 2, (ASK.issuer, "s0"))] == ["t00", "t02"]
    assert len(await tickets.due(NOW + 100)) == 70
    assert await tickets.due(NOW - 1) == []
    assert list(await tickets.pending())[:2] == ["t00", "t01"]
    assert len(await tickets.pending()) == 70


async def test_what_is_answered_can_be_forgotten_and_what_is_open_cannot(database, another):
    tickets = DatabaseTickets(database)
    states = [*TicketState] * 14
    for number, state in enumerate(states):
        await tickets.add(replace(ticket(f"t{number:02}"), digest=f"d{number}", state=state, created_at=NOW + number))
    kept = {f"t{number:02}" for number in range(40, len(states))}
    open_ones = {f"t{n:02}" for n, state in enumerate(states) if state in {TicketState.PENDING, TicketState.APPROVED}}
    gone = await DatabaseTickets(another).forget(lambda each: each.id not in kept)
    left = {each.id for each in await tickets.latest(limit=100)}
    assert left == kept | open_ones
    assert gone == len(states) - len(left) > 20
    assert await tickets.forget(lambda _: False) == 0


async def test_a_role_that_is_approved_and_not_lent_is_due(database):
    tickets = DatabaseTickets(database)
    asked = ticket("t1")
    wish = replace(asked, ask=replace(asked.ask, kind=AskKind.ACCESS), state=TicketState.APPROVED)
    await tickets.add(replace(wish, expires_at=NOW + 1000))
    assert [each.id for each in await tickets.due(NOW)] == ["t1"]


async def test_a_file_that_is_no_database_is_an_error(tmp_path):
    (tmp_path / "shared.db").write_bytes(b"no database" * 1000)
    opened = open_database(tmp_path / "shared.db")
    with pytest.raises(StoreError, match=r"shared\.db: file is not a database"):
        await opened.open()
    await opened.close()


async def test_a_database_that_is_not_there_is_an_error():
    opened = open_database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreError, match="PostgreSQL: "):
        await opened.open()
    await opened.close()
    with pytest.raises(StoreError, match="closed"):
        await opened.open()
