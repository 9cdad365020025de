"""S: sessions and streams. A handle is worth something to its owner alone, and a stream shows what its reader may see."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from typing import Any, Final

import pytest
import pytest_asyncio

from attacks.rig import DENIED_TOOL, Heard, call
from attacks.site import POLICY, Site, ask_raw, handshake, site
from attacks.streams import BEFORE_THE_SKEW, LIFE, event
from plain import PATIENCE
from stack.counterparts import canary
from stack.servers.recorder import Arrival, json_reply, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

SECRET: Final = "notes://secret/plan"
PUBLIC: Final = "notes://public/readme"
SESSION: Final = "upstream-session-1"
TOOLS: Final = [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", DENIED_TOOL)]
CLIENTS: Final = 300
UNKNOWN: Final = (404, "Session not found.")


def answer(result: Any, request_id: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": request_id, "result": result}


def updated(uri: str, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri, **more}}


def said(heard: Heard) -> tuple[int, str]:
    return heard.status, heard.message["error"]["message"]


async def stateful(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """An upstream with one session, which it names in every answer to a handshake."""
    await arrival.complete.wait()
    if b'"initialize"' in arrival.body:
        reply = json_reply(answer({"capabilities": {}}), headers=[("mcp-session-id", SESSION)])
    elif arrival.line.startswith("DELETE"):
        reply = json_reply(b"")
    else:
        reply = json_reply(answer({"content": []}))
    await reply(arrival, writer)


# --- the raw server: what reaches it, and what of it reaches whom --------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_s01_get_and_delete_want_the_same_credentials_as_a_post(raw: Site, method: str) -> None:
    raw.upstream.script = stateful
    session = await raw.session("bob")
    raw.upstream.requests.clear()
    for wrong in ({"authorization": ""}, {"authorization": "Bearer x.y.z"}):
        heard = await raw.bodiless(method, "alice", mcp_session_id=session, **wrong)
        assert heard.status == 401
        assert "resource_metadata=" in heard.headers["www-authenticate"]
    assert (await raw.bodiless(method, "eve")).status == 405, "a token without a role opens nothing"
    modern = await raw.bodiless(method, "bob", mcp_session_id=session, mcp_protocol_version="2026-07-28")
    assert (modern.status, modern.headers["allow"]) == (405, "POST")
    assert raw.upstream.requests == []


@pytest.mark.parametrize(
    "method",
    [pytest.param("GET", id="S01-get"), pytest.param("DELETE", id="S02-delete"), pytest.param("POST", id="S05")],
)
async def test_the_session_of_somebody_else_is_unknown_and_stays_alive(raw: Site, method: str) -> None:
    raw.upstream.script = stateful
    session = await raw.session("bob")
    raw.upstream.requests.clear()
    known = {each["decision"] for each in raw.decisions()}
    if method == "POST":
        heard = await raw.post("alice", call(modern=False), mcp_session_id=session)
    else:
        heard = await raw.bodiless(method, "alice", mcp_session_id=session)
    assert said(heard) == UNKNOWN
    assert raw.upstream.requests == []
    (record,) = [each for each in raw.decisions(reason="session_unknown") if each["decision"] not in known]
    assert (record["principal"]["subject"], record["effect"]) == ("alice", "reject")

    alive = await raw.post("bob", call(modern=False), mcp_session_id=session)
    assert alive.status == 200
    assert raw.upstream.requests[-1].values("mcp-session-id") == [SESSION]


async def test_s01_a_stream_shows_what_a_list_would_show(raw: Site) -> None:
    """What arrives on a GET stream is cut as if it had been asked for, whatever it answers."""
    everything = {
        "tools": TOOLS,
        "resources": [{"uri": SECRET, "name": "s"}, {"uri": PUBLIC, "name": "p"}],
        "resourceTemplates": [{"uriTemplate": "notes://secret/{topic}", "name": "s"}],
        "prompts": [{"name": "exfiltrate"}],
        "contents": [{"uri": SECRET, "text": "the plan"}, {"uri": "", "text": "the plan"}],
    }
    single = [{name: value} for name, value in everything.items()]
    values = {"completion": {"values": ["secret-plan"], "hasMore": False}}
    raw.upstream.script = sse(
        *(event(answer(result, "any")) for result in (*single, everything, values)), event(updated(PUBLIC))
    )
    async with raw.listen("alice") as opened:
        messages = await opened.end()
    assert messages[-1] == updated(PUBLIC)
    assert len(messages) == len(single) + 3
    for hidden in (b"secret", DENIED_TOOL.encode(), b"exfiltrate", b"the plan"):
        assert hidden not in opened.raw
    assert b"echo" in opened.raw


async def test_s03_an_event_id_is_a_handle_of_its_reader(raw: Site) -> None:
    raw.upstream.script = stateful
    mine, his = await raw.session("alice"), await raw.session("bob")
    raw.upstream.script = sse(event(updated(PUBLIC), id="41"), event(updated(PUBLIC), id="42"))
    async with raw.listen("bob", mcp_session_id=his) as opened:
        await opened.end()
    first, last = (each.id for each in opened.seen)
    assert "41" not in (first, last), "the upstream's own id is no handle"
    raw.upstream.requests.clear()

    for session in (mine, his):
        heard = await raw.bodiless("GET", "alice", mcp_session_id=session, last_event_id=last)
        assert said(heard) == UNKNOWN
    for session in ({}, {"mcp_session_id": last}):  # his own event, out of its session; an event as a session
        assert said(await raw.bodiless("GET", "bob", last_event_id=last, **session)) == UNKNOWN
    for guess in ("42", last[:-1], last + "A", his):
        assert said(await raw.bodiless("GET", "bob", mcp_session_id=his, last_event_id=guess)) == UNKNOWN
    assert raw.upstream.requests == []

    raw.upstream.script = sse(event(answer({"tools": TOOLS}), id="43"), event(updated(SECRET), id="44"))
    async with raw.listen("bob", mcp_session_id=his, last_event_id=last) as resumed:
        (replayed,) = await resumed.end()
    assert raw.upstream.requests[-1].values("last-event-id") == ["42"]
    assert [tool["name"] for tool in replayed["result"]["tools"]] == ["echo"]


async def test_s04_no_guess_is_a_session(raw: Site) -> None:
    raw.upstream.script = stateful
    session = await raw.session("bob")
    raw.upstream.requests.clear()
    flipped = [
        session[:index] + ("A" if session[index] != "A" else "B") + session[index + 1 :]
        for index in range(len(session))
    ]
    guesses = [SESSION, "1", "up-1", session[:-1], session + "=", session.swapcase(), *flipped]
    guesses += [f"upstream-session-{number}" for number in range(200)]
    gate = asyncio.Semaphore(32)

    async def attempt(guess: str) -> tuple[int, str]:
        async with gate:
            return said(await raw.post("bob", call(modern=False), mcp_session_id=guess))

    assert set(await asyncio.gather(*map(attempt, guesses))) == {UNKNOWN}
    assert raw.upstream.requests == []


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([b"mcp-session-id: %s", b"mcp-session-id: other"], id="S04-two-values"),
        pytest.param([b"mcp-session-id: %s", b"Mcp-Session-Id: %s"], id="S04-twice"),
        pytest.param([b"mcp-session-id: %s, %s"], id="S04-list"),
        pytest.param([b"mcp-session-id:"], id="S04-empty"),
        pytest.param([b"mcp-session-id: %s\rx-user: admin"], id="S04-cr"),
        pytest.param([b"mcp-session-id: %s\x00"], id="S04-nul"),
        pytest.param([b"mcp-session-id: \xc3\xa4"], id="S04-not-ascii"),
        pytest.param([b"mcp-session-id: " + b"A" * 9000], id="S04-9KiB"),
        pytest.param([b"mcp-session-id: " + b"A" * (1 << 20)], id="S04-1MiB"),
        pytest.param([b"mcp-session-id: %s\n mcp-session-id: x"], id="S04-folded"),
        pytest.param([b"mcp_session_id: " + SESSION.encode()], id="S04-underscores"),
    ],
)
async def test_a_session_that_is_no_single_handle_never_passes(raw: Site, lines: list[bytes]) -> None:
    raw.upstream.script = stateful
    session = (await raw.session("bob")).encode()
    raw.upstream.requests.clear()
    body = json.dumps(call(modern=False)).encode()
    fixed = [b"authorization: " + raw.bearer("bob")["authorization"].encode(), b"mcp-protocol-version: 2025-06-18"]
    heard = await ask_raw(raw.gateway, *fixed, *(line.replace(b"%s", session) for line in lines), body=body)
    status = re.match(rb"HTTP/1.1 (\d+)", heard)
    assert status is None or status[1].startswith(b"4"), heard
    assert raw.upstream.requests == []


async def test_s05_nobody_chooses_the_name_of_a_session(raw: Site) -> None:
    """Fixation: a handshake under a name that somebody thought of, or under one of somebody else."""
    raw.upstream.script = stateful
    handle = await raw.session("alice")
    raw.upstream.requests.clear()
    for chosen in ("chosen", SESSION, handle):
        assert said(await raw.post("bob", handshake(), mcp_session_id=chosen)) == UNKNOWN
    assert raw.upstream.requests == []
    assert await raw.session("bob") != handle, "one upstream session, two owners, two handles"


async def test_s05_a_modern_request_carries_no_session_at_all(raw: Site) -> None:
    raw.upstream.script = json_reply(answer({"content": []}), headers=[("mcp-session-id", SESSION)])
    heard = await raw.post("alice", call(), modern=True, mcp_session_id=SESSION, last_event_id="1")
    assert heard.status == 200
    assert "mcp-session-id" not in heard.headers
    arrived = raw.upstream.requests[-1]
    assert arrived.values("mcp-session-id") == arrived.values("last-event-id") == []


async def test_s06_a_session_is_never_the_credential(raw: Site) -> None:
    raw.upstream.script = stateful
    session = await raw.session("alice")
    raw.upstream.requests.clear()
    now = int(time.time())
    old = raw.gateway.token("alice", groups=["data-analysts"], iat=now - 600, exp=now - 60)
    heard = await raw.post("alice", call(modern=False), mcp_session_id=session, authorization=f"Bearer {old}")
    assert heard.status == 401, "the token has ended"

    demoted = f"Bearer {raw.gateway.token('alice', groups=[])}"
    heard = await raw.post("alice", call(modern=False), mcp_session_id=session, authorization=demoted)
    assert heard.message["result"]["isError"], "the role is gone"
    heard = await raw.post("alice", call("tools/list", modern=False), mcp_session_id=session, authorization=demoted)
    assert heard.message["error"]["code"] == 1403
    assert (await raw.bodiless("GET", "alice", mcp_session_id=session, authorization=demoted)).status == 405
    assert raw.upstream.requests == []


ASKED: Final = {"jsonrpc": "2.0", "id": 7, "method": "elicitation/create", "params": {"message": "?"}}


async def asked(raw: Site, who: str, session: str) -> Any:
    """The handle under which the upstream's request 7 reaches ``who``."""
    raw.upstream.script = sse(event(ASKED))
    async with raw.listen(who, mcp_session_id=session) as opened:
        (request,) = await opened.end()
    assert request["method"] == "elicitation/create"
    return request["id"]


async def test_s07_only_who_was_asked_can_answer(raw: Site) -> None:
    raw.upstream.script = stateful
    mine, his = await raw.session("alice"), await raw.session("bob")
    handle = await asked(raw, "bob", his)
    assert handle != 7
    raw.upstream.script = stateful
    raw.upstream.requests.clear()
    result = {"action": "accept", "content": {}}
    never_asked = (7, "7", 1, "", None, his, handle[:-1])
    attempts = [("alice", mine, handle), ("alice", his, handle), *(("bob", his, each) for each in never_asked)]
    for who, session, request_id in attempts:
        for body in (
            answer(result, request_id),
            {"jsonrpc": "2.0", "id": request_id, "error": {"code": 1, "message": ""}},
        ):
            heard = await raw.post(who, body, mcp_session_id=session)
            assert heard.status in {400, 404}, (who, request_id, heard)
    assert (await raw.post("bob", answer(result, handle))).status == 400, "the right id without its session"
    assert (await raw.post("bob", answer(result, handle), mcp_protocol_version="2026-07-28")).status == 400
    assert raw.upstream.requests == []

    raw.upstream.script = json_reply(b"", status=202)
    assert (await raw.post("bob", answer(result, handle), mcp_session_id=his)).status == 202
    assert json.loads(bytes(raw.upstream.requests[-1].body)) == answer(result, 7)


@pytest.mark.parametrize(
    "place",
    [
        pytest.param(place, id=f"S08-{name}")
        for name, place in {
            "other-host": "http://evil.example/messages?sessionId=1",
            "own-host": "http://127.0.0.1/messages?sessionId=1",
            "no-scheme": "//evil.example/messages?sessionId=1",
            "backslash": "/\\evil.example/messages",
            "userinfo": "http:@evil.example",
            "script": "javascript:alert(1)",
            "relative": "messages?sessionId=1",
            "space": " /messages?sessionId=1",
            "empty": "?sessionId=1",
        }.items()
    ],
)
async def test_an_endpoint_elsewhere_ends_the_stream(raw: Site, place: str) -> None:
    raw.upstream.script = sse(event(place.encode(), type="endpoint"), event(updated(PUBLIC)))
    async with raw.listen("alice", url=f"{raw.gateway.base}/sse") as opened:
        await opened.end()
    assert bytes(opened.raw) == b""


@pytest.mark.parametrize("place", ["/admin", "/messages/../admin", "/sse", "/.well-known/x", "/%6dessages/x"])
async def test_s08_an_endpoint_at_an_ungated_path_leads_nowhere(raw: Site, place: str) -> None:
    raw.upstream.script = sse(event(place.encode(), type="endpoint"))
    async with raw.listen("alice", url=f"{raw.gateway.base}/sse") as opened:
        await opened.end()
    told = opened.seen[0].data.decode() if opened.seen else place
    raw.upstream.requests.clear()
    heard = await raw.post("alice", call(modern=False), url=raw.gateway.base + told)
    assert heard.status in {404, 405}
    assert raw.upstream.requests == []


async def test_s09_a_few_hundred_clients_with_one_id_each_get_their_own_answer(raw: Site) -> None:
    async def echoing(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        await arrival.complete.wait()
        text = json.loads(bytes(arrival.body))["params"]["arguments"]["text"]
        body = answer({"content": [{"type": "text", "text": text}]})
        reply = sse(event(body)) if text.endswith("s") else json_reply(body)
        await reply(arrival, writer)

    raw.upstream.script = echoing
    gate = asyncio.Semaphore(100)

    async def one(number: int) -> bool:
        text = f"client-{number}-{'s' if number % 4 == 0 else 'j'}"
        modern = number % 2 == 0
        async with gate:
            heard = await raw.post(
                "alice" if number % 3 else "bob", call(modern=modern, arguments={"text": text}), modern=modern
            )
        found = re.findall(rb"client-\d+-.", heard.body)
        return found == [text.encode()]

    assert all(await asyncio.gather(*(one(number) for number in range(CLIENTS))))


@pytest.mark.parametrize("wrong", [2, "1", "x", True, None], ids=lambda wrong: f"S09-{wrong!r}")
@pytest.mark.parametrize("streamed", [False, True], ids=["json", "sse"])
async def test_an_answer_to_another_id_is_nobodys(raw: Site, wrong: Any, *, streamed: bool) -> None:
    foreign = answer({"content": [{"type": "text", "text": "for somebody else"}]}, wrong)
    raw.upstream.script = sse(event(foreign)) if streamed else json_reply(foreign)
    heard = await raw.post("alice", call(), modern=True)
    assert b"for somebody else" not in heard.body
    if not streamed:
        assert heard.message["error"]["data"]["reason"] == "withheld"


async def test_s10_no_stream_outlives_the_token_that_opened_it(raw: Site) -> None:
    """Both kinds of stream end when the token does; what the upstream says after that reaches nobody."""
    after = asyncio.Event()
    raw.upstream.script = sse(event(updated(PUBLIC)), after.wait, event(updated(PUBLIC, late=True)))
    expires = int(time.time()) + LIFE
    short = f"Bearer {raw.gateway.token('alice', groups=['data-analysts'], exp=expires)}"
    wanted = {"notifications": {"resourceSubscriptions": [PUBLIC]}}
    listening = raw.converse("alice", call("subscriptions/listen", **wanted), modern=True, authorization=short)
    async with listening as listened, raw.listen("alice", authorization=short) as opened:
        await asyncio.gather(listened.wait(1), opened.wait(1))
        patience = expires - time.time() + BEFORE_THE_SKEW
        ended = await asyncio.gather(listened.end(patience), opened.end(patience))
        after.set()
    assert ended == [[updated(PUBLIC)], [updated(PUBLIC)]]
    assert time.time() >= expires - 1, "not before its time"


@pytest.mark.parametrize("kind", ["listen", "get", "post"], ids=lambda kind: f"S11-{kind}")
async def test_news_of_a_hidden_resource_is_dropped(raw: Site, kind: str) -> None:
    hidden = [
        SECRET,
        "notes://public/../secret/plan",
        "notes://public/%2e%2e/secret/plan",
        "notes://public%2F..%2Fsecret/plan",
        "NOTES://secret/plan",
        "notes://public/\u202eplan/secret",
        "",
    ]
    tail = () if kind != "post" else (event(answer({"content": []})),)
    malformed = ({"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": [SECRET]}},)
    news = [*(updated(uri) for uri in hidden), *malformed, updated(PUBLIC)]
    raw.upstream.script = sse(*map(event, news), *tail)
    match kind:
        case "listen":
            wanted = {"notifications": {"resourceSubscriptions": [PUBLIC]}}
            opening = raw.converse("alice", call("subscriptions/listen", **wanted), modern=True)
        case "get":
            opening = raw.listen("alice")
        case _:
            opening = raw.converse("alice", call(modern=False))
    async with opening as opened:
        messages = await opened.end()
    assert messages[0] == updated(PUBLIC)
    assert b"secret" not in opened.raw


@pytest.mark.parametrize("uri", [SECRET, "notes://public/../secret/plan", "notes://public/%2e%2e/secret"])
async def test_s11_nobody_subscribes_to_a_hidden_resource(raw: Site, uri: str) -> None:
    wanted = {"notifications": {"resourceSubscriptions": [PUBLIC, uri]}}
    assert (await raw.post("alice", call("subscriptions/listen", **wanted), modern=True)).refused
    assert (await raw.post("alice", call("resources/subscribe", modern=False, uri=uri))).refused
    assert raw.upstream.requests == []


TASKS: Final = {
    "get": call("tasks/get", taskId="t-1"),
    "result": call("tasks/result", taskId="t-1"),
    "cancel": call("tasks/cancel", taskId="t-1"),
    "update": call("tasks/update", taskId="t-1", inputResponses={}),
    "list": call("tasks/list"),
    "augmented-call": call(task={"ttl": 60000}),
    "listen": call("subscriptions/listen", notifications={"taskIds": ["t-1"]}),
}


@pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: f"S12-{task}")
async def test_tasks_are_refused(raw: Site, task: str, *, modern: bool) -> None:
    message = json.loads(json.dumps(TASKS[task]))
    if not modern:
        del message["params"]["_meta"]
    heard = await raw.post("bob", message, modern=modern)
    assert heard.message["error"]["code"] in {-32601, -32602}
    assert raw.upstream.requests == []


async def test_s13_a_cancellation_stays_in_its_session(raw: Site) -> None:
    raw.upstream.script = stateful
    his = await raw.session("bob")
    raw.upstream.script = json_reply(b"", status=202)
    raw.upstream.requests.clear()
    notice = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}
    assert (await raw.post("alice", notice, mcp_session_id=his)).status == 404
    assert raw.upstream.requests == []
    assert (await raw.post("bob", notice, mcp_session_id=his)).status == 202
    assert json.loads(bytes(raw.upstream.requests[-1].body)) == notice


async def test_s13_a_server_s_cancellation_names_the_handle_that_it_asked_with(raw: Site) -> None:
    raw.upstream.script = stateful
    his = await raw.session("bob")
    handle = await asked(raw, "bob", his)
    raw.upstream.script = sse(
        event({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}})
    )
    async with raw.listen("bob", mcp_session_id=his) as opened:
        (cancelled,) = await opened.end()
    assert cancelled["params"]["requestId"] == handle


async def test_s13_who_goes_away_is_gone_upstream_too(raw: Site) -> None:
    gone = asyncio.Event()

    async def talking(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
        async def on() -> None:
            while True:
                writer.write(b"3\r\n:a\n\r\n")  # a comment, chunked: what is written to nobody fails at last
                await writer.drain()
                await asyncio.sleep(0.01)

        try:
            await sse(event(updated(PUBLIC)), on)(arrival, writer)
        except ConnectionError:
            gone.set()

    raw.upstream.script = talking
    async with raw.converse("alice", call(), modern=True) as opened:
        await opened.wait(1)
    async with asyncio.timeout(PATIENCE):
        await gone.wait()
    assert (await raw.outcome(method="tools/call"))["result"] == "cut"


@pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])
async def test_s14_of_two_final_answers_the_first_counts(raw: Site, *, modern: bool) -> None:
    second = answer({"content": [{"type": "text", "text": "the second"}]})
    raw.upstream.script = sse(event(answer({"content": []})), event(second), event({**second, "id": "1"}))
    async with raw.converse("alice", call(modern=modern), modern=modern) as opened:
        assert await opened.end() == [answer({"content": []})]
    assert b"the second" not in opened.raw


@pytest.mark.parametrize("era", ["modern", "legacy"])
async def test_s14_a_server_asks_nothing_in_the_modern_era(raw: Site, era: str) -> None:
    raw.upstream.script = sse(event(ASKED), event(answer({"content": []})))
    async with raw.converse("alice", call(modern=era == "modern"), modern=era == "modern") as opened:
        messages = await opened.end()
    assert [each.get("method") for each in messages] == [None] if era == "modern" else ["elicitation/create", None]


# --- real servers with sessions of their own ----------------------------------------------------------------------


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=[("one-message", "python"), ("portable", "python"), ("portable", "ts-v1")],
    ids="-".join,
)
async def real(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    chain, server = request.param
    async with (
        canary(server) as upstream,
        site(chain, upstream, tmp_path_factory.mktemp("real"), policy=POLICY) as running,
    ):
        yield running


async def spoken(real: Site, who: str, session: str, text: str) -> Heard:
    return await real.post(who, call(modern=False, arguments={"text": text}), mcp_session_id=session)


async def test_a_real_session_answers_its_owner_alone_until_its_end(real: Site) -> None:
    """S02, S05 and S06 against servers that keep sessions."""
    await real.upstream.forget()
    mine, his = await real.session("alice"), await real.session("bob")
    ready = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    for who, session in (("alice", mine), ("bob", his)):
        assert (await real.post(who, ready, mcp_session_id=session)).status == 202
    assert said(await spoken(real, "alice", his, "stolen")) == UNKNOWN
    assert said(await real.bodiless("DELETE", "alice", mcp_session_id=his)) == UNKNOWN
    assert b"alive" in (await spoken(real, "bob", his, "alive")).body
    assert (await real.bodiless("DELETE", "bob", mcp_session_id=his)).status in {200, 204}
    assert (await spoken(real, "bob", his, "after the end")).status == 404
    assert b"mine" in (await spoken(real, "alice", mine, "mine")).body
    told = (await real.upstream.ledger())["executions"]
    assert [each["arguments"]["text"] for each in told] == ["alive", "mine"]


async def test_s09_many_real_sessions_with_one_id_never_cross(real: Site) -> None:
    gate = asyncio.Semaphore(50)

    async def one(number: int) -> bool:
        who, text = ("alice", "bob")[number % 2], f"word-{number}."
        async with gate:
            session = await real.session(who)
            heard = await spoken(real, who, session, text)
        return set(re.findall(rb"word-\d+\.", heard.body)) == {text.encode()}

    assert all(await asyncio.gather(*(one(number) for number in range(80))))


async def test_s08_the_endpoint_of_somebody_else_takes_no_post(real: Site) -> None:
    if not real.upstream.sse_url:
        pytest.skip("this canary does not speak HTTP+SSE")
    await real.upstream.forget()
    base = real.gateway.base
    async with real.listen("bob", url=f"{base}/sse") as opened:
        (endpoint,) = await opened.wait(1)
        place = endpoint.data.decode()
        bare = place.partition("&mcp_owner=")[0]
        path, _, query = bare.partition("?")
        own = await real.session("alice")
        body = call(modern=False, arguments={"text": "into his session"})
        attempts = {
            "as-given": place,
            "without-the-seal": bare,
            "without-a-session": path,
            "a-seal-of-nothing": f"{bare}&mcp_owner=x",
            "seal-first": f"{path}?mcp_owner={place.rpartition('=')[2]}&{query}",
            "encoded": f"{path}?{query.replace('s', '%73', 1)}&mcp_owner=x",
            "encoded-without-a-seal": f"{path}?{query.replace('s', '%73', 1)}",
            "encoded-seal": f"{path}?{query}&mcp%5Fowner=x",
            "on-the-other-endpoint": f"/mcp?{query}",
        }
        for name, attempt in attempts.items():
            for more in ({}, {"mcp_session_id": own}):
                heard = await real.post("alice", body, url=base + attempt, **more)
                assert heard.status == 404, (name, more, heard)
            modern = call(arguments={"text": "into his session"})
            heard = await real.post("alice", modern, modern=True, url=base + attempt)
            assert heard.status == 404, (name, "modern", heard)
        assert len(opened.seen) == 1, "nothing came out on his stream"
        assert await real.upstream.executed() == []
        assert (await real.post("bob", handshake(), url=base + place)).status == 202
        assert b'"serverInfo"' in (await opened.wait(2))[1].data
