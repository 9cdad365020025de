"""The file that names the sinks: YAML, each with its name, its type and what that needs, checked whole.

::

    sinks:
      - {name: copy, type: file, path: /var/log/extproc/audit.jsonl}
      - {name: siem, type: http, url: "https://siem.example.com/services/collector", form: hec, token_file: hec.token}
      - {name: logs, type: syslog, address: "logs.example.com:6514", ca_file: logs-ca.pem}
      - {name: otel, type: otlp, url: "https://otel.example.com:4318/v1/logs"}
      - {name: archive, type: s3, bucket: mcp-audit, region: eu-central-1, retention: {mode: compliance, days: 365}}
      - {name: stream, type: kafka, brokers: ["kafka.example.com:9093"], topic: mcp-audit, form: ocsf}
"""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from extproc.settings.reading import SettingsError
from extproc.settings.targets import FILES, Target

__all__ = ["SinksError", "missing_libraries", "read_sinks"]


class SinksError(SettingsError):
    """The file cannot be used; one line for each problem with the file, the line and the fix."""


_TARGETS: Final = TypeAdapter(list[Target])
_LIBRARIES: Final = {"otlp": "opentelemetry.proto", "s3": "botocore", "kafka": "confluent_kafka"}
"""What a type of sink needs beside this program; the extra that brings it is called like the type."""


def read_sinks(path: Path) -> tuple[Target, ...]:
    """The sinks that a file names, its relative paths taken from its own folder.

    Raises:
        SinksError: it cannot be read, or something in it is wrong.
    """
    try:
        document = YAML(typ="rt").load(path.read_text("utf-8"))
    except OSError as error:
        raise SinksError(f"{path}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError, YAMLError) as error:
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


def missing_libraries(targets: Sequence[Target]) -> list[str]:
    """A line for each type of sink whose library is not installed."""
    types = dict.fromkeys(target.type for target in targets if target.type in _LIBRARIES)
    return [
        f"type: {each} needs {_LIBRARIES[each]}; install it with: pip install 'mcp-extproc[{each}]'"
        for each in types
        if not _is_there(_LIBRARIES[each])
    ]


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # its parent is missing
        return False


def _placed(target: Any, folder: Path) -> Any:
    """The target with its relative paths taken from the folder of the file that names them."""
    given = {name: getattr(target, name) for name in type(target).model_fields}
    placed = {name: folder / given[name] for name in FILES if given.get(name) is not None}
    inner = {name: _placed(value, folder) for name, value in given.items() if isinstance(value, BaseModel)}
    return target.model_copy(update=placed | inner)


def _line(path: Path, named: Sequence[Any], loc: tuple[Any, ...], message: str) -> str:
    item = named[int(loc[0])]
    # a problem of the whole item is one of its type
    loc = loc if len(loc) > 1 else (*loc, "type")
    key = next((str(part) for part in reversed(loc) if isinstance(part, str) and part in item), None)
    line, column = item.lc.key(key) if key is not None else (item.lc.line, item.lc.col)
    what = next((str(part) for part in reversed(loc) if isinstance(part, str)), "the sink")
    where = f"{path}:{line + 1}:{column + 1}"
    return f"{where}: {what}: {message.removeprefix('Value error, ')}"
