"""F1: workers die by SIGKILL under load, and nothing ran that is not recorded.

A small run of this is in every test run; ``make crash`` makes it fifty kills.
"""

import asyncio
import hashlib
import json
import os
import random
import signal
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from attacks.rig import DENIED_TOOL, call
from attacks.site import POLICY, Site, site
from extproc.core import audit
from extproc.demo.proxy import Chain
from extproc.edges.journal.proving import verify
from extproc.edges.journal.reader import Damage, journals, read
from stack.servers.recorder import Arrival, json_reply, raw_server, sse

pytestmark = [pytest.mark.stack]

READY_WITHIN: Final = 5.0
"""The product's promise: so long after a kill both workers serve again."""
NEVER_LATER: Final = 30.0
"""What one kill of ten may take where the machine is busy with other things as well."""
CLIENTS: Final = 8


@dataclass
class Load:
    """Clients that call without pause, each call with a text of its own; ``answers`` counts them by kind."""

    gate: Site
    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[Any] = field(default_factory=list)
    over: bool = False
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def run(self) -> None:
        await asyncio.gather(*(self._client(each) for each in range(CLIENTS)))

    async def more(self, count: int) -> None:
        """Wait until so many more calls were answered."""
        wanted = self.answers.total() + count
        async with self._news:
            await self._news.wait_for(lambda: self.answers.total() >= wanted)

    async def _client(self, number: int) -> None:
        while not self.over:
            self.sent += 1
            text, modern = f"call-{self.sent}", (self.sent + number) % 2 == 0
            kind = ("call", "call", "stream", "list", "denied")[self.sent % 5]
            message = call(modern=modern, arguments={"text": f"{text}-{kind}"})
            if kind == "list":
                message = call("tools/list", modern=modern, cursor=text)
            elif kind == "denied":
                message = call(name=DENIED_TOOL, modern=modern, arguments={"text": text})
            heard = await self.gate.post(("alice", "bob")[number % 2], message, modern=modern)
            outcome = self._judge(kind, text, heard)
            async with self._news:
                self.answers[outcome] += 1
                self._news.notify_all()

    def _judge(self, kind: str, text: str, heard: Any) -> str:
        """What an answer was; everything but a refusal and the whole right answer is wrong."""
        if kind != "denied" and heard.shows(DENIED_TOOL):
            self.wrong.append((kind, text, heard))
        if heard.status in {502, 503, 504} or heard.cut or (heard.status == 200 and not heard.body):
            return "lost"
        body = heard.body.rpartition(b"data: ")[2] if kind == "stream" else heard.body
        message = json.loads(body)
        if kind == "denied":
            right = message["result"]["isError"]
        elif kind == "list":
            right = [tool["name"] for tool in message["result"]["tools"]] == ["echo"]
        else:
            right = message["result"]["content"] == [{"type": "text", "text": f"{text}-{kind}"}]
        if not right:
            self.wrong.append((kind, text, heard))
        return kind


async def upstream(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """Says the text back, in one body or as a stream; its list has a tool that nobody may see."""
    await arrival.complete.wait()
    params = json.loads(bytes(arrival.body))["params"]
    if "cursor" in params:
        tools = [{"name": name, "inputSchema": {"type": "object"}} for name in (DENIED_TOOL, "echo")]
        await json_reply({"jsonrpc": "2.0", "id": 1, "result": {"tools": tools}})(arrival, writer)
        return
    text = params["arguments"]["text"]
    body = {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": text}]}}
    if text.endswith("stream"):
        note = b'data: {"jsonrpc":"2.0","method":"notifications/message"}\n\n'
        await sse(note, b"data: " + json.dumps(body).encode() + b"\n\n")(arrival, writer)
    else:
        await json_reply(body)(arrival, writer)


async def workers(http: httpx.AsyncClient, gate: Site) -> tuple[bool, dict[int, int | None]]:
    """Whether all serve, and the process of each."""
    told = (await http.get(gate.gateway.metrics.replace("/metrics", "/readyz"))).json()
    return told["ready"], {each["worker"]: each["pid"] for each in told["workers"]}


async def kill_one(http: httpx.AsyncClient, gate: Site, index: int) -> float:
    """Kill a worker; the seconds until all serve again."""
    _, before = await workers(http, gate)
    pid = before[index]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    async with asyncio.timeout(NEVER_LATER):
        while True:
            ready, now = await workers(http, gate)
            if ready and now[index] not in {pid, None}:
                return time.monotonic() - killed
            await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0.02))])


SLOW: Final = (pytest.mark.slow, pytest.mark.timeout(1200))


@pytest.mark.parametrize(
    ("chain", "kills"),
    [
        pytest.param("one-message", 5, id="F1-one-message-5-kills"),
        pytest.param("one-message", 50, id="F1-one-message-50-kills", marks=SLOW),
        pytest.param("portable", 50, id="F1-portable-50-kills", marks=SLOW),
    ],
)
async def test_what_ran_is_recorded_whenever_a_worker_is_killed(chain: Chain, kills: int, tmp_path: Path) -> None:
    chance = random.Random(kills)  # noqa: S311 - when to kill is no secret
    async with raw_server() as raw, site(chain, raw, tmp_path, policy=POLICY) as gate:
        raw.script = upstream
        load = Load(gate)
        back: list[float] = []
        async with asyncio.TaskGroup() as tasks, httpx.AsyncClient(trust_env=False, timeout=30) as http:
            tasks.create_task(load.run())
            for kill in range(kills):
                await load.more(chance.randrange(5, 60))
                back.append(await kill_one(http, gate, kill % 2))
            await load.more(20)
            load.over = True
        service = gate.gateway.service
        assert service is not None
        service.terminate()
        assert await service.wait() == 0
        assert load.wrong == []
        assert set(load.answers) >= {"call", "stream", "list", "denied"}
        median, most = sorted(back)[len(back) // 2], max(back)
        print(f"{chain}: {kills} kills, ready again in {median:.1f} s, at most {most:.1f}; {dict(load.answers)}")  # noqa: T201
        assert sum(each > READY_WITHIN for each in back) <= max(kills // 10, 1), back
        check(raw.requests, gate.gateway.state)


def check(arrivals: list[Arrival], state: Path) -> None:
    """Each execution has one stored allow, older than its first byte; every chain holds."""
    found = journals(state)
    reports = [verify(folder) for folder in found]
    assert [report.fault for report in reports] == [None] * 2
    lines = [line for folder in found for line in read(folder)]
    assert [line for line in lines if isinstance(line, Damage)] == []
    allowed: dict[str, dict[str, Any]] = {}
    for line in lines:
        event: Any = line.event  # type: ignore[union-attr]  # no damage is among them
        if event["kind"] == "decision" and event["effect"] == "allow" and event["method"] == "tools/call":
            assert event["arguments"]["text"] not in allowed, "decided once"
            allowed[event["arguments"]["text"]] = event
    executed = Counter[str]()
    for arrival in arrivals:
        assert arrival.complete.is_set(), "half a request went up"
        params = json.loads(bytes(arrival.body))["params"]
        if "cursor" in params:
            continue
        event = allowed[params["arguments"]["text"]]
        executed[params["arguments"]["text"]] += 1
        assert event["targets"] == [{"kind": "tool", "name": params["name"]}]
        assert event["arguments_digest"] == hashlib.sha256(audit.encode(params["arguments"])).hexdigest()
        assert event["at"] <= arrival.first_byte_at
    assert max(executed.values()) == 1
