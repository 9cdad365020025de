"""The control process: the console, notifications, seals, the index, and what is written down when time is up.

It decides nothing by itself and touches no traffic: without it calls go on, and held ones wait until their time is
over.
"""

import asyncio
import hashlib
import signal
import ssl
import sys
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import httpx
import structlog
import uvicorn
import uvloop

from extproc.bond import run_bound
from extproc.core.audit.steps import login_step
from extproc.core.identity.principals import identify
from extproc.core.model import Principal, RequestHead
from extproc.core.rejection import Rejection
from extproc.core.tickets import Approver, Ticket
from extproc.edges.console.access_api import AccessApi
from extproc.edges.console.api_tokens import ApiTokens
from extproc.edges.console.app import Console
from extproc.edges.console.oidc import OidcLogin, Provider
from extproc.edges.console.people import ClaimPaths, People
from extproc.edges.control import QuietServer
from extproc.edges.keys.fetcher import KeyFetcher
from extproc.edges.keys.session_keys import load_session_keys
from extproc.edges.notify.channels import Channel, MailChannel, SlackChannel, WebhookChannel
from extproc.edges.notify.notifier import Notifier
from extproc.edges.policy_files import PolicyFile
from extproc.edges.sinks.file import FileSink
from extproc.edges.sinks.http import HttpSink
from extproc.edges.sinks.syslog import SyslogSink
from extproc.edges.telemetry import configure_logging
from extproc.indexing import Indexing
from extproc.office import Office, opened_office, secret_in
from extproc.ports import Sink, StoreError
from extproc.purging import Purging
from extproc.sealing import Sealing
from extproc.settings import Settings, host_and_port
from extproc.settings.sinks import FileTarget, HttpTarget, SyslogTarget, read_sinks
from extproc.shipping import Shipper

__all__ = ["main"]

NAME: Final = "control"
SWEEP_SECONDS: Final = 5.0
SHIPPING_SECONDS: Final = 2.0

log: Final = structlog.get_logger("extproc.control")


def main(arguments: Sequence[str]) -> int:
    """Run the control process of supervisor ``arguments[0]`` until it is told to stop."""
    return run_bound(int(arguments[0]), NAME, lambda settings: uvloop.run(_run(settings)))


async def _run(settings: Settings) -> None:
    configure_logging(level=settings.log_level)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    sealing = Sealing(settings) if settings.seal_seconds else None
    targets = read_sinks(settings.sinks) if settings.sinks is not None else ()
    shippers = [Shipper(settings.state_dir, target.name, sink_of(target)) for target in targets]
    indexing = Indexing(settings.state_dir, settings.index_url)
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        opened_office(
            state_dir=settings.state_dir,
            node=settings.node,
            store_url=settings.store_url,
            name=NAME,
            durability=settings.durability,
        ) as office,
    ):
        recording = [shipper.run() for shipper in shippers]
        recording += [sealing.run(office)] if sealing is not None else []
        recording += [Purging(settings, [each.name for each in targets]).run(office)] if settings.purge_seconds else []
        recording += [indexing.run()] if settings.index else []
        await _serve(settings, office, http, stopping, recording)
    await indexing.close()
    if sealing is not None:
        await sealing.finish()
    await asyncio.gather(*(shipper.finish(SHIPPING_SECONDS) for shipper in shippers))


async def _serve(
    settings: Settings,
    office: Office,
    http: httpx.AsyncClient,
    stopping: asyncio.Event,
    recording: Sequence[Coroutine[Any, Any, None]],
) -> None:
    works: list[Coroutine[Any, Any, None]] = [office.shared.watch(), _sweep(office), *recording]
    channels = _channels(settings, http)
    if channels:
        works.append(Notifier(office.tickets, channels, url_of=_address_of(settings)).run())
    server: QuietServer | None = None
    if settings.console:
        tokens = ApiTokens(settings.login_issuer, settings.console_audience) if settings.console_audience else None
        if tokens is not None:
            works.append(tokens.run())
        access, keeping = _access(settings, office)
        works += keeping
        server = _console_server(settings, office, tokens, access)
        works.append(server.serve())
    tasks = [asyncio.ensure_future(work) for work in works]
    waiting = asyncio.ensure_future(stopping.wait())
    done, _ = await asyncio.wait({waiting, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    if server is not None:
        server.should_exit = True
    for task in (waiting, *tasks):
        if server is None or task is not tasks[-1]:
            task.cancel()
    await asyncio.gather(waiting, *tasks, return_exceptions=True)
    for task in done - {waiting}:
        task.result()  # none ends by itself: its failure is ours, and the supervisor starts us anew


async def _sweep(office: Office) -> None:
    while True:
        try:
            await office.desk.sweep()
        except StoreError as failure:
            log.error("expired requests cannot be written down", problem=str(failure))
        await asyncio.sleep(SWEEP_SECONDS)


def _address_of(settings: Settings) -> Callable[[Ticket], str | None]:
    base = settings.console_base
    return lambda ticket: f"{base}/approvals/{ticket.id}" if base else None


def _channels(settings: Settings, http: httpx.AsyncClient) -> list[Channel]:
    channels: list[Channel] = []
    if settings.notify_slack is not None:
        channels.append(SlackChannel(secret_in(settings.notify_slack), http))
    if settings.notify_webhook is not None and settings.notify_webhook_key is not None:
        key = secret_in(settings.notify_webhook_key).encode()
        channels.append(WebhookChannel(secret_in(settings.notify_webhook), key, http))
    if settings.notify_mail is not None:
        channels.append(
            MailChannel(
                secret_in(settings.notify_mail),
                sender=settings.notify_mail_from,
                recipients=settings.notify_mail_to,
                tls=ssl.create_default_context(),
            )
        )
    return channels


def _access(settings: Settings, office: Office) -> tuple[AccessApi, list[Coroutine[Any, Any, None]]]:
    """What takes requests for roles, and the works that keep its policy and its issuers' keys."""
    policy = PolicyFile(settings.policy, shadow=settings.shadow, on_change=_nothing, on_problem=_nothing)
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
    """The workers tell of policies; this process only reads along."""


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

    async def signed_in(person: Approver, local: bool) -> None:
        await office.record(login_step(at=time.time_ns(), person=person, local=local))

    console = Console(
        url=settings.console_base,
        cookie_key=_cookie_key(settings),
        people=People(bearer=tokens.verify if tokens is not None else None, paths=paths),
        desk=office.desk,
        tickets=office.tickets,
        provider=provider,
        local=office.local,
        signed_in=signed_in,
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


def sink_of(target: FileTarget | HttpTarget | SyslogTarget) -> Sink:
    """The sink that a target names."""
    match target:
        case FileTarget():
            return FileSink(target.path)
        case HttpTarget():
            return HttpSink(target.url, form=target.form, token_file=target.token_file, timeout=target.timeout)
        case SyslogTarget():
            host, port = target.host_and_port
            tls = None
            if not target.plaintext:
                tls = ssl.create_default_context(cafile=target.ca_file)
                if target.cert_file is not None:
                    tls.load_cert_chain(target.cert_file, target.key_file)
            return SyslogSink(host, port, tls=tls, timeout=target.timeout)


def _cookie_key(settings: Settings) -> str:
    """The key of the console's cookies, derived from the newest of the node's keys for this one purpose."""
    return hashlib.sha256(b"mcp-extproc console cookie\0" + load_session_keys(settings.state_dir)[0]).hexdigest()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
