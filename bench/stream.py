"""What one message of a streamed response costs a worker: ``python bench/stream.py``.

The corridor reads, judges and encodes each event of a stream; where messages are recorded one by one, it waits until
the journal has each of them (a real file, durability ``process``), as the service does. No gRPC, no Envoy. Prints
the best and the median CPU time of many batches for each recording level, and for payloads that are encrypted.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

import core
from extproc.core.exchange import (
    BodyReceived,
    Exchange,
    HeadReceived,
    NoteMessages,
    ResponseBodyReceived,
    ResponseHeadReceived,
    Snapshot,
    Stored,
)
from extproc.core.handles import KeyRing
from extproc.core.policy.compiled import load
from extproc.edges.journal.writer import JournalWriter
from extproc.edges.keys.payload_keys import PayloadLock, make_identity

NOTE = {
    "jsonrpc": "2.0",
    "method": "notifications/message",
    "params": {"level": "info", "logger": "bench", "data": {"row": 7, "text": "x" * 300}},
}
EVENT = f"data: {json.dumps(NOTE)}\n\n".encode()
BATCH, BATCHES = 500, 20


async def streamed(level: str, folder: Path, protect: Callable[[Any], Any] | None) -> list[float]:
    """Microseconds for a message, in each of the batches."""
    policy = load(core.POLICY.replace("payloads: none", f"payloads: {level}"), source="policy.yaml")
    assert not isinstance(policy, tuple), policy  # noqa: S101
    snapshot = Snapshot(policy=policy, ring=KeyRing([AESSIV.generate_key(512)]))
    journal = JournalWriter(folder, node="bench", worker="0", durability="process", clock=time.time_ns, protect=protect)
    journal.open()
    exchange = Exchange(snapshot, decision_id="0123456789abcdef01234567")
    exchange.handle(HeadReceived(at=core.NOW, head=core.HEAD, bodiless=False))
    exchange.handle(BodyReceived(at=core.NOW, body=core.call("echo", "text", "x" * 200)))
    exchange.handle(Stored(at=core.NOW))
    media = {"content-type": "text/event-stream"}
    exchange.handle(ResponseHeadReceived(at=core.NOW, status=200, headers=media, bodiless=False))
    costs = []
    for _ in range(BATCHES):
        begun = time.process_time()
        for _ in range(BATCH):
            for command in exchange.handle(ResponseBodyReceived(at=core.NOW, chunk=EVENT, last=False)):
                if isinstance(command, NoteMessages):
                    await journal.append(*command.events)
        costs.append((time.process_time() - begun) / BATCH * 1e6)
    await journal.close()
    return costs


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _, public = make_identity(folder / "auditor.pem")
        lock = PayloadLock(public, told=lambda *_: None)
        for title, level, protect in (
            ("digest", "digest", None),
            ("masked", "masked", None),
            ("masked, encrypted", "masked", lock),
        ):
            costs = asyncio.run(streamed(level, folder / title, protect))
            print(
                f"one message of {len(EVENT)} bytes, {title}: best {min(costs):.0f} µs, "
                f"median {statistics.median(costs):.0f} µs"
            )


if __name__ == "__main__":
    main()
