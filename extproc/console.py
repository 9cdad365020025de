"""The console of one node with all that it stands on, built from the settings and the office.

Whoever is revoked, has signed out, or is no local approver any more is out of it at his next request, and where that
cannot be told it answers nobody.
"""

import asyncio
import hashlib
import time
from collections.abc import Coroutine
from typing import Any

import uvicorn

from extproc.core.audit.steps import login_step
from extproc.core.identity.principals import identify
from extproc.core.model import Principal, RequestHead
from extproc.core.rejection import Rejection
from extproc.core.shared_state import Revocation, Revoked
from extproc.core.tickets import Approver
from extproc.edges.console.access_api import AccessApi
from extproc.edges.console.api_tokens import ApiTokens
from extproc.edges.console.app import Console
from extproc.edges.console.local_approvers import LOCAL, LocalApproversError
from extproc.edges.console.oidc import OidcLogin, Provider
from extproc.edges.console.people import SESSION_SECONDS, ClaimPaths, People
from extproc.edges.control import QuietServer
from extproc.edges.keys.fetcher import KeyFetcher
from extproc.edges.keys.session_keys import load_session_keys
from extproc.edges.names.presidio import installed
from extproc.edges.policy_files import PolicyFile
from extproc.office import Office, new_id, secret_in
from extproc.ports import StoreError
from extproc.settings import Settings, host_and_port

__all__ = ["console_works"]


def console_works(settings: Settings, office: Office) -> tuple[QuietServer, list[Coroutine[Any, Any, None]]]:
    """The server of the console, and the works that keep its policy and keys."""
    tokens = ApiTokens(settings.login_issuer, settings.console_audience) if settings.console_audience else None
    access, works = _access(settings, office)
    if tokens is not None:
        works.append(tokens.run())
    return _console_server(settings, office, tokens, access), works


def _access(settings: Settings, office: Office) -> tuple[AccessApi, list[Coroutine[Any, Any, None]]]:
    """What takes requests for roles, and the works that keep its policy and its issuers' keys."""
    policy = PolicyFile(
        settings.policy, recogniser=installed(), shadow=settings.shadow, on_change=_nothing, on_problem=_nothing
    )
    keys = KeyFetcher(policy.current.identity.issuers)

    def requester(authorization: str) -> Principal | Rejection:
        keys.follow(policy.current.identity.issuers)
        head = RequestHead(server="", http_method="POST", path="", headers={"authorization": authorization})
        return identify(policy.current.identity, head, now=time.time_ns() / 1e9, keys=keys.snapshot())

    api = AccessApi(
        desk=office.desk,
        shared=office.shared,
        policy=lambda: policy.current,
        requester=requester,
        clock=time.time_ns,
        page=lambda ticket: f"{settings.console_base}/approvals/{ticket}",
    )
    return api, [policy.watch(), _keep(keys)]


async def _keep(keys: KeyFetcher) -> None:
    await keys.start()
    try:
        await asyncio.Event().wait()
    finally:
        await keys.stop()


def _nothing(_news: object) -> None:
    """The workers tell of policies; the console only reads along."""


def _console_server(settings: Settings, office: Office, tokens: ApiTokens | None, access: AccessApi) -> QuietServer:
    paths = ClaimPaths(groups=settings.login_groups, roles=settings.login_roles, human=settings.login_human)
    provider: OidcLogin | None = None
    if settings.login_issuer:
        secret = secret_in(settings.login_client_secret) if settings.login_client_secret else ""
        provider = OidcLogin(
            Provider(issuer=settings.login_issuer, client_id=settings.login_client_id, secret=secret),
            callback=f"{settings.console_base}/login/callback",
            paths=paths,
        )

    async def noted(
        step: str, person: Approver | None, /, *, local: bool, source: str | None, reason: str | None = None
    ) -> None:
        await office.record(
            login_step(at=time.time_ns(), step=step, person=person, local=local, source=source, reason=reason)
        )

    async def signed_out(person: Approver, session: str) -> None:
        at = time.time_ns()
        out = Revocation(
            id=new_id(),
            kind=Revoked.SESSION,
            value=session,
            at=at,
            until=at + SESSION_SECONDS * 1_000_000_000,
            reason="signed out of the console",
            by=person.name,
        )
        await office.shared.revoke(out)

    console = Console(
        url=settings.console_base,
        cookie_key=_cookie_key(settings),
        people=People(
            bearer=tokens.verify if tokens is not None else None,
            paths=paths,
            is_out=lambda person, session: _is_out(office, person, session),
        ),
        desk=office.desk,
        tickets=office.tickets,
        provider=provider,
        local=office.local,
        noted=noted,
        signed_out=signed_out,
        more=access.routes,
    )
    host, port = host_and_port(settings.console)
    options: dict[str, Any] = {"log_config": None, "access_log": False, "lifespan": "off", "server_header": False}
    return QuietServer(
        uvicorn.Config(
            console.application,
            host=host,
            port=port,
            ws="none",
            timeout_graceful_shutdown=1,
            limit_concurrency=128,
            **options,
        )
    )


def _is_out(office: Office, person: Principal, session: str) -> bool:
    shared, at = office.shared.current, time.time_ns()
    if not shared.is_fresh(at):
        raise StoreError("it cannot be told right now who is revoked")
    try:
        removed = person.issuer == LOCAL and not office.local.knows(person.subject)
    except LocalApproversError as failure:
        raise StoreError(str(failure)) from None
    return removed or shared.revocation(person, session, at) is not None


def _cookie_key(settings: Settings) -> str:
    """The key of the console's cookies, derived from the newest of the node's keys for this one purpose."""
    return hashlib.sha256(b"mcp-extproc console cookie\0" + load_session_keys(settings.state_dir)[0]).hexdigest()
