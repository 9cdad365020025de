"""A client without a token finds its way: 401, RFC 9728, the issuer, a token, and in; the SDK does every step."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken

from extproc.demo.issuer import create_app, loopback_server
from extproc.demo.people import PEOPLE, DevelopmentIssuer
from extproc.demo.proxy import Chain
from plain import NO_AUTHORITY
from stack import conversations as talk
from stack.clients.faces import ClientError
from stack.clients.python_client import python_client
from stack.counterparts import MODERN, canary
from stack.gateway import Gateway, free_ports

pytestmark = pytest.mark.stack

CALLBACK: Final = "http://127.0.0.1:9/callback"
POLICY: Final = """
version: 1
identity:
  issuers:
    - {name: playground, issuer: "{issuer}", audience: "{audience}", jwks_uri: "{jwks_uri}", max_token_age: 2h}
servers:
  canary: {unlisted_tools: query}
roles:
  analyst:
    assigned_to: {groups: [data-analysts]}
    grants:
      - {servers: [canary], tools: [echo]}
"""


class Playground:
    """The playground's issuer, as a gateway trusts one."""

    def __init__(self, issuer: DevelopmentIssuer) -> None:
        self.issuer = issuer
        self.url = issuer.url

    def token(self, subject: str = "analyst", *, audience: str, **_: Any) -> str:
        return self.issuer.mint(PEOPLE[subject], audience=audience, lifetime=600, now=time.time())

    def close(self) -> None:
        """Its server ends with the test."""


@asynccontextmanager
async def playground() -> AsyncIterator[Playground]:
    port = free_ports(1)[0]
    issuer = DevelopmentIssuer.create(url=f"http://127.0.0.1:{port}", audience="http://127.0.0.1/unused")
    server = loopback_server(create_app(issuer), port)
    serving = asyncio.create_task(server._serve())
    try:
        yield Playground(issuer)
    finally:
        server.should_exit = True
        await serving


class Memory:
    """What the SDK's OAuth client keeps."""

    def __init__(self) -> None:
        self.tokens: OAuthToken | None = None
        self.client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class Browser:
    """Goes where the client sends it, as the analyst, and brings the code back."""

    def __init__(self) -> None:
        self.landed: dict[str, list[str]] = {}

    async def visit(self, url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as http:
            answer = await http.get(f"{url}&user=analyst")
        assert answer.status_code == 302, answer.text
        self.landed = parse_qs(urlsplit(answer.headers["location"]).query)

    async def return_code(self) -> AuthorizationCodeResult:
        found = {name: values[0] for name, values in self.landed.items()}
        return AuthorizationCodeResult(code=found["code"], state=found.get("state"), iss=found.get("iss"))


@pytest.mark.parametrize("mode", ["legacy", MODERN])
async def test_the_python_sdk_discovers_the_issuer_and_gets_in(mode: str, chain: Chain, tmp_path: Path) -> None:
    async with (
        canary("python") as upstream,
        playground() as issuer,
        Gateway(
            chain=chain, upstream=upstream.url, folder=tmp_path / "g", policy=POLICY, server="canary", issuer=issuer
        ) as gateway,
    ):
        with pytest.raises(ClientError):
            async with python_client(mode)(gateway.url) as mcp:
                await mcp.call("listTools")
        assert (await upstream.ledger())["requests"] == []

        browser, memory = Browser(), Memory()
        metadata = OAuthClientMetadata(redirect_uris=[CALLBACK], client_name="discovery test")  # type: ignore[list-item]
        auth = OAuthClientProvider(gateway.url, metadata, memory, browser.visit, browser.return_code)
        async with python_client(mode)(gateway.url, auth=auth) as mcp:
            assert talk.names(await mcp.call("listTools"), "tools") == {"echo"}
            said = await mcp.call("callTool", name="echo", arguments={"text": "in"})
            assert said["content"][0]["text"] == "in"
        assert memory.tokens is not None
        received = (await upstream.ledger())["requests"]
        assert not any(memory.tokens.access_token in str(each["headers"]) for each in received)
