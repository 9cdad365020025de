"""Whatever order records come in, the index holds the sessions that a reading of all journals finds."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edges.store.index.events import MINUTE, START, Filled, call, outcome, purge
from extproc.core.audit import sessions
from extproc.core.audit.filters import EVERYTHING
from extproc.edges.store.index.index import Index

ALL = 1000


async def told(filled: Filled, gone: set[str] = frozenset()) -> None:
    """Compare what the index says with what the pure function says."""
    events = [
        event
        for journal in sorted(filled.journals)
        for event in filled.journals[journal]
        if event.get("decision") not in gone
    ]
    expected = sessions(events)
    page = await filled.index.page(EVERYTHING, after=None, limit=ALL)
    found = {
        row.id: (row.issuer, row.subject, row.server, row.client, row.first_at, row.last_at, row.calls, row.denied)
        for row in page.sessions
    }
    assert found == {
        each.id: (
            *(each.issuer, each.subject, each.server, each.client),
            *(each.first_at, each.last_at, len(each.calls), each.denied),
        )
        for each in expected
    }
    assert [row.first_at for row in page.sessions] == sorted((each.first_at for each in expected), reverse=True)
    for row in page.sessions:
        spots = await filled.index.spots_of(row.key)
        recorded = [filled.journals[spot.journal][spot.seq] for spot in spots]
        (again,) = sessions(recorded)
        assert again == next(each for each in expected if each.id == row.id)


@st.composite
def histories(draw) -> tuple[list[tuple[str, list[dict]]], set[str]]:
    """Batches of three journals in some order, and the decisions that are purged on the way."""
    journals: dict[str, list[dict]] = {"a": [], "b": [], "c": []}
    gone: set[str] = set()
    ranges: list[tuple[str, int]] = []
    for number in range(draw(st.integers(1, 14))):
        minute = draw(st.integers(0, 30)) * 10
        journal = journals[name := draw(st.sampled_from("abc"))]
        changes = {
            "principal": {"issuer": "i", "subject": draw(st.sampled_from(["ana", "ana", "bob\0"]))},
            "client": draw(st.sampled_from([{"name": "agent", "version": "1"}, {"name": "other"}, None])),
            "session": draw(st.sampled_from([None, None, None, "s"])),
            "trace": draw(st.sampled_from([None, None, "t", "u"])),
            "effect": draw(st.sampled_from(["allow", "deny"])),
        }
        purged = draw(st.sampled_from([False, False, False, True]))
        decision = f"d{number}"
        if purged:
            gone.add(decision)
            ranges.append((name, len(journal)))
        journal.insert(len(journal), call(decision, minute, **changes))
        for _ in range(draw(st.sampled_from([0, 1, 1]))):
            answered = outcome(
                decision, minute + draw(st.sampled_from([0, 1, 25, 95])), draw(st.sampled_from([None, None, "s"]))
            )
            # an answer may be in another journal, before its call or after it
            other = draw(st.sampled_from("abc"))
            if purged:
                ranges.append((other, len(journals[other])))
            journals[other].append(answered)
    batches: list[tuple[str, list[dict]]] = []
    while any(journals.values()):
        name = draw(st.sampled_from([each for each in journals if journals[each]]))
        size = draw(st.integers(1, 5))
        batches.append((name, journals[name][:size]))
        journals[name] = journals[name][size:]
    for name, seq in ranges:
        batches.insert(draw(st.integers(0, len(batches))), ("control", [purge(name, (seq, 1))]))
    return batches, gone


async def check(place, batches, gone) -> None:
    index = Index(place)
    await index.open()
    try:
        for table in (
            "calls",
            "outcomes",
            "sessions",
            "people",
            "shapes",
            "seen",
            "steps",
            "purged",
            "events",
            "journals",
        ):
            await index.database.transact(
                lambda transaction, name=table: transaction.change(f"DELETE FROM {name}"), writes=True
            )
        filled = Filled(index)
        for journal, events in batches:
            assert await filled.give(journal, events)
        await told(filled, gone)
    finally:
        await index.close()


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(histories())
def test_the_order_in_which_records_come_does_not_matter(tmp_path, history):
    asyncio.run(check(tmp_path / "index.db", *history))
