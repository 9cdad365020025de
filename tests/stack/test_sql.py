"""SQL in the arguments of a call, through a real Envoy: it is judged by what it does before the server sees a byte."""

import pytest

from extproc.demo.proxy import CHAINS
from stack.calls import events, executed, site, tool
from stack.servers.recorder import echoes, raw_server

POLICY = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    tools:
      query: {verb: sql, sql: {argument: sql, dialect: postgres}}
roles:
  analyst:
    assigned_to: {groups: [analysts]}
    grants:
      - {servers: [sales-db], verbs: [query], when: 'sql.tables.all(t, t.startsWith("sales."))'}
deny:
  - {name: no-unbounded, servers: ["*"], when: sql.unbounded_write || sql.drops, message: Name the rows.}
"""
REFUSED = {
    "WITH gone AS (DELETE FROM sales.orders WHERE id = 1 RETURNING *) SELECT * FROM gone": "DELETE on sales.orders",
    "SELECT 1 FROM sales.orders; DROP TABLE sales.orders": "DROP TABLE on sales.orders",
    "DELETE/**/FROM sales.orders": "DELETE without WHERE on sales.orders",
    "SELECT pg_read_file('/etc/passwd')": "calls pg_read_file",
    "SELECT salary FROM hr.staff": "is not met",
    "SELECT 'unfinished": "could not be read",
}


@pytest.mark.parametrize("chain", CHAINS)
async def test_what_reads_the_sales_passes_and_the_rest_is_refused_with_what_it_does(chain, tmp_path):
    async with raw_server() as upstream:
        upstream.script = echoes({"content": [{"type": "text", "text": "rows"}], "resultType": "complete"})
        async with site(chain, upstream.url, tmp_path, policy=POLICY) as stand:
            for sql, said in REFUSED.items():
                answer = await stand.post(tool("query", sql=sql))
                assert not answer.allowed
                words = answer.message["result"]["content"][0]["text"]
                assert said in words, sql
                assert "/etc/passwd" not in words
            assert executed(upstream) == []
            assert (await stand.post(tool("query", sql="SELECT id, total FROM sales.orders LIMIT 5"))).allowed
            assert len(executed(upstream)) == 1
            found = events(stand.gateway.state, "decision")
            assert [event["effect"] for event in found] == ["deny"] * len(REFUSED) + ["allow"]
            assert found[-1]["sql"]["tables"] == ["sales.orders"]
