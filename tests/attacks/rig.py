"""What all attacks share: a policy, the two base requests, a client that keeps every byte, and what was recorded.

``ada`` may call ``echo`` and ``get_customer`` of ``sales-db``; ``run_shell`` is denied to her, and no list shows it.
"""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

__all__ = ["DENIED_TOOL", "MODERN", "POLICY", "Heard", "call", "headers_of", "records", "send"]

MODERN: Final = "2026-07-28"
LEGACY: Final = "2025-06-18"
DENIED_TOOL: Final = "run_shell"
POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: test, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 1h}
servers:
  sales-db:
    server_requests: [sampling, elicitation]
    tools:
      echo: {verb: query}
      get_customer: {verb: query}
      run_shell: {verb: admin}
    unlisted_tools: deny
roles:
  analyst:
    assigned_to: {groups: [data-analysts]}
    grants:
      - {servers: [sales-db], verbs: [query], tools: [echo, get_customer], when: session.calls < 1000000}
      - {servers: [sales-db], prompts: [summarise]}
      - {servers: [sales-db], resources: ["notes://public/*"]}
limits: [{per: principal, servers: [sales-db], calls: 1000000/1m}]
recording: {payloads: masked}
"""
_NAMED: Final = {"tools/call": "name", "prompts/get": "name", "resources/read": "uri"}


def call(method: str = "tools/call", *, id: Any = 1, modern: bool = True, **params: Any) -> dict[str, Any]:  # noqa: A002
    """One request as an honest client of that era writes it."""
    if method == "tools/call":
        params = {"name": "echo", "arguments": {"text": "hello"}} | params
    if modern:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": MODERN,
            "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params}


def headers_of(message: Mapping[str, Any], *, modern: bool = True) -> dict[str, str]:
    """The headers that an honest client sends with ``message``."""
    found = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
    if not modern:
        return found | {"mcp-protocol-version": LEGACY}
    method = message.get("method", "")
    found |= {"mcp-protocol-version": MODERN, "mcp-method": method}
    if method in _NAMED:
        found["mcp-name"] = mirrored(message["params"][_NAMED[method]])
    return found


def mirrored(value: str) -> str:
    """A value as ``Mcp-Name`` carries it."""
    plain = value.isascii() and value.isprintable() and value == value.strip() and not value.startswith("=?base64?")
    return value if plain else f"=?base64?{base64.b64encode(value.encode('utf-8', 'surrogatepass')).decode()}?="


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Every byte that a client got: status 0 where there was no answer, ``cut`` where it ended too early."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False

    @property
    def message(self) -> Any:
        return json.loads(self.body)

    @property
    def refused(self) -> bool:
        """Whether the answer says no: an error status, a JSON-RPC error, or a tool result that is one."""
        if self.status >= 400:
            return True
        message = self.message
        return "error" in message or message["result"].get("isError") is True

    def shows(self, *secrets: str) -> list[str]:
        """Which of these texts are in any byte of the answer."""
        seen = self.body + repr(dict(self.headers)).encode()
        return [secret for secret in secrets if secret.encode() in seen]


async def send(
    http: httpx.AsyncClient, url: str, body: bytes | None = None, *, method: str = "POST", **headers: str
) -> Heard:
    """One request; an answer that breaks off is told, not raised."""
    status, got, kept = 0, {}, bytearray()
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with http.stream(method, url, content=body, headers=named) as answer:
            status, got = answer.status_code, dict(answer.headers)
            async for chunk in answer.aiter_raw():
                kept += chunk
    except httpx.HTTPError:
        return Heard(status=status, headers=got, body=bytes(kept), cut=True)
    return Heard(status=status, headers=got, body=bytes(kept))


def records(state: Path, *kinds: str) -> list[dict[str, Any]]:
    """The audit events in every journal below ``state``, in order of their time."""
    found: Iterable[dict[str, Any]] = (
        json.loads(line)["event"]
        for file in (state / "journal").rglob("*.jsonl")
        for line in file.read_bytes().splitlines()
    )
    return sorted((each for each in found if not kinds or each["kind"] in kinds), key=lambda each: each["at"])
