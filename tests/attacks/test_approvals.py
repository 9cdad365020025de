"""A: approvals. What runs is what was shown, once, by the one who asked; nothing that a client sends is an approval."""

import asyncio
import json
import unicodedata
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from attacks.rig import Heard, call
from attacks.site import POLICY, Site, site
from extproc.desk import MAX_WAITING
from ports import free_ports
from stack.answering import Humans, humans
from stack.servers.recorder import json_reply, raw_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

HELD: Final = (
    POLICY.replace(
        "      - {servers: [sales-db], prompts",
        "      - {servers: [sales-db], tools: [deploy], approval: change}\n      - {servers: [sales-db], prompts",
    )
    + "approvals: {change: {approvers: {groups: [dba]}, hold: 1s}}\n"
)
SHOWN: Final = {"note": "caf\u00e9", "target": "staging"}
OPENS_URLS: Final = {"elicitation": {"url": {}}}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stand(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Site, Humans]]:
    console = {"EXTPROC_CONSOLE": f"127.0.0.1:{free_ports(1)[0]}"}
    folder = tmp_path_factory.mktemp("approvals")
    async with raw_server() as upstream:
        upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": [], "resultType": "complete"}})
        async with (
            site("one-message", upstream, folder, policy=HELD, settings=console) as running,
            humans(running.gateway.state / "shared.db") as people,
        ):
            yield running, people


def deploy(arguments: dict[str, Any], tool: str = "deploy", **more: Any) -> dict[str, Any]:
    return call(name=tool, arguments=arguments, **more)


def ran(running: Site) -> list[dict[str, Any]]:
    """The arguments of every call of ``deploy`` that the upstream got, oldest first."""
    sent = [json.loads(bytes(each.body))["params"] for each in running.upstream.requests]
    return [each for each in sent if each.get("name") == "deploy"]


async def test_a02_a04_only_what_was_shown_runs_and_once(stand: tuple[Site, Humans]) -> None:
    running, people = stand
    await running.post("alice", deploy(SHOWN), modern=True)
    await people.says(await people.one('{"note":"caf\u00e9","target":"staging"}'), approves=True)
    others = [
        ("alice", deploy(SHOWN | {"target": "stagin\u0261"})),
        ("alice", deploy(SHOWN | {"target": "staging "})),
        ("alice", deploy(SHOWN | {"note": unicodedata.normalize("NFD", SHOWN["note"])})),
        ("alice", deploy(SHOWN | {"target": ["staging"]})),
        ("alice", deploy(SHOWN | {"force": True})),
        ("alice", deploy(SHOWN, tool="run_shell")),
        ("bob", deploy(SHOWN)),
    ]
    heard = await asyncio.gather(*(running.post(who, message, modern=True) for who, message in others))
    assert all(each.refused for each in heard)
    assert ran(running) == []
    reordered = deploy(dict(reversed(SHOWN.items())))
    again = await asyncio.gather(*(running.post("alice", reordered, modern=True) for _ in range(8)))
    assert sum(not each.refused for each in again) == 1
    assert [each["arguments"] for each in ran(running)] == [SHOWN]


async def test_a10_a11_a13_a_state_is_no_approval_and_carries_nothing_that_was_not_shown(
    stand: tuple[Site, Humans],
) -> None:
    running, people = stand
    running.upstream.requests.clear()

    async def posts(who: str = "carol-2", tool: str = "deploy", **params: Any) -> Heard:
        message = deploy({"target": "rounds"}, tool=tool, **params)
        message["params"]["_meta"]["io.modelcontextprotocol/clientCapabilities"] = OPENS_URLS
        return await running.post(who, message, modern=True)

    running.tokens |= {who: running.gateway.token(who, groups=["data-analysts"]) for who in ("carol-2", "other")}
    state = (await posts()).message["result"]["requestState"]
    accepted = {"mcp_extproc_approval": {"action": "accept"}}
    agreed = await posts(requestState=state, inputResponses=accepted)
    assert agreed.message["result"]["resultType"] == "input_required"
    changed = [state[:at] + ("A" if state[at] != "A" else "B") + state[at + 1 :] for at in range(0, len(state), 9)]
    heard = [
        *await asyncio.gather(*(posts(requestState=each) for each in changed)),
        await posts("other", requestState=state),
        await posts(tool="echo", requestState=state),
        await posts(requestState="x" * (65 << 10)),
        await posts(requestState=[state]),
    ]
    assert {each.status for each in heard} == {400}
    assert ran(running) == []
    await people.says(await people.one('{"target":"rounds"}'), approves=True)
    smuggled = {"more": {"action": "accept", "content": {"target": "production"}}}
    once = await asyncio.gather(*(posts(requestState=state, inputResponses=accepted | smuggled) for _ in range(8)))
    complete = [each for each in once if each.message["result"]["resultType"] == "complete"]
    assert sum(not each.refused for each in complete) == 1
    (sent,) = ran(running)
    assert sent["arguments"] == {"target": "rounds"}
    assert not {"inputResponses", "requestState"} & sent.keys()


async def test_a15_who_asks_for_everything_tires_nobody_and_others_still_ask(stand: tuple[Site, Humans]) -> None:
    running, people = stand
    running.upstream.requests.clear()
    running.tokens |= {who: running.gateway.token(who, groups=["data-analysts"]) for who in ("eager", "calm")}
    many = [deploy({"target": f"many-{number}"}) for number in range(MAX_WAITING * 3)]
    await asyncio.gather(*(running.post("eager", message, modern=True) for message in many))
    assert len([each for each in await people.waiting() if each.ask.subject == "eager"]) == MAX_WAITING
    await running.post("calm", deploy({"target": "calm"}), modern=True)
    assert (await people.one('{"target":"calm"}')).ask.subject == "calm"
    assert ran(running) == []
