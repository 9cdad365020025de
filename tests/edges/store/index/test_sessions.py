"""One session is found by how its id begins, with where all of its events stand."""

from edges.store.index.events import call, outcome
from extproc.core.audit import encode
from extproc.core.audit.filters import EVERYTHING


async def test_a_session_is_found_by_its_id_with_the_places_of_its_events(filled):
    await filled.give("a", [call("a", 0, ticket="t"), call("x", 0, server="other"), outcome("a", 1)])
    await filled.give("b", [outcome("b", 9), call("b", 8), {"kind": "approval", "ticket": "t"}])
    await filled.give("b", [{"kind": "message", "decision": "a"}, {"kind": "message", "decision": "x"}])
    row = next(row for row in (await filled.index.page(EVERYTHING, after=None, limit=9)).sessions if row.calls == 2)
    for start in (row.id, row.id[:7]):
        assert await filled.index.begins_so(start) == [row]
    assert await filled.index.begins_so(row.id + "0") == []
    assert await filled.index.begins_so("%") == []
    assert len(await filled.index.begins_so("")) == 2
    spots = await filled.index.spots_of(row.key)
    assert [spot[:3] for spot in spots] == [("a", 0, 1), ("a", 2, 1), ("b", 0, 1), ("b", 1, 1), ("b", 3, 1)]
    assert [spot.offset for spot in spots] == [0, 2, 0, 1, 3]
    assert await filled.index.steps_of(["t", "none"]) == {"b"}
    kept = await filled.index.kept_events(spots)
    assert kept == (
        {(spot.journal, spot.seq): encode(filled.journals[spot.journal][spot.seq]) for spot in spots}
        if filled.index.shared
        else {}
    )
