"""Bearer tokens of the console's API: verified here, with the keys of the login provider.

The provider's metadata says where its keys are (OpenID Connect Discovery 1.0); they are read in the background, and
until they are there every token is refused. A token must be made for the console's own audience.
"""

import asyncio
import time
from typing import Final

import httpx
import structlog

from extproc.core.identity.key_sets import Key, KeySetFault, read_key_set
from extproc.core.identity.tokens import Memory, VerifiedToken, verify
from extproc.core.model import Issuer
from extproc.core.rejection import Rejection

__all__ = ["ApiTokens"]

REFRESH_SECONDS: Final = 300.0
RETRY_SECONDS: Final = 10.0
MAX_TOKEN_AGE_SECONDS: Final = 24 * 3600.0

log: Final = structlog.get_logger("extproc.console")


class ApiTokens:
    """Verifies tokens of ``issuer`` for ``audience``."""

    def __init__(self, issuer: str, audience: str) -> None:
        self._issuer = Issuer(name="console", issuer=issuer, audiences=(audience,), max_token_age=MAX_TOKEN_AGE_SECONDS)
        self._keys: dict[str, tuple[Key, ...]] = {}
        self._memory = Memory(capacity=256)

    def verify(self, token: str) -> VerifiedToken | Rejection:
        """The token's claims, or why it opens nothing."""
        return verify(token, (self._issuer,), self._keys, now=time.time(), memory=self._memory)

    async def run(self) -> None:
        """Keep the keys until cancelled."""
        async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
            while True:
                refreshed = await self._refresh(http)
                await asyncio.sleep(REFRESH_SECONDS if refreshed else RETRY_SECONDS)

    async def _refresh(self, http: httpx.AsyncClient) -> bool:
        place = f"{self._issuer.issuer.rstrip('/')}/.well-known/openid-configuration"
        try:
            metadata = (await http.get(place)).raise_for_status().json()
            is_its_own = metadata["issuer"] == self._issuer.issuer
            raw = (await http.get(str(metadata["jwks_uri"]))).raise_for_status().content
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, KeyError, TypeError) as error:
            log.error("the login provider cannot be read; API tokens may be refused", problem=type(error).__name__)
            return False
        keys = read_key_set(raw)
        if not is_its_own or isinstance(keys, KeySetFault):
            why = str(keys) if is_its_own else "its metadata names another issuer"
            log.error("the login provider's keys cannot be used; API tokens may be refused", problem=why)
            return False
        self._keys = {self._issuer.name: keys}
        return True
