"""Duplicates of one held call race each other and the approval through a real Envoy: one of them runs, as it was shown."""

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

import pytest

from extproc.core import approval
from extproc.core.audit import encode
from extproc.core.tickets import Ticket
from postgres import postgres_server
from stack.answering import Humans, humans
from stack.calls import Heard, Site, client, events, site, tool
from stack.servers.recorder import Raw, echoes, raw_server

POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {drop_table: {verb: admin}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db], verbs: [admin], approval: schema-change}]
approvals:
  schema-change: {approvers: {groups: [dba]}, hold: 1s, expires_after: 10m}
"""
AT_ONCE: Final = 12
SLOW: Final = (pytest.mark.slow, pytest.mark.timeout(3600))


@pytest.fixture(params=["sqlite", "postgres"])
async def arena(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Site, Raw, Humans]]:
    async with AsyncExitStack() as stack:
        settings: dict[str, str] = {}
        place: Path | str = tmp_path / "state" / "shared.db"
        if request.param == "postgres":
            place = stack.enter_context(postgres_server()).database()
            (tmp_path / "store-url").write_text(place)
            settings = {"EXTPROC_STORE_URL": str(tmp_path / "store-url")}
        upstream = await stack.enter_async_context(raw_server())
        upstream.script = echoes({"content": [], "resultType": "complete"})
        running = await stack.enter_async_context(
            site("one-message", upstream.url, tmp_path, policy=POLICY, settings=settings)
        )
        yield running, upstream, await stack.enter_async_context(humans(place))


def canonical(arguments: dict[str, Any]) -> str:
    """The text of arguments that is shown and digested."""
    return encode(arguments).decode()


async def race(stand: Site, people: Humans, number: int, duplicates: int) -> tuple[Ticket, list[Heard]]:
    """One race: some calls wait when the answer comes, the others come together with it."""
    who = f"agent-{number}"  # what one requester asks never keeps another one waiting
    arguments = {"table": f"orders-{number}", "why": "naïve \u202e"}

    def call() -> asyncio.Task[Heard]:
        return asyncio.create_task(stand.post(tool("drop_table", **arguments), who=who))

    early = [call() for _ in range(duplicates // 2)]
    shown = await people.one(canonical(arguments))
    late = [call() for _ in range(duplicates - len(early) - 1)]
    await people.says(shown, approves=True)
    heard = list(await asyncio.gather(*early, *late))
    # where every hold was over before the answer, the identical later call is the one that runs
    heard.append(await call())
    for left in await people.waiting(shown.ask.arguments):  # by those who came after the one that ran
        await people.desk.withdraw(left)
    return shown, heard


@pytest.mark.parametrize(
    ("races", "duplicates"),
    [
        pytest.param(20, 10, id="20x10"),
        pytest.param(1000, 50, id="1000x50", marks=SLOW),
    ],
)
async def test_of_any_number_of_duplicates_one_runs_exactly_as_it_was_shown(
    arena: tuple[Site, Raw, Humans], races: int, duplicates: int, capsys: pytest.CaptureFixture[str]
) -> None:
    stand, upstream, people = arena
    numbers = iter(range(races))
    done: list[tuple[Ticket, list[Heard]]] = []

    async def some() -> None:
        async with client() as http:  # a pool of connections of its own: a shared one is slow with a thousand of them
            site_of_one = Site(gateway=stand.gateway, http=http)
            done.extend([await race(site_of_one, people, number, duplicates) for number in numbers])

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    ran: Counter[str] = Counter(canonical(json.loads(each.body)["params"]["arguments"]) for each in upstream.requests)
    used: dict[str, Any] = {each["ticket"]: each for each in events(stand.gateway.state, "approval", step="used")}
    let_through: list[Any] = events(stand.gateway.state, "decision", effect="allow")
    allowed: dict[str, Any] = {each["ticket"]: each for each in let_through}
    for shown, heard in done:
        assert ran[shown.ask.arguments] == 1
        assert sum(each.allowed for each in heard) == 1
        assert shown.digest == approval.digest(shown.ask)
        assert used[shown.id]["arguments_digest"] == allowed[shown.id]["arguments_digest"] == shown.ask.arguments_digest
        assert used[shown.id]["decision"] == allowed[shown.id]["decision"]
    assert sum(ran.values()) == len(used) == len(let_through) == races
    with capsys.disabled():
        waited = sum(len(heard) for _, heard in done) - races
        sys.stdout.write(f"\n{races} races of {duplicates}: {races} ran, {waited} duplicates did not\n")
