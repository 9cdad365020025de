"""One readable line for each decision, as it is recorded: the journals of a state directory, followed from now on."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

from extproc.core.model import Json
from extproc.edges.journal.reader import Damage, Position, journals, read
from extproc.edges.journal.segments import numbers, path_of

__all__ = ["ASKED", "Position", "follow", "line", "positions"]

ASKED: Final = "ask"
"""What stands in the place of the effect where a call waits for a human."""
POLL_SECONDS: Final = 0.2
SETTLE_NANOSECONDS: Final = 200_000_000
MAX_NAME_CHARS: Final = 60
NANOSECONDS: Final = 1e9
_LATEST: Final = 1 << 63


def positions(state: Path) -> dict[Path, Position]:
    """Where the journals end now."""
    ends = {}
    try:
        found = journals(state)
    except FileNotFoundError:
        return {}
    for directory in found:
        if present := numbers(directory):
            size = path_of(directory, present[-1]).stat().st_size
            ends[directory] = Position(segment=present[-1], offset=size)
    return ends


async def follow(state: Path, seen: dict[Path, Position]) -> AsyncIterator[Mapping[str, Json]]:
    """The decisions, and the questions to approvers, written after ``seen``, for ever, in their order."""
    waiting: list[Mapping[str, Json]] = []
    while True:
        # each worker has a journal: one read now can hold an event older than the last one of another
        settled = time.time_ns() - SETTLE_NANOSECONDS
        for directory in journals(state):
            for item in read(directory, seen.get(directory, Position())):
                seen[directory] = item.after
                if not isinstance(item, Damage) and _is_shown(item.event):
                    waiting.append(item.event)
        waiting.sort(key=lambda event: event["at"])
        while waiting and waiting[0]["at"] <= settled:
            yield waiting.pop(0)
        await asyncio.sleep(POLL_SECONDS)


def _is_shown(event: Mapping[str, Json]) -> bool:
    at = event.get("at")
    if not isinstance(at, int) or not 0 <= at < _LATEST:  # nothing that we write; `extproc verify` tells of it
        return False
    return event.get("kind") == "decision" or (event.get("kind") == "approval" and event.get("step") == "asked")


def line(event: Mapping[str, Json]) -> str:
    """Time, effect, who, method and target, rule and reason; of a question, its id in the place of the reason."""
    if event.get("kind") == "approval":
        event = {
            **event,
            "effect": ASKED,
            "targets": [{"name": event.get("target") or event.get("role") or ""}],
            "rule": "extproc approvals show",
            "reason": event.get("ticket"),
        }
    at = datetime.fromtimestamp(event["at"] / NANOSECONDS).astimezone()
    principal, targets, effect = event.get("principal"), event.get("targets"), _shown(event.get("effect"))
    who = principal.get("subject") if isinstance(principal, Mapping) else "-"
    named = [each for each in targets if isinstance(each, Mapping)] if isinstance(targets, Sequence) else []
    names = ", ".join(str(each["name"]) for each in named if each.get("name"))
    what = " ".join(str(part) for part in (event.get("method") or event.get("http_method"), names) if part)
    rule, reason = event.get("rule") or "-", event.get("reason")
    why = f"{rule} {reason}" if effect == ASKED else f"{rule} ({reason})"
    return "  ".join((f"{at:%H:%M:%S}", f"{effect:<6}", f"{_shown(who):<8}", f"{_shown(what):<32}", _shown(why)))


def _shown(text: object) -> str:
    """The text without anything that a terminal would take for a command, and not longer than a line bears."""
    plain = "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in str(text))
    return plain if len(plain) <= MAX_NAME_CHARS else plain[: MAX_NAME_CHARS - 1] + "…"
