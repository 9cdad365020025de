"""``/api/v1/access``: a role for a while, asked for with one's own MCP token and answered like any other request.

Asking gives nothing: the role is there once somebody else has approved it, and ends by itself.
"""

from collections.abc import Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from extproc.core.approval import Refusal
from extproc.core.model import Principal
from extproc.core.policy.rules import Policy
from extproc.core.rejection import Rejection
from extproc.core.tickets import Ask, AskKind
from extproc.desk import Desk
from extproc.edges.console.api import body_of, problem
from extproc.edges.console.shown import as_json
from extproc.ports import SharedStore, StoreError

__all__ = ["AccessApi"]

MAX_REASON_CHARS: Final = 500


class _Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    role: str
    seconds: int
    reason: str = ""


class AccessApi:
    """``requester`` identifies the bearer of an authorization header by the policy; ``policy`` is the one in force."""

    def __init__(
        self,
        *,
        desk: Desk,
        shared: SharedStore,
        policy: Callable[[], Policy],
        requester: Callable[[str], Principal | Rejection],
        clock: Callable[[], int],
        page: Callable[[str], str],
    ) -> None:
        self._desk = desk
        self._shared = shared
        self._policy = policy
        self._requester = requester
        self._clock = clock
        self._page = page
        self.routes = [
            Route("/api/v1/access", self._ask, methods=["POST"]),
            Route("/api/v1/access/{id}", self._show, methods=["GET"]),
        ]

    def _who(self, request: Request) -> Principal | Response:
        principal = self._requester(request.headers.get("authorization", ""))
        if isinstance(principal, Rejection):
            return problem(principal.status, principal.reason, principal.message)
        shared, at = self._shared.current, self._clock()
        if not shared.is_fresh(at):
            return problem(503, "shared_state_stale", "It cannot be told right now who is revoked. Try again.")
        if shared.revocation(principal, "", at) is not None:
            return problem(401, "revoked", "The access of this token was revoked.")
        return principal

    async def _ask(self, request: Request) -> Response:
        principal = self._who(request)
        if isinstance(principal, Response):
            return principal
        body = await body_of(request)
        try:
            wish = msgspec.json.decode(body or b"", type=_Wish)
        except msgspec.DecodeError as error:
            return problem(400, "malformed", f"The request cannot be read: {error}")
        policy = self._policy()
        loan = policy.lent.get(wish.role)
        if loan is None or not 0 < wish.seconds <= loan.seconds:
            most = f" for more than {loan.seconds} seconds" if loan is not None else ""
            return problem(400, "not_lent", f"This role is not lent{most}.")
        ask = Ask(
            kind=AskKind.ACCESS,
            issuer=principal.issuer,
            subject=principal.subject,
            human=principal.human,
            policy_digest=policy.digest,
            approval=loan.approval.name,
            role=wish.role,
            seconds=wish.seconds,
            reason=wish.reason[:MAX_REASON_CHARS],
        )
        try:
            ticket = await self._desk.ask(ask, loan.approval)
        except StoreError:
            return problem(503, "store_failed", "The request cannot be kept right now. Try again.")
        if isinstance(ticket, Refusal):
            return problem(429, ticket.reason, ticket.words)
        shown = as_json(ticket, self._clock()) | {"page": self._page(ticket.id)}
        return JSONResponse(shown, status_code=202)

    async def _show(self, request: Request) -> Response:
        principal = self._who(request)
        if isinstance(principal, Response):
            return principal
        try:
            ticket = await self._desk.get(request.path_params["id"])
        except StoreError:
            return problem(503, "store_failed", "The request cannot be read right now. Try again.")
        if ticket is None or (ticket.ask.issuer, ticket.ask.subject) != (principal.issuer, principal.subject):
            return problem(404, "unknown", "There is no such request.")
        return JSONResponse(as_json(ticket, self._clock()))
