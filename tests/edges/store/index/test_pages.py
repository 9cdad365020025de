"""Pages of sessions are those that a look at every call would find, in order, without gap or repetition."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edges.store.index.events import MINUTE, START, Filled, call
from extproc.core.audit import sessions
from extproc.core.audit.filters import EVERYTHING, Filter, takes
from extproc.edges.store.index import pages
from extproc.edges.store.index.index import Index

PEOPLE = [{"issuer": "https://idp", "subject": "ana"}, {"issuer": "https://other", "subject": "Bob"}, None]
EVENTS = [
    call(
        f"d{number}",
        7 * number,
        principal=PEOPLE[number * number % 3],
        server=("sales-db", "files")[number // 3 % 2],
        targets=[{"kind": "tool", "name": ("query", "Drop_Table", "list")[number % 5 % 3]}],
        verb=("query", "mutate", None)[number % 7 % 3],
        effect=("allow", "deny", "reject")[number % 11 % 3],
        rule=(None, "role:Analyst#1", "deny:x")[number // 2 % 3],
        arguments=None if number % 4 == 0 else {"sql": f"select Ünique{number} from t%_{number % 3}"},
        trace="t" if number % 13 == 0 else None,
    )
    for number in range(60)
]


@pytest.fixture
async def full(filled):
    await filled.give("a", EVENTS)
    return filled.index


def expected(wanted: Filter) -> list[str]:
    """What a look at every call finds, the newest first."""
    matching = {event["decision"] for event in EVENTS if takes(wanted, event)}
    found = [each for each in sessions(EVENTS) if any(one.decision in matching for one in each.calls)]
    return [each.id for each in sorted(found, key=lambda each: each.first_at, reverse=True)]


async def paged(index: Index, wanted: Filter, limit: int) -> list[str]:
    found, after = [], None
    for _ in range(100):
        page = await index.page(wanted, after=after, limit=limit)
        assert len(page.sessions) <= limit
        found += [row.id for row in page.sessions]
        after = page.after
        if after is None:
            return found
    raise AssertionError("no end")


TIMES = st.none() | st.integers(0, 450).map(lambda minute: START + minute * MINUTE)
FILTERS = st.builds(
    Filter,
    principal=st.sampled_from([None, "ANA", "o", "https://other bob", "nobody"]),
    server=st.sampled_from([None, "files", "sales-db", "file"]),
    tool=st.sampled_from([None, "drop", "l", "none"]),
    verb=st.sampled_from([None, "query", "mutate"]),
    decision=st.sampled_from([None, "deny", "shadow"]),
    rule=st.sampled_from([None, "analyst", "x"]),
    since=TIMES,
    until=TIMES,
    text=st.sampled_from([None, "üniQue1", "t%_1", "select", "null", "\0"]),
)


@pytest.mark.parametrize("limits", ["as they are", "tiny", "shapes first"])
async def test_each_choice_finds_what_a_look_at_every_call_finds(full, limits, monkeypatch):
    if limits == "tiny":  # more shapes and people than are looked up one by one, and little text for one page
        for name in ("FEW", "TOGETHER", "LOOKED_THROUGH"):
            monkeypatch.setattr(pages, name, 1)
    if limits == "shapes first":  # here there are more of them than people, who would lead
        monkeypatch.setattr(pages, "SHAPES_EACH", 0)
    assert len(expected(EVERYTHING)) > 20
    loop = asyncio.get_running_loop()

    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(FILTERS, st.integers(1, 9))
    def compare(wanted: Filter, limit: int) -> None:
        found = asyncio.run_coroutine_threadsafe(paged(full, wanted, limit), loop).result(60)
        assert found == expected(wanted)

    await asyncio.to_thread(compare)


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(decision="deny"),
        Filter(tool="l"),
        Filter(rule="analyst"),
        Filter(verb="query"),
        Filter(principal="https"),
    ],
)
async def test_of_lists_that_are_merged_a_few_at_a_time_none_is_left_out_or_cut(full, wanted, monkeypatch):
    monkeypatch.setattr(pages, "MERGED", 1)
    monkeypatch.setattr(pages, "TOGETHER", 2)
    assert len(expected(wanted)) > 5
    for limit in (1, 2, 5):
        assert await paged(full, wanted, limit) == expected(wanted)


async def test_a_page_says_that_it_did_not_look_further(full, monkeypatch):
    monkeypatch.setattr(pages, "TOGETHER", 2)
    monkeypatch.setattr(pages, "LOOKED_THROUGH", 3)
    page = await full.page(Filter(text="nowhere"), after=None, limit=1)
    assert (page.sessions, page.unfinished) == ([], True)
    assert page.after is not None
    whole = await full.page(Filter(text="nowhere"), after=(0, 0), limit=1)
    assert (whole.after, whole.unfinished) == (None, False)


async def test_a_session_that_began_earlier_than_was_known_moves(filled: Filled):
    await filled.give("a", [call("late", 20), call("other", 10, server="files")])
    await filled.give("b", [call("early", 5)])
    rows = (await filled.index.page(Filter(tool="query"), after=None, limit=9)).sessions
    assert [(row.server, row.calls) for row in rows] == [("files", 1), ("sales-db", 2)]
