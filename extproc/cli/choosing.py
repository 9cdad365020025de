"""The options by which recorded calls are chosen, and how times are written in them."""

import re
import time
from datetime import UTC, datetime
from typing import Annotated, Final, TypeAlias

import typer

from extproc.cli.recorded import quit_with
from extproc.core.audit.filters import Filter

__all__ = ["Decision", "Principal", "Rule", "Said", "Server", "Since", "Tool", "Until", "Verb", "chosen_by"]

_PANEL: Final = "Which calls"
_AGO: Final = re.compile(r"(\d{1,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_NANO: Final = 1_000_000_000
_EFFECTS: Final = ("allow", "deny", "reject", "shadow")
_VERBS: Final = ("query", "mutate", "admin")

Principal: TypeAlias = Annotated[
    str | None, typer.Option(help="Whose issuer or subject holds this.", rich_help_panel=_PANEL)
]
Server: TypeAlias = Annotated[str | None, typer.Option(help="Of this server.", rich_help_panel=_PANEL)]
Tool: TypeAlias = Annotated[
    str | None, typer.Option(help="Of a tool, prompt or resource whose name holds this.", rich_help_panel=_PANEL)
]
Verb: TypeAlias = Annotated[str | None, typer.Option(help="query, mutate or admin.", rich_help_panel=_PANEL)]
Decision: TypeAlias = Annotated[
    str | None, typer.Option(help="allow, deny, reject (malformed) or shadow.", rich_help_panel=_PANEL)
]
Rule: TypeAlias = Annotated[str | None, typer.Option(help="By a rule whose name holds this.", rich_help_panel=_PANEL)]
Since: TypeAlias = Annotated[
    str | None,
    typer.Option(help="Not before: 2h (ago), 2026-11-24 or 2026-11-24T08:00 (UTC).", rich_help_panel=_PANEL),
]
Until: TypeAlias = Annotated[str | None, typer.Option(help="Before; written like --since.", rich_help_panel=_PANEL)]
Said: TypeAlias = Annotated[
    str | None, typer.Option("--text", help="With this in their arguments as recorded.", rich_help_panel=_PANEL)
]


def chosen_by(
    *,
    principal: str | None,
    server: str | None,
    tool: str | None,
    verb: str | None,
    decision: str | None,
    rule: str | None,
    since: str | None,
    until: str | None,
    text: str | None,
) -> Filter:
    """The filter that the options make; leaves with 2 and one line where one of them is none."""
    for option, value, known in (("--verb", verb, _VERBS), ("--decision", decision, _EFFECTS)):
        if value is not None and value not in known:
            quit_with(2, f"{option} {value}: use {', '.join(known)}")
    return Filter(
        principal=principal,
        server=server,
        tool=tool,
        verb=verb,
        decision=decision,
        rule=rule,
        since=_time("--since", since),
        until=_time("--until", until),
        text=text,
    )


def _time(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    ago = _AGO.fullmatch(text)
    if ago is not None:
        return time.time_ns() - int(ago[1]) * _SECONDS[ago[2]] * _NANO
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        quit_with(2, f"{option} {text}: write 30m, 2h or 7d, or a date like 2026-11-24 or 2026-11-24T08:00")
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()) * _NANO
