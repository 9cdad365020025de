"""``extproc export SESSION``: everything about one session in one file, which proves itself."""

import hashlib
import io
import json
import os
import time
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, TypeAlias

import jinja2
import typer

from extproc import __version__
from extproc.cli.desk import operator, record
from extproc.cli.indexed import IndexUrl, Recorded, one_session
from extproc.cli.reading import Identity, reading_with
from extproc.cli.recorded import StateDir, found_journals, moment, printable, quit_with
from extproc.core import audit
from extproc.core.audit import Session
from extproc.core.audit.members import text_of
from extproc.core.audit.notes import open_seal, read_key, trusted
from extproc.core.audit.schema import event_schema
from extproc.core.audit.steps import export_step
from extproc.core.model import Json
from extproc.edges.journal.excerpts import excerpt
from extproc.edges.journal.seal_files import notes_in, seals_of
from extproc.edges.keys.seal_keys import STATEMENTS, public_key, statements
from extproc.ports import StoreError
from extproc.settings import default_state_dir

__all__ = ["AlsoState", "export"]

AlsoState: TypeAlias = Annotated[
    list[Path] | None,
    typer.Option(
        "--also-state",
        help="The state directory of another node that recorded it, or a copy; may be given more than once.",
    ),
]

_ABOUT_THE_JOURNAL: Final = frozenset({"opened", "recovered", "unsynced", "started", "stopped", "policy"})
_HOW: Final = """\
Evidence about session {id}, made by mcp-extproc {version}.

report.html     the calls, for people
session.json    the same, for programs
journal/        the recorded events of this session, whole; of all others only their hashes
seals/          the signed roots of the journals, and the public key
schema.json     what each member of an event means

To prove it:  extproc verify {name} --key KEY
KEY is the public key of the recording node, and where several recorded it, --key is given for each. Take them from
their operators, not from this file.
"""


def export(
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="A session's id, or how it begins.")],
    state: StateDir = default_state_dir(),  # noqa: B008 - typer reads defaults once
    *,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="The file; evidence-SESSION.zip unless given.")
    ] = None,
    key: Identity = None,
    index_url: IndexUrl = None,
    also_state: AlsoState = None,
) -> None:
    """Write the evidence of one session into a file that `extproc verify` proves; the export itself is recorded.

    What is encrypted stays so in its journal; with --key the page for people has it in the clear.
    """
    reading = reading_with(key)
    recorded = one_session(state, index_url, session_id, reading)
    session = recorded.session
    target = output or Path(f"evidence-{session.id}.zip")
    if target.exists():
        quit_with(2, f"{target} exists already; name another file")
    places = _places((state, *(also_state or ())), recorded)
    try:
        raw = _bundle(places, recorded, target.name)
    except StoreError as error:
        quit_with(1, f"{error}; `extproc verify` says more, and nothing was exported")
    except OSError as error:
        quit_with(2, f"the recording in {state} cannot be read: {error.strerror}")
    digest = hashlib.sha256(raw).hexdigest()

    reading.tell(state, session)
    step = export_step(
        at=time.time_ns(),
        session=session.id,
        calls=len(session.calls),
        digest=digest,
        by=operator(),
        decrypted=bool(reading.opened),
    )
    record(state, step)
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
    except OSError as error:
        quit_with(2, f"{target} cannot be written: {error.strerror}")
    typer.echo(printable(f"{target}: {len(session.calls)} calls of {session.subject or 'nobody'}, SHA-256 {digest}"))


def _places(states: Sequence[Path], recorded: Recorded) -> dict[Path, Path]:
    """The journals that tell of the session, each with its state directory; leaves with 1 where some are not here."""
    found: dict[str, tuple[Path, Path]] = {}
    for state in states:
        for directory in found_journals(state):
            found.setdefault(directory.name, (directory, state))
    elsewhere = sorted(recorded.journals - found.keys())
    if elsewhere:
        nodes = sorted({name.rpartition("-")[0] for name in elsewhere})
        alone = len(nodes) == 1 and not recorded.journals & found.keys()
        there = f"run `extproc export {recorded.session.id}` on {nodes[0]}, or " if alone else ""
        quit_with(
            1,
            f"records of it are proved by journals of other nodes ({', '.join(elsewhere)}): {there}"
            f"name the state directory of {' and of '.join(nodes)}, or a copy, with --also-state",
        )
    return dict(sorted(found[name] for name in recorded.journals))


def _bundle(places: Mapping[Path, Path], recorded: Recorded, name: str) -> bytes:
    session = recorded.session
    decisions = {call.decision for call in session.calls}
    tickets = {call.ticket for call in session.calls if call.ticket}

    def keeps(event: Mapping[str, Json]) -> bool:
        if event.get("kind") in {"decision", "message", "outcome", "server_request", "definition"}:
            return text_of(event.get("decision")) in decisions
        if event.get("kind") == "approval":
            return text_of(event.get("ticket")) in tickets or text_of(event.get("decision")) in decisions
        return event.get("kind") in _ABOUT_THE_JOURNAL

    states = dict.fromkeys(places.values())
    written = dict.fromkeys(key for state in states if (key := public_key(state)) is not None)
    notes = [note for state in states for note in statements(state)]
    keys = trusted(dict(found for key in written if (found := read_key(key)) is not None), notes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as bundle:
        for directory, state in places.items():
            seals = seals_of(state, directory.name)
            checkpoints = [seal for note in notes_in(seals) if (seal := open_seal(note, keys)) is not None]
            sealed = max((each.size for each in checkpoints), default=0)
            lines = b"".join(excerpt(directory, keeps=keeps, sealed=sealed))
            bundle.writestr(f"journal/{directory.name}/00000001.jsonl", lines)
            if seals.exists():
                bundle.writestr(f"seals/{seals.name}", seals.read_bytes())
        if written:
            bundle.writestr("seals/key.pub", "".join(f"{key}\n" for key in written))
        if notes:
            bundle.writestr(f"seals/{STATEMENTS}", "".join(f"{json.dumps(note)}\n" for note in notes))
        bundle.writestr("schema.json", json.dumps(event_schema(), indent=2))
        bundle.writestr("session.json", json.dumps(asdict(session), indent=2, default=str))
        bundle.writestr("report.html", _report(session))
        bundle.writestr("README.txt", _HOW.format(id=session.id, version=__version__, name=name))
    return buffer.getvalue()


def _report(session: Session) -> str:
    text = (resources.files("extproc.cli") / "evidence.html").read_text("utf-8")
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters.update(moment=moment, shown=lambda value: printable(str(value)), compact=_compact)
    return environment.from_string(text).render(session=session, made=moment(time.time_ns()), version=__version__)


def _compact(value: Json) -> str:
    return "" if value is None else audit.encode(value).decode()
