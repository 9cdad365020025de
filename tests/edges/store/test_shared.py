import asyncio

import pytest

from extproc.core.model import Principal
from extproc.core.shared_state import Elevation, Pin, Revocation, Revoked
from extproc.edges.store.database import open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.ports import StoreError
from plain import PATIENCE

NOW = 1_800_000_000_000_000_000
ANN = Principal(issuer="https://idp.example.com", subject="ann")
OUT = Revocation(id="r1", kind=Revoked.SUBJECT, value="ann", at=NOW, reason="left the company", by="sec")


def copy_of(database) -> DatabaseSharedState:
    return DatabaseSharedState(database, clock=lambda: NOW)


async def test_a_copy_is_empty_and_old_until_it_is_read(database):
    state = copy_of(database)
    assert not state.current.is_fresh(NOW)
    await state.refresh()
    assert state.current.is_fresh(NOW)
    assert state.current.revocations == ()


async def test_a_revocation_is_in_force_when_the_command_returns_and_elsewhere_with_the_next_look(database, another):
    here, there = copy_of(database), copy_of(another)
    await here.revoke(OUT)
    assert here.current.revocation(ANN, "", NOW) == OUT
    await there.refresh()
    assert there.current.revocation(ANN, "", NOW) == OUT
    assert await there.lift("r1")
    assert not await there.lift("r1")
    await here.refresh()
    assert here.current.revocation(ANN, "", NOW) is None


async def test_who_watches_is_told_of_changes_made_elsewhere(database, another):
    here, there = copy_of(database), copy_of(another)
    told = asyncio.Event()
    here.on_change(lambda state: told.set() if state.revocations else None)
    watching = asyncio.create_task(here.watch())
    await there.revoke(OUT)
    await asyncio.wait_for(told.wait(), PATIENCE)
    watching.cancel()


async def test_a_loan_ends_by_itself_or_before(database):
    state = copy_of(database)
    loan = Elevation(id="e1", issuer=ANN.issuer, subject="ann", role="steward", at=NOW, until=NOW + 10)
    await state.lend(loan)
    assert state.current.lent(ANN, NOW) == (loan,)
    assert state.current.lent(ANN, NOW + 10) == ()
    assert await state.end_loan("e1")
    assert not await state.end_loan("e1")
    assert state.current.lent(ANN, NOW) == ()


async def test_what_has_ended_is_forgotten_with_the_next_change(database):
    times = iter([NOW, NOW, NOW + 100, NOW + 100])
    state = DatabaseSharedState(database, clock=lambda: next(times))
    await state.lend(Elevation(id="e1", issuer="i", subject="s", role="r", at=NOW, until=NOW + 10))
    await state.revoke(OUT)
    assert state.current.elevations == ()


def pin(digest: str, by: str = "") -> Pin:
    return Pin(server="s", tool="t", digest=digest, definition="{}", at=NOW, by=by)


async def test_the_first_definition_is_pinned_and_another_waits_until_somebody_approves_it(database, another):
    here, there = copy_of(database), copy_of(another)
    assert await here.note(pin("a"), pins_first=True) == "pinned"
    assert await here.note(pin("a"), pins_first=True) is None
    assert await there.note(pin("b"), pins_first=True) == "changed"
    assert await here.note(pin("b"), pins_first=True) is None
    await here.refresh()
    assert (here.current.pins["s", "t"].digest, here.current.candidates["s", "t"].digest) == ("a", "b")
    assert not await here.approve(pin("c", "sec"))
    assert await here.approve(pin("b", "sec"))
    assert (here.current.pins["s", "t"].by, dict(here.current.candidates)) == ("sec", {})
    assert not await here.approve(pin("b", "sec"))


async def test_a_definition_that_is_back_as_it_was_approved_waits_no_more(database):
    state = copy_of(database)
    await state.note(pin("a"), pins_first=True)
    await state.note(pin("b"), pins_first=True)
    assert await state.note(pin("a"), pins_first=True) == "restored"
    assert dict(state.current.candidates) == {}


async def test_a_first_definition_waits_where_nothing_is_approved_by_being_seen(database):
    state = copy_of(database)
    assert await state.note(pin("a"), pins_first=False) == "found"
    assert (dict(state.current.pins), state.current.candidates["s", "t"].digest) == ({}, "a")
    assert await state.approve(pin("a", "sec"))
    assert state.current.pins["s", "t"].digest == "a"


async def test_an_unchanged_copy_is_confirmed_not_read_again(database):
    times = iter([NOW, NOW + 1])
    state = DatabaseSharedState(database, clock=lambda: next(times))
    await state.refresh()
    before = state.current
    await state.refresh()
    assert state.current.as_of == NOW + 1
    assert state.current.pins is before.pins


async def test_a_copy_grows_old_while_the_server_is_away_and_is_kept_again_when_it_is_back(server):
    url = server.database()
    database, other = open_database(url), open_database(url)
    here, there = DatabaseSharedState(database), DatabaseSharedState(other)
    await here.revoke(OUT)
    lifted = asyncio.Event()
    here.on_change(lambda state: None if state.revocations else lifted.set())
    watching = asyncio.create_task(here.watch())
    server.kill()
    try:
        with pytest.raises(StoreError):
            await here.refresh()
        assert here.current.revocations == (OUT,)
    finally:
        server.start()
    assert await there.lift("r1")
    await asyncio.wait_for(lifted.wait(), PATIENCE)
    watching.cancel()
    await database.close()
    await other.close()


async def test_nobody_else_may_read_the_file_in_which_held_calls_wait(tmp_path):
    place = tmp_path / "shared.db"
    held = open_database(place)
    await held.open()
    found = {each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir()}
    await held.close()
    assert "shared.db" in found
    assert set(found.values()) == {0o600}, found
