"""What the file of sinks may say of each type of sink, checked whole; files stand in for every secret."""

from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from extproc.core.loopback import is_loopback

__all__ = [
    "FILES",
    "FileTarget",
    "HttpTarget",
    "KafkaTarget",
    "OtlpTarget",
    "S3Target",
    "Sasl",
    "SyslogTarget",
    "Target",
]

FILES: Final = ("path", "token_file", "credentials_file", "password_file", "ca_file", "cert_file", "key_file")
"""The members that are paths; relative ones are taken from the folder of the file that names them."""

_MODEL: Final = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
_BUCKET: Final = r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"
_TOKEN_HEADER: Final = r"^[A-Za-z0-9-]{1,64}$"  # noqa: S105 - the name of a header
_TOPIC: Final = r"^[A-Za-z0-9._-]{1,249}$"
_PREFIX: Final = r"^[A-Za-z0-9!_.*'()/-]{0,512}$"

Form: TypeAlias = Literal["lines", "ocsf"]
"""How a record is written: as it stands in the journal, or as an event of the Open Cybersecurity Schema Framework."""


class _Target(BaseModel):
    model_config = _MODEL

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")


class _Remote(_Target):
    """What is reached over the network, over TLS unless it is on this machine."""

    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    timeout: float = Field(default=10.0, gt=0, le=300)


class FileTarget(_Target):
    """A file that lines are appended to."""

    type: Literal["file"]
    path: Path
    form: Form = "lines"


class HttpTarget(_Remote):
    """An HTTP collector."""

    type: Literal["http"]
    url: str
    form: Literal["lines", "hec", "ocsf", "hec-ocsf"] = "lines"
    token_file: Path | None = None

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _guarded(value, "https://siem.example.com/collector")


class OtlpTarget(_Remote):
    """An OpenTelemetry collector that takes logs over HTTP."""

    type: Literal["otlp"]
    url: str
    form: Form = "lines"
    token_file: Path | None = None
    token_header: str = Field(default="authorization", pattern=_TOKEN_HEADER)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        return _guarded(value, "https://otel.example.com:4318/v1/logs")


class SyslogTarget(_Remote):
    """A syslog server."""

    type: Literal["syslog"]
    address: str
    plaintext: bool = False
    form: Form = "lines"

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        return _with_port(value, "logs.example.com:6514")

    @field_validator("plaintext")
    @classmethod
    def _on_this_machine(cls, value: bool, given: Any) -> bool:
        return _only_here(value, [given.data.get("address", "")])

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The address in its parts."""
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)


class Retention(BaseModel):
    """Object Lock: nobody can delete or overwrite an object for so many days."""

    model_config = _MODEL

    mode: Literal["governance", "compliance"]
    days: int = Field(ge=1, le=36500)


class S3Target(_Target):
    """A bucket of S3, or of a store that speaks as S3 does at ``endpoint``."""

    type: Literal["s3"]
    bucket: str = Field(pattern=_BUCKET)
    prefix: str = Field(default="", pattern=_PREFIX)
    region: str | None = None
    endpoint: str | None = None
    addressing: Literal["auto", "path", "virtual"] = "auto"
    credentials_file: Path | None = None
    ca_file: Path | None = None
    encryption: Literal["AES256", "aws:kms"] | None = None
    kms_key: str | None = None
    retention: Retention | None = None
    form: Form = "lines"
    every: float = Field(default=60.0, ge=1, le=3600)
    timeout: float = Field(default=30.0, gt=0, le=300)

    @field_validator("endpoint")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        return None if value is None else _guarded(value, "https://minio.example.com:9000")

    @field_validator("kms_key")
    @classmethod
    def _of_kms(cls, value: str | None, given: Any) -> str | None:
        if value is not None and given.data.get("encryption") != "aws:kms":
            raise ValueError("is for `encryption: aws:kms`")
        return value


class Sasl(BaseModel):
    """How to sign in to Kafka."""

    model_config = _MODEL

    mechanism: Literal["plain", "scram-sha-256", "scram-sha-512"]
    user: str = Field(min_length=1)
    password_file: Path


class KafkaTarget(_Remote):
    """A topic of a Kafka cluster."""

    type: Literal["kafka"]
    brokers: list[str] = Field(min_length=1)
    topic: str = Field(pattern=_TOPIC)
    plaintext: bool = False
    sasl: Sasl | None = None
    form: Form = "lines"

    @field_validator("brokers")
    @classmethod
    def _hosts_and_ports(cls, value: list[str]) -> list[str]:
        return [_with_port(each, "kafka.example.com:9093") for each in value]

    @field_validator("plaintext")
    @classmethod
    def _on_this_machine(cls, value: bool, given: Any) -> bool:
        return _only_here(value, given.data.get("brokers", [""]))

    @model_validator(mode="after")
    def _a_pair(self) -> "KafkaTarget":
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        return self


Target: TypeAlias = Annotated[
    FileTarget | HttpTarget | OtlpTarget | SyslogTarget | S3Target | KafkaTarget, Field(discriminator="type")
]


def _guarded(url: str, example: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
        raise ValueError(f"write a URL without a user, for example {example}")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("http:// would send records in the clear; write https://, or an address of this machine")
    return url


def _with_port(address: str, example: str) -> str:
    host, _, port = address.rpartition(":")
    if not host or "," in host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
        raise ValueError(f"write host:port, for example {example}")
    return address


def _only_here(plaintext: bool, addresses: list[str]) -> bool:
    if plaintext and not all(is_loopback(each.rpartition(":")[0].strip("[]")) for each in addresses):
        raise ValueError("is for an address of this machine alone")
    return plaintext
