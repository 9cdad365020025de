"""Telling a sink to go on without a record that it refuses for ever: what somebody asks of the process that ships.

The wish is a file beside what the sink has: ``<state_dir>/sinks/<name>.skip``. Whoever ships takes it up at its next
attempt, and takes it away when it is done; until then it can be withdrawn.
"""

from pathlib import Path
from typing import Final

import msgspec

__all__ = ["SINKS", "Skip", "ask", "asked", "done"]

SINKS: Final = "sinks"


class Skip(msgspec.Struct, frozen=True, kw_only=True):
    """Go on without the one record that is refused next; who says so, and why."""

    by: str
    reason: str


def ask(state_dir: Path, name: str, skip: Skip) -> None:
    """Leave the wish; raises ``OSError`` where that cannot be."""
    path = _path(state_dir, name)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".skip-draft")
    draft.write_bytes(msgspec.json.encode(skip))
    draft.chmod(0o644)  # it holds no secret, and whoever ships may be another user
    draft.replace(path)


def asked(state_dir: Path, name: str) -> Skip | None:
    """What is asked; None where nothing is, or nothing that can be read."""
    try:
        return msgspec.json.decode(_path(state_dir, name).read_bytes(), type=Skip)
    except (OSError, msgspec.DecodeError):
        return None


def done(state_dir: Path, name: str) -> None:
    """Take the wish away; raises ``OSError`` where that cannot be."""
    _path(state_dir, name).unlink(missing_ok=True)


def _path(state_dir: Path, name: str) -> Path:
    return state_dir / SINKS / f"{name}.skip"
