"""What the operator sets once: read at start from ``EXTPROC_*`` and a file, checked whole, frozen.

Order: command line, then environment, then the file (``--config`` or ``EXTPROC_CONFIG``; YAML or TOML), then the
default. A name that is not listed here is refused, because a misspelt ``EXTPROC_TLS_CLIENTS`` must not start a
service without it. Values are never quoted in an error, and paths stand here instead of secrets, so nothing printed
from here can carry one. Policy is not here: it is a file of its own that is read again while the service runs.
"""

import difflib
import ipaddress
import os
import re
import socket
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

__all__ = [
    "MAX_WORKERS",
    "Settings",
    "SettingsError",
    "default_state_dir",
    "default_workers",
    "host_and_port",
    "read_settings",
]

MAX_WORKERS: Final = 64
PREFIX: Final = "EXTPROC_"
CONFIG: Final = "EXTPROC_CONFIG"
FIRST_PORT: Final = 50051
UNIX: Final = "unix:"
MAX_UNIX_PATH: Final = 104
"""``sun_path`` holds 108 bytes on Linux and 104 on the BSDs, the closing zero included."""

_NODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,252}")
_SPIFFE: Final = re.compile(r"spiffe://[a-z0-9._-]{1,255}/[A-Za-z0-9._/-]{1,1790}")


class SettingsError(Exception):
    """The settings cannot be used; the text is one line for each problem, naming where it stands and the fix."""


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


def host_and_port(address: str) -> tuple[str, int]:
    """Split ``127.0.0.1:50051`` or ``[::1]:50051``.

    Raises:
        ValueError: not an IP address or localhost with a port.
    """
    host, colon, port = address.rpartition(":")
    if not (colon and port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise ValueError("write host:port, for example 127.0.0.1:50051")
    if host.startswith("[") and host.endswith("]"):
        return str(ipaddress.IPv6Address(host[1:-1])), int(port)
    if host == "localhost":
        return "127.0.0.1", int(port)
    try:
        return str(ipaddress.IPv4Address(host)), int(port)
    except ValueError:
        raise ValueError("the host must be an IP address (IPv6 in brackets) or localhost") from None


def _is_private(address: str) -> bool:
    return address.startswith(UNIX) or ipaddress.ip_address(host_and_port(address)[0]).is_loopback


class Settings(BaseSettings):
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
    durability: Literal["process", "disk"] = "process"
    """When an event counts as stored: in the kernel, or on the disk."""
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
        exposed = [address for address in self.listen if not _is_private(address)]
        if missing and exposed and not self.allow_plaintext:
            raise ValueError(
                f"listen is open to others without TLS ({', '.join(exposed)}): whoever reaches it can speak as Envoy; "
                "set the tls_* settings, use unix: or 127.0.0.1, or set allow_plaintext on a network of your own"
            )
        if self.tls and len(os.fsencode(self.health_socket(self.workers - 1))) >= MAX_UNIX_PATH:
            raise ValueError("state_dir is too long a path for the health sockets inside it; choose a shorter one")
        return self

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


_NAMES: Final = tuple(Settings.model_fields)
_PATHS: Final = frozenset({"policy", "state_dir", "tls_cert", "tls_key", "tls_client_ca"})


def _unknown(shown: Mapping[str, str], known: tuple[str, ...]) -> list[str]:
    """A line for each name that is not known; ``shown`` gives the name as its place writes it."""
    lines = []
    for name, place in shown.items():
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            lines.append(f"{place}: unknown setting; {hint}")
    return lines


def _read_file(path: Path) -> dict[str, Any]:
    """The file as a mapping, its relative paths taken from its own folder."""
    try:
        text = path.read_text("utf-8")
        document = tomllib.loads(text) if path.suffix == ".toml" else YAML(typ="safe", pure=True).load(text)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        kind = "TOML" if path.suffix == ".toml" else "YAML"
        # a parser's own words may quote a value after these
        problem = str(getattr(error, "problem", None) or error).partition(" with value")[0]
        raise SettingsError(f"{path}{line}: is not {kind}: {problem}") from None
    if document is None:
        return {}
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise SettingsError(f"{path}: must be a mapping of setting to value")
    return {
        name: path.parent / value if name in _PATHS and isinstance(value, str) else value
        for name, value in document.items()
    }


def read_settings(*, config: Path | None = None, **given: Any) -> Settings:
    """The settings from the command line (``given``; None means not given), the environment and the file.

    Raises:
        SettingsError: an unknown name, a value that cannot be used, or values that contradict each other.
    """
    environment = {name.upper(): name for name in os.environ if name.upper().startswith(PREFIX)}
    if config is None and os.environ.get(CONFIG):
        config = Path(os.environ[CONFIG])
    from_file = _read_file(config) if config else {}
    problems = _unknown(environment, (*(PREFIX + name.upper() for name in _NAMES), CONFIG))
    problems += _unknown({name: f"{config}: {name}" for name in from_file}, _NAMES)
    if problems:
        raise SettingsError("\n".join(problems))

    given = {name: value for name, value in given.items() if value is not None}
    outside = {name: environment[PREFIX + name.upper()] for name in _NAMES if PREFIX + name.upper() in environment}
    outside = {name: variable for name, variable in outside.items() if os.environ[variable]}
    from_file = {name: value for name, value in from_file.items() if name not in outside}
    places = {name: f"{config}: {name}" for name in from_file} | outside
    places |= {name: "--" + name.replace("_", "-") for name in given}
    try:
        return Settings(**(from_file | given))
    except ValidationError as error:
        raise SettingsError("\n".join(_line(each, places) for each in error.errors(include_url=False))) from None


def _line(error: Any, places: Mapping[str, str]) -> str:
    """One problem as one line; pydantic's own words, without the value."""
    name = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "missing":
        return f"{PREFIX}{name.upper()} is not set: name the {name} file there or with --{name}"
    what = error["msg"].removeprefix("Value error, ")
    return f"{places.get(name, name)}: {what}" if name else what
