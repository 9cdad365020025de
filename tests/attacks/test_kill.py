"""F1: workers, the control process and PostgreSQL die under load, and nothing ran that is not recorded.

A small run of this is in every test run; ``make crash`` makes it two hundred kills among fifty thousand calls.
"""

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from attacks.rig import DENIED_TOOL, call
from attacks.site import GROUPS, POLICY, Site, site
from extproc.core.audit.notes import read_key
from extproc.core.handles import digests_of
from extproc.core.shared_state import Revocation, Revoked
from extproc.demo.proxy import Chain
from extproc.edges.journal.proving import prove
from extproc.edges.journal.reader import Damage, journals, read
from extproc.edges.keys.seal_keys import public_key
from extproc.edges.keys.session_keys import load_session_keys
from extproc.edges.store.database import open_database
from extproc.edges.store.shared import DatabaseSharedState
from extproc.ports import StoreError
from plain import NO_AUTHORITY, PATIENCE
from ports import free_ports
from postgres import PostgresServer, postgres_server
from stack.servers.recorder import Arrival, json_reply, raw_server, sse

pytestmark = [pytest.mark.stack]

READY_WITHIN: Final = 5.0
"""The product's promise: so long after a kill all of it serves again; after one of PostgreSQL, so long after it is back."""
CLIENTS: Final = 8


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@dataclass
class Load:
    """Clients that call without pause, each call with a text of its own; ``answers`` counts them by kind."""

    gate: Site
    sent: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    acknowledged: dict[str, str] = field(default_factory=dict)
    """The kind of each call by its text, where the client has seen its whole answer."""
    errors: Counter[str] = field(default_factory=Counter)
    """What was said where a call that was judged failed all the same."""
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
                message = call(name=DENIED_TOOL, modern=modern, arguments={"text": f"{text}-{kind}"})
            heard = await self.gate.post(("alice", "bob")[number % 2], message, modern=modern)
            outcome = self._judge(kind, f"{text}-{kind}", heard)
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
        if "error" in message:
            self.errors[message["error"]["message"]] += 1
            return "lost"
        if kind == "denied":
            right = message["result"]["isError"]
        elif kind == "list":
            right = [tool["name"] for tool in message["result"]["tools"]] == ["echo"]
        else:
            right = message["result"]["content"] == [{"type": "text", "text": text}]
        if not right:
            self.wrong.append((kind, text, heard))
        self.acknowledged[text] = kind
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


@dataclass
class Revoking:
    """Somebody who revokes one login after the other; what the store has acknowledged must stay."""

    url: str
    acknowledged: set[str] = field(default_factory=set)
    refused: int = 0

    async def run(self) -> None:
        """Until cancelled."""
        database = open_database(self.url)
        shared = DatabaseSharedState(database)
        try:
            for number in itertools.count():
                name = f"gone-{number}"
                try:
                    await shared.revoke(Revocation(id=name, kind=Revoked.SUBJECT, value=name, at=time.time_ns()))
                except StoreError:
                    self.refused += 1
                else:
                    self.acknowledged.add(name)
                await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0.1))])
        finally:
            await database.close()

    async def kept(self) -> set[str]:
        """What the store has now."""
        database = open_database(self.url)
        shared = DatabaseSharedState(database)
        await shared.refresh()
        await database.close()
        return {each.id for each in shared.current.revocations}


@dataclass
class Killing:
    """Who dies, and how long it takes until all is back; ``back`` has the seconds by victim."""

    gate: Site
    console: str
    postgres: PostgresServer
    http: httpx.AsyncClient
    back: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    async def kill(self, victim: str) -> None:
        """Kill it, and wait until it serves again."""
        ways: dict[str, Callable[[], Awaitable[float]]] = {
            "worker-0": lambda: self._worker(0),
            "worker-1": lambda: self._worker(1),
            "control": self._control,
            "postgresql": self._postgres,
        }
        async with asyncio.timeout(PATIENCE):
            self.back[victim.partition("-")[0]].append(await ways[victim]())

    async def _told(self) -> dict[str, Any]:
        told: dict[str, Any] = (await self.http.get(self.gate.gateway.metrics.replace("/metrics", "/readyz"))).json()
        return told

    async def _worker(self, index: int) -> float:
        pid = (await self._told())["workers"][index]["pid"]
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        while True:
            told = await self._told()
            if told["ready"] and told["workers"][index]["pid"] not in {pid, None}:
                return time.monotonic() - killed
            await a_moment()

    async def _control(self) -> float:
        (pid,) = await self._controls()
        os.kill(pid, signal.SIGKILL)
        killed = time.monotonic()
        while True:
            with contextlib.suppress(httpx.HTTPError):
                answers = (await self.http.get(f"http://{self.console}/healthz")).status_code == 200
                if answers and await self._controls() not in ([], [pid]):
                    return time.monotonic() - killed
            await a_moment()

    async def _controls(self) -> list[int]:
        service = self.gate.gateway.service
        assert service is not None
        return [pid for pid in children(service.pid) if named(pid) == "extproc-control"]

    async def _postgres(self) -> float:
        await asyncio.to_thread(self.postgres.kill)
        await asyncio.to_thread(self.postgres.start)
        started = time.monotonic()
        while (await self.gate.post("alice", call(), modern=True)).status != 200:
            await a_moment()
        return time.monotonic() - started


def children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        pytest.skip("the control process is found in /proc, which is not here")


def named(pid: int) -> str:
    """What the system calls a process; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


async def a_moment() -> None:
    await asyncio.wait([asyncio.ensure_future(asyncio.sleep(0.02))])


SLOW: Final = (pytest.mark.slow, pytest.mark.timeout(3600))
SHORT_RUN: Final = ("worker-0", "postgresql", "worker-1", "control", "worker-0", "worker-1")


def victims(kills: int, chance: random.Random) -> list[str]:
    """Six in ten are workers; in an order that nobody planned."""
    if kills == len(SHORT_RUN):
        return list(SHORT_RUN)
    chosen = [("worker-0", "worker-1", "worker-0", "worker-1", "control", "postgresql")[n % 6] for n in range(kills)]
    chance.shuffle(chosen)
    return chosen


@pytest.mark.parametrize(
    ("chain", "kills", "calls"),
    [
        pytest.param("one-message", 6, 250, id="F1-one-message-6-kills"),
        pytest.param("one-message", 102, 26_000, id="F1-one-message-102-kills", marks=SLOW),
        pytest.param("portable", 102, 26_000, id="F1-portable-102-kills", marks=SLOW),
    ],
)
async def test_what_ran_is_recorded_whoever_is_killed(
    chain: Chain, kills: int, calls: int, tmp_path: Path, postgres: PostgresServer
) -> None:
    chance = random.Random(kills)  # noqa: S311 - when to kill is no secret
    revoking = Revoking(postgres.database())
    (tmp_path / "store").write_text(revoking.url)
    console = f"127.0.0.1:{free_ports(1)[0]}"
    settings = {
        "EXTPROC_STORE_URL": str(tmp_path / "store"),
        "EXTPROC_CONSOLE": console,
        "EXTPROC_SEAL_SECONDS": "1",
    }
    async with raw_server() as raw, site(chain, raw, tmp_path, policy=POLICY, settings=settings) as gate:
        raw.script = upstream
        ends = int(time.time()) + 3500  # longer than the run
        gate.tokens |= {who: gate.gateway.token(who, groups=GROUPS[who], exp=ends) for who in ("alice", "bob")}
        load = Load(gate)
        async with (
            asyncio.TaskGroup() as tasks,
            httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=PATIENCE) as http,
        ):
            killing = Killing(gate, console, postgres, http)
            tasks.create_task(load.run())
            others = tasks.create_task(revoking.run())
            for victim in victims(kills, chance):
                await load.more(chance.randrange(max(2 * (calls - load.answers.total()) // kills, 5)))
                await killing.kill(victim)
                kills -= 1
            await load.more(max(calls - load.answers.total(), 20))
            load.over = True
            others.cancel()
        service = gate.gateway.service
        assert service is not None
        service.terminate()
        assert await service.wait() == 0
        report(chain, load, killing)
        assert load.wrong == []
        assert set(load.answers) >= {"call", "stream", "list", "denied"}
        times = [each for those in killing.back.values() for each in those]
        if len(times) > len(
            SHORT_RUN
        ):  # the short one shares the machine with other tests, so a time says nothing there
            assert sum(each > READY_WITHIN for each in times) <= len(times) // 50, dict(killing.back)
        assert revoking.acknowledged
        assert revoking.acknowledged <= await revoking.kept()
        check(raw.requests, gate.gateway.state, load.acknowledged)


def report(chain: str, load: Load, killing: Killing) -> None:
    times = {
        victim: f"{len(each)} times, ready again in {sorted(each)[len(each) // 2]:.2f} s, at most {max(each):.2f}"
        for victim, each in sorted(killing.back.items())
    }
    print(f"{chain}: {load.answers.total()} calls {dict(load.answers)} {dict(load.errors)}; killed {times}")  # noqa: T201


def check(arrivals: list[Arrival], state: Path, acknowledged: dict[str, str]) -> None:
    """Each execution has one stored allow, older than its first byte; all that was answered is on record; all proved."""
    found = journals(state)
    key = read_key(public_key(state))
    assert key is not None
    verdict = prove(state, dict([key]))
    assert verdict.holds, verdict
    assert [each.sealed for each in verdict.reports] == [each.events for each in verdict.reports]
    lines = [line for folder in found for line in read(folder)]
    assert [line for line in lines if isinstance(line, Damage)] == []
    decided: dict[str, dict[str, dict[str, Any]]] = {"allow": {}, "deny": {}}
    for line in lines:
        event: Any = line.event  # type: ignore[union-attr]  # no damage is among them
        if event["kind"] == "decision" and event.get("method") == "tools/call" and event["effect"] in decided:
            text = event["arguments"]["text"]
            assert text not in decided[event["effect"]] or text == "hello", "decided once"
            decided[event["effect"]][text] = event
    digests = digests_of(load_session_keys(state)[0])
    executed = Counter[str]()
    for arrival in arrivals:
        assert arrival.complete.is_set(), "half a request went up"
        params = json.loads(bytes(arrival.body))["params"]
        if "cursor" in params or params["arguments"]["text"] == "hello":
            continue
        event = decided["allow"][params["arguments"]["text"]]
        executed[params["arguments"]["text"]] += 1
        assert event["targets"] == [{"kind": "tool", "name": params["name"]}]
        assert event["arguments_digest"] == digests.of(params["arguments"])
        assert event["at"] <= arrival.first_byte_at
    assert max(executed.values()) == 1
    for text, kind in acknowledged.items():
        if kind != "list":
            assert text in decided["deny" if kind == "denied" else "allow"], "answered, and not on record"
