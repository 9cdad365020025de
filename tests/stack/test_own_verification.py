"""The portable chain without jwt_authn, as its README tells to change it: the service verifies tokens itself."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from plain import NO_AUTHORITY
from stack.gateway import Gateway
from stack.scripted import Recorder

pytestmark = pytest.mark.stack

POLICY = """
version: 1
identity:
  issuers:
    - {name: own, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools: {query: {verb: query}}
    unlisted_tools: deny
roles:
  ada:
    assigned_to: {subjects: [ada]}
    grants: [{servers: [sales-db], verbs: [query]}]
"""


def without_jwt_authn(document: dict[str, Any]) -> None:
    settings = document["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"]
    filters = settings["http_filters"]
    filters[:] = [each for each in filters if each["name"] != "envoy.filters.http.jwt_authn"]
    for host in settings["route_config"]["virtual_hosts"]:
        for route in host["routes"]:
            route["typed_per_filter_config"].pop("envoy.filters.http.jwt_authn", None)
    named = {
        each["name"]: each["typed_config"]["mutations"]["request_mutations"]
        for each in filters
        if "mutations" in each["typed_config"]
    }
    named["mcp.strip"].remove({"remove": "authorization"})
    named["mcp.session"].append({"remove": "authorization"})


async def test_the_service_verifies_the_token_and_challenges_by_itself(tmp_path: Path, recorded: Recorder) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "query", "arguments": {}}}
    accept = {"accept": "application/json, text/event-stream"}
    options: Any = {"policy": POLICY, "upstream": recorded.url, "settings": {"EXTPROC_IDENTITY": "token"}}
    async with (
        Gateway(chain="portable", folder=tmp_path, adapt=without_jwt_authn, **options) as gateway,
        httpx.AsyncClient(headers=accept, trust_env=False, verify=NO_AUTHORITY) as client,
    ):
        for token in (None, "garbage", gateway.token(exp=1), gateway.token(audience="https://other.example")):
            headers = {"authorization": f"Bearer {token}"} if token else {}
            refused = await client.post(gateway.url, json=call, headers=headers)
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("Bearer ")
            assert refused.json()["jsonrpc"] == "2.0"
        assert not recorded.requests
        headers = {"authorization": f"Bearer {gateway.token()}"}
        allowed = await client.post(gateway.url, json=call, headers=headers)
    assert allowed.status_code == 200, allowed.text
    assert allowed.json()["result"] == {"content": []}
    assert recorded.values("authorization") == []
