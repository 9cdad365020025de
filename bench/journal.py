"""What the journal costs: events written in a second, bytes for each call, and how fast a recording is proved.

``python bench/journal.py [EVENTS]`` writes that many events (1,000,000 unless said) with the real writer into a folder
of its own, seals them with the real sealer, verifies chain, tree and seals on one core, and prints what it took. A
twentieth of them is written with ``durability: disk``, and some one by one in both: what a lonely call waits for.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import get_args

from extproc.core.audit.notes import read_key
from extproc.core.audit.seals import signer_from
from extproc.edges.journal.proving import prove
from extproc.edges.journal.sealer import Sealer
from extproc.edges.journal.writer import Durability, JournalWriter

EVENTS = 1_000_000
TOGETHER = 100
SIGNER = signer_from("extproc/bench", b"\x01" * 32)


def decision(number: int) -> dict:
    """An event of a plain call, with what a decision of it holds."""
    return {
        "kind": "decision",
        "at": 1_800_000_000_000_000_000 + number,
        "decision": f"{number:024x}",
        "server": "sales-db",
        "source": "10.0.0.7",
        "http_method": "POST",
        "body_bytes": 412,
        "session": "0123456789abcdef",
        "principal": {"issuer": "https://idp.example.com", "subject": "ann", "groups": ["data-analysts"], "roles": []},
        "arguments": {"sql": "SELECT id, total FROM sales.orders WHERE customer = 17 ORDER BY id LIMIT 20"},
        "arguments_digest": "a" * 64,
        "message": "request",
        "method": "tools/call",
        "id": number,
        "targets": [{"kind": "tool", "name": "query"}],
        "verb": "query",
        "effect": "allow",
        "rule": "role:analyst#1",
        "reason": "granted",
        "policy": "b" * 64,
        "shadow": False,
    }


async def write(root: Path, count: int, *, durability: Durability = "process", together: int = TOGETHER) -> float:
    """Seconds for ``count`` events, ``together`` of them waiting at a time, as under load."""
    journal = JournalWriter(root / "journal" / "w", node="n", worker="0", durability=durability, clock=time.time_ns)
    journal.open()
    began = time.perf_counter()
    for first in range(0, count, together):
        await asyncio.gather(*(journal.append(decision(number)) for number in range(first, first + together)))
    took = time.perf_counter() - began
    await journal.close()
    return took


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory(prefix="extproc-bench-") as folder:
        root = Path(folder)
        took = asyncio.run(write(root, count))
        size = sum(path.stat().st_size for path in (root / "journal" / "w").glob("*.jsonl"))
        print(f"written by one worker, process, {TOGETHER} waiting: {count / took:,.0f} events/s")
        print(f"on the disk: {size / count:,.0f} bytes each")
        some = max(count // 20, TOGETHER)
        took = asyncio.run(write(root / "disk", some, durability="disk"))
        print(f"written by one worker, disk, {TOGETHER} waiting: {some / took:,.0f} events/s")
        few = max(count // 500, 1)
        for durability in get_args(Durability):
            took = asyncio.run(write(root / f"alone-{durability}", few, durability=durability, together=1))
            print(f"one event by itself, {durability}: {took / few * 1e6:,.0f} µs")
        began = time.perf_counter()
        Sealer(root, name=SIGNER.name, sign=SIGNER.sign, clock=time.time_ns).seal()
        print(f"followed and sealed: {count / (time.perf_counter() - began):,.0f} events/s")
        began = time.process_time()
        verdict = prove(root, dict([read_key(SIGNER.public)]))
        took = time.process_time() - began
        assert verdict.holds  # noqa: S101 - a figure of a verification that failed says nothing
        print(f"verified: {count:,} events in {took:.1f} s of CPU, {count / took:,.0f} events/s")


if __name__ == "__main__":
    main()
