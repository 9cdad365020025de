import base64
import hmac
import socket
import ssl
from dataclasses import replace

import httpx
import pytest
import uvicorn
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from attacks.certificates import Authority
from extproc.core.approval import open_ticket
from extproc.core.tickets import ApprovalRule, Approvers, Ask, AskKind
from extproc.edges.notify.channels import MailChannel, NotifyError, SlackChannel, WebhookChannel
from plain import NO_AUTHORITY
from ports import free_ports

NOW = 1_800_000_000_000_000_000
KEY = b"k" * 32
RULE = ApprovalRule(name="schema-change", approvers=Approvers(groups=frozenset({"dba"})))
ASK = Ask(
    kind=AskKind.CALL,
    issuer="https://idp.example.com",
    subject="ann <@U1> & co\u202e",
    policy_digest="p1",
    approval="schema-change",
    server="sales-db",
    target="drop_table",
    verb="admin",
    arguments='{"table":"planted-canary"}',
    findings=("DROP TABLE orders",),
    reason="clean up\r\nBcc: all@example.com",
)
TICKET = open_ticket(ASK, RULE, id="t1", at=NOW)


def url_of(ticket):
    return f"https://gateway.example.com/approvals/{ticket.id}"


class Receiver:
    """An HTTP server that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 200

    async def __call__(self, scope, receive, send) -> None:
        body = (await receive())["body"]
        self.requests.append(({name.decode(): value.decode() for name, value in scope["headers"]}, body))
        await send({"type": "http.response.start", "status": self.status, "headers": [(b"location", b"/elsewhere")]})
        await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def receiver():
    kept = Receiver()
    listener = socket.create_server(("127.0.0.1", 0))
    kept.url = f"http://127.0.0.1:{listener.getsockname()[1]}/hook"
    config = uvicorn.Config(kept, log_config=None, lifespan="off")
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    yield kept
    await server.shutdown(sockets=[listener])


@pytest.fixture
async def client():
    async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITY) as opened:
        yield opened


async def test_a_webhook_is_signed_so_that_its_receiver_can_check_it(receiver, client):
    await WebhookChannel(receiver.url, KEY, client).send([TICKET], url_of, NOW)
    ((headers, body),) = receiver.requests
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    assert headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(KEY, signed, "sha256")).decode()
    assert headers["webhook-timestamp"] == "1800000000"
    (told,) = httpx.Response(200, content=body).json()["data"]
    assert (told["ticket"], told["url"]) == ("t1", "https://gateway.example.com/approvals/t1")


async def test_slack_gets_plain_text_that_nothing_interprets(receiver, client):
    await SlackChannel(receiver.url, client).send([TICKET], url_of, NOW)
    message = httpx.Response(200, content=receiver.requests[0][1]).json()
    assert message["blocks"][0]["text"]["type"] == "plain_text"
    assert "DROP TABLE orders" in message["blocks"][0]["text"]["text"]
    assert "<@" not in message["text"]
    assert "\u202e" not in message["text"]


async def test_no_channel_is_told_the_arguments(receiver, client):
    await SlackChannel(receiver.url, client).send([TICKET], url_of, NOW)
    await WebhookChannel(receiver.url, KEY, client).send([TICKET], url_of, NOW)
    assert len(receiver.requests) == 2
    assert all(b"planted-canary" not in body for _, body in receiver.requests)


async def test_a_channel_is_told_of_a_uri_as_the_record_has_it(receiver, client):
    asked = replace(ASK, target="crm://planted-canary", recorded="crm://[email]")
    ticket = open_ticket(asked, RULE, id="t1", at=NOW)
    await SlackChannel(receiver.url, client).send([ticket], url_of, NOW)
    await WebhookChannel(receiver.url, KEY, client).send([ticket], url_of, NOW)
    assert all(b"crm://[email]" in body and b"planted-canary" not in body for _, body in receiver.requests)


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_a_message_that_is_not_taken_is_an_error_without_its_address(receiver, client, status):
    receiver.status = status
    with pytest.raises(NotifyError) as failure:
        await SlackChannel(receiver.url, client).send([TICKET], url_of, NOW)
    assert str(failure.value) == f"slack: answered {status}"
    assert len(receiver.requests) == 1


async def test_a_receiver_that_is_away_is_an_error(client):
    with pytest.raises(NotifyError, match=r"^webhook: ConnectError$"):
        await WebhookChannel("http://127.0.0.1:1/hook", KEY, client).send([TICKET], url_of, NOW)


class Mailbox:
    """An SMTP server that keeps what it is sent."""

    def __init__(self) -> None:
        self.mails: list[str] = []
        self.logins: list[bytes] = []

    async def handle_DATA(self, server, session, envelope) -> str:  # noqa: N802, ARG002 - aiosmtpd's name
        self.mails.append(envelope.content.decode())
        return "250 kept"

    def authenticate(self, server, session, envelope, mechanism, login) -> AuthResult:  # noqa: ARG002
        self.logins.append(login.password)
        return AuthResult(success=True)


@pytest.fixture(scope="module")
def contexts(tmp_path_factory):
    """A server's TLS context, and a client's that trusts it."""
    authority = Authority(tmp_path_factory.mktemp("tls"))
    pair = authority.issue("127.0.0.1")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pair.certificate, pair.key)
    return server, ssl.create_default_context(cafile=str(authority.file))


def mail_server(mailbox, **options) -> Controller:
    controller = Controller(mailbox, hostname="127.0.0.1", port=free_ports(1)[0], **options)
    controller.start()
    return controller


def mail_channel(url, contexts) -> MailChannel:
    return MailChannel(url, sender="gateway@example.com", recipients=["dba@example.com"], tls=contexts[1])


async def test_a_mail_names_the_request_and_nothing_can_add_a_header(contexts):
    mailbox = Mailbox()
    server = mail_server(mailbox)
    try:
        await mail_channel(f"smtp://127.0.0.1:{server.port}", contexts).send([TICKET], url_of, NOW)
    finally:
        server.stop()
    (mail,) = mailbox.mails
    headers, _, text = mail.partition("\r\n\r\n")
    assert "To: dba@example.com" in headers
    assert "Bcc" not in headers
    decoded = text if "drop_table" in text else base64.b64decode(text).decode()
    assert "https://gateway.example.com/approvals/t1" in decoded
    assert "planted-canary" not in decoded


async def test_a_password_travels_over_tls_only(contexts):
    mailbox = Mailbox()
    plain = mail_server(mailbox, authenticator=mailbox.authenticate, auth_require_tls=False)
    secure = mail_server(mailbox, authenticator=mailbox.authenticate, tls_context=contexts[0])
    try:
        with pytest.raises(NotifyError, match="mail: SMTPException"):
            await mail_channel(f"smtp://user:secret@127.0.0.1:{plain.port}", contexts).send([TICKET], url_of, NOW)
        assert mailbox.logins == []
        await mail_channel(f"smtp://user:secret@127.0.0.1:{secure.port}", contexts).send([TICKET], url_of, NOW)
    finally:
        plain.stop()
        secure.stop()
    assert mailbox.logins == [b"secret"]
    assert len(mailbox.mails) == 1


async def test_a_mail_server_that_nobody_vouches_for_gets_nothing(contexts):
    mailbox = Mailbox()
    server = mail_server(mailbox, tls_context=contexts[0])
    try:
        channel = MailChannel(f"smtp://127.0.0.1:{server.port}", sender="a@b.example", recipients=["c@d.example"])
        with pytest.raises(NotifyError, match="mail: SSLCertVerificationError"):
            await channel.send([TICKET], url_of, NOW)
    finally:
        server.stop()
    assert mailbox.mails == []
