"""Login at an OpenID Connect provider: authorization code with PKCE, state and nonce, all by authlib.

Raises ``LoginError`` with one line for the person; what the provider said goes to the log, without codes or tokens.
OpenID Connect Core 1.0 section 3.1, RFC 7636, RFC 9700.
"""

from dataclasses import dataclass
from typing import Any

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.starlette_client import OAuth
from starlette.requests import Request
from starlette.responses import Response

from extproc.core.tickets import Approver
from extproc.edges.console.people import ClaimPaths, approver_of

__all__ = ["LoginError", "OidcLogin", "Provider"]

log = structlog.get_logger("extproc.console")


class LoginError(Exception):
    """Nobody is signed in; the text is for the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """One OpenID Connect provider; ``secret`` is empty for a public client."""

    issuer: str
    client_id: str
    secret: str = ""
    scope: str = "openid email profile"


class OidcLogin:
    """Sends people to ``provider`` and takes them back at ``callback``."""

    def __init__(self, provider: Provider, *, callback: str, paths: ClaimPaths) -> None:
        self._provider = provider
        self._callback = callback
        self._paths = paths
        oauth = OAuth()
        self._client: Any = oauth.register(
            "provider",
            client_id=provider.client_id,
            client_secret=provider.secret or None,
            server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": provider.scope,
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if provider.secret else "none",
                "timeout": 10,
            },
        )

    async def begin(self, request: Request) -> Response:
        """The redirect to the provider."""
        try:
            response: Response = await self._client.authorize_redirect(request, self._callback)
        except (httpx2.HTTPError, AuthlibBaseError, ValueError, KeyError) as error:
            log.error("the identity provider cannot be asked", problem=type(error).__name__)
            raise LoginError("The identity provider does not answer. Try again, or sign in locally.") from None
        return response

    async def finish(self, request: Request) -> Approver:
        """The person that the provider sent back."""
        try:
            token = await self._client.authorize_access_token(request, leeway=30)
            claims = dict(token["userinfo"])
        except (httpx2.HTTPError, AuthlibBaseError, ValueError, KeyError) as error:
            log.error("a login failed", problem=type(error).__name__)
            raise LoginError("The login did not succeed. Try again.") from None
        # authlib takes the issuer from the provider's own metadata; ours is the one that the operator named
        person = approver_of(claims, self._paths) if claims.get("iss") == self._provider.issuer else None
        if person is None:
            log.error("a login failed", problem="the ID token is of another issuer, or names nobody")
            raise LoginError("The login did not succeed. Try again.")
        return person
