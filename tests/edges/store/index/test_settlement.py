"""Whatever order records come in, the index holds the sessions that a reading of all journals finds."""

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edges.store.index.events import Filled, call, outcome, purge
from extproc.core.audit import sessions
from extproc.core.audit.filters import EVERYTHING
from extproc.edges.store.index.index import Index

ALL = 1000
TABLES = (
    "calls",
    "outcomes",
    "messages",
    "sessions",
    "people",
    "shapes",
    "seen",
    "steps",
    "purged",
    "events",
    "journals",
)


async def compare(filled: Filled, gone: frozenset[str] = frozenset()) -> list[list[str]]:
    """Hold what the index says against the pure function; the decisions of each session."""
    expected = sessions(
        event
        for journal in sorted(filled.journals)
        for event in filled.journals[journal]
        if event.get("decision") not in gone
    )
    page = await filled.index.page(EVERYTHING, after=None, limit=ALL)
    assert {row[1:] for row in page.sessions} == {
        (
            *(each.id, each.issuer, each.subject, each.server, each.client),
            *(each.first_at, each.last_at, len(each.calls), each.denied),
        )
        for each in expected
    }
    assert [row.first_at for row in page.sessions] == sorted((each.first_at for each in expected), reverse=True)
    for row in page.sessions:
        spots = await filled.index.spots_of(row.key)
        again = sessions(filled.journals[spot.journal][spot.seq] for spot in spots)
        assert again == tuple(each for each in expected if each.id == row.id)
    return [[each.decision for each in session.calls] for session in expected]


def calls(number: int) -> st.SearchStrategy[tuple[dict, list[tuple[str, dict]], bool]]:
    """A call, its answers with their journals, and whether it is purged."""
    at = st.integers(0, 30).map(lambda tens: tens * 10)
    changes = st.fixed_dictionaries(
        {
            "principal": st.sampled_from(["ana", "ana", "bob\0"]).map(lambda who: {"issuer": "i", "subject": who}),
            "client": st.sampled_from([{"name": "agent", "version": "1"}, {"name": "other"}, None]),
            "session": st.sampled_from([None, None, None, "s"]),
            "trace": st.sampled_from([None, None, "t", "u"]),
            "effect": st.sampled_from(["allow", "deny"]),
        }
    )

    # a worker writes one answer; whatever writes more must not be read in two ways
    answers = st.lists(
        st.tuples(st.sampled_from([0, 0, 1, 25, 95]), st.sampled_from([None, None, "s", "r"]), st.sampled_from("abc")),
        max_size=3,
    )

    def answered(minute: int, changed: dict, late: list, purged: bool) -> tuple:
        said = [(journal, outcome(f"d{number}", minute + after, name)) for after, name, journal in late]
        return call(f"d{number}", minute, **changed), said, purged

    return st.builds(answered, at, changes, answers, st.sampled_from([False, False, False, True]))


@st.composite
def histories(draw) -> tuple[list[tuple[str, list[dict]]], frozenset[str]]:
    """Batches of three journals in some order, with purges on the way, and the decisions that are purged."""
    journals: dict[str, list[dict]] = {"a": [], "b": [], "c": []}
    gone: set[str] = set()
    purges: list[tuple[str, int]] = []
    for number in range(draw(st.integers(1, 14))):
        called, answers, purged = draw(calls(number))
        # an answer may stand in another journal, and come before its call
        for name, event in [(draw(st.sampled_from("abc")), called), *answers]:
            if purged:
                gone.add(called["decision"])
                purges.append((name, len(journals[name])))
            journals[name].append(event)
    batches: list[tuple[str, list[dict]]] = []
    while any(journals.values()):
        name = draw(st.sampled_from([each for each in journals if journals[each]]))
        size = draw(st.integers(1, 5))
        batches.append((name, journals[name][:size]))
        journals[name] = journals[name][size:]
    for name, seq in purges:
        batches.insert(draw(st.integers(0, len(batches))), ("control", [purge(name, (seq, 1))]))
    return batches, frozenset(gone)


async def take_in(place: Path | str, batches: list[tuple[str, list[dict]]], gone: frozenset[str]) -> None:
    index = Index(place)
    await index.open()
    try:
        for table in TABLES:
            await index.database.transact(lambda each, name=table: each.change(f"DELETE FROM {name}"), writes=True)
        filled = Filled(index)
        for journal, events in batches:
            assert await filled.give(journal, events)
        await compare(filled, gone)
    finally:
        await index.close()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_the_order_in_which_records_come_does_not_matter(place, history):
    asyncio.run(take_in(place, *history))


async def test_a_late_call_takes_a_much_later_one_of_its_trace_along(filled):
    await filled.give("a", [call("x", 100), call("y", 300, trace="t")])
    await filled.give("b", [call("e", 0, trace="t")])
    assert await compare(filled) == [["e", "y"], ["x"]]


async def test_a_late_answer_is_felt_where_its_session_goes_on_much_later(filled):
    await filled.give("a", [call("x", 0, trace="u"), call("e", 40, trace="t"), call("v", 50, trace="u")])
    await filled.give("a", [call("y", 120, trace="t"), call("z", 149), call("w", 225)])
    assert await compare(filled) == [["x", "v"], ["e", "y", "z"], ["w"]]
    await filled.give("b", [outcome("e", 200)])
    assert await compare(filled) == [["x", "v"], ["e", "y", "z", "w"]]


async def test_an_answer_that_names_the_session_takes_its_call_out_of_the_lane(filled):
    await filled.give("a", [call("a", 0, method="initialize"), call("b", 25), call("c", 50)])
    assert await compare(filled) == [["a", "b", "c"]]
    await filled.give("a", [outcome("a", 1, "s"), call("d", 2, session="s", client=None)])
    assert await compare(filled) == [["a", "d"], ["b", "c"]]


@pytest.mark.parametrize("turned", [False, True], ids=["in order", "the later first"])
async def test_of_two_answers_the_later_counts_in_whatever_batch_it_came(filled, turned):
    both = [outcome("a", 3) | {"result": "first"}, outcome("a", 9) | {"result": "second"}]
    await filled.give("a", [call("a", 0)])
    for journal, each in zip("bc", reversed(both) if turned else both, strict=True):
        await filled.give(journal, [each])
    await filled.give("a", [call("b", 38)])
    assert await compare(filled) == [["a", "b"]]
    (row,) = (await filled.index.page(EVERYTHING, after=None, limit=2)).sessions
    events = [filled.journals[spot.journal][spot.seq] for spot in await filled.index.spots_of(row.key)]
    assert [each["result"] for each in events if each["kind"] == "outcome"] == ["second"]
    assert not await filled.index.database.transact(lambda each: each.rows("SELECT * FROM outcomes"))


async def test_an_answer_that_names_another_session_moves_its_call(filled):
    await filled.give("a", [call("a", 0, method="initialize"), outcome("a", 1, "s")])
    await filled.give("a", [outcome("a", 2, "r"), call("b", 3, session="r", client=None), outcome("a", 4)])
    assert await compare(filled) == [["a", "b"]]


async def test_a_call_between_two_sessions_joins_them_and_its_purge_parts_them(filled):
    await filled.give("a", [call("a", 0), call("b", 50)])
    await filled.give("b", [call("m", 25)])
    assert await compare(filled) == [["a", "m", "b"]]
    await filled.give("control", [purge("b", (0, 1))])
    assert await compare(filled, frozenset({"m"})) == [["a"], ["b"]]


async def test_what_is_given_again_or_out_of_turn_is_not_taken(filled):
    await filled.give("a", [call("a", 0)])
    again = Filled(filled.index)
    assert not await again.give("a", [call("a", 0)])
    assert await compare(filled) == [["a"]]


async def test_nothing_of_a_purged_record_stays(filled):
    secret = call("b", 300, principal={"issuer": "i", "subject": "gone"}, client={"name": "gone"})
    secret |= {"server": "gone", "rule": "gone", "trace": "gone", "targets": [{"kind": "tool", "name": "gone"}]}
    secret["arguments"] = {"sql": "gone"}
    await filled.give(
        "a", [call("a", 0), secret, outcome("b", 301, "gone"), {"kind": "message", "decision": "b", "payload": "gone"}]
    )
    await filled.give("control", [{"kind": "approval", "ticket": "gone"}, purge("a", (1, 3)), purge("control", (0, 1))])
    assert await compare(filled, frozenset({"b"})) == [["a"]]
    for table in TABLES:
        rows = await filled.index.database.transact(lambda each, name=table: each.rows(f"SELECT * FROM {name}"))
        assert b"gone" not in b"".join(
            value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row
        )


async def test_a_purge_of_no_place_takes_nothing_out_and_stops_nothing(filled):
    await filled.give("a", [call("a", 0)])
    await filled.give("control", [purge("a", (0, 10**30)), purge("a", (-1, 3)), purge("a", (1, 2))])
    assert await compare(filled) == [["a"]]


async def test_two_writers_do_not_undo_each_other(filled, place):
    other = Index(place)
    await other.open()
    try:
        theirs = Filled(other)
        for turn in range(10):
            await asyncio.gather(
                filled.give("a", [call(f"a{turn}", 4 * turn)]),
                theirs.give("b", [call(f"b{turn}", 4 * turn + 2, effect="deny")]),
            )
        filled.journals |= theirs.journals
        ((*found,),) = await compare(filled)
        assert len(found) == 20
    finally:
        await other.close()


@pytest.mark.parametrize("text", ["\0", "\ud7ff", "'; DROP TABLE calls; --", "%s ? {0}", "\U0010ffff", "a" * 5000])
async def test_whatever_somebody_wrote_is_kept_as_it_is(filled, text):
    hostile = call("a", 0, principal={"issuer": text, "subject": text}, server=text, client={"name": text}, rule=text)
    await filled.give("a", [hostile | {"trace": text, "arguments": {"x": text}, "verb": text, "at": 1 << 62}])
    assert await compare(filled) == [["a"]]
