"""Tools that call other tools (threat J21), of a real SDK server, through a real Envoy, by a real SDK client."""

import json

import pytest

from extproc.demo.proxy import CHAINS
from stack import conversations as talk
from stack.calls import events
from stack.counterparts import CLIENTS, Server
from stack.gateway import Gateway
from stack.processes import PYTHON, running

pytestmark = pytest.mark.stack

POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  hub:
    tools:
      call_tool: {verb: calls, calls: {tool: name, arguments: arguments}}
      batch: {verb: calls, calls: {tool: calls.*.name, arguments: calls.*.arguments}}
      relay: {verb: calls, calls: {tool: request.@json.params.name, arguments: request.@json.params.arguments}}
      echo: {verb: query}
      get_customer: {verb: query}
      run_shell: {verb: shell}
      deploy: {verb: mutate}
roles:
  analyst:
    assigned_to: {groups: [data-analysts]}
    grants:
      - {servers: [hub], tools: [call_tool, batch, relay]}
      - {servers: [hub], verbs: [query], tools: [echo, get_customer, run_shell]}
  guest:
    assigned_to: {groups: [guests]}
    grants: [{servers: [hub], tools: [batch]}, {servers: [hub], prompts: [none]}]
masking:
  - {name: cards, servers: [hub], tools: [get_customer], fields: [{path: $.card.number}]}
"""
ECHO = {"name": "echo", "arguments": {"text": "hi"}}
SHELL = {"name": "run_shell", "arguments": {"command": "rm -rf /"}}


@pytest.mark.parametrize("chain", CHAINS)
async def test_each_call_inside_runs_only_if_it_might_run_alone(chain, tmp_path):
    async with running([PYTHON, "-m", "stack.servers.hub_server"]) as child:
        upstream = Server(**child.ready)
        async with Gateway(chain=chain, upstream=upstream.url, folder=tmp_path, policy=POLICY, server="hub") as gateway:
            token = gateway.token("ada", groups=["data-analysts"])
            async with CLIENTS["python-auto"](gateway.url, token=token, log_level="info") as mcp:
                shown = talk.names(await mcp.call("listTools"), "tools")
                assert shown == {"call_tool", "batch", "relay", "echo", "get_customer", "run_shell"}
                await upstream.forget()
                for name, arguments in (
                    ("call_tool", SHELL),
                    ("batch", {"calls": [ECHO, SHELL]}),
                    ("batch", {"calls": [ECHO, {"name": "deploy", "arguments": {"target": "x"}}]}),
                    ("batch", {"calls": []}),
                    ("relay", {"request": json.dumps({"params": SHELL})}),
                    ("call_tool", {"name": "call_tool", "arguments": SHELL}),
                ):
                    refused = await mcp.call("callTool", name=name, arguments=arguments)
                    assert refused["isError"] is True, (name, arguments)
                refused = await mcp.call("callTool", name="call_tool", arguments=SHELL)
                words = refused["content"][0]["text"]
                assert 'The tool "run_shell" on server "hub"' in words
                assert "rm -r on /" in words
                assert await upstream.executed() == []
                listed = {"name": "run_shell", "arguments": {"command": "ls"}}
                batch = await mcp.call("callTool", name="batch", arguments={"calls": [ECHO, listed]})
                assert not batch.get("isError"), batch
                await mcp.call("callTool", name="relay", arguments={"request": json.dumps({"params": ECHO})})
                assert await upstream.executed() == ["echo", "run_shell", "echo"]
                inner = {"name": "get_customer", "arguments": {"number": 1}}
                customer = await mcp.call("callTool", name="call_tool", arguments=inner)
                assert "Ada Canary" in str(customer)
                assert "4111111111111111" not in str(customer)
            guest = gateway.token("gus", groups=["guests"])
            async with CLIENTS["python-auto"](gateway.url, token=guest, log_level="info") as mcp:
                assert talk.names(await mcp.call("listTools"), "tools") == set()
            found = [event for event in events(gateway.state, "decision") if event.get("calls")]
            tools = [[each["tool"] for each in event["calls"]["tools"]] for event in found]
            assert tools[1] == ["echo", "run_shell"]
            assert [event["effect"] for event in found].count("allow") == 3
