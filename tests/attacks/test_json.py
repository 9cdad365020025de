"""J01-J22: what two parsers could read as two messages is refused before a byte of it is upstream, and recorded.

Through a real Envoy of both chains, in both eras, in front of the recorder, of the Python SDK and of the TypeScript SDK.
What the recorder would take, an SDK might run: so each is tried.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from itertools import pairwise
from pathlib import Path
from typing import Final

import pytest
import pytest_asyncio

from attacks.json_bodies import CASES, PASSED, REFUSED, Body, text_of
from attacks.judged import AT_ONCE, Judged, judged
from attacks.rig import DENIED_TOOL, MODERN, Heard
from extproc.core.limits import MAX_BODY_BYTES
from extproc.demo.proxy import CHAINS

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

HEAVY: Final = {"J17-width"}


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    # what the recorder never got, no SDK could run; each SDK behind one chain shows that what passes is what was judged
    params=[*((chain, "raw") for chain in CHAINS), ("one-message", "python"), ("portable", "ts-v1")],
    ids="-".join,
)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Judged]:
    chain, kind = request.param
    async with judged(chain, kind, tmp_path_factory.mktemp(kind)) as running:
        yield running


@pytest.mark.parametrize("name", CASES)
async def test_one_meaning_or_none(rig: Judged, name: str) -> None:
    if name in HEAVY and rig.kind != "raw":
        pytest.skip("an SDK adds seconds and nothing else: the value passes as it is")
    case = CASES[name]
    # each takes a worker that shares its loop with this test a second or more
    answers = await rig.all(case.bodies, at_once=1 if name in HEAVY else AT_ONCE)
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


async def test_j18_any_split_of_the_body_has_the_same_verdict(rig: Judged) -> None:
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
    assert {each.status for each in stopped} == {200}
    assert all(each.refused for each in stopped)
    assert set(await rig.arrived()) == {texts["echo"]}
    assert (rig.effects().count("allow"), rig.effects().count("deny")) == (len(offsets), len(offsets))


async def test_j17_j19_a_body_over_the_limit_is_refused_whole(rig: Judged) -> None:
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


async def test_no_whole_body_of_the_json_test_suite_is_a_message(rig: Judged, suite: dict[str, bytes]) -> None:
    if rig.kind != "raw":
        pytest.skip("no byte of these reaches an upstream")
    bodies = [Body(raw=raw, modern=modern) for raw in suite.values() for modern in ERAS["raw"] if raw]
    await rig.all(bodies)
    assert rig.effects() == [REFUSED] * len(bodies)
    assert await rig.arrived() == []


async def test_an_argument_of_the_json_test_suite_has_one_reading_or_none(rig: Judged, suite: dict[str, bytes]) -> None:
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
