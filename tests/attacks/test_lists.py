"""T: tool identity and lists. A list shows what could be allowed and nothing else, and a name in it gives no right."""

import asyncio
import json
import re
from typing import Any, Final

import pytest

from attacks.rig import DENIED_TOOL, Heard, call, records
from attacks.site import Site, handshake
from attacks.streams import event
from plain import PATIENCE
from stack.servers.recorder import json_reply, raw_server, sse

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.stack]

SCHEMA: Final = {"type": "object"}
HIDDEN: Final = "notes://secret/plan"
SHOWN: Final = "notes://public/readme"
BOTH_ERAS: Final = pytest.mark.parametrize("modern", [True, False], ids=["modern", "legacy"])


def tool(name: Any, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": SCHEMA, **more}


def page(member: str, *entries: Any, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": {member: list(entries), **more}}


def shown(heard: Heard, member: str = "tools", name: str = "name") -> list[str]:
    return [entry[name] for entry in heard.message["result"][member]]


async def listed(
    raw: Site, who: str = "alice", method: str = "tools/list", *, modern: bool = True, **params: Any
) -> Heard:
    return await raw.post(who, call(method, modern=modern, **params), modern=modern)


NAMES: Final = {
    "case": "Echo",
    "upper": "ECHO",
    "trailing-space": "echo ",
    "leading-space": " echo",
    "no-break-space": "echo\u00a0",
    "zero-width": "ec\u200bho",
    "cyrillic": "есhо",  # noqa: RUF001
    "full-width": "ｅcho",  # noqa: RUF001
    "combining": "echo\u0301",
    "nul": "echo\x00",
    "newline": "echo\n",
    "namespace": "other__echo",
    "dot": "sales-db.echo",
    "slash": "sales-db/echo",
    "dash-for-underscore": "get-customer",
    "empty": "",
    "star": "*",
    "glob": "ech*",
    "rtl": "\u202eohce",
    "number": 7,
    "list": ["echo"],
    "null": None,
}


@BOTH_ERAS
async def test_t02_a_name_that_only_looks_like_an_allowed_one_is_neither_shown_nor_callable(
    raw: Site, *, modern: bool
) -> None:
    """Also T01: whatever a server puts before or behind a name, the policy knows (server, tool) exactly."""
    raw.upstream.script = json_reply(page("tools", *map(tool, NAMES.values()), tool("echo")))
    assert shown(await listed(raw, modern=modern)) == ["echo"]
    raw.upstream.requests.clear()
    for name in NAMES.values():
        assert (await raw.post("alice", call(name=name, modern=False))).refused, name
        if isinstance(name, str):
            assert (await raw.post("alice", call(name=name), modern=True)).refused, name
    assert raw.upstream.requests == []


async def test_t02_the_second_tool_of_one_name_is_left_out(raw: Site) -> None:
    raw.upstream.script = json_reply(page("tools", tool("echo", title="first"), tool("echo", title="second")))
    assert b"second" not in (await listed(raw)).body
    doubled = page("tools", tool("echo")) | {"x": 1}
    body = json.dumps(doubled).replace('"name": "echo"', f'"name": "{DENIED_TOOL}", "name": "echo"').encode()
    raw.upstream.script = json_reply(body)
    heard = await listed(raw)
    assert heard.refused
    assert not heard.shows(DENIED_TOOL), "a name that is two names is withheld"


@BOTH_ERAS
async def test_t03_a_server_that_calls_itself_another_is_judged_as_the_one_of_the_route(
    raw: Site, *, modern: bool
) -> None:
    about = {"serverInfo": {"name": "trusted-db", "version": "1"}, "capabilities": {}, "protocolVersion": "2025-06-18"}
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": about})
    opening = call("server/discover") if modern else handshake()
    assert (await raw.post("alice", opening, modern=modern)).status == 200
    raw.upstream.requests.clear()
    before = len(records(raw.gateway.state, "decision"))
    assert (await raw.post("alice", call(name=DENIED_TOOL, modern=modern), modern=modern)).refused
    assert raw.upstream.requests == []
    after = records(raw.gateway.state, "decision")
    assert len(after) == before + 1
    assert after[-1]["server"] == "sales-db"


def told(heard: Heard, name: str) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs in every two: the name that was asked for, the decision's id, the date."""
    assert name.encode() in heard.body or heard.message["error"]["code"] == 1403
    body = re.sub(rb"[0-9a-f]{24}", b"#", heard.body.replace(name.encode(), b"..."))
    assert body.count(b"#") >= 1, "it names its decision"
    return heard.status, {key: value for key, value in heard.headers.items() if key != "date"}, body


PAIRS: Final[dict[str, tuple[str, str, Any]]] = {
    "tool": (DENIED_TOOL, "run_shelf", lambda name: ("tools/call", {"name": name})),
    "tool-with-arguments": (
        DENIED_TOOL,
        "run_shelf",
        lambda name: ("tools/call", {"name": name, "arguments": {"command": "id"}}),
    ),
    "prompt": ("exfiltrate", "exfiltrant", lambda name: ("prompts/get", {"name": name})),
    "resource": (HIDDEN, "notes://secret/plam", lambda name: ("resources/read", {"uri": name})),
    "completion": (
        "exfiltrate",
        "exfiltrant",
        lambda name: (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": name}, "argument": {"name": "topic", "value": ""}},
        ),
    ),
    "template": (
        "notes://secret/{t}",
        "notes://secreta{t}",
        lambda name: (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": name}, "argument": {"name": "t", "value": ""}},
        ),
    ),
}


@BOTH_ERAS
@pytest.mark.parametrize("kind", PAIRS, ids=lambda kind: f"T05-{kind}")
async def test_a_hidden_thing_and_a_missing_one_are_the_same_bytes(raw: Site, kind: str, *, modern: bool) -> None:
    """Also G22. The names have one length, so that even the length of the answer must be one."""
    hidden, missing, ask = PAIRS[kind]
    answers = []
    for name in (hidden, missing):
        method, params = ask(name)
        heard = await raw.post("alice", call(method, modern=modern, **params), modern=modern)
        assert heard.refused
        answers.append(told(heard, name))
    assert answers[0] == answers[1]
    assert b"analyst" not in answers[0][2], "nor does it name a role or a rule of the policy"
    assert raw.upstream.requests == []


async def test_t05_a_right_comes_from_the_policy_and_never_from_a_list(raw: Site) -> None:
    raw.upstream.script = json_reply(page("tools"))
    assert shown(await listed(raw)) == []
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    assert not (await raw.post("alice", call(), modern=True)).refused, "never listed, or listed no more"
    raw.upstream.script = json_reply(page("tools", tool(DENIED_TOOL), tool("brand_new")))
    assert shown(await listed(raw)) == []
    raw.upstream.requests.clear()
    for name in (DENIED_TOOL, "brand_new"):
        assert (await raw.post("alice", call(name=name), modern=True)).refused
    assert raw.upstream.requests == []


@BOTH_ERAS
async def test_t06_each_caller_has_a_list_of_its_own_and_calls_are_judged_all_the_same(
    raw: Site, *, modern: bool
) -> None:
    raw.upstream.script = json_reply(page("tools", *map(tool, ("echo", "get_customer", "deploy", DENIED_TOOL))))
    assert shown(await listed(raw, "alice", modern=modern)) == ["echo", "get_customer"]
    assert shown(await listed(raw, "carol", modern=modern)) == ["echo", "get_customer", "deploy", DENIED_TOOL]
    assert shown(await listed(raw, "dave", modern=modern)) == ["deploy"], "some arguments would be allowed"
    raw.upstream.requests.clear()
    assert (await listed(raw, "eve", modern=modern)).message["error"]["code"] == 1403
    for target in ("production", ["staging"], {"staging": 1}, None):
        staged = call(name="deploy", arguments={"target": target}, modern=modern)
        assert (await raw.post("dave", staged, modern=modern)).refused
    assert raw.upstream.requests == []
    staged = call(name="deploy", arguments={"target": "staging"}, modern=modern)
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    assert not (await raw.post("dave", staged, modern=modern)).refused


LISTS: Final = {
    "tools/list": ("tools", tool("echo")),
    "prompts/list": ("prompts", {"name": "summarise"}),
    "resources/list": ("resources", {"uri": SHOWN, "name": "r"}),
    "resources/templates/list": ("resourceTemplates", {"uriTemplate": "notes://public/{t}", "name": "t"}),
    "resources/read": ("contents", {"uri": SHOWN, "text": "read me"}),
}


@pytest.mark.parametrize("method", LISTS, ids=lambda method: f"T07-{method}")
async def test_what_is_cut_for_one_is_cached_for_nobody_else_and_not_for_long(raw: Site, method: str) -> None:
    member, entry = LISTS[method]
    params = {"uri": SHOWN} if method == "resources/read" else {}
    for ttl in (86_400_000, 10**60, -1, "3600000", None, True, 1.5, 10):
        raw.upstream.script = json_reply(page(member, entry, cacheScope="public", ttlMs=ttl, resultType="complete"))
        result = (await listed(raw, method=method, **params)).message["result"]
        assert result[member] == [entry]
        assert result["cacheScope"] == "private"
        assert type(result["ttlMs"]) is int
        assert 0 <= result["ttlMs"] <= 60_000, ttl
    raw.upstream.script = json_reply(page(member, entry))
    assert (await listed(raw, method=method, **params)).message["result"]["cacheScope"] == "private"


async def test_t08_no_annotation_lowers_a_verb(raw: Site) -> None:
    harmless = {"readOnlyHint": True, "destructiveHint": False, "idempotentHint": True, "openWorldHint": False}
    tools = [tool(name, annotations=harmless, verb="query") for name in (DENIED_TOOL, "deploy", "brand_new")]
    raw.upstream.script = json_reply(page("tools", *tools))
    assert shown(await listed(raw)) == []
    raw.upstream.requests.clear()
    for name in (DENIED_TOOL, "deploy", "brand_new"):
        hinted = call(name=name)
        hinted["params"]["_meta"]["annotations"] = harmless
        assert (await raw.post("alice", hinted, modern=True)).refused
    assert raw.upstream.requests == []


async def test_t09_a_secret_that_a_server_lures_into_a_header_is_in_no_log(raw: Site) -> None:
    secret = "hunter2-canary-9c1f"
    annotated = {"type": "object", "properties": {"password": {"type": "string", "x-mcp-header": "Password"}}}
    raw.upstream.script = json_reply(page("tools", tool("echo") | {"inputSchema": annotated}))
    assert shown(await listed(raw)) == ["echo"]
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {"content": []}})
    asked = call(arguments={"text": "x", "password": secret})
    heard = await raw.post("alice", asked, modern=True, mcp_param_password=secret)
    assert heard.status == 200
    refused = call(name=DENIED_TOOL, arguments={"password": secret})
    assert (await raw.post("alice", refused, modern=True, mcp_param_password=secret)).refused
    journals = [file.read_text() for file in (raw.gateway.state / "journal").rglob("*.jsonl")]
    access = (raw.gateway.folder / "access.log").read_text()
    assert len(journals[0]) > 0
    for log in (*journals, access, raw.gateway.service_log(), raw.gateway.envoy_log()):
        assert secret not in log


async def test_t10_ten_thousand_tools_are_cut_like_two(raw: Site) -> None:
    many = [tool(f"tool_{number}", description="x" * 100) for number in range(10_000)]
    raw.upstream.script = json_reply(page("tools", *many, tool("echo"), nextCursor="next"))
    heard = await listed(raw)
    assert shown(heard) == ["echo"]
    assert heard.message["result"]["nextCursor"] == "next"
    assert (await raw.outcome(method="tools/list"))["hidden"] == 10_000


async def test_d01_each_answer_has_its_outcome_also_where_envoy_hangs_up_at_the_last_byte(raw: Site) -> None:
    """A long response that becomes a short one: Envoy cancels the stream while the last word is being written."""
    many = [tool(f"tool_{number}", description="x" * 100) for number in range(5_000)]
    raw.upstream.script = json_reply(page("tools", *many, tool("echo")))
    before = {each["decision"] for each in raw.decisions()}
    for _ in range(12):
        assert shown(await listed(raw)) == ["echo"]
    raw.upstream.script = json_reply({"jsonrpc": "2.0", "id": 1, "result": {}})
    asked = {each["decision"] for each in raw.decisions(method="tools/list")} - before
    assert len(asked) == 12
    async with asyncio.timeout(PATIENCE):
        while not asked <= {each["decision"] for each in records(raw.gateway.state, "outcome")}:
            await raw.post("bob", call("ping", modern=False))


@pytest.mark.parametrize("streamed", [False, True], ids=["T10-json", "T10-sse"])
async def test_a_list_too_large_to_be_read_is_withheld(raw: Site, *, streamed: bool) -> None:
    huge = page("tools", tool("echo"), tool(DENIED_TOOL, description="x" * (10 << 20)))
    raw.upstream.script = sse(event(huge)) if streamed else json_reply(huge)
    heard = await listed(raw)
    assert not heard.shows(DENIED_TOOL, "x" * 100)
    assert len(heard.body) < 1000
    assert b"withheld" in heard.body


async def test_t10_no_schema_is_resolved_or_run(raw: Site) -> None:
    """Remote and recursive references and catastrophic patterns pass as the text that they are."""
    async with raw_server() as elsewhere:
        schemas = [
            {"$ref": elsewhere.url},
            {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
            {"$schema": elsewhere.url, "$id": elsewhere.url},
            {"properties": {"a": {"type": "string", "pattern": "^(a+)+$", "default": "a" * 5000 + "!"}}},
        ]
        for schema in schemas:
            offered = tool("echo", icons=[{"src": elsewhere.url}], outputSchema=schema) | {"inputSchema": schema}
            raw.upstream.script = json_reply(page("tools", offered))
            assert (await listed(raw)).message["result"]["tools"] == [offered]
            assert not (await raw.post("alice", call(arguments={"a": "a" * 5000 + "!"}), modern=True)).status >= 400
        assert elsewhere.requests == []


async def test_t10_a_definition_deeper_than_anything_honest_is_withheld(raw: Site) -> None:
    body = json.dumps(page("tools", tool(DENIED_TOOL), tool("echo", x="DEEP"))).replace(
        '"DEEP"', "[" * 5000 + "]" * 5000
    )
    raw.upstream.script = json_reply(body.encode())
    heard = await listed(raw)
    assert heard.refused
    assert not heard.shows(DENIED_TOOL)


@BOTH_ERAS
@pytest.mark.parametrize("streamed", [False, True], ids=["json", "sse"])
@pytest.mark.parametrize("method", list(LISTS)[:4], ids=lambda method: f"T06-{method}")
async def test_pages_stay_pages(raw: Site, method: str, *, modern: bool, streamed: bool) -> None:
    """A page may become empty and names the next one all the same; cursors are the server's own in both directions."""
    member, entry = LISTS[method]
    secret = {"name": DENIED_TOOL, "uri": HIDDEN, "uriTemplate": "notes://secret/{t}", "inputSchema": SCHEMA}
    pages = {None: page(member, secret, nextCursor=""), "": page(member, secret, secret, nextCursor="p\u00e9 2/=")}
    pages["p\u00e9 2/="] = page(member, secret, entry)
    cursor, seen, count = None, [], 0
    while True:
        raw.upstream.script = sse(event(pages[cursor])) if streamed else json_reply(pages[cursor])
        params = {} if cursor is None else {"cursor": cursor}
        if streamed:
            async with raw.converse("alice", call(method, modern=modern, **params), modern=modern) as opened:
                (message,) = await opened.end()
            result = message["result"]
        else:
            result = (await listed(raw, method=method, modern=modern, **params)).message["result"]
        assert json.loads(bytes(raw.upstream.requests[-1].body))["params"].get("cursor") == cursor
        seen += result[member]
        count += 1
        if "nextCursor" not in result:
            break
        cursor = result["nextCursor"]
    assert (seen, count) == ([entry], 3)


SHAPES: Final[dict[str, Any]] = {
    "array": [page("tools", tool(DENIED_TOOL))],
    "array-of-two": [page("tools", tool("echo")), page("tools", tool(DENIED_TOOL))],
    "object-for-list": page("tools") | {"result": {"tools": {DENIED_TOOL: tool(DENIED_TOOL)}}},
    "text": page("tools") | {"result": {"tools": DENIED_TOOL}},
    "nested": page("tools", [tool(DENIED_TOOL)]),
    "texts": page("tools", DENIED_TOOL),
    "folded-member": page("tools") | {"Result": {"tools": [tool(DENIED_TOOL)]}},
    "result-and-error": page("tools", tool(DENIED_TOOL)) | {"error": {"code": 1, "message": "x"}},
    "no-version": {"id": 1, "result": {"tools": [tool(DENIED_TOOL)]}},
    "named-twice": page("tools", {"name": "echo", "Name": DENIED_TOOL, "inputSchema": SCHEMA}) | {"id": 2},
}


@BOTH_ERAS
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: f"T06-{shape}")
@pytest.mark.parametrize("streamed", [False, True], ids=["json", "sse"])
async def test_a_list_in_another_shape_shows_nothing(raw: Site, shape: str, *, modern: bool, streamed: bool) -> None:
    raw.upstream.script = sse(event(SHAPES[shape])) if streamed else json_reply(SHAPES[shape])
    heard = await listed(raw, modern=modern)
    assert DENIED_TOOL.encode() not in heard.body


async def test_t06_a_list_that_comes_late_on_a_resumed_stream_is_cut_too(raw: Site) -> None:
    raw.upstream.script = sse(event(b"", id="e-1"))
    asking = call("tools/list", modern=False)
    async with raw.converse("alice", asking) as opened:
        (primer,) = await opened.wait(1)
        await opened.end()
    raw.upstream.script = sse(event(page("tools", tool(DENIED_TOOL), tool("echo")), id="e-2"))
    async with raw.listen("alice", last_event_id=primer.id) as resumed:
        (message,) = await resumed.end()
    assert raw.upstream.requests[-1].values("last-event-id") == ["e-1"]
    assert [entry["name"] for entry in message["result"]["tools"]] == ["echo"]


async def test_t06_a_list_cut_into_single_bytes_is_the_same_list(raw: Site) -> None:
    whole = event(page("tools", tool(DENIED_TOOL), tool("echo")), id="e-1")
    raw.upstream.script = sse(*(whole[index : index + 1] for index in range(len(whole))))
    async with raw.converse("alice", call("tools/list", modern=False)) as opened:
        (message,) = await opened.end()
    assert [entry["name"] for entry in message["result"]["tools"]] == ["echo"]
    assert DENIED_TOOL.encode() not in opened.raw


async def test_t06_many_callers_at_once_never_get_each_other_s_list(raw: Site) -> None:
    raw.upstream.script = json_reply(page("tools", *map(tool, ("echo", "get_customer", "deploy", DENIED_TOOL))))
    wanted = {"alice": 2, "carol": 4, "dave": 1}
    who = list(wanted) * 30
    heard = await asyncio.gather(*(listed(raw, each) for each in who))
    assert [len(shown(each)) for each in heard] == [wanted[each] for each in who]
