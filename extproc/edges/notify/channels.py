"""The channels of notifications: each sends one message about one requester's tickets, or raises ``NotifyError``.

The signed webhook follows Standard Webhooks 1.0: ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` =
``v1,`` + base64 of HMAC-SHA-256 over ``id.timestamp.body``, so that its receiver can check it with any library of that
convention. Addresses and keys come from the operator's settings and are never logged.
"""

import asyncio
import base64
import hashlib
import hmac
import smtplib
import ssl
from collections.abc import Callable, Sequence
from email.message import EmailMessage
from typing import Final, Protocol
from urllib.parse import urlsplit

import httpx
import orjson

from extproc.core.tickets import Ticket
from extproc.edges.notify.words import lines, subject_line

__all__ = ["Channel", "MailChannel", "NotifyError", "SlackChannel", "WebhookChannel"]

TIMEOUT_SECONDS: Final = 10.0


class NotifyError(Exception):
    """A message was not taken; the text names the channel and the cause, never an address or a key."""


class Channel(Protocol):
    """One way to reach approvers."""

    name: str

    async def send(self, tickets: Sequence[Ticket], url_of: Callable[[Ticket], str | None], at: int) -> None:
        """Send one message about tickets of one requester, at ``at`` nanoseconds since the epoch.

        Raises:
            NotifyError: it was not taken.
        """


class SlackChannel:
    """A Slack incoming webhook. Text goes as ``plain_text`` blocks, where Slack interprets nothing."""

    name = "slack"

    def __init__(self, url: str, client: httpx.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def send(self, tickets: Sequence[Ticket], url_of: Callable[[Ticket], str | None], at: int) -> None:  # noqa: ARG002
        """Post one message."""
        blocks = [
            {"type": "section", "text": {"type": "plain_text", "text": "\n".join(lines(each, url_of(each)))[:3000]}}
            for each in tickets[:20]
        ]
        # the fallback text is markup: its three special characters are written out as Slack asks
        text = subject_line(tickets).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        await _post(self._client, self.name, self._url, orjson.dumps({"text": text, "blocks": blocks}), {})


class WebhookChannel:
    """A webhook of the operator's own; ``key`` is shared with the receiver."""

    name = "webhook"

    def __init__(self, url: str, key: bytes, client: httpx.AsyncClient) -> None:
        self._url = url
        self._key = key
        self._client = client

    async def send(self, tickets: Sequence[Ticket], url_of: Callable[[Ticket], str | None], at: int) -> None:
        """Post one message with its signature; its id is the same when it is sent again."""
        body = orjson.dumps(
            {
                "type": "approval.requested",
                "timestamp": at,
                "data": [_of(ticket, url_of(ticket)) for ticket in tickets],
            }
        )
        message = "msg_" + hashlib.sha256(" ".join(ticket.id for ticket in tickets).encode()).hexdigest()[:24]
        stamp = str(at // 1_000_000_000)
        signed = hmac.digest(self._key, f"{message}.{stamp}.".encode() + body, "sha256")
        headers = {
            "webhook-id": message,
            "webhook-timestamp": stamp,
            "webhook-signature": "v1," + base64.b64encode(signed).decode(),
        }
        await _post(self._client, self.name, self._url, body, headers)


def _of(ticket: Ticket, url: str | None) -> dict[str, object]:
    ask = ticket.ask
    return {
        "ticket": ticket.id,
        "digest": ticket.digest,
        "asks": ask.kind.value,
        "approval": ask.approval,
        "issuer": ask.issuer,
        "subject": ask.subject,
        "server": ask.server,
        "method": ask.method,
        "target": ask.recorded or ask.target,
        "verb": ask.verb,
        "role": ask.role,
        "seconds": ask.seconds,
        "findings": list(ask.findings),
        "reason": ask.reason,
        "expires_at": ticket.expires_at,
        "url": url,
    }


async def _post(client: httpx.AsyncClient, name: str, url: str, body: bytes, headers: dict[str, str]) -> None:
    try:
        answer = await client.post(
            url,
            content=body,
            headers={"content-type": "application/json", **headers},
            timeout=TIMEOUT_SECONDS,
            follow_redirects=False,
        )
    except httpx.HTTPError as error:
        raise NotifyError(f"{name}: {type(error).__name__}") from None
    if not 200 <= answer.status_code < 300:
        raise NotifyError(f"{name}: answered {answer.status_code}")


class MailChannel:
    """Mail by SMTP: ``smtps://user:password@host:465`` or ``smtp://host:25``, which turns to TLS where it is offered.

    A password is only ever sent over TLS.
    """

    name = "mail"

    def __init__(self, url: str, *, sender: str, recipients: Sequence[str], tls: ssl.SSLContext | None = None) -> None:
        self._url = urlsplit(url)
        self._sender = sender
        self._recipients = tuple(recipients)
        self._tls = tls or ssl.create_default_context()

    async def send(self, tickets: Sequence[Ticket], url_of: Callable[[Ticket], str | None], at: int) -> None:  # noqa: ARG002
        """Send one plain-text mail."""
        mail = EmailMessage()
        mail["From"] = self._sender
        mail["To"] = ", ".join(self._recipients)
        mail["Subject"] = subject_line(tickets).replace("\n", " ")[:200]
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no vacation notes, please
        mail.set_content("\n\n".join("\n".join(lines(each, url_of(each))) for each in tickets) + "\n")
        try:
            await asyncio.to_thread(self._deliver, mail)
        except (OSError, smtplib.SMTPException) as error:
            raise NotifyError(f"{self.name}: {type(error).__name__}") from None

    def _deliver(self, mail: EmailMessage) -> None:
        host = self._url.hostname or "localhost"
        if self._url.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                host, self._url.port or 465, timeout=TIMEOUT_SECONDS, context=self._tls
            )
        else:
            server = smtplib.SMTP(host, self._url.port or 25, timeout=TIMEOUT_SECONDS)
        with server:
            if self._url.scheme == "smtp":
                server.ehlo()
                if server.has_extn("starttls"):
                    server.starttls(context=self._tls)
                elif self._url.username:
                    raise smtplib.SMTPException("no TLS for a password")
            if self._url.username:
                server.login(self._url.username, self._url.password or "")
            server.send_message(mail)
