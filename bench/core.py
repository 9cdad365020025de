"""The CPU time of the core alone for one call of half a kilobyte: ``python bench/core.py``.

One exchange from its head to its forward, its audit event made and chained, with a condition on an argument; no gRPC,
no Envoy, no disk. Prints the best and the median of many batches, because other loads only ever add.
"""

import json
import statistics
import time

from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from extproc.core import audit
from extproc.core.exchange import BodyReceived, Exchange, HeadReceived, Snapshot, Store, Stored
from extproc.core.handles import KeyRing
from extproc.core.model import RequestHead
from extproc.core.policy.compiled import load

NOW = 1_800_000_000_000_000_000
ISSUER, AUDIENCE = "https://idp.example.com", "https://mcp.example.com/sales-db/mcp"
POLICY = f"""
version: 1
identity:
  issuers: [{{name: corp, issuer: "{ISSUER}", audience: "{AUDIENCE}", jwks_file: keys.json, max_token_age: 1h}}]
servers:
  sales-db: {{tools: {{echo: {{verb: query}}, drop_table: {{verb: admin}}}}}}
roles:
  analyst:
    assigned_to: {{groups: [data-analysts]}}
    grants: [{{servers: [sales-db], verbs: [query], tools: [echo], when: 'arguments.text.size() < 1000'}}]
recording: {{payloads: none}}
"""
META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
CALL = {"name": "echo", "arguments": {"text": "x" * 200}, "_meta": META}
BODY = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": CALL}, separators=(",", ":")).encode()
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
BATCH, BATCHES = 1000, 40


def main() -> None:
    """Measure and print."""
    policy = load(POLICY, source="policy.yaml")
    assert not isinstance(policy, tuple), policy  # noqa: S101
    snapshot = Snapshot(policy=policy, ring=KeyRing([AESSIV.generate_key(512)]))
    previous = audit.GENESIS
    costs = []
    for _ in range(BATCHES):
        begun = time.process_time()
        for number in range(BATCH):
            exchange = Exchange(snapshot, decision_id="0123456789abcdef01234567")
            exchange.handle(HeadReceived(at=NOW, head=HEAD, bodiless=False))
            (store,) = exchange.handle(BodyReceived(at=NOW, body=BODY))
            assert isinstance(store, Store)  # noqa: S101
            previous = audit.link(number, previous, audit.encode(store.event)).hash
            exchange.handle(Stored(at=NOW))
        costs.append((time.process_time() - begun) / BATCH * 1e6)
    print(f"core, one call of {len(BODY)} bytes: best {min(costs):.1f} µs, median {statistics.median(costs):.1f} µs")


if __name__ == "__main__":
    main()
