"""Where settings come from: command line, environment, file; and what is wrong with them, a line each."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from extproc.settings.model import PREFIX, Settings
from extproc.settings.people import PeopleSettings
from extproc.settings.recording import RecordingSettings

__all__ = ["SettingsError", "read_settings"]

CONFIG: Final = "EXTPROC_CONFIG"


class SettingsError(Exception):
    """The settings cannot be used; the text is one line for each problem, naming where it stands and the fix."""


# what every node sets comes first
_LATER: Final = PeopleSettings.model_fields.keys() | RecordingSettings.model_fields.keys()
_NAMES: Final = tuple(sorted(Settings.model_fields, key=lambda name: name in _LATER))
_PATHS: Final = frozenset(
    name for name, field in Settings.model_fields.items() if field.annotation in {Path, Path | None}
)


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
    except (ValueError, RecursionError, YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        kind = "TOML" if path.suffix == ".toml" else "YAML"
        if isinstance(error, UnicodeDecodeError | tomllib.TOMLDecodeError | YAMLError):
            # a parser's own words may quote a value after these
            problem = str(getattr(error, "problem", None) or error).partition(" with value")[0]
        else:
            problem = "it is nested too deeply, or a value has no meaning"
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
