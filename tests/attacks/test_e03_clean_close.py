"""E03: Envoy goes on uninspected when an ext_proc stream ends cleanly, so no way out of a handler may end it so.

Every coroutine of the servicer is made to raise, to be cancelled and to return too early, at every point it has, for
every kind of request, behind the shipped configurations of both chains. Whatever happens: no byte upstream without a
stored allow that was answered, and no byte of a response that the caller must not see.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import pytest_asyncio

from attacks.faults import METHODS, OUTERMOST, Plan, Worker, worker
from attacks.rig import DENIED_TOOL, POLICY, Heard, call, headers_of, send
from extproc.demo.proxy import CHAINS, Chain
from extproc.edges.processor.stream import EOF
from plain import NO_AUTHORITY, PATIENCE
from stack.gateway import Gateway
from stack.servers.recorder import Arrival, Raw, json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

MESSAGE_TIMEOUT: Final = "0.25s"
ENOUGH: Final = 4.0
"""Seconds that a caller waits where a fault leaves him without an end; a byte that he must not see comes sooner."""
HIDDEN: Final = (DENIED_TOOL, "notes://secret/plan", "upstream-session", "upstream-event")
TOOLS: Final = {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in ("echo", DENIED_TOOL)]}


def answer(result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


def event(message: Any) -> bytes:
    return f"id: upstream-event\ndata: {json.dumps(message)}\n\n".encode()


def changed(uri: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "notifications/resources/updated", "params": {"uri": uri}}


async def upstream_script(arrival: Arrival, writer: asyncio.StreamWriter) -> None:
    """Lists and streams that hold what the caller may not see."""
    await arrival.complete.wait()
    session = [("mcp-session-id", "upstream-session")]
    listed = answer({**TOOLS, "resultType": "complete", "ttlMs": 1, "cacheScope": "public"})
    if arrival.line.startswith("GET"):
        reply = sse(event(changed("notes://secret/plan")), event(listed), event(changed("notes://public/tea")))
    elif b'"text":"stream"' in arrival.body:
        reply = sse(event({"jsonrpc": "2.0", "method": "notifications/message"}), event(answer({})), headers=session)
    elif b"tools/list" not in arrival.body:
        reply = json_reply(answer({"content": []}), headers=session)
    elif b'"cursor":"large"' in arrival.body:
        reply = json_reply(listed | {"result": listed["result"] | {"_meta": {"padding": "x" * 140_000}}})
    elif b'"cursor":"stream"' in arrival.body:
        reply = sse(event({"jsonrpc": "2.0", "method": "notifications/message"}), event(listed), headers=session)
    else:
        reply = json_reply(listed, headers=session)
    await reply(arrival, writer)


def post(message: dict[str, Any], *, modern: bool = True) -> tuple[str, bytes, dict[str, str]]:
    body = json.dumps(message, separators=(",", ":")).encode()
    return "POST", body, headers_of(message, modern=modern)


def bodiless(method: str) -> tuple[str, None, dict[str, str]]:
    return method, None, {"accept": "text/event-stream", "mcp-protocol-version": "2025-06-18"}


REQUESTS: Final[dict[str, tuple[str, bytes | None, dict[str, str]]]] = {
    "allowed": post(call()),
    "denied": post(call(name=DENIED_TOOL, arguments={"command": "rm -rf /"})),
    "refused": ("POST", b'{"jsonrpc":"2.0","id":1,"id":2}', headers_of({}, modern=False)),
    "list": post(call("tools/list")),
    "large-list": post(call("tools/list", cursor="large")),
    "legacy-list": post(call("tools/list", modern=False), modern=False),
    "streamed-list": post(call("tools/list", modern=False, cursor="stream"), modern=False),
    "streamed-call": post(call(modern=False, arguments={"text": "stream"}), modern=False),
    "get-stream": bodiless("GET"),
    "delete": bodiless("DELETE"),
}
ANSWERING: Final = {"_read", "_ask"}
OTHER_RETURNS: Final = {"return-nothing", "return-eof"}
"""Worth trying where the caller does something with what is returned, other than to look whether it is True."""
NEVER_UPSTREAM: Final = {"denied", "refused"}


def _raises(fault: BaseException) -> Callable[[], Any]:
    def fail() -> Any:
        raise fault

    return fail


FAULTS: Final[dict[str, Callable[[], Callable[[], Any]]]] = {
    "raise": lambda: _raises(RuntimeError("injected")),
    "cancel": lambda: _raises(asyncio.CancelledError()),
    "return-none": lambda: lambda: None,
    "return-nothing": lambda: lambda: (),
    "return-eof": lambda: lambda: EOF,
}


def hurry(document: dict[str, Any]) -> None:
    """The shipped configuration, but a service that does not answer is given up soon."""
    _filter(document, "envoy.filters.http.ext_proc")["typed_config"]["message_timeout"] = MESSAGE_TIMEOUT


def unguarded(document: dict[str, Any]) -> None:
    filters = _connection(document)["http_filters"]
    filters.remove(_filter(document, "mcp.guard"))


def lenient(document: dict[str, Any]) -> None:
    _filter(document, "envoy.filters.http.ext_proc")["typed_config"]["failure_mode_allow"] = True


def _connection(document: dict[str, Any]) -> Any:
    return document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]


def _filter(document: dict[str, Any], name: str) -> Any:
    return next(each for each in _connection(document)["http_filters"] if each["name"] == name)


class Rig:
    """A worker inside the test, behind a real Envoy, in front of the recorder."""

    def __init__(self, gateway: Gateway, working: Worker, upstream: Raw, http: httpx.AsyncClient) -> None:
        self.gateway, self.worker, self.upstream, self._http = gateway, working, upstream, http
        self._plans: list[Plan] = []
        self._token = gateway.token("ada", groups=["data-analysts"])

    async def ask(self, kind: str, plan: Plan | None = None) -> Heard:
        """One request of that kind; its exchange, and nothing else, has that plan."""
        self.worker.plan = plan or Plan()
        self._plans.append(self.worker.plan)
        method, body, headers = REQUESTS[kind]
        named = headers | {"authorization": f"Bearer {self._token}", "user-agent": f"plan-{len(self._plans) - 1}"}
        return await send(self._http, self.gateway.url, body, method=method, **named)

    def executed(self, plan: Plan) -> int:
        """How many requests with that plan reached the upstream."""
        name = f"plan-{self._plans.index(plan)}"
        return sum(each.values("user-agent") == [name] for each in self.upstream.requests)

    def check(self) -> None:
        """Whatever reached the upstream, also late, had a stored allow that was answered."""
        for each in self.upstream.requests:
            (name,) = each.values("user-agent")
            assert self._plans[int(name.removeprefix("plan-"))].allowed, each


@asynccontextmanager
async def standing(
    chain: Chain, folder: Path, adapt: Callable[[dict[str, Any]], None] | None, *, waits: float
) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(raw_server())
        upstream.script = upstream_script
        working = await stack.enter_async_context(worker(folder / "worker"))
        options: Any = {"chain": chain, "upstream": upstream.url, "folder": folder / "gateway"}
        gateway = await stack.enter_async_context(Gateway(processors=[working.address], adapt=adapt, **options))
        working.follow(POLICY, gateway)
        http = await stack.enter_async_context(httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY, timeout=waits))
        running = Rig(gateway, working, upstream, http)
        yield running
        running.check()


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=CHAINS)
async def rig(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rig]:
    async with standing(request.param, tmp_path_factory.mktemp(request.param), hurry, waits=ENOUGH) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module", params=CHAINS)
async def patient(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """With the timeout that is shipped: where nothing fails, a busy machine is no fault."""
    async with standing(request.param, tmp_path, None, waits=PATIENCE) as running:
        yield running


async def test_without_a_fault_each_kind_does_what_it_says(patient: Rig) -> None:
    for kind in REQUESTS:
        plan = Plan()
        heard = await patient.ask(kind, plan)
        assert heard.status in {200, 400}, (kind, heard)
        assert patient.executed(plan) == (kind not in NEVER_UPSTREAM), kind
        assert heard.shows(*HIDDEN[1:]) == [], kind
        if "list" in kind or kind == "get-stream":
            assert heard.shows(*HIDDEN) == [], kind
            assert b"echo" in heard.body


# h2corn tells, beside resetting the stream, of what escapes the outermost handler once its answer is whole
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("kind", "fault"),
    [(kind, fault) for kind in REQUESTS for fault in FAULTS if kind != "large-list" or fault == "return-none"],
)
async def test_no_fault_at_any_await_lets_a_byte_pass(rig: Rig, kind: str, fault: str) -> None:
    hidden = HIDDEN if kind != "denied" else HIDDEN[1:]  # a refusal quotes the name that the caller sent
    tried = 0
    for method in METHODS:
        outermost, returns = method == OUTERMOST, fault.startswith("return")
        if (fault == "cancel" and not outermost) or (fault in OTHER_RETURNS and method not in ANSWERING):
            continue  # a cancellation comes in from the outside
        for at in range(100):
            plan = Plan(method=method, at=at, fault=FAULTS[fault](), cancels=fault == "cancel")
            plan.edges_only = not outermost and not returns
            heard = await rig.ask(kind, plan)
            if not plan.fired:
                break
            tried += 1
            where = f"{fault} at point {at} of {method}: {heard}"
            assert heard.shows(*hidden) == [], where
            if heard.body and not heard.cut and heard.headers["content-type"] == "application/json":
                assert heard.message["jsonrpc"] == "2.0", where  # and no part of an answer passes for the whole
        else:
            pytest.fail(f"{method} has no end")
    rig.check()
    assert tried
