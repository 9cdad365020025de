"""What a long stream rests on."""

from dataclasses import replace

import pytest

from extproc.core.audit import session_digest
from extproc.core.exchange import (
    Forward,
    Snapshot,
)
from extproc.core.shared_state import Elevation, Revoked, SharedState
from held import HELD, SECOND, handshake, out, script
from script import ISSUER, NOW, RING, Script, call, legacy, policy


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
                    elevations=(
                        Elevation(id="e", issuer=ISSUER, subject="ann", role="steward", at=NOW - SECOND, until=2 * NOW),
                    ),
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


@pytest.mark.parametrize(
    ("change", "stands"),
    [
        ({}, True),
        ({"shared": out(Revoked.SUBJECT, "bob")}, True),
        ({"shared": out(Revoked.SUBJECT, "ann")}, False),
        ({"shared": out(Revoked.SESSION, session_digest("upstream-1"))}, False),
        ({"shared": SharedState(as_of=NOW - 60 * SECOND)}, True),
        ({"policy": policy(HELD + "# another day\n")}, True),
    ],
)
def test_a_call_that_is_being_answered_ends_only_where_its_caller_is_put_out(change, stands):
    session = handshake({})
    played = script(groups=("data-analysts",))
    played.post(call("echo", era=legacy, **{"mcp-session-id": session}))
    played.response(chunks=[b"data: "], media="text/event-stream")
    now = replace(Snapshot(policy=policy(HELD), ring=RING), **change)
    assert played.exchange.stands(now, NOW + 3000 * SECOND) is stands
