"""The HTTP API of the console: the same requests and answers as the pages, for programs, with a bearer token.

Errors are problem details (RFC 9457). No cookie is read here, so no page of another site can call it.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from extproc.core.approval import Refusal, may_see
from extproc.core.tickets import Approver, Ticket
from extproc.desk import Desk
from extproc.edges.console.people import People
from extproc.edges.console.shown import as_json
from extproc.ports import StoreError, TicketStore

__all__ = ["Api", "body_of", "problem"]

MAX_BODY_BYTES: Final = 64 << 10
_STATUS: Final = {"unknown": 404, "not_an_approver": 403, "own_request": 403, "may_not_force": 403}
_REALM: Final = {"www-authenticate": 'Bearer realm="mcp-extproc console"'}


class _Answer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    approves: bool
    digest: str
    reason: str = ""
    force: bool = False


class Api:
    """``/api/v1/approvals``: list, show, answer."""

    def __init__(
        self, *, people: People, desk: Desk, tickets: TicketStore, clock: Callable[[], int] = time.time_ns
    ) -> None:
        self._people = people
        self._desk = desk
        self._tickets = tickets
        self._clock = clock
        self.routes = [
            Route("/api/v1/approvals", self._as(self._list), methods=["GET"]),
            Route("/api/v1/approvals/{id}", self._as(self._show), methods=["GET"]),
            Route("/api/v1/approvals/{id}/answer", self._as(self._answer), methods=["POST"]),
        ]

    def _as(self, work: Callable[[Request, Approver], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        async def checked(request: Request) -> Response:
            person = self._people.bearer(request)
            if person is None:
                return problem(401, "unauthorized", "A bearer token for this console is required.", headers=_REALM)
            try:
                return await work(request, person)
            except StoreError:
                return problem(503, "store_failed", "The requests cannot be read or changed right now. Try again.")

        return checked

    async def _list(self, request: Request, person: Approver) -> Response:  # noqa: ARG002
        await self._desk.sweep()
        at = self._clock()
        seen = [as_json(ticket, at) for ticket in await self._tickets.waiting() if may_see(ticket, person)]
        return JSONResponse({"approvals": seen})

    async def _seen(self, request: Request, person: Approver) -> Ticket | None:
        """The request of the path, if this person may know that it exists (threat A06)."""
        ticket = await self._desk.get(request.path_params["id"])
        return ticket if ticket is not None and may_see(ticket, person) else None

    async def _show(self, request: Request, person: Approver) -> Response:
        ticket = await self._seen(request, person)
        if ticket is None:
            return problem(404, "unknown", "There is no such request.")
        return JSONResponse(as_json(ticket, self._clock()))

    async def _answer(self, request: Request, person: Approver) -> Response:
        body = await body_of(request)
        if body is None:
            return problem(413, "too_large", "An answer is smaller.")
        try:
            answer = msgspec.json.decode(body, type=_Answer)
        except msgspec.DecodeError as error:
            return problem(400, "malformed", f"The answer cannot be read: {error}")
        ticket = await self._seen(request, person)
        if ticket is None:
            return problem(404, "unknown", "There is no such request.")
        if ticket.digest != answer.digest:
            return problem(409, "another_request", "The digest is that of another request.")
        answered = await self._desk.answer(
            ticket.id, person, approves=answer.approves, reason=answer.reason, force=answer.force
        )
        if isinstance(answered, Refusal):
            return problem(_STATUS.get(answered.reason, 409), answered.reason, answered.words)
        return JSONResponse(as_json(answered, self._clock()))


async def body_of(request: Request) -> bytes | None:
    """The body; None where it is too large."""
    collected = bytearray()
    async for chunk in request.stream():
        collected += chunk
        if len(collected) > MAX_BODY_BYTES:
            return None
    return bytes(collected)


def problem(status: int, reason: str, detail: str, *, headers: dict[str, str] | None = None) -> Response:
    """Problem details (RFC 9457); ``reason`` is a stable word."""
    body = {"type": "about:blank", "title": reason, "status": status, "detail": detail}
    return JSONResponse(body, status_code=status, headers=headers, media_type="application/problem+json")
