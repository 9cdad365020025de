"""Lists and patterns over arguments, through a real Envoy: what is not listed, or hides in a corner, goes nowhere."""

import pytest

from extproc.demo.proxy import CHAINS
from stack.calls import executed, site, tool
from stack.servers.recorder import echoes, raw_server

POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers: {sales-db: {tools: {query: {verb: query}}}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants: [{servers: [sales-db], arguments: {schema: [sales, "hr_*"]}}]
deny:
  - name: no-removal
    servers: [sales-db]
    arguments: {"*": {matches: ['rm\\s+-rf']}}
    message: Nothing is removed here.
"""
REFUSED = (
    {},
    {"schema": "payroll"},
    {"schema": ["sales", "payroll"]},
    {"schema": {"sales": "payroll"}},
    {"schema": "sales", "then": "rm   -rf /"},
    {"schema": "sales", "then": [{"deep": ["RM -RF /"]}]},
    {"schema": "sales", "rm -rf": 1},
)


@pytest.mark.parametrize("chain", CHAINS)
async def test_what_the_policy_lists_passes_and_nothing_else(chain, tmp_path):
    async with raw_server() as upstream:
        upstream.script = echoes({"content": [{"type": "text", "text": "rows"}], "resultType": "complete"})
        async with site(chain, upstream.url, tmp_path, policy=POLICY) as stand:
            for arguments in REFUSED:
                answer = await stand.post(tool("query", **arguments))
                assert not answer.allowed, arguments
                words = answer.message["result"]["content"][0]["text"]
                assert "(arguments: " in words
                assert "payroll" not in words
            # members that look alike are no message at all
            assert not (await stand.post(tool("query", schema="sales", Schema="payroll"))).allowed
            assert executed(upstream) == []
            for schema in ("sales", "hr_eu", ["sales", "hr_us"]):
                assert (await stand.post(tool("query", schema=schema))).allowed
            assert len(executed(upstream)) == 3
