"""What the commands share that look things up in the index: it is brought up to date first, so it tells no old news.

Where it cannot be (a state directory that may not be written to, a database that is away), the journals are read anew
into one that lasts as long as the command.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, TypeAlias, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from extproc.cli.reading import Reading
from extproc.cli.recorded import found_journals, printable, quit_with
from extproc.core.audit import Session, read_event, sessions
from extproc.core.model import Json
from extproc.edges.journal.reader import Position, pick
from extproc.edges.store.index.index import Index
from extproc.edges.store.index.sessions import Spot
from extproc.indexing import behind, catch_up, place_of_index
from extproc.office import OfficeError
from extproc.ports import StoreError

__all__ = ["IndexUrl", "Opened", "Recorded", "in_index", "one_session", "progress"]

T = TypeVar("T")

MANY: Final = 20_000
"""So many records take a moment to read, and somebody waits for it."""
AMBIGUOUS: Final = 2

IndexUrl: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--index-url", envvar="EXTPROC_INDEX_URL", help="A file with the PostgreSQL URL, where the index is there."
    ),
]


@dataclass(frozen=True, slots=True)
class Opened:
    """The index, up to date, of the journals below ``state``."""

    index: Index
    state: Path


@dataclass(frozen=True, slots=True)
class Recorded:
    """A session, its events in the order of the journals, and the names of the journals that tell of it."""

    session: Session
    events: Sequence[Mapping[str, Json]]
    journals: frozenset[str]


def in_index(state: Path, url_file: Path | None, work: Callable[[Opened], Awaitable[T]]) -> T:
    """What ``work`` finds in the index; leaves with 2 and one line where there is nothing to read."""

    async def run() -> T:
        async with _opened(state, url_file) as opened:
            damaged = sum(each.damaged for each in (await opened.index.standings()).values())
            found = await work(opened)
            if damaged:
                typer.echo(f"{damaged} damaged lines are left out; `extproc verify` says where", err=True)
            return found

    found_journals(state)
    try:
        return asyncio.run(run())
    except (OfficeError, StoreError) as error:
        quit_with(2, str(error))
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")


def one_session(state: Path, url_file: Path | None, session_id: str, reading: Reading) -> Recorded:
    """The session whose id begins so, with all that was recorded of its calls; leaves with 1 where there is not one.

    ``reading`` opens what is encrypted.
    """

    async def work(opened: Opened) -> Recorded | str:
        found = await opened.index.begins_so(session_id)
        if len(found) > 1:
            number = "2" if len(found) == AMBIGUOUS else f"more than {AMBIGUOUS}"
            return f"{session_id} begins {number} sessions; write more of the id"
        spots = await opened.index.spots_of(found[0].key) if found else []
        events = [reading(event) for event in await _events(opened, spots)]
        whole = next((each for each in sessions(events) if each.id == found[0].id), None) if found else None
        if whole is None:
            return f"no session {session_id} is recorded; `extproc sessions` lists them"
        tickets = {call.ticket for call in whole.calls if call.ticket}
        journals = {spot.journal for spot in spots} | await opened.index.steps_of(tickets)
        return Recorded(whole, events, frozenset(journals))

    found = in_index(state, url_file, work)
    if isinstance(found, str):
        quit_with(1, found)
    return found


async def _events(opened: Opened, spots: Sequence[Spot]) -> list[Mapping[str, Json]]:
    """The events at these spots, in their order."""
    if opened.index.shared:
        kept = await opened.index.kept_events(spots)
        return [event for spot in spots if (event := read_event(kept.get((spot.journal, spot.seq), b""))) is not None]
    wanted: dict[str, dict[int, Position]] = {}
    for spot in spots:
        wanted.setdefault(spot.journal, {})[spot.seq] = Position(segment=spot.segment, offset=spot.offset)
    found = {
        journal: pick(opened.state / "journal" / journal, places)
        if (opened.state / "journal" / journal).is_dir()
        else {}
        for journal, places in wanted.items()
    }
    return [found[spot.journal][spot.seq] for spot in spots if spot.seq in found[spot.journal]]


@contextlib.asynccontextmanager
async def _opened(state: Path, url_file: Path | None) -> AsyncIterator[Opened]:
    with contextlib.ExitStack() as lasting:
        try:
            index = await _up_to_date(place_of_index(state, url_file), state)
        except StoreError as failure:
            what = "; these are the records of this node alone" if url_file is not None else ""
            typer.echo(printable(f"the journals are read anew, because the index cannot be: {failure}{what}"), err=True)
            folder = Path(lasting.enter_context(tempfile.TemporaryDirectory(prefix="extproc-index-")))
            index = await _up_to_date(folder / "index.db", state)
        try:
            yield Opened(index, state)
        finally:
            await index.close()


async def _up_to_date(place: Path | str, state: Path) -> Index:
    index = Index(place)
    try:
        await index.open()
        await _catch_up(index, state)
    except BaseException:
        await index.close()
        raise
    return index


async def _catch_up(index: Index, state: Path) -> None:
    missing = sum(behind(state, await index.standings()).values())
    with progress("reading what the index does not hold yet", missing) as advance:
        await catch_up(index, state, advance)


@contextlib.contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Show how far something is that takes a moment; gives what hears of each step. Says nothing of a small thing."""
    if total <= MANY:
        yield lambda _: None
        return
    console = Console(stderr=True)
    if not console.is_terminal:
        typer.echo(f"{what}: {total} records ...", err=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.advance(task, done)
