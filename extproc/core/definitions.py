"""Tools as they were approved: a definition that changes is not used until somebody has looked at it (threat T04).

A definition is the whole entry of ``tools/list`` (name, description, schemas, annotations, icons, whatever else) in
canonical JSON; its digest is what is compared. What a caller is shown of it, masked or cut, does not matter here.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from extproc.core.audit.chain import encode
from extproc.core.model import Json
from extproc.core.shared_state import Pin, Pinning, SharedState

__all__ = ["Definitions", "definition_of", "differences", "refused_tool"]

_ENFORCING: Final = frozenset({Pinning.PIN, Pinning.APPROVE})
_MAX_WORDS: Final = 300


def definition_of(server: str, entry: Mapping[str, Json], at: int) -> Pin:
    """One entry of a list as a definition, seen at ``at`` nanoseconds since the epoch."""
    text = encode(entry)
    return Pin(
        server=server,
        tool=str(entry.get("name")),
        digest=hashlib.sha256(text).hexdigest(),
        definition=text.decode(),
        at=at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Definitions:
    """What is approved on one server, held against its lists."""

    server: str
    pinning: Pinning
    shared: SharedState
    at: int

    def held_against(self, entries: Json) -> tuple[list[Json], tuple[Pin, ...]]:
        """The entries that may be shown, and the definitions that somebody should know of: new, changed, or back."""
        shown: list[Json] = []
        news: list[Pin] = []
        for entry in entries if isinstance(entries, list) else ():
            if not (isinstance(entry, dict) and isinstance(entry.get("name"), str)):
                continue
            seen = definition_of(self.server, entry, self.at)
            key = (self.server, seen.tool)
            approved, candidate = self.shared.pins.get(key), self.shared.candidates.get(key)
            is_approved = approved is not None and approved.digest == seen.digest
            is_known = is_approved if candidate is None else not is_approved and candidate.digest == seen.digest
            if not is_known:
                news.append(seen)
            first_is_fine = approved is None and self.pinning is not Pinning.APPROVE
            if is_approved or first_is_fine or self.pinning not in _ENFORCING:
                shown.append(entry)
        return shown, tuple(news)


def refused_tool(server: str, pinning: Pinning, shared: SharedState, tool: str) -> bool:
    """Whether the definition of a tool is one that must be approved before it is called."""
    key = (server, tool)
    return pinning in _ENFORCING and (
        key in shared.candidates or (pinning is Pinning.APPROVE and key not in shared.pins)
    )


def differences(before: Json, after: Json, path: str = "") -> tuple[str, ...]:
    """What changed between two definitions, in words, one line for each place."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        lines: list[str] = []
        for name in sorted({*before, *after}):
            place = f"{path}.{name}" if path else name
            if name not in after:
                lines.append(f"{place}: removed (was {_spelt(before[name])})")
            elif name not in before:
                lines.append(f"{place}: added: {_spelt(after[name])}")
            else:
                lines += differences(before[name], after[name], place)
        return tuple(lines)
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return tuple(
            line
            for index, (one, other) in enumerate(zip(before, after, strict=True))
            for line in differences(one, other, f"{path}[{index}]")
        )
    if type(before) is type(after) and before == after:
        return ()
    return (f"{path}: was {_spelt(before)}, is {_spelt(after)}",)


def _spelt(value: Json) -> str:
    if not isinstance(value, str):
        return encode(value).decode()[:_MAX_WORDS]
    return f'"{value[:_MAX_WORDS]}{"…" if len(value) > _MAX_WORDS else ""}"'
