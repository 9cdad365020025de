"""J01-J22: what two parsers could read as two messages is refused before a byte of it is upstream, and recorded.

Through a real Envoy of both chains, in both eras, in front of the recorder, of the Python SDK and of the TypeScript SDK.
What the recorder would take, an SDK might run: so each is tried.
"""

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import AsyncExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import pytest
import pytest_asyncio

from attacks import site as sites
from attacks.faults import Worker, worker
from attacks.json_bodies import CASES, PASSED, REFUSED, Body, text_of
from attacks.rig import DENIED_TOOL, LEGACY, MODERN, Heard, mirrored, send
from attacks.site import Site, site
from extproc.core import audit
from extproc.core.limits import MAX_BODY_BYTES
from extproc.demo.proxy import CHAINS
from stack.counterparts import canary
from stack.servers.recorder import Arrival, Raw, json_reply, raw_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

HEAVY: Final = {"J17-width"}
AT_ONCE: Final = 16
POLICY: Final = (
    sites.POLICY.replace(
        "      run_shell:", "      multi: {verb: query}\n      caf\u00e9: {verb: query}\n      run_shell:"
    )
    .replace("tools: [echo, get_customer]", "tools: [echo, get_customer, caf\u00e9]")
    .replace(
        "      - {servers: [sales-db], prompts",
        "      - {servers: [sales-db], tools: [multi], when: 'arguments.calls.all(each, each.name == \"echo\")'}\n"
        "      - {servers: [sales-db], prompts",
    )
    .replace("limits:", "deny: [{name: no-shell, servers: ['*'], tools: [run_shell]}]\nlimits:")
)


async def same_id(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """Answer under the id of the request, digit by digit."""
    await arrival.complete.wait()
    found = re.search(rb'"id": ?("[^"]*"|[^,}]*)', arrival.body)
    wanted = found[1] if found else b"1"
    await json_reply(b'{"jsonrpc":"2.0","id":' + wanted + b',"result":{"content":[]}}')(arrival, writer)


class Rig:
    """One worker and Envoy in front of one upstream, and what became of each request."""

    def __init__(self, running: Site, working: Worker, kind: str) -> None:
        self.site, self.worker, self.kind = running, working, kind
        self.session: dict[str, dict[str, str]] = {}

    async def post(self, body: Body) -> Heard:
        version = MODERN if body.modern else LEGACY
        headers = {
            "content-type": body.content_type,
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": version,
        }
        headers |= {} if body.modern else await self.session_of(body.who)
        if body.modern:
            headers["mcp-method"] = body.method
            if body.name is not None:
                headers["mcp-name"] = mirrored(body.name)
        return await send(self.site.http, self.site.gateway.url, body.raw, **headers, **self.site.bearer(body.who))

    async def session_of(self, who: str) -> dict[str, str]:
        """The header of a legacy session, which only the SDKs want."""
        if self.kind == "raw":
            return {}
        if who not in self.session:
            self.session[who] = {"mcp-session-id": await self.site.session(who)}
        return self.session[who]

    async def all(self, bodies: Iterable[Body]) -> list[Heard]:
        """Send every body; the answers in their order."""
        for who in ("alice", "carol"):
            await self.session_of(who)
        await self.forget()
        turn, in_session = asyncio.Semaphore(AT_ONCE), asyncio.Lock()

        async def one(body: Body) -> Heard:
            # two open requests of one session with one id: an SDK server answers only one of them
            alone = in_session if self.kind != "raw" and not body.modern else turn
            async with alone:
                return await self.post(body)

        return await asyncio.gather(*(one(each) for each in bodies))

    async def forget(self) -> None:
        self.worker.journal.kept.clear()
        if self.kind == "raw":
            self.site.upstream.requests.clear()
            self.site.upstream.received = 0
        else:
            await self.site.upstream.forget()

    def effects(self) -> list[str]:
        return [each["effect"] for each in self.decisions()]

    def decisions(self) -> list[Mapping[str, Any]]:
        return [each for each in self.worker.journal.kept if each["kind"] == "decision"]

    async def arrived(self) -> list[bytes]:
        """The bodies that reached the upstream."""
        if self.kind == "raw":
            return [bytes(each.body) for each in self.site.upstream.requests]
        return [each["body"] for each in (await self.site.upstream.ledger())["requests"]]

    async def check(self) -> None:
        """O1: what arrived, and what ran, are exactly calls with an allow record of the same tool and arguments."""
        allowed = {
            (each["targets"][0]["name"], each["arguments_digest"])
            for each in self.decisions()
            if each["effect"] == "allow"
        }
        for raw in await self.arrived():
            message = json.loads(raw)
            if message["method"] == "tools/call":
                params = message["params"]
                assert (params["name"], digest(params.get("arguments"))) in allowed, raw[:500]
        if self.kind != "raw":
            executed = await self.site.upstream.executed()
            assert DENIED_TOOL not in executed
            assert len(executed) <= self.effects().count("allow")


def digest(arguments: Any) -> str | None:
    return hashlib.sha256(audit.encode(arguments)).hexdigest() if arguments else None


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[(chain, upstream) for chain in CHAINS for upstream in ("raw", "python", "ts-v1")],
    ids="-".join,
)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    chain, kind = request.param
    folder: Path = tmp_path_factory.mktemp(kind)
    async with AsyncExitStack() as stack:
        upstream: Any = await stack.enter_async_context(raw_server() if kind == "raw" else canary(kind))
        if isinstance(upstream, Raw):
            upstream.script = same_id
        working = await stack.enter_async_context(worker(folder / "worker"))
        options: Any = {"processors": [working.address]}
        running = await stack.enter_async_context(site(chain, upstream, folder / "gateway", **options))
        working.follow(POLICY, running.gateway)
        yield Rig(running, working, kind)


@pytest.mark.parametrize("name", CASES)
async def test_one_meaning_or_none(rig: Rig, name: str) -> None:
    if name in HEAVY and rig.kind != "raw":
        pytest.skip("an SDK adds seconds and nothing else: the value passes as it is")
    case = CASES[name]
    answers = await rig.all(case.bodies)
    assert rig.effects().count(case.outcome) == len(case.bodies), problems(case.bodies, answers, case.outcome)
    assert len(rig.decisions()) == len(case.bodies)
    await rig.check()
    arrived = await rig.arrived()
    if case.outcome != PASSED:
        assert arrived == []
        for body, heard in zip(case.bodies, answers, strict=True):
            assert heard.refused, (body.raw[:300], heard)
            assert b"Traceback" not in heard.body
            if case.outcome == REFUSED and "error" in heard.message:
                expected = case.codes | ({-32600} if heard.status == 415 else set())
                assert heard.message["error"]["code"] in expected, (body.raw[:300], heard)
    else:
        assert sorted(map(canonical, arrived)) == sorted(canonical(body.raw) for body in case.bodies)
    if case.outcome == PASSED and rig.kind == "raw":
        for body, heard in zip(case.bodies, answers, strict=True):
            assert heard.message["id"] == json.loads(body.raw)["id"]


def canonical(raw: bytes) -> str:
    """A value as text that tells 1 from 1.0."""
    return json.dumps(json.loads(raw), sort_keys=True)


def problems(bodies: Iterable[Body], answers: list[Heard], outcome: str) -> str:
    pairs = zip(bodies, answers, strict=True)
    wrong = [f"{b.raw[:160]!r} -> {a.status} {a.body[:160]!r}" for b, a in pairs if a.refused == (outcome == PASSED)]
    return "\n".join(wrong[:5]) or "not recorded as what it is"


async def test_j18_any_split_of_the_body_has_the_same_verdict(rig: Rig) -> None:
    if rig.kind != "raw":
        pytest.skip("Envoy joins the pieces, so the upstream does not matter")
    texts = {name: text_of(name, modern=True).encode() for name in ("echo", DENIED_TOOL)}
    await rig.forget()
    turn = asyncio.Semaphore(AT_ONCE)

    async def split(name: str, cuts: Iterable[int]) -> Heard:
        ends = [0, *cuts, len(texts[name])]

        async def pieces() -> AsyncIterator[bytes]:
            for start, end in pairwise(ends):
                yield texts[name][start:end]
                await asyncio.sleep(0)

        headers = {"content-type": "application/json", "mcp-protocol-version": MODERN, "mcp-method": "tools/call"}
        headers |= {"mcp-name": name, "accept": "application/json, text/event-stream"} | rig.site.bearer("alice")
        async with turn:
            answer = await rig.site.http.post(rig.site.gateway.url, content=pieces(), headers=headers)
        return Heard(status=answer.status_code, headers=answer.headers, body=answer.content)

    offsets = [[at] for at in range(1, len(texts["echo"]))]
    offsets.append(list(range(1, len(texts["echo"]))))
    passed = await asyncio.gather(*(split("echo", cuts) for cuts in offsets))
    stopped = await asyncio.gather(*(split(DENIED_TOOL, cuts) for cuts in offsets))
    assert not any(each.refused for each in passed)
    assert all(each.refused for each in stopped)
    assert set(await rig.arrived()) == {texts["echo"]}
    assert (rig.effects().count("allow"), rig.effects().count("deny")) == (len(offsets), len(offsets))


async def test_j17_j19_a_body_over_the_limit_is_refused_whole(rig: Rig) -> None:
    if rig.kind != "raw":
        pytest.skip("no byte of these reaches an upstream")
    padding = f'"_pad":"{"A" * MAX_BODY_BYTES}"'
    keys = ",".join(f'"key-{number:07}":1' for number in range(1_000_000))
    bodies = []
    for modern in (True, False):
        text = text_of(DENIED_TOOL, modern=modern)
        for old, new in (
            ('{"text":"ls"}', f'{{{padding},"text":"ls"}}'),
            ('{"text":"ls"}', f'{{"text":"ls",{padding}}}'),
            ('{"jsonrpc"', f'{{{padding},"jsonrpc"'),
            ('{"text":"ls"}', f"{{{keys}}}"),
            ('{"text":"ls"}', f'{{"text":[{",".join("1" * 2_200_000)}]}}'),
        ):
            bodies.append(Body(raw=text.replace(old, new, 1).encode(), modern=modern, name=DENIED_TOOL))
    answers = await rig.all(bodies)
    assert {each.status for each in answers} <= {413, 0}  # 0: closed while the rest was being sent
    assert rig.site.upstream.received == 0


NOT_FOR_US: Final = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json"}
ERAS: Final = {"raw": (True, False), "python": (True,), "ts-v1": (False,)}
"""In which each upstream reads most of what it should not."""


@pytest.fixture(scope="session")
def suite(corpora: Path) -> dict[str, bytes]:
    files = sorted((corpora / "jsontestsuite" / "test_parsing").glob("*.json"))
    assert len(files) > 200
    return {each.name: each.read_bytes() for each in files}


async def test_no_whole_body_of_the_json_test_suite_is_a_message(rig: Rig, suite: dict[str, bytes]) -> None:
    if rig.kind != "raw":
        pytest.skip("no byte of these reaches an upstream")
    bodies = [Body(raw=raw, modern=modern) for raw in suite.values() for modern in ERAS["raw"] if raw]
    await rig.all(bodies)
    assert rig.effects() == [REFUSED] * len(bodies)
    assert await rig.arrived() == []


async def test_an_argument_of_the_json_test_suite_has_one_reading_or_none(rig: Rig, suite: dict[str, bytes]) -> None:
    for modern in ERAS[rig.kind]:
        before, after = text_of(modern=modern).encode().split(b'"ls"')
        bodies = {name: Body(raw=before + raw + after, modern=modern) for name, raw in suite.items()}
        await rig.all(body for name, body in bodies.items() if name.startswith("n_"))
        assert set(rig.effects()) == {REFUSED}
        assert await rig.arrived() == []

        rest = {name: body for name, body in bodies.items() if not name.startswith("n_")}
        answers = await rig.all(rest.values())
        assert len(rig.decisions()) == len(rest)
        assert set(rig.effects()) == {REFUSED, PASSED}
        await rig.check()
        if rig.kind == "raw":
            refused = {name for name, heard in zip(rest, answers, strict=True) if heard.refused}
            assert {name for name in refused if name.startswith("y_")} == NOT_FOR_US
