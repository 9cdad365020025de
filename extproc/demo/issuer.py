"""A throw-away OAuth 2.1 authorization server for the playground, on loopback only.

Any MCP client can find it, register, and get a token by authorization code with PKCE; the person is chosen on a page
or by ``user=analyst`` in the authorization request, without a password. It never sends a code anywhere but to
loopback, never answers under another host name (DNS rebinding), and never lets a page of another origin read it. It
remembers no clients: a client that registered yesterday works after a restart, because a code is bound to the client,
its redirect URI and its PKCE challenge anyway. RFC 6749, RFC 7591, RFC 7636, RFC 8414, RFC 8707, RFC 9207.
"""

import html
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from extproc.core.wire import strict_json
from extproc.demo.grants import AuthorizationRequest, Codes, Refused, is_loopback, read_form
from extproc.demo.people import PEOPLE, DevelopmentIssuer

__all__ = ["TOKEN_SECONDS", "create_app", "loopback_server"]

TOKEN_SECONDS: Final = 3600
MAX_FORM_BYTES: Final = 64 << 10
NO_STORE: Final = {"cache-control": "no-store"}
PAGE_HEADERS: Final = {
    **NO_STORE,
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
}


@dataclass(slots=True)
class _Endpoints:
    """The endpoints of one issuer, and the codes that wait to be exchanged."""

    issuer: DevelopmentIssuer
    clock: Callable[[], float]
    codes: Codes = field(default_factory=Codes)

    async def metadata(self, _: Request) -> Response:
        """RFC 8414 and OpenID discovery, in one document."""
        url = self.issuer.url
        return JSONResponse(
            {
                "issuer": url,
                "authorization_endpoint": f"{url}/authorize",
                "token_endpoint": f"{url}/token",
                "registration_endpoint": f"{url}/register",
                "jwks_uri": f"{url}/jwks.json",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": True,
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["ES256"],
            }
        )

    async def jwks(self, _: Request) -> Response:
        """The public key."""
        return JSONResponse(self.issuer.key_set())

    async def register(self, request: Request) -> Response:
        """RFC 7591: a public client, with those of its redirect URIs that lead to loopback."""
        document = strict_json.read(await _body(request))
        value = document.value if isinstance(document, strict_json.Document) else None
        asked = value if isinstance(value, dict) else {}
        uris = asked.get("redirect_uris")
        kept = [uri for uri in uris if isinstance(uri, str) and is_loopback(uri)] if isinstance(uris, list) else []
        if not kept:
            raise Refused("invalid_redirect_uri", "a redirect_uri on loopback is required")
        client = {
            "client_id": f"dev-{secrets.token_hex(8)}",
            "client_id_issued_at": int(self.clock()),
            "redirect_uris": kept,
            "grant_types": ["authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        name = asked.get("client_name")
        return JSONResponse({**client, **({"client_name": name} if name else {})}, 201, NO_STORE)

    async def authorize(self, request: Request) -> Response:
        """Send a code for the chosen person to the client's loopback address, or ask who it shall be."""
        asked = read_form(request.url.query)
        if not asked.get("client_id") or not is_loopback(asked.get("redirect_uri", "")):
            raise Refused("invalid_request", "client_id and a redirect_uri on loopback are required")
        try:
            wanted = AuthorizationRequest.read(asked, audience=self.issuer.audience)
        except Refused as refused:
            return self._redirect(asked, refused.body)
        if "user" not in asked:
            return HTMLResponse(_page(asked), headers=PAGE_HEADERS)
        person = PEOPLE.get(asked["user"])
        if person is None:
            return self._redirect(asked, {"error": "access_denied", "error_description": "there is no such person"})
        return self._redirect(asked, {"code": self.codes.issue(wanted, person, now=self.clock())})

    async def token(self, request: Request) -> Response:
        """Exchange a code, once, for an access token."""
        asked = read_form((await _body(request)).decode("utf-8", "replace"))
        if asked.get("grant_type") != "authorization_code":
            raise Refused("unsupported_grant_type", "grant_type must be authorization_code")
        now = self.clock()
        person, audience = self.codes.redeem(asked, now=now)
        access_token = self.issuer.mint(person, audience=audience, lifetime=TOKEN_SECONDS, now=now)
        return JSONResponse(
            {"access_token": access_token, "token_type": "Bearer", "expires_in": TOKEN_SECONDS}, headers=NO_STORE
        )

    def _redirect(self, asked: Mapping[str, str], answer: Mapping[str, str]) -> Response:
        """An authorization response, with the issuer in it (RFC 9207)."""
        uri = asked["redirect_uri"]
        state = {"state": asked["state"]} if "state" in asked else {}
        query = urlencode({**answer, **state, "iss": self.issuer.url})
        return RedirectResponse(f"{uri}{'&' if '?' in uri else '?'}{query}", 302, NO_STORE)


def create_app(issuer: DevelopmentIssuer, *, clock: Callable[[], float] = time.time) -> Starlette:
    """The authorization server of ``issuer``."""
    endpoints = _Endpoints(issuer, clock)
    return Starlette(
        routes=[
            Route("/.well-known/oauth-authorization-server", endpoints.metadata),
            Route("/.well-known/openid-configuration", endpoints.metadata),
            Route("/jwks.json", endpoints.jwks),
            Route("/register", endpoints.register, methods=["POST"]),
            Route("/authorize", endpoints.authorize),
            Route("/token", endpoints.token, methods=["POST"]),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"], www_redirect=False),
            Middleware(
                CORSMiddleware,
                allow_origin_regex=r"http://(127\.0\.0\.1|localhost)(:[0-9]+)?",
                allow_methods=["GET", "POST"],
                allow_headers=["content-type", "mcp-protocol-version"],
            ),
        ],
        exception_handlers={Refused: _refusal},
    )


def loopback_server(app: Starlette, port: int) -> uvicorn.Server:
    """A server for ``app`` on this machine alone; ``await server.serve()`` runs it."""
    return uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning", access_log=False, lifespan="off")
    )


async def _refusal(_: Request, error: Exception) -> Response:
    return JSONResponse(getattr(error, "body", {}), 400, NO_STORE)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_FORM_BYTES:
            raise Refused("invalid_request", "the request is too large")
    return bytes(body)


def _page(asked: Mapping[str, Any]) -> str:
    links = "".join(
        f'<li><a href="?{html.escape(urlencode({**asked, "user": name}))}">{html.escape(person.name)}</a></li>'
        for name, person in PEOPLE.items()
    )
    title = "Who are you?"
    return f"<!doctype html><title>{title}</title><h1>{title}</h1><p>A playground: no password.</p><ul>{links}</ul>"
