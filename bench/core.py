"""The CPU time of the core alone for one call of half a kilobyte: ``python bench/core.py``.

One exchange from its head to its forward, its audit event made and chained, with a condition on an argument or on the
tables of its SQL; no gRPC, no Envoy, no disk. Prints the best and the median of many batches, because other loads only
ever add.
"""

import json
import statistics
import time
from collections.abc import Sequence

from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from msgspec.structs import replace

from extproc.core import audit
from extproc.core.exchange import BodyReceived, Exchange, Forward, HeadReceived, Snapshot, Store, Stored
from extproc.core.handles import KeyRing
from extproc.core.identity.acquaintances import Acquaintances
from extproc.core.model import RequestHead
from extproc.core.policy.compiled import load

NOW = 1_800_000_000_000_000_000
ISSUER, AUDIENCE = "https://idp.example.com", "https://mcp.example.com/sales-db/mcp"
POLICY = f"""
version: 1
identity:
  issuers: [{{name: corp, issuer: "{ISSUER}", audience: "{AUDIENCE}", jwks_file: keys.json, max_token_age: 1h}}]
servers:
  sales-db:
    tools:
      echo: {{verb: query}}
      query: {{verb: sql, sql: {{argument: sql, dialect: postgres}}}}
      drop_table: {{verb: admin}}
roles:
  analyst:
    assigned_to: {{groups: [data-analysts]}}
    grants:
      - {{servers: [sales-db], verbs: [query], tools: [echo], when: 'arguments.text.size() < 1000'}}
      - {{servers: [sales-db], verbs: [query], tools: [query], when: 'sql.tables.all(t, t.startsWith("sales."))'}}
recording: {{payloads: none}}
"""
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
HEAD = RequestHead(
    server="sales-db",
    http_method="POST",
    path="/mcp",
    headers={
        "content-type": "application/json",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": "tools/call",
        "mcp-name": "echo",
    },
    claims={
        "iss": ISSUER,
        "sub": "ann",
        "aud": AUDIENCE,
        "iat": NOW / 1e9 - 60,
        "exp": NOW / 1e9 + 600,
        "groups": ["data-analysts"],
    },
    source="10.0.0.9:1",
)
BATCH, BATCHES, NEW_BATCHES = 200, 100, 10
SQL = "SELECT o.id, o.total, c.name FROM sales.orders o JOIN sales.customers c ON c.id = o.customer WHERE o.id = {}"


def call(tool: str, argument: str, text: str) -> bytes:
    """A call of half a kilobyte."""
    params = {"name": tool, "arguments": {argument: text}, "_meta": META}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    return json.dumps(body, separators=(",", ":")).encode()


def measured(snapshot: Snapshot, head: RequestHead, batches: Sequence[Sequence[bytes]]) -> tuple[float, float]:
    """Best and median microseconds of one call, over the batches."""
    previous = audit.GENESIS
    costs = []
    for bodies in batches:
        begun = time.process_time()
        for number, body in enumerate(bodies):
            exchange = Exchange(snapshot, decision_id="0123456789abcdef01234567")
            exchange.handle(HeadReceived(at=NOW, head=head, bodiless=False))
            (store,) = exchange.handle(BodyReceived(at=NOW, body=body))
            assert isinstance(store, Store), store  # noqa: S101
            previous = audit.link(number, previous, audit.encode(store.event)).hash
            (forward,) = exchange.handle(Stored(at=NOW))
            assert isinstance(forward, Forward), store  # noqa: S101
        costs.append((time.process_time() - begun) / len(bodies) * 1e6)
    return min(costs), statistics.median(costs)


def main() -> None:
    """Measure and print."""
    policy = load(POLICY, source="policy.yaml")
    assert not isinstance(policy, tuple), policy  # noqa: S101
    ring = KeyRing([AESSIV.generate_key(512)])
    snapshot = Snapshot(policy=policy, ring=ring, acquaintances=Acquaintances())
    plain, queries = [call("echo", "text", "x" * 200)] * BATCH, [call("query", "sql", SQL.format(0))] * BATCH
    numbers = iter(range(1, BATCH * NEW_BATCHES + 1))
    new = [[call("query", "sql", SQL.format(next(numbers))) for _ in range(BATCH)] for _ in range(NEW_BATCHES)]
    asking = replace(HEAD, headers={**HEAD.headers, "mcp-name": "query"})
    for name, head, batches in (
        ("without SQL", HEAD, [plain] * BATCHES),
        ("with SQL that came before", asking, [queries] * BATCHES),
        ("with SQL never seen", asking, new),
    ):
        best, median = measured(snapshot, head, batches)
        print(f"core, one call of {len(batches[0][0])} bytes {name}: best {best:.0f} µs, median {median:.0f} µs")


if __name__ == "__main__":
    main()
