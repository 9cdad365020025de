"""What the index costs: records taken in in a second, and how long a page of the list takes, whole and by each filter.

``python bench/index.py [--postgres] [--url URL] [EVENTS [FOLDER]]`` fills an index with so many (10,000,000 unless
said; half of them outcomes) through its own batches, as the control process does, but with records that are made
instead of read. Then it asks for pages of 50 sessions, a few times each, and says the median and the slowest. An index
that is in FOLDER already is asked only. The index is a SQLite file; with ``--postgres`` it is in a server of its own,
from the machine's binaries with their settings as they are installed, and with ``--url`` in that PostgreSQL.
"""

import argparse
import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from extproc.core.audit.filters import Filter
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.places import Batch, Place
from extproc.ports import Record

EVENTS = 10_000_000
TOGETHER = 4000
TURNS = 7
PEOPLE = 5000
RUNS = 64
SERVERS = 20
TOOLS = 30
SECOND = 1_000_000_000
START = 1_800_000_000 * SECOND
WORKERS = ("n1-0", "n1-1", "n2-0", "n2-1")


def events(count: int) -> Iterator[tuple[dict, dict]]:
    """Decisions with their outcomes: runs of about 30 calls, 64 of them at a time, some by trace, over 60 days."""
    choose = random.Random(7)  # noqa: S311 - no secret
    pause = 60 * 86400 * SECOND // count
    running = [int(PEOPLE * choose.random() ** 2) for _ in range(RUNS)]
    for number in range(count):
        run = choose.randrange(RUNS)
        person = running[run]
        at = START + number * pause
        denied = choose.random() < 0.01
        decision = sha256(b"%d" % number).hexdigest()[:24]
        query = f"SELECT id, total FROM sales.orders WHERE customer = {number} ORDER BY id LIMIT 20"
        yield (
            {
                "kind": "decision",
                "at": at,
                "decision": decision,
                "server": f"server-{person % SERVERS}",
                "session": None,
                "principal": {"issuer": "https://idp.example.com", "subject": f"person-{person}"},
                "client": {"name": "agent", "version": "1"},
                "trace": f"{person:032x}" if person % 5 == 0 else None,
                "arguments": {"sql": query},
                "method": "tools/call",
                "targets": [{"kind": "tool", "name": f"tool_{choose.randrange(TOOLS)}"}],
                "verb": choose.choice(("query", "query", "mutate", "admin")),
                "effect": "deny" if denied else "allow",
                "rule": "default" if denied else f"role:role-{person % 40}#1",
            },
            {"kind": "outcome", "at": at + SECOND // 10, "decision": decision, "session": None},
        )
        if choose.random() < 1 / 30:
            running[run] = int(PEOPLE * choose.random() ** 2)


def batches(count: int) -> Iterator[list[Batch]]:
    """The events as several workers record them, in their order over all of them, as the index reads them."""
    places = dict.fromkeys(WORKERS, Place())
    waiting: dict[str, list[dict]] = {name: [] for name in WORKERS}
    choose = random.Random(8)  # noqa: S311 - no secret
    for number, pair in enumerate(events(count // 2), 1):
        waiting[choose.choice(WORKERS)] += pair
        if not number % (TOGETHER // 2) or number == count // 2:
            yield [batch(name, some, places) for name, some in waiting.items() if some]
            waiting = {name: [] for name in WORKERS}


def batch(name: str, given: list[dict], places: dict[str, Place]) -> Batch:
    start = places[name]
    records = [
        (Record(journal=name, seq=start.seq + number, hash="", event=event, encoded=b""), 1, 900 * (start.seq + number))
        for number, event in enumerate(given)
    ]
    end = places[name] = Place(segment=1, offset=900 * (start.seq + len(given)), seq=start.seq + len(given))
    return Batch(journal=name, start=start, end=end, records=records)


QUESTIONS = {
    "no filter": Filter(),
    "principal, one": Filter(principal="person-4321"),
    "principal, all": Filter(principal="idp.example"),
    "server": Filter(server="server-7"),
    "server, none": Filter(server="server-99"),
    "tool": Filter(tool="tool_17"),
    "tool, none": Filter(tool="drop_table"),
    "verb": Filter(verb="admin"),
    "decision": Filter(decision="deny"),
    "decision, none": Filter(decision="reject"),
    "rule": Filter(rule="role-17"),
    "since": Filter(since=START + 59 * 86400 * SECOND),
    "until": Filter(until=START + 86400 * SECOND),
    "one hour": Filter(since=START + 30 * 86400 * SECOND, until=START + 30 * 86400 * SECOND + 3600 * SECOND),
    "text, often": Filter(text="sales.orders"),
    "text, nowhere": Filter(text="payroll"),
    "principal and decision": Filter(principal="person-432", decision="deny"),
    "server, tool and verb": Filter(server="server-7", tool="tool_17", verb="admin"),
}


async def measure(count: int, place: Path | str) -> None:
    index = Index(place)
    await index.open()
    if not await index.standings():
        await fill(index, count)
    await ask(index)
    size = "SELECT pg_database_size(current_database())"
    if isinstance(place, Path):
        found = sum(path.stat().st_size for path in place.parent.iterdir())
    else:
        found = int((await index.database.transact(lambda each: each.rows(size)))[0][0])
    await index.close()
    print(f"on the disk: {found:,} bytes")


async def fill(index: Index, count: int) -> None:
    busy = cpu = 0.0
    done = 0
    for each in batches(count):
        began, cpu_began = time.perf_counter(), time.process_time()
        assert await index.write(each)  # noqa: S101 - figures of what was not done say nothing
        busy, cpu = busy + time.perf_counter() - began, cpu + time.process_time() - cpu_began
        if done // 500_000 != (done := done + sum(len(one.records) for one in each)) // 500_000:
            print(f"  {done:,} records, {done / busy:,.0f}/s, {done / cpu:,.0f} for a second of CPU", flush=True)
    print(f"taken in: {done:,} records, {done / busy:,.0f}/s, {done / cpu:,.0f} for a second of CPU", flush=True)


async def ask(index: Index) -> None:
    for name, wanted in QUESTIONS.items():
        took = []
        for _ in range(TURNS):
            began = time.perf_counter()
            page = await index.page(wanted, after=None, limit=50)
            took.append((time.perf_counter() - began) * 1000)
        said = f"{len(page.sessions)} sessions{', not all looked through' if page.unfinished else ''}"
        print(f"page, {name}: {statistics.median(took):.1f} ms, at most {max(took):.1f} ms ({said})", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the index costs.")
    parser.add_argument("events", type=int, nargs="?", default=EVENTS)
    parser.add_argument("folder", type=Path, nargs="?", help="keeps the SQLite file; one that is there is asked only")
    parser.add_argument("--postgres", action="store_true", help="in a PostgreSQL that is started for it")
    parser.add_argument("--url", help="in this PostgreSQL")
    given = parser.parse_args()
    if given.url is not None:
        asyncio.run(measure(given.events, given.url))
    elif given.postgres:
        # the server that the tests start
        sys.path.append(str(Path(__file__).resolve().parents[1] / "tests"))
        from postgres import postgres_server  # noqa: PLC0415

        with postgres_server() as server:
            asyncio.run(measure(given.events, server.database()))
    elif given.folder is not None:
        given.folder.mkdir(exist_ok=True)
        asyncio.run(measure(given.events, given.folder / "index.db"))
    else:
        with tempfile.TemporaryDirectory(prefix="extproc-bench-") as folder:
            asyncio.run(measure(given.events, Path(folder) / "index.db"))


if __name__ == "__main__":
    main()
