"""The control process: the console, notifications, seals, and what is written down when time is up.

It decides nothing by itself and touches no traffic: without it calls go on, and held ones wait until their time is
over.
"""

import asyncio
import signal
import ssl
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

import httpx
import structlog
import uvloop

from extproc.bond import run_bound
from extproc.console import console_works
from extproc.core.tickets import Ticket
from extproc.destinations import shipper_of
from extproc.edges.control import QuietServer
from extproc.edges.notify.channels import Channel, MailChannel, SlackChannel, WebhookChannel
from extproc.edges.notify.notifier import Notifier
from extproc.edges.telemetry import configure_logging
from extproc.office import Office, opened_office, secret_in
from extproc.ports import StoreError
from extproc.purging import Purging
from extproc.sealing import Sealing
from extproc.settings import Settings
from extproc.settings.sinks import read_sinks

__all__ = ["main", "preload"]

NAME: Final = "control"
SWEEP_SECONDS: Final = 5.0
SHIPPING_SECONDS: Final = 2.0

log: Final = structlog.get_logger("extproc.control")


def preload() -> None:
    """All that this process needs was loaded with this module."""


def main(arguments: Sequence[str]) -> int:
    """Run the control process of supervisor ``arguments[0]`` until it is told to stop."""
    return run_bound(int(arguments[0]), NAME, lambda settings: uvloop.run(_run(settings)))


async def _run(settings: Settings) -> None:
    configure_logging(level=settings.log_level)
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    sealing = Sealing(settings) if settings.seal_seconds else None
    targets = read_sinks(settings.sinks) if settings.sinks is not None else ()
    shippers = [shipper_of(settings.state_dir, target) for target in targets]
    async with (
        httpx.AsyncClient(trust_env=False) as http,
        opened_office(
            state_dir=settings.state_dir,
            node=settings.node,
            store_url=settings.store_url,
            name=NAME,
            durability=settings.durability,
            payload_keys=settings.payload_keys,
        ) as office,
    ):
        recording = [shipper.run(office.record) for shipper in shippers]
        recording += [sealing.run(office)] if sealing is not None else []
        recording += [Purging(settings, [each.name for each in targets]).run(office)] if settings.purge_seconds else []
        await _serve(settings, office, http, stopping, recording)
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
        server, keeping = console_works(settings, office)
        works += [*keeping, server.serve()]
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
