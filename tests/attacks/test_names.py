"""Reading texts for names takes long: other calls of the worker go on, each stream keeps its order, no failure passes."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from threading import Event
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from attacks.faults import Worker, worker
from attacks.rig import POLICY, Heard, call, headers_of, send
from extproc.core.masking import Find
from extproc.demo.proxy import CHAINS
from extproc.edges.names.beside import Beside
from leaks import leaks
from named import recognise
from stack.gateway import Gateway
from stack.servers.recorder import Arrival, json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

NAMES: Final = POLICY + "masking:\n  - {name: people, servers: [sales-db], detect: [person_name, place], on: both}\n"
SLOW, BROKEN = "wait for it", "it breaks here"


@dataclass
class Reader:
    """The recogniser of this test: slow texts wait until they may go on, broken ones fail."""

    reached: Event = field(default_factory=Event)
    go: Event = field(default_factory=Event)

    def __call__(self, texts: Sequence[str]) -> list[list[Find]]:
        if any(SLOW in text for text in texts):
            self.reached.set()
            assert self.go.wait(60)
        if any(BROKEN in text for text in texts):
            raise LookupError("Ann Lee")
        return recognise(texts)


def note(text: str) -> bytes:
    params = {"progressToken": 1, "progress": 1, "message": text}
    return (
        b"data: "
        + json.dumps({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}).encode()
        + b"\n\n"
    )


def result(said: str) -> dict[str, Any]:
    return {"resultType": "complete", "content": [{"type": "text", "text": said}], "structuredContent": {"said": said}}


async def answering(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """A stream where the call asks for one, else the text itself as the result."""
    await arrival.complete.wait()
    asked = json.loads(arrival.body)
    said = asked["params"]["arguments"]["text"]
    if said == "stream":
        last = {"jsonrpc": "2.0", "id": asked["id"], "result": result("Bob Stone at the end")}
        pieces = [note(f"Ann Lee, {SLOW}"), note("Oslo is second"), b"data: " + json.dumps(last).encode() + b"\n\n"]
        await sse(*pieces)(arrival, writer)
    else:
        await json_reply({"jsonrpc": "2.0", "id": asked["id"], "result": result(said)})(arrival, writer)


@dataclass
class Rig:
    gateway: Gateway
    worker: Worker
    reader: Reader
    http: httpx.AsyncClient

    async def say(self, text: str) -> Heard:
        message = call(arguments={"text": text})
        token = self.gateway.token("ada", groups=["data-analysts"])
        headers = headers_of(message) | {"authorization": f"Bearer {token}"}
        return await send(self.http, self.gateway.url, json.dumps(message).encode(), **headers)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    folder, reader = tmp_path_factory.mktemp(request.param), Reader()
    beside = Beside(lambda: reader)
    beside.load()
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(raw_server())
        upstream.script = answering
        working = await stack.enter_async_context(worker(folder / "worker", names=beside))
        options: Any = {"chain": request.param, "upstream": upstream.url, "folder": folder / "gateway"}
        gateway = await stack.enter_async_context(Gateway(processors=[working.address], **options))
        working.follow(NAMES, gateway)
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, timeout=60))
        yield Rig(gateway, working, reader, http)
        reader.go.set()
        beside.close()


async def test_other_calls_go_on_while_one_is_read_and_its_stream_keeps_its_order(rig: Rig) -> None:
    rig.reader.go.clear()
    rig.reader.reached.clear()
    assert (await rig.say("open")).message["result"]["structuredContent"] == {"said": "open"}
    slow = asyncio.create_task(rig.say("stream"))
    assert await asyncio.to_thread(rig.reader.reached.wait, 60)
    for _ in range(5):
        assert (await rig.say("open")).message["result"]["structuredContent"] == {"said": "open"}
    assert not slow.done()
    rig.reader.go.set()
    heard = await slow
    assert not heard.cut
    events = [
        json.loads(line.removeprefix(b"data: ")) for line in heard.body.split(b"\n") if line.startswith(b"data: ")
    ]
    assert [event["params"]["message"] for event in events[:2]] == [f"[person_name], {SLOW}", "[place] is second"]
    assert events[2]["result"]["structuredContent"] == {"said": "[person_name] at the end"}
    assert not leaks(heard.body, "Ann Lee", "Bob Stone", "Oslo")


async def test_what_cannot_be_read_is_withheld_and_the_worker_goes_on(rig: Rig) -> None:
    rig.reader.go.set()
    heard = await rig.say(f"Ann Lee, {BROKEN}")
    assert heard.status == 200
    assert heard.message["result"]["structuredContent"] == {"said": "[unreadable]"}
    assert not leaks(heard.body, "Ann Lee", BROKEN)
    assert (await rig.say("Ann Lee again")).message["result"]["structuredContent"] == {"said": "[person_name] again"}


async def test_a_client_that_goes_away_meanwhile_is_on_record_and_nothing_is_stuck(rig: Rig) -> None:
    rig.reader.go.clear()
    rig.reader.reached.clear()
    rig.worker.journal.kept.clear()
    gone = asyncio.create_task(rig.say(f"Bob Stone, {SLOW} {id(rig)}"))
    assert await asyncio.to_thread(rig.reader.reached.wait, 60)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    rig.reader.go.set()
    assert (await rig.say("Ann Lee again")).message["result"]["structuredContent"] == {"said": "[person_name] again"}
    assert not leaks(json.dumps(rig.worker.journal.kept, default=str).encode(), "Ann Lee", "Bob Stone")
