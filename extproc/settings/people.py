"""Settings of what humans decide: where shared state is kept, where the console is, who may sign in, who is told."""

from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, field_validator, model_validator
from pydantic_settings import NoDecode

from extproc.core.loopback import is_loopback
from extproc.settings.addresses import host_and_port, is_private

__all__ = ["PeopleSettings"]


class PeopleSettings(BaseModel):
    """The part of the settings that concerns approvals, revocations and roles on loan."""

    store_url: Path | None = None
    """A file with the URL of a PostgreSQL database (``postgresql://...``), for more than one node. Without it the
    shared state is in SQLite in the state directory."""
    console: str = ""
    """Where approvers answer: ``127.0.0.1:8080``. Empty: on the command line alone."""
    console_url: str = ""
    """The address of the console as people see it; empty: ``http://`` and the address above."""
    console_audience: str = ""
    """The audience of bearer tokens for the console's API, from the login issuer; empty: no API tokens."""
    login_issuer: str = ""
    """The OpenID Connect provider of the console."""
    login_client_id: str = ""
    login_client_secret: Path | None = None
    """A file with the client's secret; none for a public client."""
    login_groups: str = "groups"
    """Where the provider's claims hold the groups of a person: a dotted path."""
    login_roles: str = "roles"
    login_human: str = "email"
    """The claim that ties several accounts to one human: nobody approves what another account of his asks for."""
    notify_slack: Path | None = None
    """A file with the URL of a Slack incoming webhook."""
    notify_webhook: Path | None = None
    """A file with the URL of a webhook of your own; signed as Standard Webhooks with ``notify_webhook_key``."""
    notify_webhook_key: Path | None = None
    notify_mail: Path | None = None
    """A file with ``smtps://user:password@host:465`` or ``smtp://host:25``."""
    notify_mail_from: str = ""
    notify_mail_to: Annotated[tuple[str, ...], NoDecode] = ()

    @field_validator("notify_mail_to", mode="before")
    @classmethod
    def _split_mail(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("console")
    @classmethod
    def _console_address(cls, value: str) -> str:
        if value:
            host_and_port(value)
        return value

    @field_validator("console_url", "login_issuer")
    @classmethod
    def _url(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and not (parts.hostname and parts.scheme in {"http", "https"} and not parts.query):
            raise ValueError("write a URL, for example https://gateway.example.com")
        if value and parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("http:// would send logins in the clear; write https://, or an address of this machine")
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if bool(self.login_issuer) != bool(self.login_client_id):
            raise ValueError("a login wants login_issuer and login_client_id, both or none")
        if self.console_audience and not self.login_issuer:
            raise ValueError("console_audience wants login_issuer, whose tokens it is about")
        if self.console and not is_private(self.console) and not self.console_url.startswith("https://"):
            raise ValueError("others reach the console: put TLS in front and set console_url to its https:// address")
        if self.login_issuer and not self.console:
            raise ValueError("login_issuer is for the console: set console as well")
        if (self.notify_webhook is None) != (self.notify_webhook_key is None):
            raise ValueError("a webhook is signed: set notify_webhook and notify_webhook_key, both or none")
        if self.notify_mail is not None and not (self.notify_mail_from and self.notify_mail_to):
            raise ValueError("notify_mail wants notify_mail_from and notify_mail_to")
        return self

    @property
    def console_base(self) -> str:
        """The console's address for people, without a slash at its end; empty without a console."""
        return (self.console_url or (f"http://{self.console}" if self.console else "")).rstrip("/")

    @property
    def tells_people(self) -> bool:
        """Whether there is a console or a channel."""
        return bool(self.console or self.notify_slack or self.notify_webhook or self.notify_mail)
