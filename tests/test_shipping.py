"""Shipping: nothing is left out and nothing goes out of order, over restarts, failures, new journals and damage."""

import asyncio
import json

import pytest

from extproc import skips
from extproc.edges.journal.reader import read
from extproc.edges.journal.segments import path_of
from extproc.ports import Record, RecordsRefusedError, SinkError, StoreError
from extproc.shipping import Shipper, statuses
from extproc.skips import SINKS
from schemas import faults_of
from stack.calls import until
from stores import Store

EVENT = {"kind": "test", "at": 1}


class Shelf:
    """A sink that keeps what it takes, and fails when it is told to."""

    def __init__(self) -> None:
        self.records: list[Record] = []
        self.failure: Exception | None = None
        self.closed = False

    async def deliver(self, records):
        if self.failure is not None:
            raise self.failure
        self.records += records

    async def close(self):
        self.closed = True

    @property
    def places(self) -> list[tuple[str, int]]:
        return [(record.journal, record.seq) for record in self.records]


async def test_what_is_written_later_follows(tmp_path):
    store, shelf = Store(tmp_path), Shelf()
    shipper = Shipper(tmp_path, "shelf", shelf)
    assert await shipper.deliver() == 0
    await store.write("n-0", [EVENT])
    assert await shipper.deliver() == 2
    await store.write("n-0", [EVENT] * 30)
    await store.write("n-1", [EVENT])
    while await shipper.deliver():
        pass
    assert shelf.places == [*(("n-0", seq) for seq in range(shelf.records[-3].seq + 1)), ("n-1", 0), ("n-1", 1)]
    assert len({record.hash for record in shelf.records}) == len(shelf.records)
    assert all(json.loads(record.encoded) == record.event for record in shelf.records)


async def test_a_restart_goes_on_behind_what_was_delivered(tmp_path):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    assert await Shipper(tmp_path, "shelf", shelf).deliver() == 2
    await store.write("n-0", [EVENT])
    assert await Shipper(tmp_path, "shelf", shelf).deliver() == 2
    assert shelf.places == [("n-0", seq) for seq in range(4)]


@pytest.mark.parametrize("kept", [b"", b"{", b'{"places": 7}'])
async def test_a_place_that_cannot_be_read_gives_all_again(tmp_path, kept):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    await Shipper(tmp_path, "shelf", shelf).deliver()
    (tmp_path / SINKS / "shelf.json").write_bytes(kept)
    await Shipper(tmp_path, "shelf", shelf).deliver()
    assert shelf.places == [("n-0", 0), ("n-0", 1)] * 2


@pytest.mark.parametrize("failure", [SinkError("is full"), OSError("odd"), RuntimeError("a library's own")])
async def test_whatever_a_sink_raises_the_records_come_again(tmp_path, failure):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    shipper = Shipper(tmp_path, "shelf", shelf)
    shelf.failure = failure
    assert await shipper.deliver() is None
    assert await shipper.deliver() is None
    (status,) = statuses(tmp_path, ["shelf"])
    assert (status.behind, status.delivered) == (2, 0)
    assert status.error
    shelf.failure = None
    assert await shipper.deliver() == 2
    (status,) = statuses(tmp_path, ["shelf"])
    assert (status.behind, status.delivered, status.error) == (0, 2, None)


async def test_a_line_that_does_not_hold_is_told_in_its_place(tmp_path):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT, EVENT])
    path = path_of(tmp_path / "journal" / "n-0", 1)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([lines[0], b"nonsense\n", lines[2]]))
    await Shipper(tmp_path, "shelf", shelf).deliver()
    assert [(record.seq, record.event["kind"]) for record in shelf.records] == [
        (0, "opened"),
        (1, "damaged"),
        (2, "test"),
    ]


async def test_batches_are_bounded(tmp_path):
    store, shelf = Store(tmp_path, segment_bytes=1 << 30), Shelf()
    await store.write("n-0", [EVENT] * 700)
    assert await Shipper(tmp_path, "shelf", shelf).deliver() == 500
    await store.write("n-1", [{"kind": "test", "at": 1, "text": "x" * 200_000}] * 12)
    taken = len(shelf.records)
    await Shipper(tmp_path, "shelf", shelf).deliver()
    assert sum(record.journal == "n-1" for record in shelf.records[taken:]) < 12


async def test_a_slow_sink_holds_up_no_other_and_the_end_waits_for_it_only_so_long(tmp_path):
    class Stuck(Shelf):
        async def deliver(self, _records):
            await asyncio.Event().wait()

    store, stuck, shelf = Store(tmp_path), Stuck(), Shelf()
    await store.write("n-0", [EVENT])
    slow = asyncio.create_task(Shipper(tmp_path, "stuck", stuck).run())
    fast = asyncio.create_task(Shipper(tmp_path, "shelf", shelf).run())
    await until(lambda: len(shelf.records) == 2)
    for task in (slow, fast):
        task.cancel()
    await asyncio.gather(slow, fast, return_exceptions=True)
    await Shipper(tmp_path, "stuck", stuck).finish(0.05)
    assert stuck.closed
    await store.write("n-0", [EVENT])
    await Shipper(tmp_path, "shelf", shelf).finish(20)
    assert len(shelf.records) == 4


async def test_an_outage_is_on_record_once_with_its_beginning_and_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr("extproc.shipping.LONGEST_PAUSE", 0.01)
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    shelf.failure = SinkError("the collector answers 503")
    recorded: list[dict] = []
    tried = 0

    async def record(event):
        recorded.append(event)

    def failing() -> bool:
        nonlocal tried
        tried += 1
        return tried > 5 and bool(recorded)

    shipping = asyncio.create_task(Shipper(tmp_path, "siem", shelf).run(record))
    await until(failing)
    shelf.failure = None
    await until(lambda: len(recorded) == 2)
    shipping.cancel()
    steps = [(each["kind"], each["step"], each["sink"], each["reason"]) for each in recorded]
    assert steps == [
        ("sink", "failed", "siem", "the collector answers 503"),
        ("sink", "recovered", "siem", None),
    ]


async def test_a_record_that_cannot_be_stored_keeps_no_sink_from_its_own(tmp_path):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    shelf.failure = SinkError("away")

    async def record(_event):
        shelf.failure = None
        raise StoreError("the disk is full")

    shipping = asyncio.create_task(Shipper(tmp_path, "siem", shelf).run(record))
    await until(lambda: shelf.records)
    shipping.cancel()


async def test_a_place_that_cannot_be_kept_is_no_delivery(tmp_path):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    (tmp_path / SINKS).write_text("in the way")
    assert await Shipper(tmp_path, "shelf", shelf).deliver() is None
    assert shelf.places == [("n-0", 0), ("n-0", 1)]


class Picky(Shelf):
    """A sink that never takes a batch with one of these numbers."""

    def __init__(self, *refused: int) -> None:
        super().__init__()
        self.refused = refused

    async def deliver(self, records):
        if any(record.seq in self.refused for record in records):
            raise RecordsRefusedError("the collector answers 413")
        await super().deliver(records)


async def told(tmp_path, sink, *, record=None) -> list[dict]:
    """What goes on record until the wish to skip is taken away."""
    events: list[dict] = []

    async def keep(event) -> None:
        events.append(dict(event))

    shipping = asyncio.create_task(Shipper(tmp_path, "picky", sink).run(record or keep))
    await until(lambda: is_done(tmp_path))
    shipping.cancel()
    return events


async def is_done(tmp_path) -> bool:
    return skips.asked(tmp_path, "picky") is None


async def test_a_record_that_is_refused_for_ever_is_left_out_where_somebody_says_so_and_it_is_on_record(tmp_path):
    store, picky = Store(tmp_path), Picky(2)
    await store.write("n-0", [EVENT] * 4)
    shipper = Shipper(tmp_path, "picky", picky)
    assert await shipper.deliver() is None
    skips.ask(tmp_path, "picky", skips.Skip(by="ops@host", reason="larger than it takes"))
    events = await told(tmp_path, picky)
    assert picky.places[:2] == [("n-0", 0), ("n-0", 1)]
    skipped = [event for event in events if event["step"] == "skipped"]
    (line,) = [line for line in read(tmp_path / "journal" / "n-0") if line.seq == 2]
    assert [event["skipped"] for event in skipped] == [
        {"journal": "n-0", "seq": 2, "hash": line.hash, "said": "the collector answers 413", "by": "ops@host"}
    ]
    assert skipped[0]["reason"] == "larger than it takes"
    assert not [fault for event in skipped for fault in faults_of(event)]
    assert await Shipper(tmp_path, "picky", picky).deliver() is not None
    # in their order; what was under way when the shipper was stopped comes once more
    assert list(dict.fromkeys(picky.places)) == [("n-0", seq) for seq in (0, 1, 3, 4)]
    (status,) = statuses(tmp_path, ["picky"])
    assert (status.behind, status.error, status.skipped, status.last_skipped) == (0, None, 1, ("n-0", 2))


async def test_one_wish_is_for_one_record(tmp_path):
    store, picky = Store(tmp_path), Picky(1, 3)
    await store.write("n-0", [EVENT] * 4)
    skips.ask(tmp_path, "picky", skips.Skip(by="ops", reason="r"))
    events = await told(tmp_path, picky)
    assert [event["step"] for event in events].count("skipped") == 1
    assert await Shipper(tmp_path, "picky", picky).deliver() is None


async def test_what_is_not_on_record_is_not_left_out(tmp_path):
    store, picky = Store(tmp_path), Picky(1)
    await store.write("n-0", [EVENT] * 4)
    tried = asyncio.Event()

    async def full(event) -> None:
        if event["step"] == "skipped":
            tried.set()
        raise StoreError("the disk is full")

    skips.ask(tmp_path, "picky", skips.Skip(by="ops", reason="r"))
    shipping = asyncio.create_task(Shipper(tmp_path, "picky", picky).run(full))
    await tried.wait()
    shipping.cancel()
    assert skips.asked(tmp_path, "picky") is not None
    assert [status.skipped for status in statuses(tmp_path, ["picky"])] == [0]


@pytest.mark.parametrize("failure", [SinkError("does not answer"), OSError("odd"), RuntimeError("a library's own")])
async def test_a_sink_that_does_not_answer_refuses_nothing(tmp_path, failure):
    store, shelf = Store(tmp_path), Shelf()
    await store.write("n-0", [EVENT])
    shelf.failure = failure
    events: list[dict] = []
    failed = asyncio.Event()

    async def keep(event) -> None:
        events.append(dict(event))
        failed.set()

    skips.ask(tmp_path, "picky", skips.Skip(by="ops", reason="r"))
    shipping = asyncio.create_task(Shipper(tmp_path, "picky", shelf).run(keep))
    await failed.wait()
    assert [event["step"] for event in events] == ["failed"]
    assert skips.asked(tmp_path, "picky") is not None
    shelf.failure = None
    await until(lambda: is_done(tmp_path))
    shipping.cancel()
    assert shelf.places == [("n-0", 0), ("n-0", 1)]


async def test_where_each_record_goes_by_itself_nothing_is_left_out(tmp_path):
    class Narrow(Shelf):
        async def deliver(self, records):
            if len(records) > 1:
                raise RecordsRefusedError("too large")
            await super().deliver(records)

    store, narrow = Store(tmp_path), Narrow()
    await store.write("n-0", [EVENT] * 3)
    assert await Shipper(tmp_path, "picky", narrow).deliver() is None
    skips.ask(tmp_path, "picky", skips.Skip(by="ops", reason="r"))
    events = await told(tmp_path, narrow)
    assert "skipped" not in [event["step"] for event in events]
    assert narrow.places == [("n-0", seq) for seq in range(4)]
