"""A recogniser beside the loop: the loop goes on while it works, and whoever asked gets the answer or the failure."""

import asyncio
from collections.abc import Callable, Sequence
from threading import Event, get_ident
from typing import Any

import pytest

from extproc.core.masking import NAME_SCORE, Find
from extproc.edges.names.beside import Beside
from extproc.ports import RecogniserError
from named import Naming


def loaded(recogniser: Callable[..., Any]) -> Beside:
    beside = Beside(lambda: recogniser)
    beside.load()
    return beside


async def test_a_call_waits_for_the_answer_and_the_loop_for_nothing() -> None:
    reached, go, loop_thread, threads = Event(), Event(), get_ident(), set[int]()

    def slow(texts: Sequence[str]) -> list[list[Find]]:
        threads.add(get_ident())
        reached.set()
        assert go.wait(60)
        return [[Find(0, len(text), "place", NAME_SCORE)] for text in texts]

    beside = loaded(slow)
    told: list[str] = []

    def work(name: str) -> str:
        assert get_ident() == loop_thread
        told.append(f"{name} begins")
        (found,) = beside([name])
        assert get_ident() == loop_thread
        told.append(f"{name} ends")
        return name[found[0].start : found[0].end]

    first, second = (asyncio.create_task(beside.run(work, name)) for name in ("Oslo", "Bergen"))
    await asyncio.to_thread(reached.wait, 60)
    # the loop is free: what asks nothing is done at once
    assert await beside.run(lambda: "at once") == "at once"
    assert told == ["Oslo begins", "Bergen begins"]
    go.set()
    assert (await first, await second) == ("Oslo", "Bergen")
    assert loop_thread not in threads
    assert len(threads) == 1
    beside.close()


async def test_a_call_may_ask_several_times() -> None:
    naming = Naming()
    beside = loaded(naming)
    assert await beside.run(lambda: [len(beside([text])[0]) for text in ("Oslo", "nothing", "Ann Lee")]) == [1, 0, 1]
    assert naming.asked == [["Oslo"], ["nothing"], ["Ann Lee"]]
    beside.close()


async def test_a_failure_is_the_failure_of_who_asked() -> None:
    beside = loaded(Naming(fails="Oslo"))

    def work() -> str:
        with pytest.raises(LookupError):
            beside(["Oslo"])
        return "went on"

    assert await beside.run(work) == "went on"
    with pytest.raises(LookupError):
        await beside.run(lambda: beside(["Oslo"]))
    beside.close()


async def test_a_call_that_is_cancelled_is_dropped_where_it_stands() -> None:
    reached, go, left = Event(), Event(), []

    def stuck(texts: Sequence[str]) -> list[list[Find]]:
        reached.set()
        assert go.wait(60)
        return [[] for _ in texts]

    beside = loaded(stuck)

    def work() -> None:
        try:
            beside(["Oslo"])
        except Exception:  # noqa: BLE001 - a core that takes every failure for an answer must not take this one
            left.append("an answer")
        finally:
            left.append("out")

    running = asyncio.create_task(beside.run(work))
    await asyncio.to_thread(reached.wait, 60)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert left == ["out"]
    go.set()
    assert await beside.run(lambda: len(beside(["x"]))) == 1
    beside.close()


async def test_on_the_loop_nobody_can_wait_outside_of_a_call_and_in_another_thread_all_can() -> None:
    beside = loaded(Naming())
    with pytest.raises(RecogniserError, match="nobody can wait"):
        beside(["Oslo"])
    assert len((await asyncio.to_thread(beside, ["Oslo"]))[0]) == 1
    beside.close()


async def test_what_is_not_loaded_answers_nobody_and_what_is_loads_once() -> None:
    loads: list[int] = []

    def load() -> Naming:
        loads.append(1)
        return Naming()

    beside = Beside(load)
    assert not beside.is_loaded
    with pytest.raises(RecogniserError, match="not loaded"):
        await beside.run(lambda: beside(["Oslo"]))
    beside.load()
    beside.load()
    assert beside.is_loaded
    assert loads == [1]
    beside.close()


async def test_short_texts_that_were_read_lately_are_known_again() -> None:
    naming = Naming()
    beside = loaded(naming)
    long = "Oslo " * 50
    for _ in range(2):
        assert await beside.run(lambda: [len(finds) for finds in beside(["Oslo", "x", "Oslo", long])]) == [1, 0, 1, 50]
    assert naming.asked == [["Oslo", "x", long], [long]]
    for start in range(0, 8192, 1024):
        await beside.run(lambda at=start: beside([f"text {at + number}" for number in range(1024)]))
    assert len(beside._lately) == 4096
    await beside.run(lambda: beside(["Oslo"]))
    assert naming.asked[-1] == ["Oslo"]
    beside.close()
