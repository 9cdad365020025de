from dataclasses import replace

import pytest

from extproc.core.approval import open_ticket, withdraw
from extproc.core.tickets import ApprovalRule, Approvers, Ask, AskKind, Ticket
from extproc.edges.notify.channels import NotifyError
from extproc.edges.notify.notifier import Notifier
from extproc.edges.notify.words import lines, subject_line
from extproc.edges.store.database import open_database
from extproc.edges.store.tickets import DatabaseTickets

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND
RULE = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})), quorum=2)
ASK = Ask(
    kind=AskKind.CALL,
    issuer="https://idp.example.com",
    subject="ann",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    target="drop_table",
    verb="admin",
)


def ticket(id: str, *, subject: str = "ann") -> Ticket:  # noqa: A002
    return open_ticket(replace(ASK, subject=subject, arguments=id), RULE, id=id, at=NOW)


class Pager:
    """A channel that keeps what it is told, or fails."""

    name = "pager"

    def __init__(self) -> None:
        self.messages: list[list[str]] = []
        self.broken = False

    async def send(self, tickets, url_of, at) -> None:  # noqa: ARG002
        if self.broken:
            raise NotifyError("pager: off")
        self.messages.append([each.id for each in tickets])


class World:
    """A notifier with its store, its clock and one channel."""

    def __init__(self, tickets: DatabaseTickets) -> None:
        self.tickets = tickets
        self.now = NOW
        self.pager = Pager()
        self.notifier = Notifier(tickets, [self.pager], url_of=lambda _: None, clock=lambda: self.now)


@pytest.fixture
async def world(tmp_path):
    database = open_database(tmp_path / "shared.db")
    yield World(DatabaseTickets(database))
    await database.close()


async def test_each_request_is_told_once_and_those_of_one_requester_together(world):
    for each in (ticket("t1"), ticket("t2"), ticket("t3", subject="bob")):
        await world.tickets.add(each)
    await world.notifier.look()
    await world.notifier.look()
    assert world.pager.messages == [["t1", "t2"], ["t3"]]


async def test_what_failed_is_told_again_after_a_pause(world):
    await world.tickets.add(ticket("t1"))
    world.pager.broken = True
    await world.notifier.look()
    world.pager.broken = False
    await world.notifier.look()
    assert world.pager.messages == []
    world.now += 2 * SECOND
    await world.notifier.look()
    assert world.pager.messages == [["t1"]]


async def test_a_channel_that_fails_keeps_no_other_from_being_told(world):
    broken = Pager()
    broken.broken = True
    both = Notifier(world.tickets, [broken, world.pager], url_of=lambda _: None, clock=lambda: NOW)
    await world.tickets.add(ticket("t1"))
    await both.look()
    assert world.pager.messages == [["t1"]]


async def test_nobody_is_told_of_what_is_over(world):
    await world.tickets.add(ticket("t1"))
    gone = withdraw(ticket("t1"), at=NOW)
    assert isinstance(gone, Ticket)
    await world.tickets.exchange(ticket("t1"), gone)
    await world.notifier.look()
    assert world.pager.messages == []


def test_a_message_says_who_what_where_and_until_when():
    text = lines(ticket("t1"), None)
    assert text[0] == "ann (https://idp.example.com) asks for drop_table on sales-db (admin)"
    assert text[1] == "rule schema-change, 2 approval(s) needed, open until 08:15:00 UTC"
    assert text[-1] == "answer: extproc approvals show t1"
    assert subject_line([ticket("t1"), ticket("t2")]) == "2 requests of ann wait for an answer"


def test_a_message_names_a_role_that_is_asked_for():
    ask = replace(ASK, kind=AskKind.ACCESS, role="steward", seconds=1800)
    assert subject_line([open_ticket(ask, RULE, id="t1", at=NOW)]) == "ann asks for the role steward for 30 minutes"
