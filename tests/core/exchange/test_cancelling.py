"""A legacy client that takes a held call back: it never runs, and nobody takes back the call of another one."""

import json
from collections import Counter
from dataclasses import dataclass, field

import pytest

from extproc.core.exchange import Answer, Closed, CountSession, Forward, SessionCounted, StoreFailed
from extproc.core.handles import Owner, Purpose, seal
from extproc.core.tickets import TicketState
from held import Desk, script, words_of
from script import ISSUER, NOW, RING, legacy

ANN = Owner(issuer=ISSUER, subject="ann", server="sales-db")


@dataclass
class Noting(Desk):
    """A world whose counts last from one exchange to the next."""

    counts: Counter = field(default_factory=Counter)

    def answer(self, command):
        if isinstance(command, CountSession):
            if not self.counted:
                return StoreFailed(at=NOW, reason="locked")
            self.counts[command.key] += 1
            return SessionCounted(at=NOW, calls=self.counts[command.key] - 1)
        return super().answer(command)


def session(name="up-1"):
    return {"mcp-session-id": seal(RING, Purpose.SESSION, ANN, name)} if name else {}


def drop(request_id=7, name="up-1"):
    params = {"name": "drop_table", "arguments": {"table": "orders"}}
    return legacy("tools/call", params, request_id=request_id, **session(name))


def cancel(params, name="up-1"):
    return legacy("notifications/cancelled", params, request_id=None, **session(name))


def after(*cancellations):
    """What becomes of the call with id 7 in session up-1 after these."""
    desk = Noting()
    for each in cancellations:
        (forward,) = script(desk=desk).post(each)
        assert isinstance(forward, Forward), "the server is told too"
    played = script(desk=desk)
    return played, played.post(drop())


def test_a_call_that_its_client_took_back_does_not_run_though_it_is_approved():
    played, said = after(cancel({"requestId": 7, "reason": "typo"}))
    assert words_of(said).startswith("This call was cancelled while it waited.")
    assert played.world.records[-1]["reason"] == "cancelled"
    assert played.world.ticket.state is TicketState.APPROVED, "unused"


@pytest.mark.parametrize(
    "other",
    [
        cancel({"requestId": 8}),
        cancel({"requestId": "7"}),
        cancel({"requestId": 7}, name="up-2"),
        cancel({"requestId": 7}, name=""),
        cancel({}),
    ],
    ids=["another id", "another type", "another session", "no session", "no id"],
)
def test_another_call_runs(other):
    _, (forward,) = after(other)
    assert isinstance(forward, Forward)


def test_without_a_session_nothing_is_looked_up():
    desk = Noting()
    (forward,) = script(desk=desk).post(drop(name=""))
    assert isinstance(forward, Forward)
    assert not desk.counts


@pytest.mark.parametrize("request_", [drop(), cancel({"requestId": 7})], ids=["the call", "the cancellation"])
def test_where_it_cannot_be_told_nothing_is_forwarded(request_):
    (told,) = script(desk=Noting(counted=False)).post(request_)
    assert isinstance(told, Answer)
    assert told.reply.status == 503
    assert json.loads(told.reply.body)["error"]["code"] == -32603


def test_who_may_not_speak_to_the_server_takes_nothing_back():
    desk = Noting()
    script(desk=desk, groups=("nobody",)).post(cancel({"requestId": 7}))
    assert not desk.counts


def test_who_hangs_up_meanwhile_is_on_record():
    class Silent(Noting):
        def answer(self, command):
            return None if isinstance(command, CountSession) else super().answer(command)

    played = script(desk=Silent())
    assert isinstance(played.post(drop())[-1], CountSession)
    (gone,) = played.play(Closed(at=NOW))
    assert gone.event["reason"] == "client_gone"
