"""``extproc replay SESSION``: a session as it went, at its own pace, or asked again of another policy."""

import asyncio
import os
import re
import sys
import termios
import time
import tty
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from extproc.cli.export import AlsoState, export
from extproc.cli.indexed import IndexUrl, Recorded, one_session
from extproc.cli.reading import Identity, reading_with
from extproc.cli.recorded import StateDir, printable, quit_with, screen
from extproc.core import audit
from extproc.core.audit.playing import KEYS, Frame, Player, frames
from extproc.core.exchange.again import Again, judged_again
from extproc.core.model import Json
from extproc.edges.names.presidio import installed
from extproc.edges.policy_files import PolicyError, read_policy
from extproc.settings import default_state_dir

__all__ = ["replay"]

_NANO: Final = 1_000_000_000
_DIFFERS: Final = 3
_COLOURS: Final = {"allow": "green", "shadow": "yellow", "hold": "yellow", "deny": "red", "reject": "red"}
_ARROWS: Final = {"\x1b[C": "right", "\x1b[D": "left", "\x1bOC": "right", "\x1bOD": "left"}
_KEY: Final = re.compile("\x1b[\\[O].|.", re.DOTALL)
"""What one press of a key sends."""
_LONGEST: Final = 2000
_SHORT: Final = 400
"""So much of a value in a terminal, where the next call is soon to come."""


def replay(
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="A session's id, or how it begins.")],
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    speed: Annotated[
        float | None, typer.Option(min=0.1, max=1000, help="How many times as fast; 1 unless given.")
    ] = None,
    idle: Annotated[
        float | None, typer.Option(min=0, help="No pause is longer than this many seconds.", show_default=False)
    ] = None,
    policy: Annotated[
        Path | None, typer.Option(help="Ask this policy again, and say what it decides otherwise.")
    ] = None,
    evidence: Annotated[
        Path | None, typer.Option("--export", help="Write its evidence into this file, as `extproc export` does.")
    ] = None,
    also_state: AlsoState = None,
    key: Identity = None,
    index_url: IndexUrl = None,
) -> None:
    """Play a session as it went; into a file or a pipe all at once, unless --speed is given.

    With --policy it ends with 3 if some call would be decided otherwise.
    """
    if evidence is not None:
        export(session_id, state, output=evidence, key=key, index_url=index_url, also_state=also_state)
        return
    reading = reading_with(key)
    recorded = one_session(state, index_url, session_id, reading)
    session = recorded.session
    reading.tell(state, session)
    again = _judged(recorded, policy) if policy is not None else {}
    console = screen()
    who = printable(session.subject or "nobody")
    console.print(Text(f"session {session.id} · {who} · {printable(session.server)} · {printable(session.client)}"))
    shown = frames(session, idle=None if idle is None else int(idle * _NANO))

    def show(frame: Frame) -> None:
        _print(console, frame, again.get(frame.call.decision))

    if speed is None and (policy is not None or not console.is_terminal):
        for frame in shown:
            show(frame)
    else:
        with suppress(KeyboardInterrupt):
            asyncio.run(_play(shown, speed or 1.0, show, console))
    if policy is not None:
        _summary(again, len(session.calls))


async def _play(shown: tuple[Frame, ...], speed: float, show: Callable[[Frame], None], console: Console) -> None:
    player = Player(shown, now=time.monotonic_ns(), speed=speed)
    keys: asyncio.Queue[str] = asyncio.Queue()
    with _pressed(keys) as interactive:
        if interactive:
            console.print(Text(KEYS, style="dim"))
        while True:
            for frame in player.due(time.monotonic_ns()):
                show(frame)
            if player.ended:
                return
            with suppress(TimeoutError):
                async with asyncio.timeout(player.wait(time.monotonic_ns())):
                    key = await keys.get()
                    before = (player.paused, player.speed)
                    for frame in player.press(key, time.monotonic_ns()):
                        show(frame)
                    if (player.paused, player.speed) != before:
                        now = f"{'paused, ' if player.paused else ''}{player.speed:g} times as fast"
                        console.print(Text(f"-- {now} --", style="dim"))


@contextmanager
def _pressed(keys: asyncio.Queue[str]) -> Iterator[bool]:
    """Put what is pressed into ``keys``; False where nobody can press anything."""
    if not sys.stdin.isatty():
        yield False
        return
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)

    def came() -> None:
        found = (os.read(descriptor, 64) or b"q").decode("utf-8", "replace")
        for key in _KEY.findall(found):
            keys.put_nowait(_ARROWS.get(key, key))

    loop.add_reader(descriptor, came)
    try:
        yield True
    finally:
        loop.remove_reader(descriptor)
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def _print(console: Console, frame: Frame, again: Again | None) -> None:
    call = frame.call
    minutes, rest = divmod(frame.at // 1_000_000, 60_000)
    text = Text()
    text.append(f"{minutes:02d}:{rest / 1000:06.3f}  ", style="dim")
    body: Json
    if frame.said is not None:
        said = frame.said
        what = " ".join(part for part in (said.message, said.method) if part)
        text.append(f"{frame.number:>4}  · {what}, {said.size} bytes{_counted(said.masked)}")
        body = _unless_encrypted(said.payload, said.encrypted)
    elif frame.answers:
        size = "" if call.size is None else f", {call.size} bytes"
        text.append(f"{frame.number:>4}  {call.result} {call.status or ''}{size}{_counted(call.masked)}")
        body = _unless_encrypted(call.payload, call.encrypted)
    else:
        text.append(f"{frame.number:>4}  ")
        text.append(f"{call.effect:<6} ", style=_COLOURS.get(call.effect, ""))
        text.append(f"{call.method or '-'} {', '.join(call.targets)}  {call.rule or '-'} ({call.reason})")
        if call.approvers:
            text.append(f", approved by {', '.join(call.approvers)}")
        body = _unless_encrypted(call.arguments, call.encrypted)
    # a file has a line for a line, however long
    whole = not console.is_terminal
    console.print(_safe(text), soft_wrap=whole)
    if body is not None:
        console.print(_safe(Text(" " * 17 + _short(body, _LONGEST if whole else _SHORT), style="dim")), soft_wrap=whole)
    if again is not None and again.differs and not frame.answers and frame.said is None:
        why = f"; {again.unsure}, so this may be wrong" if again.unsure else ""
        now = f"{again.decision.effect} by {again.decision.rule} ({again.decision.reason}){why}"
        console.print(_safe(Text(" " * 17 + f"now: {now}", style="bold")))


def _unless_encrypted(value: Json, readers: Sequence[str]) -> Json:
    return "(encrypted)" if value is None and readers else value


def _counted(masked: Mapping[str, int]) -> str:
    counts = ", ".join(f"{kind} {count}" for kind, count in masked.items())
    return f", masked: {counts}" if counts else ""


def _safe(text: Text) -> Text:
    """The text with its colours and without a character that a terminal obeys."""
    plain = printable(text.plain)
    return text if plain == text.plain else Text(plain)


def _short(value: Json, longest: int) -> str:
    text = audit.encode(value).decode()
    return text if len(text) <= longest else f"{text[:longest]} ... ({len(text)} characters; `sessions show --json`)"


def _judged(recorded: Recorded, policy: Path) -> dict[str, Again]:
    try:
        loaded = read_policy(policy, recogniser=installed())
    except PolicyError as error:
        quit_with(2, f"{error}")
    places = {call.decision: number for number, call in enumerate(recorded.session.calls)}
    found: dict[str, Again] = {}
    for event in recorded.events:
        decision = str(event.get("decision"))
        if event.get("kind") == "decision" and decision in places:
            again = judged_again(loaded, event, session_calls=places[decision])
            found |= {} if again is None else {decision: again}
    return found


def _summary(again: Mapping[str, Again], calls: int) -> None:
    different = sum(each.differs for each in again.values())
    unsure = sum(bool(each.unsure) for each in again.values())
    typer.echo(
        f"{calls} calls: {different} would be decided otherwise, {calls - len(again)} never came to a policy, "
        f"of {unsure} the record does not hold all arguments"
    )
    raise typer.Exit(_DIFFERS if different else 0)
