"""The file that names the sinks: YAML, each with its name, its type and what that needs, checked whole.

::

    sinks:
      - {name: copy, type: file, path: /var/log/extproc/audit.jsonl}
      - {name: siem, type: http, url: "https://siem.example.com/services/collector", form: hec, token_file: hec.token}
      - {name: logs, type: syslog, address: "logs.example.com:6514", ca_file: logs-ca.pem}
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from extproc.settings.addresses import is_loopback
from extproc.settings.reading import SettingsError

__all__ = ["FileTarget", "HttpTarget", "SinksError", "SyslogTarget", "Target", "read_sinks"]


class SinksError(SettingsError):
    """The file cannot be used; one line for each problem with the file, the line and the fix."""


class _Target(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")


class FileTarget(_Target):
    """A file that lines are appended to."""

    type: Literal["file"]
    path: Path


class HttpTarget(_Target):
    """An HTTP collector."""

    type: Literal["http"]
    url: str
    form: Literal["lines", "hec"] = "lines"
    token_file: Path | None = None
    timeout: float = Field(default=10.0, gt=0, le=300)

    @field_validator("url")
    @classmethod
    def _address(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError("write a URL without a user, for example https://siem.example.com/collector")
        if parts.scheme == "http" and not is_loopback(parts.hostname):
            raise ValueError("http:// would send records in the clear; write https://, or an address of this machine")
        return value


class SyslogTarget(_Target):
    """A syslog server, over TLS unless it is on this machine."""

    type: Literal["syslog"]
    address: str
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    plaintext: bool = False
    timeout: float = Field(default=10.0, gt=0, le=300)

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, _, port = value.rpartition(":")
        if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 1 << 16:
            raise ValueError("write host:port, for example logs.example.com:6514")
        return value

    @field_validator("plaintext")
    @classmethod
    def _on_this_machine(cls, value: bool, given: Any) -> bool:
        if value and not is_loopback(given.data.get("address", "").rpartition(":")[0]):
            raise ValueError("is for an address of this machine alone")
        return value

    @property
    def host_and_port(self) -> tuple[str, int]:
        """The address in its parts."""
        host, _, port = self.address.rpartition(":")
        return host.strip("[]"), int(port)


Target: TypeAlias = Annotated[FileTarget | HttpTarget | SyslogTarget, Field(discriminator="type")]
_TARGETS: Final = TypeAdapter(list[Target])
_FILES: Final = ("path", "token_file", "ca_file", "cert_file", "key_file")


def read_sinks(path: Path) -> tuple[FileTarget | HttpTarget | SyslogTarget, ...]:
    """The sinks that a file names, its relative paths taken from its own folder.

    Raises:
        SinksError: it cannot be read, or something in it is wrong.
    """
    try:
        document = YAML(typ="rt").load(path.read_text("utf-8"))
    except OSError as error:
        raise SinksError(f"{path}: cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise SinksError(f"{path}{f':{mark.line + 1}' if mark is not None else ''}: is not YAML") from None
    named = document.get("sinks") if isinstance(document, dict) and set(document) == {"sinks"} else None
    if not isinstance(named, list) or not all(isinstance(each, dict) for each in named):
        raise SinksError(f"{path}: must be `sinks:` with a list, each item with a name and a type")
    try:
        found = _TARGETS.validate_python([dict(each) for each in named])
    except ValidationError as error:
        lines = [_line(path, named, each["loc"], each["msg"]) for each in error.errors(include_url=False)]
        raise SinksError("\n".join(dict.fromkeys(lines))) from None
    twice = [each.name for at, each in enumerate(found) if each.name in {other.name for other in found[:at]}]
    if twice:
        raise SinksError(f"{path}: two sinks are called {twice[0]}; each keeps its place under its name")
    return tuple(_placed(each, path.parent) for each in found)


def _placed(target: Any, folder: Path) -> Any:
    """The target with its relative paths taken from the folder of the file that names them."""
    given = {name: getattr(target, name, None) for name in _FILES}
    return target.model_copy(update={name: folder / value for name, value in given.items() if value is not None})


def _line(path: Path, named: Sequence[Any], loc: tuple[Any, ...], message: str) -> str:
    item = named[int(loc[0])]
    # a problem of the whole item is that its type is none
    loc = loc if len(loc) > 1 else (*loc, "type")
    key = next((str(part) for part in reversed(loc) if isinstance(part, str) and part in item), None)
    line, column = item.lc.key(key) if key is not None else (item.lc.line, item.lc.col)
    what = next((str(part) for part in reversed(loc) if isinstance(part, str)), "the sink")
    where = f"{path}:{line + 1}:{column + 1}"
    return f"{where}: {what}: {message.removeprefix('Value error, ')}"
