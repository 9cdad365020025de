"""Names and places masked by the language model itself: a real Envoy, the real service, real SDKs on both sides."""

import json

import pytest

from extproc.demo.proxy import CHAINS
from extproc.edges.names import presidio
from leaks import leaks
from stack.calls import events, until
from stack.counterparts import CLIENTS, Server
from stack.gateway import Gateway
from stack.processes import PYTHON, needs_node, running

pytestmark = [
    pytest.mark.stack,
    pytest.mark.skipif(
        not presidio.is_installed(),
        reason="the extra presidio is not installed; `make names` installs it and runs this",
    ),
]

POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  hub: {tools: {echo: {verb: query}}}
roles:
  analyst:
    assigned_to: {groups: [data-analysts]}
    grants: [{servers: [hub], verbs: [query], tools: [echo]}]
"""
MASKING = """
masking:
  - {name: people, servers: [hub], detect: [email, person_name, {type: place, as: hash}]}
"""
TEXT = "Please call Alice Johnson in Berlin, or write to bob.smith@example.com."
ROWS = json.dumps({"rows": [{"who": "Maria Garcia", "city": "London", "open": 3}]})


async def said(client, text):
    answer = await client.call("callTool", name="echo", arguments={"text": text})
    return json.dumps(answer["content"])


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("face", ["python-auto", pytest.param("ts-v2-auto", marks=needs_node())])
async def test_names_and_places_never_reach_a_client_or_a_record(chain, face, tmp_path):
    async with running([PYTHON, "-m", "stack.servers.hub_server"]) as child:
        upstream = Server(**child.ready)
        async with Gateway(
            chain=chain, upstream=upstream.url, folder=tmp_path, policy=POLICY + MASKING, server="hub"
        ) as gateway:
            token = gateway.token("ada", groups=["data-analysts"])
            async with CLIENTS[face](gateway.url, token=token, log_level="info") as client:
                heard = await said(client, TEXT)
                assert "Please call [person_name] in [place:" in heard
                assert "write to [email]" in heard
                rows = await said(client, ROWS)
                assert rows.count("[person_name]") == rows.count("[place:") == 1
            recorded = json.dumps(events(gateway.state)).encode()
            for name in ("Alice Johnson", "Maria Garcia", "Berlin", "London"):
                assert not leaks(heard.encode() + rows.encode() + recorded, name)
                assert name not in gateway.service_log()


async def test_a_policy_that_needs_the_model_comes_into_force_once_that_is_loaded(tmp_path):
    async with running([PYTHON, "-m", "stack.servers.hub_server"]) as child:
        upstream = Server(**child.ready)
        options = {"chain": CHAINS[0], "folder": tmp_path, "server": "hub", "workers": 1}
        async with Gateway(upstream=upstream.url, policy=POLICY, **options) as gateway:
            token = gateway.token("ada", groups=["data-analysts"])
            async with CLIENTS["python-auto"](gateway.url, token=token, log_level="info") as client:
                assert "Alice Johnson" in await said(client, TEXT)
                gateway.policy_file.write_text(gateway.policy_file.read_text() + MASKING)
                await until(lambda: len(events(gateway.state, "policy")) > 1)
                assert not leaks((await said(client, TEXT)).encode(), "Alice Johnson", "Berlin")
