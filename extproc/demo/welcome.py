"""What ``extproc up`` prints when everything runs: the address, tokens, and blocks to copy into clients."""

import json
from collections.abc import Mapping
from pathlib import Path

__all__ = ["welcome"]

CALL_META = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "curl", "version": "8"},
    "io.modelcontextprotocol/clientCapabilities": {},
}


def welcome(
    *,
    url: str,
    upstream: str,
    server: str,
    policy: Path,
    state: Path,
    tokens: Mapping[str, str],
    approvals: str = "",
) -> str:
    """The whole text; ``tokens`` by the name of the person, the first one goes into the blocks.

    ``approvals`` says where held calls are answered, and is empty where nothing is held.
    """
    person, token = next(iter(tokens.items()))
    variable = f"${person.upper()}"
    bearer = {"Authorization": f"Bearer {token}"}
    cursor = {"mcpServers": {server: {"url": url, "headers": bearer}}}
    code = {"servers": {server: {"type": "http", "url": url, "headers": bearer}}}
    return f"""\
MCP endpoint  {url}   in front of {upstream}, as server {server}
policy        {policy}   edit it: a change is in force within a second
recorded in   {state}   extproc sessions --state {state} | extproc verify --state {state}
{approvals}
Tokens (throw-away; clients that speak OAuth can also leave the header out and choose a person in the browser):

{_exports(tokens)}

Claude Code:

claude mcp add --transport http {server} {url} --header "Authorization: Bearer {variable}"

Cursor, .cursor/mcp.json:

{json.dumps(cursor, indent=2)}

VS Code, .vscode/mcp.json:

{json.dumps(code, indent=2)}

curl:

{_curl(url, variable, "tools/list")}

{_curl(url, variable, "tools/call", "list_customers")}

Decisions from here on; Ctrl-C stops everything.
"""


def _exports(tokens: Mapping[str, str]) -> str:
    return "\n".join(f"export {person.upper()}={token}" for person, token in tokens.items())


def _curl(url: str, variable: str, method: str, name: str | None = None) -> str:
    params: dict[str, object] = {"_meta": CALL_META}
    named = ""
    if name is not None:
        params = {"name": name, "arguments": {}, **params}
        named = f" -H 'Mcp-Name: {name}'"
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
    return (
        f"curl -sS {url} -H \"Authorization: Bearer {variable}\" -H 'Content-Type: application/json' \\\n"
        "  -H 'Accept: application/json, text/event-stream' -H 'MCP-Protocol-Version: 2026-07-28' \\\n"
        f"  -H 'Mcp-Method: {method}'{named} \\\n"
        f"  -d '{body}'"
    )
