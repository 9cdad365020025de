"""``extproc sessions``, ``sessions show ID`` and ``sessions follow``: who did what, from the journals."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from extproc.cli.choosing import Decision, Principal, Rule, Said, Server, Since, Tool, Until, Verb, chosen_by
from extproc.cli.reading import Identity, Reading, reading_with
from extproc.cli.recorded import StateDir, found_journals, moment, print_json, printable, quit_with, screen
from extproc.core import audit
from extproc.core.audit import Call, Session, Streamed
from extproc.core.audit import sessions as grouped
from extproc.core.audit.filters import EVERYTHING, Filter, takes
from extproc.core.model import Json
from extproc.demo.decisions import follow, line, positions
from extproc.edges.journal.reader import Damage, Entry, read
from extproc.settings import default_state_dir

__all__ = ["app", "one_session"]

app = typer.Typer(help="Recorded sessions: all of them, or the calls of one.", add_completion=False)

_COLOURS = {"allow": "green", "shadow": "yellow", "deny": "red", "reject": "red"}


@app.callback(invoke_without_command=True)
def list_sessions(
    context: typer.Context,
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array, newest first.")] = False,
    principal: Principal = None,
    server: Server = None,
    tool: Tool = None,
    verb: Verb = None,
    decision: Decision = None,
    rule: Rule = None,
    since: Since = None,
    until: Until = None,
    text: Said = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
) -> None:
    """List the sessions with at least one call that is asked for, newest first."""
    if context.invoked_subcommand is not None:
        context.obj = (state, as_json)
        return
    wanted = chosen_by(
        principal=principal,
        server=server,
        tool=tool,
        verb=verb,
        decision=decision,
        rule=rule,
        since=since,
        until=until,
        text=text,
    )
    recording = _recording(state, wanted)
    chosen = [
        session
        for session in sorted(recording.sessions, key=lambda session: session.first_at, reverse=True)
        if any(call.decision in recording.matching for call in session.calls)
    ][:limit]
    if as_json:
        print_json([_summary(session) for session in chosen])
        return
    table = Table("id", "principal", "server", "client", "first", "last", box=None)
    table.add_column("calls", justify="right")
    table.add_column("denied", justify="right")
    for session in chosen:
        table.add_row(
            session.id,
            _who(session),
            _plain(session.server),
            _plain(session.client or "-"),
            moment(session.first_at),
            moment(session.last_at),
            str(len(session.calls)),
            str(session.denied),
        )
    screen().print(table)


@app.command("show")
def show_session(
    context: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="ID", help="A session's id, or how it begins.")],
    state: Annotated[
        Path | None, typer.Option("--state", help="The state directory of the service.", show_default=False)
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    key: Identity = None,
) -> None:
    """Show the calls of one session, in order."""
    outer_state, outer_json = context.obj
    place, reading = state or outer_state, reading_with(key)
    session = one_session(place, session_id, reading)
    reading.tell(place, session)
    if as_json or outer_json:
        print_json(_summary(session) | {"calls": [asdict(call) for call in session.calls]})
        return
    console = screen()
    console.print(Text.assemble("session ", session.id, " · ", _who(session), " · ", _plain(session.server)))
    table = Table("time", "method", "target", "verb", "decision", "rule", "reason", box=None)
    table.add_column("status", justify="right")
    table.add_column("ms", justify="right")
    table.add_column("bytes", justify="right")
    for name in ("from", "approval", "masked", "arguments"):
        table.add_column(name)
    for call in session.calls:
        table.add_row(*_row(call))
        for said in call.messages:
            table.add_row(*_message_row(said))
    console.print(table)


def _row(call: Call) -> list[Text | str]:
    return [
        moment(call.at),
        _plain(call.method or "-"),
        _plain(", ".join(call.targets) or "-"),
        _plain(call.verb or "-"),
        Text(printable(call.effect), style=_COLOURS.get(call.effect, "")),
        _plain(call.rule or "-"),
        _plain(call.reason),
        "-" if call.status is None else str(call.status),
        "-" if call.duration_ns is None else f"{call.duration_ns / 1e6:.1f}",
        "-" if call.size is None else str(call.size),
        _plain(call.source or "-"),
        _plain(call.ticket or "-"),
        _plain(_counts(call.masked)),
        _plain(_value(call.arguments, call.encrypted)),
    ]


def _value(value: Json, encrypted: Sequence[str]) -> str:
    if value is None:
        return "(encrypted)" if encrypted else "-"
    return audit.encode(value).decode()


def _message_row(said: Streamed) -> list[Text | str]:
    return [
        moment(said.at),
        _plain(f"· {said.method or said.message}"),
        *("",) * 7,
        str(said.size),
        *("",) * 2,
        _plain(_counts(said.masked)),
        _plain(_value(said.payload, said.encrypted)),
    ]


def _counts(masked: Mapping[str, int]) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in masked.items()) or "-"


@app.command("follow")
def follow_calls(
    context: typer.Context,
    state: Annotated[
        Path | None, typer.Option("--state", help="The state directory of the service.", show_default=False)
    ] = None,
    *,
    principal: Principal = None,
    server: Server = None,
    tool: Tool = None,
    verb: Verb = None,
    decision: Decision = None,
    rule: Rule = None,
    text: Said = None,
) -> None:
    """Print a line for each call from now on, as it is decided, until Ctrl-C."""
    place = state or context.obj[0]
    found_journals(place)
    wanted = chosen_by(
        principal=principal,
        server=server,
        tool=tool,
        verb=verb,
        decision=decision,
        rule=rule,
        since=None,
        until=None,
        text=text,
    )
    with suppress(KeyboardInterrupt):
        asyncio.run(_follow(place, wanted))


async def _follow(state: Path, wanted: Filter) -> None:
    try:
        async for event in follow(state, positions(state)):
            if takes(wanted, event):
                typer.echo(line(event))
                sys.stdout.flush()
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")


def _summary(session: Session) -> dict[str, Json]:
    return {
        "id": session.id,
        "issuer": session.issuer,
        "subject": session.subject,
        "server": session.server,
        "client": session.client,
        "first_at": session.first_at,
        "last_at": session.last_at,
        "calls": len(session.calls),
        "denied": session.denied,
    }


def _who(session: Session) -> Text:
    return _plain(session.subject) if session.subject else Text("(nobody)", style="dim")


def _plain(text: str) -> Text:
    return Text(printable(text))


def one_session(state: Path, session_id: str, reading: Reading | None = None) -> Session:
    """The session whose id begins so, with all that was recorded of its calls; leaves with 1 where there is not one.

    ``reading`` opens what is encrypted.
    """
    recording = _recording(state, EVERYTHING, whole=True)
    found = [session for session in recording.sessions if session.id.startswith(session_id)]
    if not found:
        quit_with(1, f"no session {session_id} is recorded; `extproc sessions` lists them")
    if len(found) > 1:
        quit_with(1, f"{session_id} begins {len(found)} sessions; write more of the id")
    return found[0] if reading is None else _opened(state, found[0], reading)


def _opened(state: Path, session: Session, reading: Reading) -> Session:
    """The session once more, with what ``reading`` opens of it."""
    decisions = {call.decision for call in session.calls}
    events = (item.event for directory in found_journals(state) for item in read(directory) if isinstance(item, Entry))
    found = grouped(reading(event) for event in events if event.get("decision") in decisions)
    return found[0]


@dataclass(frozen=True, slots=True)
class _Recording:
    """The sessions of a state directory, and the decisions that are asked for."""

    sessions: tuple[Session, ...]
    matching: frozenset[str]


def _recording(state: Path, wanted: Filter, *, whole: bool = False) -> _Recording:
    """All of it; with arguments and results only where the ``whole`` of it is shown."""
    damaged = 0
    matching: set[str] = set()

    def events() -> Iterator[dict[str, Json]]:
        nonlocal damaged
        for directory in found_journals(state):
            for item in read(directory):
                if isinstance(item, Damage):
                    damaged += 1
                    continue
                if item.event.get("kind") == "decision" and takes(wanted, item.event):
                    matching.add(str(item.event.get("decision")))
                if not whole and item.event.get("kind") == "message":
                    continue
                # the large members are not kept where they are not shown
                yield item.event if whole else item.event | {"payload": None, "arguments": None}

    try:
        found = grouped(events())
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")
    if damaged:
        typer.echo(f"{damaged} damaged lines are left out; `extproc verify` says where", err=True)
    return _Recording(found, frozenset(matching))
