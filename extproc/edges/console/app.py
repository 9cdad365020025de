"""The console's pages: see what waits, answer it; ``entrance`` lets people in.

Nothing changes by GET. A form counts only with the session's own token from a page of this site; an answer only for
the digest that its page showed. Whoever is not signed in sees the login and nothing else; who is signed in but no
approver of a request sees neither it nor that it exists (threat A06).
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from extproc.core.approval import Refusal, may_answer, may_count, may_force, may_see
from extproc.core.tickets import Approver, Ticket, TicketState
from extproc.desk import Desk
from extproc.edges.console.api import Api
from extproc.edges.console.entrance import Entrance, Logins
from extproc.edges.console.local_approvers import LocalApprovers
from extproc.edges.console.oidc import OidcLogin
from extproc.edges.console.pages import HEADERS, field, page, style
from extproc.edges.console.people import SESSION_SECONDS, People
from extproc.edges.console.shown import argument_lines, title
from extproc.ports import StoreError, TicketStore

__all__ = ["Console"]

SHOWN: Final = 200


class Console:
    """The ASGI application in ``application``; ``url`` is the address that people see, ``more`` further routes."""

    def __init__(
        self,
        *,
        url: str,
        cookie_key: str,
        people: People,
        desk: Desk,
        tickets: TicketStore,
        provider: OidcLogin | None,
        local: LocalApprovers,
        noted: Logins,
        signed_out: Callable[[Approver, str], Awaitable[None]],
        more: Sequence[Route] = (),
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._people = people
        self._desk = desk
        self._tickets = tickets
        self._clock = clock
        address = urlsplit(url)
        entrance = Entrance(
            people=people, provider=provider, local=local, noted=noted, signed_out=signed_out, clock=clock
        )
        routes = [
            Route("/", self._home),
            Route("/style.css", self._style),
            Route("/healthz", self._health),
            *entrance.routes,
            Route("/approvals", self._list),
            Route("/approvals/{id}", self._show),
            Route("/approvals/{id}", self._answer, methods=["POST"]),
            *Api(people=people, desk=desk, tickets=tickets, clock=clock).routes,
            *more,
        ]
        self.application = Starlette(
            routes=routes,
            middleware=[
                Middleware(_SafeHeaders),
                # a page of another name that resolves here must not be answered (DNS rebinding)
                Middleware(TrustedHostMiddleware, allowed_hosts=[address.hostname or "localhost"]),
                Middleware(
                    SessionMiddleware,
                    secret_key=cookie_key,
                    session_cookie="__Host-console" if address.scheme == "https" else "console",
                    max_age=SESSION_SECONDS,
                    same_site="lax",  # the provider's redirect brings the cookie of the login back
                    https_only=address.scheme == "https",
                ),
            ],
            exception_handlers={404: _not_found, StoreError: _store_failed},
        )

    async def _home(self, request: Request) -> Response:  # noqa: ARG002
        return RedirectResponse("/approvals", status_code=303)

    async def _style(self, request: Request) -> Response:  # noqa: ARG002
        return style()

    async def _health(self, request: Request) -> Response:  # noqa: ARG002
        return Response("ok\n", media_type="text/plain")

    # --- what waits ----------------------------------------------------------------------------------------------

    async def _list(self, request: Request) -> Response:
        person = self._people.signed_in(request)
        if person is None:
            return RedirectResponse("/login", status_code=303)
        await self._desk.sweep()
        latest = await self._tickets.latest(limit=SHOWN)
        seen = [ticket for ticket in latest if may_see(ticket, person)] + await self._older(latest, person)
        seen.sort(key=lambda ticket: ticket.state is not TicketState.PENDING)
        return page(
            "list.html",
            title="Requests",
            person=person,
            csrf=self._people.csrf(request),
            tickets=seen,
            titles={ticket.id: title(ticket) for ticket in seen},
            left=self._left,
        )

    async def _older(self, latest: Sequence[Ticket], person: Approver) -> list[Ticket]:
        """What waits longer than the latest go back: nobody's requests may push those of others off the page."""
        known = {ticket.id for ticket in latest}
        older = [id_ for id_ in await self._tickets.pending() if id_ not in known] if len(latest) == SHOWN else []
        found: list[Ticket] = []
        for id_ in older:  # one by one: each holds all its arguments
            ticket = await self._tickets.get(id_)
            if ticket is not None and may_see(ticket, person):
                found.append(ticket)
        return found

    async def _show(self, request: Request) -> Response:
        person = self._people.signed_in(request)
        if person is None:
            return RedirectResponse("/login", status_code=303)
        ticket = await self._desk.get(request.path_params["id"])
        if ticket is None or not may_see(ticket, person):
            return _unknown()
        return self._ticket_page(request, person, ticket)

    async def _answer(self, request: Request) -> Response:
        person = self._people.signed_in(request)
        if person is None:
            return RedirectResponse("/login", status_code=303)
        form = await request.form()
        if not self._people.may_post(request, field(form, "csrf")):
            return _refused("This form is not from a page of your session. Open the request again.")
        ticket = await self._desk.get(request.path_params["id"])
        if ticket is None or not may_see(ticket, person):
            return _unknown()
        choice = field(form, "answer")
        if choice not in {"approve", "deny", "force"} or field(form, "digest") != ticket.digest:
            return _refused("This form does not answer this request. Open the request again.")
        answered = await self._desk.answer(
            ticket.id,
            person,
            approves=choice != "deny",
            reason=field(form, "reason")[:1000],
            force=choice == "force",
        )
        if isinstance(answered, Refusal):
            fresh = await self._desk.get(ticket.id) or ticket
            return self._ticket_page(request, person, fresh, problem=answered.words, status=409)
        return RedirectResponse(f"/approvals/{ticket.id}", status_code=303)

    def _ticket_page(
        self, request: Request, person: Approver, ticket: Ticket, *, problem: str = "", status: int = 200
    ) -> Response:
        return page(
            "ticket.html",
            status=status,
            title="Request",
            heading=title(ticket),
            person=person,
            csrf=self._people.csrf(request),
            ticket=ticket,
            lines=argument_lines(ticket),
            left=self._left,
            refusal=may_answer(ticket, person),
            counts=may_count(ticket, person),
            alone=may_force(ticket, person),
            problem=problem,
        )

    def _left(self, ticket: Ticket) -> str:
        if ticket.state not in {TicketState.PENDING, TicketState.APPROVED}:
            return ""
        seconds = max((ticket.expires_at - self._clock()) // 1_000_000_000, 0)
        return f"{seconds // 60}:{seconds % 60:02d}"


def _message(status: int, title: str, message: str) -> Response:
    return page("message.html", status=status, title=title, person=None, csrf="", message=message)


def _unknown() -> Response:
    return page(
        "message.html", status=404, title="Not found", person=None, csrf="", message="There is no such request."
    )


def _refused(why: str) -> Response:
    return _message(403, "Not taken", why)


async def _not_found(request: Request, problem: Exception) -> Response:  # noqa: ARG001
    return _message(404, "Not found", "There is no such page.")


async def _store_failed(request: Request, problem: Exception) -> Response:  # noqa: ARG001
    return _message(503, "Try again", "The requests cannot be read or changed right now. Try again in a moment.")


class _SafeHeaders:
    """Puts the headers of ``pages`` on every response, errors too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, safely)
