"""The settings of one node: names, kinds, defaults, and what contradicts what."""

import os
import re
import socket
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from extproc.settings.addresses import MAX_UNIX_PATH, UNIX, host_and_port, is_private
from extproc.settings.people import PeopleSettings
from extproc.settings.recording import RecordingSettings

__all__ = ["MAX_WORKERS", "PREFIX", "Settings", "default_state_dir", "default_workers"]

MAX_WORKERS: Final = 64
PREFIX: Final = "EXTPROC_"
FIRST_PORT: Final = 50051

_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_SPIFFE: Final = re.compile(r"spiffe://[a-z0-9._-]{1,255}/[A-Za-z0-9._/-]{1,1790}")


def default_state_dir() -> Path:
    """Where the journal, counters and keys live when nobody says otherwise."""
    return Path(".extproc")


def default_workers() -> int:
    """One worker for each CPU this process may run on."""
    try:
        count = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        count = os.cpu_count() or 1
    return min(count, MAX_WORKERS)


class Settings(PeopleSettings, RecordingSettings, BaseSettings):
    """The settings of one node."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, frozen=True, extra="forbid", hide_input_in_errors=True
    )

    policy: Path
    state_dir: Path = Field(default_factory=default_state_dir)
    listen: Annotated[tuple[str, ...], NoDecode] = ()
    """One address for each worker: ``127.0.0.1:50051`` or ``unix:/run/extproc/0.sock``. Envoy lists them all."""
    workers: int = Field(default=0, ge=0, le=MAX_WORKERS)
    """0 counts the addresses in ``listen``, or else the CPUs."""
    identity: Literal["envoy", "token"] = "envoy"
    """Who verifies tokens: Envoy's jwt_authn filter, or this service."""
    shadow: bool = False
    """Do not enforce what the policy denies, only record it. Whoever sets this owns the risk; every event says so."""
    metrics: str = "127.0.0.1:9464"
    """Where ``/metrics``, ``/healthz`` and ``/readyz`` are served. Port 0 takes a free one."""
    drain_seconds: float = Field(default=10.0, ge=0, le=600)
    """How long exchanges in flight may go on after SIGTERM."""
    node: str = Field(default_factory=socket.gethostname, validate_default=True)
    """The name of this machine or pod on every event."""
    tls_cert: Path | None = None
    tls_key: Path | None = None
    tls_client_ca: Path | None = None
    tls_clients: Annotated[tuple[str, ...], NoDecode] = ()
    """SPIFFE ids of the Envoys that may ask."""
    allow_plaintext: bool = False
    """Listen in the clear on an address that others can reach. Whoever reaches it can speak as Envoy: claim any
    identity, learn what the policy allows, fill the journal. Only for a network that nobody else is on."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("listen", "tls_clients", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("listen")
    @classmethod
    def _addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for address in value:
            if address.startswith(UNIX):
                path = address.removeprefix(UNIX)
                if not path.startswith("/") or len(path.encode()) >= MAX_UNIX_PATH:
                    raise ValueError(f"a unix address is unix:/path, absolute and under {MAX_UNIX_PATH} bytes")
            elif host_and_port(address)[1] == 0:
                raise ValueError("port 0 would be an address that Envoy cannot know; name a port")
        if len(set(value)) < len(value):
            raise ValueError("an address stands here twice; every worker needs its own")
        return value

    @field_validator("metrics")
    @classmethod
    def _metrics_address(cls, value: str) -> str:
        host_and_port(value)
        return value

    @field_validator("node")
    @classmethod
    def _node_name(cls, value: str) -> str:
        if not _NODE.fullmatch(value):
            raise ValueError("write a host name: letters, digits, '.', '_' and '-'")
        return value

    @field_validator("tls_clients")
    @classmethod
    def _spiffe_ids(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_SPIFFE.fullmatch(identity) for identity in value):
            raise ValueError("write whole SPIFFE ids, for example spiffe://prod.example.com/ns/gateway/sa/envoy")
        return value

    @model_validator(mode="after")
    def _one_address_each(self) -> Self:
        workers = self.workers or len(self.listen) or default_workers()
        listen = self.listen or tuple(f"127.0.0.1:{FIRST_PORT + index}" for index in range(workers))
        if len(listen) != workers:
            raise ValueError(f"listen names {len(listen)} addresses for {workers} workers; each worker needs one")
        if workers > MAX_WORKERS:
            raise ValueError(f"listen names {workers} addresses; {MAX_WORKERS} workers are the most")
        # a frozen model is settled here, before anybody has seen it
        self.__dict__.update(workers=workers, listen=listen)
        return self

    @model_validator(mode="after")
    def _nobody_else_speaks_as_envoy(self) -> Self:
        parts = {"tls_cert": self.tls_cert, "tls_key": self.tls_key, "tls_client_ca": self.tls_client_ca}
        missing = [name for name, value in (parts | {"tls_clients": self.tls_clients}).items() if not value]
        if missing and len(missing) < 4:
            raise ValueError(
                f"TLS wants Envoy's certificate too: set {', '.join(missing)} as well, or none of the four"
            )
        for name, path in parts.items():
            if path is not None and not os.access(path, os.R_OK):
                raise ValueError(f"{name} cannot be read: {path}")
        if self.tls and any(address.startswith(UNIX) for address in self.listen):
            raise ValueError("listen: TLS is for host:port; who may open a unix: socket is said by its folder's mode")
        exposed = [address for address in self.listen if not is_private(address)]
        if missing and exposed and not self.allow_plaintext:
            raise ValueError(
                f"listen is open to others without TLS ({', '.join(exposed)}): whoever reaches it can speak as Envoy; "
                "set the tls_* settings, use unix: or 127.0.0.1, or set allow_plaintext on a network of your own"
            )
        if self.tls and len(os.fsencode(self.health_socket(self.workers - 1))) >= MAX_UNIX_PATH:
            raise ValueError("state_dir is too long a path for the health sockets inside it; choose a shorter one")
        return self

    @property
    def needs_control(self) -> bool:
        """Whether there is anything for the control process to do."""
        records = self.seal_seconds or self.purge_seconds or self.index or self.sinks is not None
        return bool(records) or self.tells_people

    @property
    def tls(self) -> bool:
        """True if Envoy must show a certificate."""
        return self.tls_cert is not None

    def health_socket(self, index: int) -> Path:
        """Where worker ``index`` answers health in the clear, when TLS closes its own address to the supervisor."""
        return self.state_dir.absolute() / "run" / f"{index}.sock"

    def health_address(self, index: int) -> str:
        """The address at which worker ``index`` answers gRPC health to this machine's own user."""
        return f"{UNIX}{self.health_socket(index)}" if self.tls else self.listen[index]
