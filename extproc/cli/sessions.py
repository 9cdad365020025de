"""``extproc sessions``, ``sessions show ID`` and ``sessions follow``: who did what."""

import asyncio
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.table import Table
from rich.text import Text

from extproc.cli.choosing import Decision, Principal, Rule, Said, Server, Since, Tool, Until, Verb, chosen_by
from extproc.cli.indexed import IndexUrl, in_index, one_session
from extproc.cli.reading import Identity, reading_with
from extproc.cli.recorded import StateDir, found_journals, moment, print_json, printable, quit_with, screen
from extproc.core import audit
from extproc.core.audit import Call, Session, Streamed
from extproc.core.audit.filters import EVERYTHING, Filter, takes
from extproc.core.model import Json
from extproc.demo.decisions import follow, line, positions
from extproc.edges.keys.payload_keys import RECIPIENTS
from extproc.edges.store.index.pages import Cursor, SessionRow
from extproc.settings import default_state_dir

__all__ = ["app"]

app = typer.Typer(help="Recorded sessions: all of them, or the calls of one.", add_completion=False)

_CURSOR: Final = re.compile(r"([0-9a-f]{1,16})\.([0-9a-f]{16})")
_KEY: Final = (1 << 64) - 1
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
    after: Annotated[
        str | None, typer.Option(metavar="CURSOR", help="Those after this one: what the page before said.")
    ] = None,
    index_url: IndexUrl = None,
) -> None:
    """List the sessions with at least one call that is asked for, newest first."""
    if context.invoked_subcommand is not None:
        context.obj = (state, as_json, index_url)
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
    start = _cursor(after)
    found = in_index(state, index_url, lambda opened: opened.index.page(wanted, after=start, limit=limit))
    chosen = found.sessions
    if found.unfinished and found.after is not None:
        begun = moment(found.after[0])
        typer.echo(f"what began before {begun} was not looked at: go on with --after {_mark(found.after)}", err=True)
    if text is not None and (state / RECIPIENTS).exists():
        typer.echo("arguments are encrypted here: --text looks only into those that are not", err=True)
    if as_json:
        print_json([_row_summary(row) for row in chosen])
        return
    table = Table("id", "principal", "server", "client", "first", "last", box=None)
    table.add_column("calls", justify="right")
    table.add_column("denied", justify="right")
    for row in chosen:
        table.add_row(
            row.id,
            _who(row.subject),
            _plain(row.server),
            _plain(row.client or "-"),
            moment(row.first_at),
            moment(row.last_at),
            str(row.calls),
            str(row.denied),
        )
    screen().print(table)
    if not chosen and not found.unfinished:
        typer.echo("no session is like that" if wanted != EVERYTHING else "no call is recorded yet", err=True)
    if found.after is not None and not found.unfinished:
        typer.echo(f"there are more: go on with --after {_mark(found.after)}", err=True)


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
    index_url: IndexUrl = None,
) -> None:
    """Show the calls of one session, in order."""
    outer_state, outer_json, outer_url = context.obj
    place, reading = state or outer_state, reading_with(key)
    session = one_session(place, index_url or outer_url, session_id, reading).session
    reading.tell(place, session)
    if as_json or outer_json:
        print_json(_summary(session) | {"calls": [asdict(call) for call in session.calls]})
        return
    console = screen()
    of = [_who(session.subject), _plain(session.server), _plain(session.client or "-")]
    console.print(Text(" · ").join([Text(f"session {session.id}"), *of, Text("times in UTC", style="dim")]))
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
        _plain(_approval(call)),
        _plain(_counts(call.masked)),
        _plain(_value(call.arguments, call.encrypted)),
    ]


def _approval(call: Call) -> str:
    return f"{call.ticket} by {', '.join(call.approvers)}" if call.approvers else call.ticket or "-"


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
    except BrokenPipeError:  # nobody reads on
        raise
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


def _row_summary(row: SessionRow) -> dict[str, Json]:
    summary = row._asdict()
    return {name: summary[name] for name in summary if name != "key"} | {"cursor": _mark((row.first_at, row.key))}


def _mark(cursor: Cursor) -> str:
    """A cursor as it is written."""
    return f"{cursor[0]:x}.{cursor[1] & _KEY:016x}"


def _cursor(text: str | None) -> Cursor | None:
    if text is None:
        return None
    found = _CURSOR.fullmatch(text)
    if found is None:
        quit_with(2, f"--after {text}: write what an earlier page said")
    key = int(found[2], 16)
    return int(found[1], 16), key - _KEY - 1 if key > _KEY // 2 else key


def _who(subject: str) -> Text:
    return _plain(subject) if subject else Text("(nobody)", style="dim")


def _plain(text: str) -> Text:
    return Text(printable(text))
