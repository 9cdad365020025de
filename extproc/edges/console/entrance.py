"""Who comes into the console: by the provider of OIDC, or with a local secret; every step goes on record first."""

from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from extproc.core.tickets import Approver
from extproc.edges.console.local_approvers import LOCAL, LocalApprovers, LocalApproversError
from extproc.edges.console.oidc import LoginError, OidcLogin
from extproc.edges.console.pages import field, page
from extproc.edges.console.people import People, is_same_site

__all__ = ["Entrance", "Logins"]

ATTEMPTS: Final = 5
ALL_ATTEMPTS: Final = 60
ATTEMPT_SECONDS: Final = 60.0
"""Local secrets that one address and all may try in so long; a secret has 144 random bits, this only spares the CPU.
Who tries too many locks out himself, not the people who are needed when the provider is away."""
REFUSALS: Final = 30
"""Refused logins that are put on record in so long."""


class Logins(Protocol):
    """Puts on record that somebody ``signed_in``, was ``refused`` (nobody is named), or ``signed_out``."""

    async def __call__(
        self, step: str, person: Approver | None, /, *, local: bool, source: str | None, reason: str | None = None
    ) -> None:
        """Return once it is stored; raises ``StoreError`` where it is not, and then nobody signs in."""


class Entrance:
    """The routes of signing in and out."""

    def __init__(
        self,
        *,
        people: People,
        provider: OidcLogin | None,
        local: LocalApprovers,
        noted: Logins,
        signed_out: Callable[[Approver, str], Awaitable[None]],
        clock: Callable[[], int],
    ) -> None:
        self._people = people
        self._provider = provider
        self._local = local
        self._noted = noted
        self._signed_out = signed_out
        self._clock = clock
        self._attempts: list[tuple[float, str | None]] = []
        self._refusals: list[float] = []
        self.routes = (
            Route("/login", self._login),
            Route("/login/provider", self._to_provider),
            Route("/login/callback", self._from_provider),
            Route("/login/local", self._login_locally, methods=["POST"]),
            Route("/logout", self._logout, methods=["POST"]),
        )

    async def _login(self, request: Request) -> Response:
        return self._login_page(request)

    def _login_page(self, request: Request, problem: str = "", *, status: int = 200) -> Response:
        return page(
            "login.html",
            status=status,
            title="Sign in",
            person=None,
            csrf=self._people.csrf(request),
            problem=problem,
            provider=self._provider is not None,
            local=True,
        )

    async def _to_provider(self, request: Request) -> Response:
        if self._provider is None:
            return RedirectResponse("/login", status_code=303)
        try:
            return await self._provider.begin(request)
        except LoginError as failure:
            return self._login_page(request, str(failure), status=502)

    async def _from_provider(self, request: Request) -> Response:
        if self._provider is None:
            return RedirectResponse("/login", status_code=303)
        try:
            person = await self._provider.finish(request)
        except LoginError as failure:
            request.session.clear()
            await self._refused(request, local=False, reason="provider")
            return self._login_page(request, str(failure), status=403)
        return await self._begin(request, person, local=False)

    async def _login_locally(self, request: Request) -> Response:
        if not is_same_site(request):  # a page elsewhere would sign its reader in as somebody else, who then answers
            return self._login_page(request, "This form is not from a page of this site. Sign in here.", status=403)
        form = await request.form()
        now, source = self._clock() / 1e9, _source(request)
        self._attempts = [each for each in self._attempts if now - each[0] < ATTEMPT_SECONDS]
        if len(self._attempts) >= ALL_ATTEMPTS or sum(by == source for _, by in self._attempts) >= ATTEMPTS:
            return self._login_page(request, "Too many attempts. Wait a minute.", status=429)
        self._attempts.append((now, source))
        try:
            person = await run_in_threadpool(self._local.verify, field(form, "name"), field(form, "secret"))
        except LocalApproversError:
            return self._login_page(request, "Local approvers cannot be read right now.", status=503)
        if person is None:
            await self._refused(request, local=True, reason="secret")
            return self._login_page(request, "There is no such name and secret.", status=403)
        if (now, source) in self._attempts:  # not one of somebody else, who may have tried while this was looked at
            self._attempts.remove((now, source))
        return await self._begin(request, person, local=True)

    async def _begin(self, request: Request, person: Approver, *, local: bool) -> Response:
        await self._noted("signed_in", person, local=local, source=_source(request))
        self._people.sign_in(request, person)
        return RedirectResponse("/approvals", status_code=303)

    async def _refused(self, request: Request, *, local: bool, reason: str) -> None:
        """Put a refusal on record; not more of them than a person makes, for anybody can make them."""
        now = self._clock() / 1e9
        self._refusals = [at for at in self._refusals if now - at < ATTEMPT_SECONDS]
        if len(self._refusals) < REFUSALS:
            self._refusals.append(now)
            await self._noted("refused", None, local=local, source=_source(request), reason=reason)

    async def _logout(self, request: Request) -> Response:
        form = await request.form()
        person = self._people.signed_in(request)
        if person is not None and self._people.may_post(request, field(form, "csrf")):
            session = self._people.session(request)
            request.session.clear()
            await self._signed_out(person, session)  # a copy of the cookie opens nothing either (threat D15)
            await self._noted("signed_out", person, local=person.issuer == LOCAL, source=_source(request))
        return RedirectResponse("/login", status_code=303)


def _source(request: Request) -> str | None:
    return request.client.host if request.client is not None else None
